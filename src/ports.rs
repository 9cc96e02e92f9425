//! The narrow traits between the stages and the engines, with their outcomes and errors.
//!
//! A stage uses the narrowest port that it needs. An engine implements all of them. Expected outcomes are
//! values ([`Delivery::Gone`], [`Flip::Conflict`]); a [`PortError`] is an unexpected failure.
//!
//! The methods have the shape of AWS's services: reads and writes in batches, pages with cursors, conditions
//! on single items, receipts and visibility timeouts.

mod active_users;
mod bases;
mod catalogue;
mod connections;
mod discounts;
mod environment;
mod error;
mod housekeeping;
mod layer;
mod loads;
mod pages;
mod port;
pub(crate) mod prelude;
mod presence;
mod price_lists;
mod price_tables;
mod queues;
mod quotations;
mod reading;
mod records;
mod stack_settings;
mod table_reader;
#[cfg(test)]
pub(crate) mod testing;
mod token_keys;
mod topic;
mod usage_log;
mod user_discounts;

use std::sync::Arc;

pub use active_users::{ActiveUser, ActiveUsers, Segment};
pub use bases::{BaseClaim, BaseName, Bases, MakerId, StoredBase};
pub use catalogue::{AtHead, CatalogueHead, CatalogueStore};
pub use connections::{Connections, Delivery, MAX_PUSH_BYTES};
pub use discounts::DiscountStore;
pub use environment::{Clock, Randomness, SteadyClock, SystemClock, SystemRandomness};
pub use error::{Chain, PortError};
pub use housekeeping::{Backlog, Housekeeping, Upkeep};
pub(crate) use layer::layer;
pub use loads::{
    Changes, Commit, Committed, JOURNAL_KEPT_FOR, Journal, LoadId, Loads, Record, RecordKey,
    RecordKind, RowChange,
};
pub(crate) use pages::{pages, read_all};
pub(crate) use port::port;
pub use presence::{Presence, ProcessRecord, ProcessRole, TickDone, living_processes};
pub use price_lists::{CustomerStore, PriceListStore};
pub use price_tables::{
    Flip, MAX_INLINE_BYTES, NewTable, NextPrices, OwnStorage, PriceTables, Prices, TableHead,
    WantedParts, parts_of,
};
pub use queues::{
    DeadLetter, DeadLetters, Depth, FailedEntry, MAX_BATCH, MAX_BODY_BYTES, MAX_DELAY,
    MAX_RECEIVES, Outgoing, Posting, Queue, Queues, Receipt, Received, Selection,
};
pub use quotations::{
    Created, FailureReason, Quotation, QuotationStatus, Quotations, Settlement, Verdict,
    pack_target, unpack_target,
};
pub use reading::{
    First, all_lists, at_head, discounts_now, first_customers, first_discounted_users,
    first_products, products_now,
};
pub use records::OfRecord;
pub(crate) use records::keys_of_list;
pub use stack_settings::{SettingsRecord, SettingsStore};
pub use table_reader::{TableError, TableReader, TableRow};
pub use token_keys::{KeySource, TokenKeys};
pub use topic::{Topic, publish};
pub use usage_log::{UsageLog, UsageRecord};
pub use user_discounts::UserDiscounts;

/// One page of a listing, and the cursor for the next page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items of this page. They may be empty even if there is a next page.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last page.
    pub next: Option<Cursor>,
}

/// A place in a listing. Only the engine that made it can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// All ports that store data.
pub trait Store:
    ActiveUsers
    + Bases
    + CatalogueStore
    + CustomerStore
    + DiscountStore
    + Loads
    + PriceListStore
    + PriceTables
    + Quotations
    + SettingsStore
{
}

impl<T> Store for T where
    T: ActiveUsers
        + Bases
        + CatalogueStore
        + CustomerStore
        + DiscountStore
        + Loads
        + PriceListStore
        + PriceTables
        + Quotations
        + SettingsStore
{
}

/// All ports of one engine, as the runtime hands them to the stages.
#[derive(Clone)]
pub struct Ports {
    /// The stored data.
    pub store: Arc<dyn Store>,
    /// The queues of calculations and quotations.
    pub queues: Arc<dyn Queues>,
    /// The messages that failed too often.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The topic that quotations are published to.
    pub topic: Arc<dyn Topic>,
    /// The websocket connections of clients.
    pub connections: Arc<dyn Connections>,
    /// The usage that meters record.
    pub usage: Arc<dyn UsageLog>,
    /// The processes that are alive.
    pub presence: Arc<dyn Presence>,
    /// The current time.
    pub clock: Arc<dyn Clock>,
    /// The source of ids that cannot be guessed.
    pub randomness: Arc<dyn Randomness>,
}
