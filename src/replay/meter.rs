//! Ports that bill every call as AWS would, and write down what matters of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::ledger::Ledger;
use crate::billing::Line;
use crate::meter::rules::{UNIT, gateway_messages, item_read, item_write, queue_requests};
use crate::model::{
    ConnectionRef, Dialect, Generation, ProductId, QuotationKey, Timestamp, UserId,
};
use crate::ports::{
    ActiveUser, ActiveUsers, BeginLoad, CatalogueHead, CatalogueStore, Clock, Connections, Created,
    Cursor, Delivery, Depth, DiscountStore, FailedEntry, Flip, LoadId, LoadMark, MAX_BATCH,
    Outgoing, Page, PortError, Ports, PriceTables, Queue, Queues, Quotation, Quotations, Receipt,
    Received, Segment, Settlement, TableHead, Topic, UserDiscounts, Verdict, layer,
};
use crate::pricing::Product;

/// What an item has beside what is stored: names of its fields, key, expiry, who wrote it.
const ITEM_BYTES: u64 = 120;
/// A discount in a list: two names, a percentage, the overhead of a map.
const DISCOUNT_BYTES: u64 = 32;

/// The engine below, metered.
pub(super) struct Meter {
    inner: Ports,
    clock: Arc<dyn Clock>,
    ledger: Mutex<Ledger>,
}

impl Meter {
    pub(super) fn new(inner: Ports) -> Arc<Self> {
        let clock = inner.clock.clone();
        Arc::new(Self { inner, clock, ledger: Mutex::default() })
    }

    /// The engine's ports through this meter.
    pub(super) fn ports(self: &Arc<Self>) -> Ports {
        Ports {
            store: self.clone(),
            queues: self.clone(),
            topic: self.clone(),
            connections: self.clone(),
            ..self.inner.clone()
        }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bill(&self, line: Line, parts: u64) {
        self.ledger().bill(line, parts);
    }

    fn bill_parts(&self, generation: &Generation, parts: &[Bytes], expire_at: Timestamp) {
        let now = self.clock.now();
        let bytes = |part: &Bytes| part.len() as u64 + ITEM_BYTES;
        let mut ledger = self.ledger();
        for part in parts {
            ledger.bill(Line::WriteUnits, write_units(bytes(part)));
        }
        let all = parts.iter().map(bytes).sum();
        ledger.bill_storage(generation.to_string(), all, now, expire_at);
    }

    fn bill_requests(&self, queue: Queue, requests: u64) {
        let line = if queue.is_fifo() { Line::FifoRequests } else { Line::StandardRequests };
        self.bill(line, requests);
    }
}

fn write_units(bytes: u64) -> u64 {
    item_write(bytes) / UNIT
}

fn read_halves(bytes: u64, consistent: bool) -> u64 {
    2 * item_read(bytes, consistent) / UNIT
}

/// About what the item of a structure takes that is stored as JSON.
fn json_bytes(value: &impl serde::Serialize) -> u64 {
    serde_json::to_vec(value).map_or(0, |json| json.len() as u64) + ITEM_BYTES
}

fn row_bytes(user: &UserId) -> u64 {
    user.as_str().len() as u64 + ITEM_BYTES / 2
}

fn product_bytes(product: &Product) -> u64 {
    (product.id.as_str().len() + product.name.len()) as u64 + ITEM_BYTES / 4
}

fn list_bytes(list: &UserDiscounts) -> u64 {
    let discounts = list.discounts.as_slice().iter();
    let ids = discounts.map(|discount| discount.product_id.as_str().len() as u64 + DISCOUNT_BYTES);
    ids.sum::<u64>() + ITEM_BYTES / 4
}

/// The requests of a call for every ten of these bodies.
fn batches<'a>(bodies: impl IntoIterator<Item = &'a str>) -> u64 {
    let lengths: Vec<u64> = bodies.into_iter().map(|body| body.len() as u64).collect();
    lengths.chunks(MAX_BATCH).map(|batch| queue_requests(batch.iter().sum()) / UNIT).sum()
}

