//! Bugs planted on purpose, to show that the simulation finds what it is there to find.
//!
//! Each is a layer of ports between the stages and the faults. The stages themselves are as they
//! are everywhere.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::task;

use crate::model::{Calculation, Cause, DeduplicationId, Generation, Timestamp, UserId};
use crate::ports::layer;
use crate::ports::{
    ActiveUser, BeginLoad, Cursor, FailedEntry, Flip, LoadId, LoadMark, Outgoing, Page, PortError,
    Ports, Posting, Queue, Received, Segment, TableHead, UserDiscounts,
};

/// A bug that the system could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlantedBug {
    /// A message is acknowledged as soon as it is received.
    AcknowledgeFirst,
    /// The head names a generation before its parts are written.
    HeadBeforeParts,
    /// The head is replaced whatever its version is.
    NoConditionOnHead,
    /// The discounts are read before the head's version.
    InputsBeforeHead,
    /// Deduplication ids are hashes of the body.
    ContentBasedDeduplication,
    /// The deduplication id of an urgent order for a quotation is its request id alone.
    RequestIdAsDeduplicationId,
    /// Expired users are listed as if they were active.
    ExpiredUsersListed,
    /// Products are written while no mark says so.
    LoadWithoutMark,
    /// The order of a stale table goes before cold quotes.
    StaleIsUrgent,
}

impl PlantedBug {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::AcknowledgeFirst,
        Self::HeadBeforeParts,
        Self::NoConditionOnHead,
        Self::InputsBeforeHead,
        Self::ContentBasedDeduplication,
        Self::RequestIdAsDeduplicationId,
        Self::ExpiredUsersListed,
        Self::LoadWithoutMark,
        Self::StaleIsUrgent,
    ];

    /// The same ports, with this bug.
    pub(super) fn plant(self, ports: Ports) -> Ports {
        let planted =
            Arc::new(Planted { bug: self, inner: ports.clone(), memory: Mutex::default() });
        Ports { store: planted.clone(), queues: planted, ..ports }
    }
}

struct Planted {
    bug: PlantedBug,
    inner: Ports,
    memory: Mutex<Remembered>,
}

/// What a bug keeps for later.
#[derive(Default)]
struct Remembered {
    parts: BTreeMap<Generation, Vec<Bytes>>,
    discounts: BTreeMap<(Option<task::Id>, UserId), Option<UserDiscounts>>,
    loads: BTreeMap<String, (LoadMark, Option<u64>, Timestamp)>,
}

impl Planted {
    fn memory(&self) -> MutexGuard<'_, Remembered> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn repost(&self, message: &Outgoing) -> Outgoing {
        let Posting::Fifo { group, deduplication } = message.posting else {
            return message.clone();
        };
        let order = serde_json::from_str::<Calculation>(&message.body).map(|order| order.cause);
        let deduplication = match (self.bug, order) {
            (PlantedBug::ContentBasedDeduplication, _) => hashed(&message.body),
            (PlantedBug::RequestIdAsDeduplicationId, Ok(Cause::Quotation(request))) => {
                hashed(request.request_id.as_str())
            }
            _ => deduplication,
        };
        Outgoing { body: message.body.clone(), posting: Posting::Fifo { group, deduplication } }
    }

    fn queue_of(&self, queue: Queue, message: &Outgoing) -> Queue {
        let order = serde_json::from_str::<Calculation>(&message.body).map(|order| order.cause);
        match (self.bug, order) {
            (PlantedBug::StaleIsUrgent, Ok(Cause::Stale { .. })) => Queue::Quotation,
            _ => queue,
        }
    }

    /// Reads inputs that will be used after the head is read.
    async fn read_ahead(&self, users: &[UserId]) -> Result<(), PortError> {
        let lists = self.inner.store.discounts(users).await?;
        let mut memory = self.memory();
        for user in users {
            let list = lists.iter().find(|list| list.user == *user).cloned();
            memory.discounts.insert((task::try_id(), user.clone()), list);
        }
        Ok(())
    }

    /// What this task, which is one calculation, has read ahead; another one's is its own.
    fn discounts_read_ahead(&self, users: &[UserId]) -> Option<Vec<UserDiscounts>> {
        let mut memory = self.memory();
        let mut take = |user: &UserId| memory.discounts.remove(&(task::try_id(), user.clone()));
        let known: Option<Vec<_>> = users.iter().map(&mut take).collect();
        Some(known?.into_iter().flatten().collect())
    }
}

fn hashed(text: &str) -> DeduplicationId {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    DeduplicationId::from_random(u128::from(hasher.finish()).to_le_bytes())
}

