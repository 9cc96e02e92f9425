//! The lowest layer of ports, directly above the engine and below all faults. It sees every effect in the
//! order in which effects happen, and records the relevant ones in the ledger.
//!
//! The engine's calls do not wait, except for a receive, so nothing can happen between an effect and its
//! entry.

use std::sync::Arc;

use super::NEVER;
use super::ledger::Ledger;
use super::messages::MessageContent;
use super::process::Process;
use super::tables::Periods;
use super::world::World;
use crate::model::ProviderMessage;
use crate::ports::prelude::*;
use crate::ports::{Ports, TableError, TableReader, pages};

/// The engine as one process uses it, with every effect observed.
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
        let stored = match MessageContent::read(queue, &message.body) {
            MessageContent::Provide(ProviderMessage::Quote(request)) => {
                self.inner.store.quotation(&request.key).await?
            }
            MessageContent::Provide(ProviderMessage::Deadline { key, .. }) => {
                self.inner.store.quotation(&key).await?
            }
            MessageContent::Order(_) | MessageContent::Unreadable => None,
        };
        let (clock, stored) = (&self.process.clock, stored.as_ref());
        self.world.note(|ledger, _| ledger.acknowledged(queue, &message, clock, stored));
        Ok(())
    }

    /// Reads the whole table of a head that was just written: at its pricing time, now, and at each
    /// instant at which a price list of the user begins or ends.
    async fn rows(&self, user: &UserId, head: &TableHead) -> Result<Periods, TableError> {
        let mut periods = vec![];
        let edges = self.world.look(|ledger| ledger.inputs.edges_of(user, head));
        for at in [head.priced_at].into_iter().chain(edges) {
            let reader = TableReader::open(&*self.inner.store, user, head, at).await?;
            periods.push((at, reader.rows(&reader.parts(None)).await?));
        }
        Ok(periods)
    }

    async fn journal(&self, load: &LoadId) -> Result<Vec<RowChange>, PortError> {
        let mut changes = vec![];
        let mut pages = pages(|from| self.inner.store.list_journal(load, from));
        while let Some(page) = pages.next().await? {
            changes.extend(page);
        }
        Ok(changes)
    }
}

layer!(
    #[over(inner.store)]
    impl ActiveUsers for Witness {
        async fn record_visit(&self, user: _, now: _, expires_at: _) -> _ {
            let before = self.inner.store.record_visit(user, now, expires_at).await?;
            self.tell(|| format!("{user:?} is active until {expires_at}"));
            self.world.record(|ledger, now| ledger.visits.came(user, expires_at, now));
            Ok(before)
        }

        async fn remove_active_user(&self, user: _) -> _ {
            let removed = self.inner.store.remove_active_user(user).await?;
            self.tell(|| format!("{user:?} is no longer active"));
            self.world.record(|ledger, now| ledger.visits.left(user, now));
            Ok(removed)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl CatalogueStore, CustomerStore, PriceListStore, SettingsStore, DiscountStore, Bases for Witness {}
);

layer!(
    #[over(inner.store)]
    impl Loads for Witness {
        async fn write_journal(&self, load: _, changes: _) -> _ {
            let written = self.inner.store.write_journal(load, changes).await?;
            self.tell(|| format!("{} changes in journal {}: {written}", changes.len(), load.0));
            if written {
                self.world.note(|Ledger { inputs, checks, .. }, _| {
                    inputs.journaled(load, changes, checks)
                });
            }
            Ok(written)
        }

        async fn commit_load(&self, commit: _, expected: _) -> _ {
            let committed = self.inner.store.commit_load(commit, expected).await?;
            self.tell(|| format!("load after version {expected:?}: {committed:?}"));
            if let Committed::Version(version) = committed {
                let changes = self.journal(&commit.load).await?;
                let load = &commit.load;
                self.world.note(|Ledger { inputs, checks, .. }, now| {
                    inputs.committed(load, version, &changes, now, checks)
                });
            }
            Ok(committed)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl PriceTables for Witness {
        async fn put_table(&self, table: _) -> _ {
            let flip = self.inner.store.put_table(table).await?;
            let NewTable { user, head, parts, expected, .. } = table;
            self.tell(|| {
                if expected == NEVER {
                    return format!("{user:?}: {} parts written", parts.len());
                }
                let (version, catalogue) = (head.version, head.catalogue_version);
                format!(
                    "{user:?}: head {expected:?} to {version} of catalogue {catalogue}: {flip:?}"
                )
            });
            if flip.is_done() {
                let rows = self.rows(user, head).await;
                self.world.note(|Ledger { tables, inputs, checks, .. }, now| {
                    tables.flip(user, head, rows, inputs, now, checks)
                });
            }
            Ok(flip)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Quotations for Witness {
        async fn create_quotation(&self, quotation: _, topic: _, body: _) -> _ {
            let created = self.inner.store.create_quotation(quotation, topic, body).await?;
            if created.is_new() {
                self.tell(|| format!("quotation {}, until {}", quotation.key, quotation.deadline));
                self.world.note(|ledger, _| ledger.created(quotation));
            }
            Ok(created)
        }

        async fn store_answered(&self, quotation: _) -> _ {
            let created = self.inner.store.store_answered(quotation).await?;
            if created.is_new() {
                self.tell(|| format!("quotation {} is stored answered", quotation.key));
                self.world.note(|ledger, now| {
                    ledger.created(quotation)?;
                    ledger.settled(quotation, now)
                });
            }
            Ok(created)
        }

        async fn settle_quotation(&self, key: _, verdict: _, now: _) -> _ {
            let settlement = self.inner.store.settle_quotation(key, verdict, now).await?;
            if let Settlement::Settled(quotation) = &settlement {
                self.tell(|| format!("quotation {key} is settled: {verdict:?}"));
                self.world.note(|ledger, now| ledger.settled(quotation, now));
            }
            Ok(settlement)
        }
    }
);

layer!(
    #[over(inner.queues)]
    impl Queues for Witness {
        async fn send(&self, queue: _, messages: _) -> _ {
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

        async fn receive(&self, queue: _, max: _, wait: _, visibility: _) -> _ {
            let received = self.inner.queues.receive(queue, max, wait, visibility).await?;
            for message in &received {
                self.tell(|| format!("receives {}", message.receipt.0));
                self.world.note(|ledger, now| ledger.handed_out(queue, message, now));
            }
            Ok(received)
        }

        async fn acknowledge(&self, queue: _, receipts: _) -> _ {
            for receipt in receipts {
                self.watch_acknowledge(queue, receipt).await?;
            }
            Ok(())
        }
    }
);

layer!(
    #[over(inner.topic)]
    impl Topic for Witness {
        async fn publish(&self, bodies: _) -> _ {
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
    }
);

layer!(
    #[over(inner.connections)]
    impl Connections for Witness {
        async fn push(&self, to: _, frame: _) -> _ {
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
    }
);
