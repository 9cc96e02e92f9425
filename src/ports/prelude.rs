//! The names that the signatures of ports use. Layers repeat these signatures in other modules, where the
//! names must mean the same. So a module with a [`layer!`](super::layer) imports all of them.

pub(crate) use std::time::Duration;

pub(crate) use bytes::Bytes;

pub(crate) use super::{
    ActiveUser, AtHead, BaseClaim, BaseName, CatalogueHead, Commit, Committed, Created, Cursor,
    DeadLetter, Delivery, Depth, FailedEntry, Flip, Journal, LoadId, NewTable, Outgoing, Page,
    PortError, ProcessRecord, Queue, Quotation, Receipt, Received, RowChange, Segment, Selection,
    SettingsRecord, Settlement, StoredBase, TableHead, Topic, UsageRecord, UserDiscounts, Verdict,
    WantedParts, layer,
};
pub(crate) use crate::model::{
    ConnectionRef, Dialect, Generation, PriceListId, ProductId, QuotationKey, Timestamp, UserId,
};
pub(crate) use crate::pricing::{Customer, ListPrices, PriceList, Product, Scope};