layer!(ActiveUsers for Planted over store [active_user, record_visit, remove_active_user] {
    async fn list_active_users(
        &self,
        segment: Segment,
        now: Timestamp,
        from: Option<Cursor>,
    ) -> Result<Page<ActiveUser>, PortError> {
        if self.bug != PlantedBug::ExpiredUsersListed {
            return self.inner.store.list_active_users(segment, now, from).await;
        }
        let long_ago = Timestamp::default();
        let mut page = self.inner.store.list_active_users(segment, long_ago, from).await?;
        for user in &mut page.items {
            user.expires_at = now.plus(Duration::from_secs(3600));
        }
        Ok(page)
    }
});

layer!(CatalogueStore for Planted over store [
    catalogue_head, put_products, delete_products, products, list_products
] {
    async fn begin_load(
        &self,
        mark: &LoadMark,
        expected: Option<u64>,
        now: Timestamp,
    ) -> Result<BeginLoad, PortError> {
        if self.bug != PlantedBug::LoadWithoutMark {
            return self.inner.store.begin_load(mark, expected, now).await;
        }
        let load = (mark.clone(), expected, now);
        self.memory().loads.insert(mark.id.0.clone(), load);
        Ok(BeginLoad::Begun)
    }

    async fn extend_load(&self, mark: &LoadMark) -> Result<bool, PortError> {
        if self.bug == PlantedBug::LoadWithoutMark {
            return Ok(true);
        }
        self.inner.store.extend_load(mark).await
    }

    async fn finish_load(&self, load: &LoadId) -> Result<Option<u64>, PortError> {
        let unmarked = self.memory().loads.remove(&load.0);
        if let Some((mark, expected, now)) = unmarked {
            self.inner.store.begin_load(&mark, expected, now).await?;
        }
        self.inner.store.finish_load(load).await
    }
});

layer!(DiscountStore for Planted over store [
    put_discounts, delete_discounts, list_discounted_users
] {
    async fn discounts(&self, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError> {
        match self.discounts_read_ahead(users) {
            Some(lists) => Ok(lists),
            None => self.inner.store.discounts(users).await,
        }
    }
});

layer!(PriceTables for Planted over store [parts, parts_of_many, delete_table, list_table_heads] {
    async fn table_heads(&self, users: &[UserId]) -> Result<Vec<(UserId, TableHead)>, PortError> {
        if self.bug == PlantedBug::InputsBeforeHead {
            self.read_ahead(users).await?;
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
        if self.bug == PlantedBug::HeadBeforeParts {
            self.memory().parts.insert(generation.clone(), parts.to_vec());
            return Ok(());
        }
        self.inner.store.put_parts(user, generation, parts, expire_at).await
    }

    async fn flip_head(
        &self,
        user: &UserId,
        head: &TableHead,
        expected: Option<u64>,
        expire_at: Timestamp,
    ) -> Result<Flip, PortError> {
        let mut expected = expected;
        if self.bug == PlantedBug::NoConditionOnHead {
            let heads = self.inner.store.table_heads(std::slice::from_ref(user)).await?;
            expected = heads.first().map(|(_, head)| head.version);
        }
        let flip = self.inner.store.flip_head(user, head, expected, expire_at).await?;
        let late = self.memory().parts.remove(&head.generation);
        if let (Flip::Done, Some(parts)) = (&flip, late) {
            self.inner.store.put_parts(user, &head.generation, &parts, expire_at).await?;
        }
        Ok(flip)
    }
});

layer!(Quotations for Planted over store [create_quotation, quotation, list_quotations, redirect_quotation, settle_quotation, delete_quotation] {});

layer!(Queues for Planted over queues [acknowledge, change_visibility, depth] {
    async fn send(
        &self,
        queue: Queue,
        messages: &[Outgoing],
    ) -> Result<Vec<FailedEntry>, PortError> {
        // A stale table is ordered alone.
        let queue = messages.first().map_or(queue, |message| self.queue_of(queue, message));
        let messages: Vec<_> = messages.iter().map(|message| self.repost(message)).collect();
        self.inner.queues.send(queue, &messages).await
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Received>, PortError> {
        let received = self.inner.queues.receive(queue, max, wait, visibility).await?;
        if self.bug == PlantedBug::AcknowledgeFirst && !received.is_empty() {
            let receipts: Vec<_> =
                received.iter().map(|message| message.receipt.clone()).collect();
            self.inner.queues.acknowledge(queue, &receipts).await?;
        }
        Ok(received)
    }
});
