//! The lowest layer of ports: right above the engine, below all faults. It sees every effect, in
//! the order in which they happen, and writes those that matter into the ledger.
//!
//! The engine's calls do not wait, except for a receive, so nothing comes between an effect and
//! its entry.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::messages::Content;
use super::process::Process;
use super::world::World;
use crate::model::{ConnectionRef, ProductId, ProviderMessage, QuotationKey, Timestamp, UserId};
use crate::ports::layer;
use crate::ports::{
    ActiveUser, BeginLoad, Created, Delivery, Depth, FailedEntry, Flip, LoadId, LoadMark, Outgoing,
    PortError, Ports, Queue, Quotation, Receipt, Received, Settlement, TableHead, UserDiscounts,
    Verdict,
};
use crate::pricing::{Discounts, Product};

/// The engine as one process uses it, watched.
pub(super) struct Witness {
    world: Arc<World>,
    process: Arc<Process>,
    inner: Ports,
}

impl Witness {
    pub(super) fn new(world: Arc<World>, process: Arc<Process>) -> Arc<Self> {
        let inner = world.engine.clone();
        Arc::new(Self { world, process, inner })
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        self.world.tell(&self.process.name, what);
    }

    async fn held(&self, queue: Queue) -> Result<u64, PortError> {
        let Depth { waiting, in_flight, delayed, dead } = self.inner.queues.depth(queue).await?;
        Ok(waiting + in_flight + delayed + dead)
    }

    async fn watch_send(&self, queue: Queue, body: &str, before: u64) -> Result<(), PortError> {
        let taken = self.held(queue).await? > before;
        let word = if taken { "takes" } else { "has already" };
        self.tell(|| format!("queue {queue} {word} {body}"));
        let clock = &self.process.clock;
        self.world.note(|ledger, now| ledger.sent(queue, body, taken, clock, now));
        Ok(())
    }

    async fn watch_acknowledge(&self, queue: Queue, receipt: &Receipt) -> Result<(), PortError> {
        let before = self.held(queue).await?;
        self.inner.queues.acknowledge(queue, std::slice::from_ref(receipt)).await?;
        if self.held(queue).await? == before {
            return Ok(());
        }
        let Some(message) = self.world.look(|ledger| ledger.messages.handed(&receipt.0)) else {
            return Ok(());
        };
        self.tell(|| format!("queue {queue} forgets {}", receipt.0));
        let stored = match Content::read(queue, &message.body) {
            Content::Provide(ProviderMessage::Quote(request)) => {
                self.inner.store.quotation(&request.key).await?
            }
            Content::Provide(ProviderMessage::Deadline { key, .. }) => {
                self.inner.store.quotation(&key).await?
            }
            Content::Order(_) | Content::Unreadable => None,
        };
        let (clock, stored) = (&self.process.clock, stored.as_ref());
        self.world.note(|ledger, _| ledger.acknowledged(queue, &message, clock, stored));
        Ok(())
    }

    async fn all_products(&self) -> Result<Vec<Product>, PortError> {
        let mut products = vec![];
        let mut from = None;
        loop {
            let page = self.inner.store.list_products(from).await?;
            products.extend(page.items);
            from = page.next;
            if from.is_none() {
                return Ok(products);
            }
        }
    }
}

