//! Bugs that are planted on purpose, to show that the simulation finds them.
//!
//! Each bug is a layer of ports between the stages and the faults. The stages themselves are unchanged.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task;

use super::NEVER;
use crate::model::{Calculation, Cause, DeduplicationId, ProviderMessage, listed};
use crate::ports::prelude::*;
use crate::ports::{Ports, Posting, at_head};
use crate::protocol::render_quotation;

listed! {
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
        /// Orders for stale tables are sent to the urgent queue.
        StaleIsUrgent,
        /// Discounts are read as they are now, not as of the head at which the products were read.
        DiscountsLive,
        /// Names are read as they are now, not as of the version of a table.
        NamesLive,
        /// The head names a journal before the journal is written.
        HeadBeforeJournal,
        /// A fold overwrites what a later load wrote.
        FoldOverHigherVersion,
        /// A loader whose journal was dropped continues as if it were there.
        PausedLoaderResumes,
        /// The first calculation that a process stores panics. Its message comes again, and then succeeds.
        PanicsOnce,
        /// No deadline messages are sent.
        NoDeadline,
        /// An answer is pushed before it is stored.
        PushBeforeStore,
        /// An answer replaces the stored quotation.
        AnswerReplaces,
        /// Quotes are answered from tables that are no longer usable.
        UsableForEver,
        /// The rows of a price list are read once, and reused after a load.
        ListRowsKept,
        /// A table ignores price lists that begin or end soon.
        EdgeIgnored,
        /// A price list for some groups is given to everybody.
        GroupsIgnored,
        /// The groups and the currency of a customer are read once, and reused.
        CustomersKept,
    }
}

impl PlantedBug {
    /// Returns the ports with this bug.
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

/// The state that a bug keeps for later.
#[derive(Default)]
struct Remembered {
    discounts: BTreeMap<(Option<task::Id>, UserId), Option<UserDiscounts>>,
    journals: BTreeMap<LoadId, Vec<RowChange>>,
    folded: Option<Vec<RowChange>>,
    panicked: bool,
    list_rows: BTreeMap<PriceListId, Vec<ListPrices>>,
    customers: BTreeMap<UserId, Customer>,
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

    fn queue_of(&self, queue: Queue, message: &Outgoing) -> Queue {
        let order = serde_json::from_str::<Calculation>(&message.body).map(|order| order.cause);
        match (self.bug, order) {
            (PlantedBug::StaleIsUrgent, Ok(Cause::Stale { .. })) => Queue::Quotation,
            _ => queue,
        }
    }

    /// Reads inputs before the head, which will be used after it.
    async fn read_ahead(&self, users: &[UserId]) -> Result<(), PortError> {
        let head = self.inner.store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
        let AtHead::Read(lists) = self.inner.store.discounts(users, &head).await? else {
            return Ok(());
        };
        let mut memory = self.memory();
        for user in users {
            let list = lists.iter().find(|list| list.user == *user).cloned();
            memory.discounts.insert((task::try_id(), user.clone()), list);
        }
        Ok(())
    }

    /// Returns the base whose names are read: the requested one or, with the bug, the one in force.
    async fn named(&self, name: &BaseName) -> Result<BaseName, PortError> {
        if self.bug != PlantedBug::NamesLive {
            return Ok(*name);
        }
        let head = self.inner.store.catalogue_head().await?;
        let version = head.map_or(name.version, |head| head.base_version);
        let live = BaseName { version, ..*name };
        // The base in force may not be written yet.
        let is_there = self.inner.store.base(&live).await?.is_some();
        Ok(if is_there { live } else { *name })
    }

