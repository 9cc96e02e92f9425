//! Bugs planted on purpose, to show that the simulation finds what it is there to find.
//!
//! Each is a layer of ports between the stages and the faults. The stages themselves are as they
//! are everywhere.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task;

use super::unreliable::NEVER;
use crate::model::{Calculation, Cause, DeduplicationId, ProviderMessage};
use crate::ports::prelude::*;
use crate::ports::{Ports, Posting};

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
    /// No message comes when the deadline of a quotation has passed.
    NoDeadline,
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
        Self::NoDeadline,
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
    discounts: BTreeMap<(Option<task::Id>, UserId), Option<UserDiscounts>>,
    loads: BTreeMap<String, (LoadMark, Option<u64>, Timestamp)>,
}

impl Planted {
    fn memory(&self) -> MutexGuard<'_, Remembered> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn withholds(&self, queue: Queue, message: &Outgoing) -> bool {
        let is_deadline = || {
            let content = serde_json::from_str(&message.body);
            matches!(content, Ok(ProviderMessage::Deadline { .. }))
        };
        self.bug == PlantedBug::NoDeadline && queue == Queue::Provider && is_deadline()
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

layer!(
    #[over(inner.store)]
    impl ActiveUsers for Planted {
        async fn list_active_users(&self, segment: _, now: _, from: _) -> _ {
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
    }
);

layer!(
    #[over(inner.store)]
    impl CatalogueStore for Planted {
        async fn begin_load(&self, mark: _, expected: _, now: _) -> _ {
            if self.bug != PlantedBug::LoadWithoutMark {
                return self.inner.store.begin_load(mark, expected, now).await;
            }
            let load = (mark.clone(), expected, now);
            self.memory().loads.insert(mark.id.0.clone(), load);
            Ok(BeginLoad::Begun)
        }

        async fn extend_load(&self, mark: _) -> _ {
            if self.bug == PlantedBug::LoadWithoutMark {
                return Ok(true);
            }
            self.inner.store.extend_load(mark).await
        }

        async fn finish_load(&self, load: _) -> _ {
            let unmarked = self.memory().loads.remove(&load.0);
            if let Some((mark, expected, now)) = unmarked {
                self.inner.store.begin_load(&mark, expected, now).await?;
            }
            self.inner.store.finish_load(load).await
        }
    }
);

layer!(
    #[over(inner.store)]
    impl DiscountStore for Planted {
        async fn discounts(&self, users: _) -> _ {
            match self.discounts_read_ahead(users) {
                Some(lists) => Ok(lists),
                None => self.inner.store.discounts(users).await,
            }
        }
    }
);

layer!(
    #[over(inner.store)]
    impl PriceTables for Planted {
        async fn table_heads(&self, users: _) -> _ {
            if self.bug == PlantedBug::InputsBeforeHead {
                self.read_ahead(users).await?;
            }
            self.inner.store.table_heads(users).await
        }

        async fn put_table(&self, user: _, head: _, parts: _, expected: _, expire_at: _) -> _ {
            let mut expected = expected;
            if self.bug == PlantedBug::NoConditionOnHead {
                let heads = self.inner.store.table_heads(std::slice::from_ref(user)).await?;
                expected = heads.first().map(|(_, head)| head.version);
            }
            let store = &self.inner.store;
            if self.bug != PlantedBug::HeadBeforeParts || parts.is_empty() {
                return store.put_table(user, head, parts, expected, expire_at).await;
            }
            let flip = store.put_table(user, head, &[], expected, expire_at).await?;
            if flip == Flip::Done {
                store.put_table(user, head, parts, NEVER, expire_at).await?;
            }
            Ok(flip)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Quotations for Planted {}
);

layer!(
    #[over(inner.queues)]
    impl Queues for Planted {
        async fn send(&self, queue: _, messages: _) -> _ {
            let messages = messages.iter().filter(|message| !self.withholds(queue, message));
            let messages: Vec<_> = messages.map(|message| self.repost(message)).collect();
            self.inner.queues.send(queue, &messages).await
        }

        async fn receive(&self, queue: _, max: _, wait: _, visibility: _) -> _ {
            let received = self.inner.queues.receive(queue, max, wait, visibility).await?;
            if self.bug == PlantedBug::AcknowledgeFirst && !received.is_empty() {
                let receipts: Vec<_> =
                    received.iter().map(|message| message.receipt.clone()).collect();
                self.inner.queues.acknowledge(queue, &receipts).await?;
            }
            Ok(received)
        }
    }
);