layer!(ActiveUsers for Meter over store {} {
    async fn active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        let bytes = self.ledger().row_bytes(user);
        self.bill(Line::ReadUnits, read_halves(bytes, false));
        self.inner.store.active_user(user).await
    }

    async fn record_visit(
        &self,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<ActiveUser>, PortError> {
        let bytes = row_bytes(user);
        self.bill(Line::WriteUnits, write_units(bytes));
        self.ledger().came(user, now, expires_at, bytes);
        self.inner.store.record_visit(user, now, expires_at).await
    }

    /// Only expired rows are removed in a replay, as DynamoDB does it: for nothing.
    async fn remove_active_user(&self, user: &UserId) -> Result<bool, PortError> {
        self.ledger().swept(user);
        self.inner.store.remove_active_user(user).await
    }

    /// A scan reads what it then leaves out, too. Its pages are larger on AWS than here, so the
    /// first one is billed for all.
    async fn list_active_users(
        &self,
        segment: Segment,
        now: Timestamp,
        from: Option<Cursor>,
    ) -> Result<Page<ActiveUser>, PortError> {
        if from.is_none() {
            let bytes = self.ledger().rows_bytes() / u64::from(segment.count.max(1));
            self.bill(Line::ReadUnits, read_halves(bytes, false));
        }
        self.inner.store.list_active_users(segment, now, from).await
    }
});

layer!(CatalogueStore for Meter over store {
    fn begin_load(
        mark: &LoadMark,
        expected: Option<u64>,
        now: Timestamp
    ) -> BeginLoad;
    fn extend_load(mark: &LoadMark) -> bool;
    fn finish_load(load: &LoadId) -> Option<u64>;
    fn put_products(products: &[Product]) -> ();
    fn delete_products(products: &[ProductId]) -> ();
} {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        self.bill(Line::ReadUnits, read_halves(ITEM_BYTES, true));
        self.inner.store.catalogue_head().await
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<Product>, PortError> {
        let found = self.inner.store.products(products).await?;
        self.bill(Line::ReadUnits, products.len() as u64 * read_halves(ITEM_BYTES, false));
        Ok(found)
    }

    async fn list_products(&self, from: Option<Cursor>) -> Result<Page<Product>, PortError> {
        let page = self.inner.store.list_products(from).await?;
        let bytes = page.items.iter().map(product_bytes).sum();
        self.bill(Line::ReadUnits, read_halves(bytes, true));
        Ok(page)
    }
});