    /// Takes what this task has read ahead. A task is one calculation; other tasks have their own.
    fn discounts_read_ahead(&self, users: &[UserId]) -> Option<Vec<UserDiscounts>> {
        let mut memory = self.memory();
        let mut take = |user: &UserId| memory.discounts.remove(&(task::try_id(), user.clone()));
        let known: Option<Vec<_>> = users.iter().map(&mut take).collect();
        Some(known?.into_iter().flatten().collect())
    }
}

fn hashed(text: &str) -> DeduplicationId {
    let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(text);
    DeduplicationId::from_random(u128::from(hash).to_le_bytes())
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
    impl CatalogueStore, SettingsStore for Planted {}
);

layer!(
    #[over(inner.store)]
    impl CustomerStore for Planted {
        async fn customers(&self, users: _, at: _) -> _ {
            let found = self.inner.store.customers(users, at).await?;
            if self.bug != PlantedBug::CustomersKept {
                return Ok(found);
            }
            Ok(found.map(|customers| {
                let mut memory = self.memory();
                let kept = customers.into_iter().map(|customer| {
                    memory.customers.entry(customer.user.clone()).or_insert(customer).clone()
                });
                kept.collect()
            }))
        }
    }
);

layer!(
    #[over(inner.store)]
    impl PriceListStore for Planted {
        async fn list_price_lists(&self, at: _, from: _) -> _ {
            let lists = self.inner.store.list_price_lists(at, from).await?;
            Ok(lists.map(|mut page| {
                if self.bug == PlantedBug::GroupsIgnored {
                    let for_groups =
                        page.items.iter_mut().filter(|list| !list.recipients.groups.is_empty());
                    for_groups.for_each(|list| list.recipients.everyone = true);
                }
                page
            }))
        }

        async fn list_prices(&self, list: _, at: _, from: _) -> _ {
            let rows = self.inner.store.list_prices(list, at, from).await?;
            if self.bug != PlantedBug::ListRowsKept {
                return Ok(rows);
            }
            // All rows of these lists fit one page.
            Ok(rows.map(|mut page| {
                let mut memory = self.memory();
                let kept = memory.list_rows.entry(list.clone());
                page.items = kept.or_insert_with(|| page.items.clone()).clone();
                page
            }))
        }
    }
);

layer!(
    #[over(inner.store)]
    impl DiscountStore for Planted {
        async fn discounts(&self, users: _, at: _) -> _ {
            if let Some(lists) = self.discounts_read_ahead(users) {
                return Ok(AtHead::Read(lists));
            }
            if self.bug != PlantedBug::DiscountsLive {
                return self.inner.store.discounts(users, at).await;
            }
            let lists = at_head(&*self.inner.store, |head| {
                Box::pin(async move { self.inner.store.discounts(users, &head).await })
            });
            lists.await.map(AtHead::Read)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Loads for Planted {
        async fn write_journal(&self, load: _, changes: _) -> _ {
            match self.bug {
                PlantedBug::HeadBeforeJournal => {
                    let mut memory = self.memory();
                    let late = memory.journals.entry(load.clone()).or_default();
                    late.extend_from_slice(changes);
                    Ok(true)
                }
                PlantedBug::PausedLoaderResumes => {
                    self.inner.store.write_journal(load, changes).await?;
                    Ok(true)
                }
                _ => self.inner.store.write_journal(load, changes).await,
            }
        }

        async fn commit_load(&self, commit: _, expected: _) -> _ {
            let mut committed = self.inner.store.commit_load(commit, expected).await?;
            let resumes = self.bug == PlantedBug::PausedLoaderResumes;
            if resumes && committed == Committed::Dropped {
                self.inner.store.begin_load(&commit.load, Timestamp::default()).await?;
                committed = self.inner.store.commit_load(commit, expected).await?;
            }
            let late = self.memory().journals.remove(&commit.load);
            if let (Committed::Version(_), Some(late)) = (committed, late) {
                self.inner.store.write_journal(&commit.load, &late).await?;
            }
            Ok(committed)
        }

        async fn fold(&self, load: _, version: _, changes: _, forget_at: _) -> _ {
            if self.bug == PlantedBug::FoldOverHigherVersion {
                // Write what an earlier fold had for its rows under the later version.
                let before = self.memory().folded.replace(changes.to_vec());
                if let Some(before) = before {
                    self.inner.store.fold(load, version, &before, forget_at).await?;
                }
            }
            self.inner.store.fold(load, version, changes, forget_at).await
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Bases for Planted {
        async fn base(&self, name: _) -> _ {
            self.inner.store.base(&self.named(name).await?).await
        }

        async fn base_parts(&self, name: _, numbers: _) -> _ {
            self.inner.store.base_parts(&self.named(name).await?, numbers).await
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
            let mut heads = self.inner.store.table_heads(users).await?;
            if self.bug == PlantedBug::UsableForEver {
                let for_ever = Timestamp::from_millis(i64::MAX);
                heads.iter_mut().for_each(|(_, head)| head.usable_until = for_ever);
            }
            if self.bug == PlantedBug::EdgeIgnored {
                heads.iter_mut().for_each(|(_, head)| head.next.clear());
            }
            Ok(heads)
        }

        async fn put_table(&self, table: _) -> _ {
            if self.bug == PlantedBug::PanicsOnce {
                let panicked = std::mem::replace(&mut self.memory().panicked, true);
                assert!(panicked, "planted");
            }
            let mut table = table;
            if self.bug == PlantedBug::NoConditionOnHead {
                let heads = self.inner.store.table_heads(std::slice::from_ref(table.user)).await?;
                table.expected = heads.first().map(|(_, head)| head.version);
            }
            let store = &self.inner.store;
            if self.bug != PlantedBug::HeadBeforeParts || table.parts.is_empty() {
                return store.put_table(table).await;
            }
            let flip = store.put_table(table.with_parts(&[])).await?;
            if flip.is_done() {
                let parts = table.replacing(NEVER);
                store.put_table(NewTable { awaited: None, ..parts }).await?;
            }
            Ok(flip)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Quotations for Planted {
        async fn store_answered(&self, quotation: _) -> _ {
            let Ports { store, connections, .. } = &self.inner;
            if self.bug == PlantedBug::PushBeforeStore
                && let Ok(frame) = render_quotation(quotation, quotation.accepted_at)
                && let Some(connection) = &quotation.connection
            {
                connections.push(connection, frame.into()).await?;
            }
            if self.bug == PlantedBug::AnswerReplaces {
                store.delete_quotation(&quotation.key).await?;
            }
            store.store_answered(quotation).await
        }
    }
);

layer!(
    #[over(inner.queues)]
    impl Queues for Planted {
        async fn send(&self, queue: _, messages: _) -> _ {
            // An order for a stale table is always sent alone.
            let queue = messages.first().map_or(queue, |message| self.queue_of(queue, message));
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