layer!(ActiveUsers for Witness over store [active_user, list_active_users] {
    async fn record_visit(
        &self,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<ActiveUser>, PortError> {
        let before = self.inner.store.record_visit(user, now, expires_at).await?;
        self.tell(|| format!("{user:?} is active until {expires_at}"));
        self.world.note(|ledger, _| {
            ledger.visits.came(user, expires_at);
            Ok(())
        });
        Ok(before)
    }

    async fn remove_active_user(&self, user: &UserId) -> Result<bool, PortError> {
        let removed = self.inner.store.remove_active_user(user).await?;
        self.tell(|| format!("{user:?} is no longer active"));
        self.world.note(|ledger, now| {
            ledger.visits.left(user, now);
            Ok(())
        });
        Ok(removed)
    }
});

layer!(CatalogueStore for Witness over store [
    catalogue_head, extend_load, products, list_products
] {
    async fn begin_load(
        &self,
        mark: &LoadMark,
        expected: Option<u64>,
        now: Timestamp,
    ) -> Result<BeginLoad, PortError> {
        let begun = self.inner.store.begin_load(mark, expected, now).await?;
        self.tell(|| format!("load after version {expected:?}: {begun:?}"));
        Ok(begun)
    }

    async fn finish_load(&self, load: &LoadId) -> Result<Option<u64>, PortError> {
        let version = self.inner.store.finish_load(load).await?;
        self.tell(|| format!("load finished: version {version:?}"));
        if let Some(version) = version {
            let products = self.all_products().await?;
            self.world.note(|ledger, now| ledger.loaded(version, &products, now));
        }
        Ok(version)
    }

    async fn put_products(&self, products: &[Product]) -> Result<(), PortError> {
        self.tell(|| format!("{} products written", products.len()));
        self.inner.store.put_products(products).await
    }

    async fn delete_products(&self, products: &[ProductId]) -> Result<(), PortError> {
        self.tell(|| format!("{} products deleted", products.len()));
        self.inner.store.delete_products(products).await
    }
});

layer!(DiscountStore for Witness over store [discounts, list_discounted_users] {
    async fn put_discounts(&self, lists: &[UserDiscounts]) -> Result<(), PortError> {
        self.inner.store.put_discounts(lists).await?;
        for list in lists {
            self.tell(|| format!("{:?} has other discounts", list.user));
            self.world.note(|ledger, now| {
                ledger.discounted(&list.user, list.discounts.clone(), now);
                Ok(())
            });
        }
        Ok(())
    }

    async fn delete_discounts(&self, users: &[UserId]) -> Result<(), PortError> {
        self.inner.store.delete_discounts(users).await?;
        for user in users {
            self.tell(|| format!("{user:?} has no discounts any more"));
            self.world.note(|ledger, now| {
                ledger.discounted(user, Discounts::default(), now);
                Ok(())
            });
        }
        Ok(())
    }
});

layer!(PriceTables for Witness over store [
    table_heads, put_parts, parts, parts_of_many, delete_table, list_table_heads
] {
    async fn flip_head(
        &self,
        user: &UserId,
        head: &TableHead,
        expected: Option<u64>,
        expire_at: Timestamp,
    ) -> Result<Flip, PortError> {
        let flip = self.inner.store.flip_head(user, head, expected, expire_at).await?;
        self.tell(|| {
            let (version, catalogue) = (head.version, head.catalogue_version);
            format!("{user:?}: head {expected:?} to {version} of catalogue {catalogue}: {flip:?}")
        });
        if flip == Flip::Done {
            let numbers: Vec<u32> = (0..).take(head.parts.len()).collect();
            let parts = self.inner.store.parts(user, &head.generation, &numbers).await?;
            self.world.note(|ledger, now| ledger.flipped(user, head, &parts, now));
        }
        Ok(flip)
    }
});

layer!(Quotations for Witness over store [
    quotation, list_quotations, redirect_quotation, delete_quotation
] {
    async fn create_quotation(&self, quotation: &Quotation) -> Result<Created, PortError> {
        let created = self.inner.store.create_quotation(quotation).await?;
        if created == Created::New {
            self.tell(|| format!("quotation {}, until {}", quotation.key, quotation.deadline));
            self.world.note(|ledger, _| {
                ledger.promises.created(quotation);
                Ok(())
            });
        }
        Ok(created)
    }

    async fn settle_quotation(
        &self,
        key: &QuotationKey,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<Settlement, PortError> {
        let settlement = self.inner.store.settle_quotation(key, verdict, now).await?;
        if let Settlement::Settled(quotation) = &settlement {
            self.tell(|| format!("quotation {key} is settled: {verdict:?}"));
            self.world.note(|ledger, now| ledger.settled(quotation, now));
        }
        Ok(settlement)
    }
});

layer!(Queues for Witness over queues [change_visibility, depth] {
    async fn send(
        &self,
        queue: Queue,
        messages: &[Outgoing],
    ) -> Result<Vec<FailedEntry>, PortError> {
        let mut failed = vec![];
        for (index, message) in messages.iter().enumerate() {
            let before = self.held(queue).await?;
            let refused = self.inner.queues.send(queue, std::slice::from_ref(message)).await?;
            if refused.is_empty() {
                self.watch_send(queue, &message.body, before).await?;
            }
            failed.extend(refused.into_iter().map(|entry| FailedEntry { index, ..entry }));
        }
        Ok(failed)
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Received>, PortError> {
        let received = self.inner.queues.receive(queue, max, wait, visibility).await?;
        for message in &received {
            self.tell(|| format!("receives {}", message.receipt.0));
            self.world.note(|ledger, _| ledger.handed_out(queue, message));
        }
        Ok(received)
    }

    async fn acknowledge(&self, queue: Queue, receipts: &[Receipt]) -> Result<(), PortError> {
        for receipt in receipts {
            self.watch_acknowledge(queue, receipt).await?;
        }
        Ok(())
    }
});

layer!(Topic for Witness over topic [] {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        let mut failed = vec![];
        for (index, body) in bodies.iter().enumerate() {
            let before = self.held(Queue::Provider).await?;
            let refused = self.inner.topic.publish(std::slice::from_ref(body)).await?;
            if refused.is_empty() {
                self.watch_send(Queue::Provider, body, before).await?;
            }
            failed.extend(refused.into_iter().map(|entry| FailedEntry { index, ..entry }));
        }
        Ok(failed)
    }
});

layer!(Connections for Witness over connections [] {
    async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        let delivery = self.inner.connections.push(to, frame.clone()).await?;
        let text = String::from_utf8_lossy(&frame);
        self.tell(|| format!("pushes to {}: {delivery:?}: {text}", to.id));
        self.world.note(|ledger, _| match delivery {
            Delivery::Delivered => ledger.shown(&text),
            Delivery::Gone => {
                ledger.promises.client_gone(&text);
                Ok(())
            }
        });
        Ok(delivery)
    }
});