layer!(DiscountStore for Meter over store {
    fn put_discounts(lists: &[UserDiscounts]) -> ();
    fn delete_discounts(users: &[UserId]) -> ();
    fn list_discounted_users(from: Option<Cursor>) -> Page<UserId>;
} {
    async fn discounts(&self, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError> {
        let lists = self.inner.store.discounts(users).await?;
        let found: u64 = lists.iter().map(|list| read_halves(list_bytes(list), true)).sum();
        let missing = users.len().saturating_sub(lists.len()) as u64;
        self.bill(Line::ReadUnits, found + missing * read_halves(0, true));
        Ok(lists)
    }
});

layer!(PriceTables for Meter over store {
    fn delete_table(user: &UserId) -> ();
    fn list_table_heads(from: Option<Cursor>) -> Page<(UserId, TableHead)>;
} {
    async fn table_heads(&self, users: &[UserId]) -> Result<Vec<(UserId, TableHead)>, PortError> {
        for user in users {
            let bytes = self.ledger().head_bytes(user);
            self.bill(Line::ReadUnits, read_halves(bytes, true));
        }
        self.inner.store.table_heads(users).await
    }

    async fn put_parts(
        &self,
        user: &UserId,
        generation: &Generation,
        parts: &[Bytes],
        expire_at: Timestamp,
    ) -> Result<(), PortError> {
        self.bill_parts(generation, parts, expire_at);
        self.inner.store.put_parts(user, generation, parts, expire_at).await
    }

    async fn flip_head(
        &self,
        user: &UserId,
        head: &TableHead,
        expected: Option<u64>,
        expire_at: Timestamp,
    ) -> Result<Flip, PortError> {
        let flip = self.inner.store.flip_head(user, head, expected, expire_at).await?;
        let (bytes, now) = (json_bytes(head), self.clock.now());
        let mut ledger = self.ledger();
        // A condition that does not hold is billed like a write.
        ledger.bill(Line::WriteUnits, write_units(bytes));
        if flip == Flip::Done {
            ledger.flipped(user, head, bytes, now);
        }
        Ok(flip)
    }

    async fn parts(
        &self,
        user: &UserId,
        generation: &Generation,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let parts = self.inner.store.parts(user, generation, numbers).await?;
        let bytes = |part: &Option<Bytes>| part.as_ref().map_or(0, |part| part.len() as u64);
        self.bill(
            Line::ReadUnits,
            parts.iter().map(|part| read_halves(bytes(part) + ITEM_BYTES, true)).sum(),
        );
        Ok(parts)
    }
});

layer!(Quotations for Meter over store {
    fn list_quotations(from: Option<Cursor>) -> Page<Quotation>;
    fn redirect_quotation(
        key: &QuotationKey,
        connection: &ConnectionRef,
        dialect: Dialect
    ) -> bool;
    fn delete_quotation(key: &QuotationKey) -> ();
} {
    async fn create_quotation(&self, quotation: &Quotation) -> Result<Created, PortError> {
        self.bill(Line::WriteUnits, write_units(json_bytes(quotation)));
        self.inner.store.create_quotation(quotation).await
    }

    async fn quotation(&self, key: &QuotationKey) -> Result<Option<Quotation>, PortError> {
        let found = self.inner.store.quotation(key).await?;
        let bytes = found.as_ref().map_or(0, json_bytes);
        self.bill(Line::ReadUnits, read_halves(bytes, true));
        Ok(found)
    }

    async fn settle_quotation(
        &self,
        key: &QuotationKey,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<Settlement, PortError> {
        let settlement = self.inner.store.settle_quotation(key, verdict, now).await?;
        let mut ledger = self.ledger();
        match &settlement {
            Settlement::Settled(quotation) => {
                let bytes = json_bytes(quotation);
                ledger.bill(Line::WriteUnits, write_units(bytes));
                ledger.bill_storage(key.to_string(), bytes, now, quotation.expires_at);
                ledger.settled(quotation, now);
            }
            Settlement::Refused(quotation) => {
                ledger.bill(Line::WriteUnits, write_units(json_bytes(quotation)));
            }
            Settlement::Missing => ledger.bill(Line::WriteUnits, write_units(0)),
        }
        drop(ledger);
        Ok(settlement)
    }
});

layer!(Queues for Meter over queues {
    fn depth(queue: Queue) -> Depth;
} {
    async fn send(
        &self,
        queue: Queue,
        messages: &[Outgoing],
    ) -> Result<Vec<FailedEntry>, PortError> {
        let bodies = messages.iter().map(|message| message.body.as_str());
        self.bill_requests(queue, batches(bodies));
        self.inner.queues.send(queue, messages).await
    }

    /// A receive that comes back empty is the driver's way to look, and is not billed.
    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Received>, PortError> {
        let received = self.inner.queues.receive(queue, max, wait, visibility).await?;
        self.bill_requests(queue, batches(received.iter().map(|message| message.body.as_str())));
        Ok(received)
    }

    async fn acknowledge(&self, queue: Queue, receipts: &[Receipt]) -> Result<(), PortError> {
        self.bill_requests(queue, receipts.len().div_ceil(MAX_BATCH) as u64);
        self.inner.queues.acknowledge(queue, receipts).await
    }

    async fn change_visibility(
        &self,
        queue: Queue,
        receipts: &[Receipt],
        visibility: Duration,
    ) -> Result<(), PortError> {
        self.bill_requests(queue, receipts.len().div_ceil(MAX_BATCH) as u64);
        self.inner.queues.change_visibility(queue, receipts, visibility).await
    }
});

layer!(Topic for Meter over topic {} {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        self.bill(Line::TopicRequests, batches(bodies.iter().map(String::as_str)));
        self.inner.topic.publish(bodies).await
    }
});

layer!(Connections for Meter over connections {} {
    /// Nobody reads the frames of a replay.
    async fn push(&self, _to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        self.bill(Line::WebsocketMessages, gateway_messages(frame.len() as u64) / UNIT);
        Ok(Delivery::Delivered)
    }
});
