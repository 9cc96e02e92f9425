//! Records what the bill needs beside the counts of the meter.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::bill_ledger::BillLedger;
use crate::meter::rules::page_read;
use crate::meter::{Meter, Operation, Resource, Used, count_received, metered, sizes};
use crate::model::Cause;
use crate::ports::prelude::*;
use crate::ports::{Clock, Connections, Ports};
use crate::stages::{Effect, Observer};

/// A layer above a metered engine.
pub(super) struct BillWitness {
    /// The metered engine.
    inner: Ports,
    /// The engine itself, for reads that are not billed.
    engine: Ports,
    meter: Arc<Meter>,
    clock: Arc<dyn Clock>,
    ledger: Mutex<BillLedger>,
}

impl BillWitness {
    pub(super) fn new(engine: Ports) -> Arc<Self> {
        let (clock, meter) = (engine.clock.clone(), Arc::new(Meter::new()));
        let engine = Ports { connections: Arc::new(PresentClients), ..engine };
        let inner = metered(engine.clone(), &meter);
        Arc::new(Self { inner, engine, meter, clock, ledger: Mutex::default() })
    }

    /// Returns the ports above this witness.
    pub(super) fn ports(self: &Arc<Self>) -> Ports {
        Ports { store: self.clone(), queues: self.clone(), ..self.inner.clone() }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, BillLedger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    fn settled(&self, quotation: &Quotation, bytes: u64, now: Timestamp) {
        let mut ledger = self.ledger();
        ledger.keep(quotation.key.to_string(), bytes, now, quotation.expires_at);
        ledger.settled(quotation, now);
    }

    fn keep_table(&self, name: String, bytes: u64, is_head: bool, end: Timestamp) {
        self.ledger().keep_table(name, bytes, is_head, self.clock.now(), end);
    }
}

/// Observes the stage, because a table that is found unchanged may cause no write at all.
impl Observer for BillWitness {
    fn calculated(&self, user: &UserId, _cause: &Cause, effect: Effect, _took: Duration) {
        let changed = match effect {
            Effect::Calculated => true,
            Effect::Validated => false,
            Effect::Unneeded | Effect::Expired | Effect::TooLate => return,
        };
        self.ledger().prepared(user, changed, self.clock.now());
    }
}

/// Connections whose clients are always there and read every frame.
struct PresentClients;

#[async_trait]
impl Connections for PresentClients {
    async fn push(&self, _to: &ConnectionRef, _frame: Bytes) -> Result<Delivery, PortError> {
        Ok(Delivery::Delivered)
    }
}

layer!(
    #[over(inner.store)]
    impl ActiveUsers for BillWitness {
        async fn record_visit(&self, user: _, now: _, expires_at: _) -> _ {
            let before = self.inner.store.record_visit(user, now, expires_at).await?;
            let first_seen = before.as_ref().map_or(now, |before| before.first_seen);
            let row = ActiveUser { user: user.clone(), expires_at, first_seen, last_seen: now };
            self.ledger().came(user, now, expires_at, sizes::active_user(&row));
            Ok(before)
        }

        /// Counts a scan. It also reads expired rows, which stay for up to days. Pages are larger on AWS
        /// than here, so the first page counts for all.
        async fn list_active_users(&self, segment: _, now: _, from: _) -> _ {
            if from.is_none() {
                let (rows, bytes) = self.ledger().rows();
                let share = u64::from(segment.count.max(1));
                let used =
                    Used::derived(1, rows / share, bytes / share, page_read(bytes / share, false));
                self.meter.count(Operation::scan(Resource::ActiveUsers), used);
            }
            self.engine.store.list_active_users(segment, now, from).await
        }
    }
);

layer!(
    #[over(inner.store)]
    impl CatalogueStore, CustomerStore, PriceListStore, SettingsStore, Loads, DiscountStore for BillWitness {}
);

layer!(
    #[over(inner.store)]
    impl Bases for BillWitness {
        async fn put_base(&self, name: _, base: _, parts: _) -> _ {
            self.inner.store.put_base(name, base, parts).await?;
            let parts = (0..).zip(parts);
            let parts = parts.map(|(number, part)| sizes::base_part(name, number, part.len()));
            let bytes = parts.sum::<u64>() + sizes::base_index(name, base);
            self.keep_table(format!("base {name}"), bytes, false, base.expires_at);
            Ok(())
        }
    }
);

layer!(
    #[over(inner.store)]
    impl PriceTables for BillWitness {
        async fn put_table(&self, table: _) -> _ {
            let flip = self.inner.store.put_table(table).await?;
            let NewTable { user, head, parts, expire_at, .. } = table;
            let generation = &head.generation;
            if !parts.is_empty() {
                let bytes = parts.iter().enumerate();
                let bytes = bytes.map(|(at, part)| sizes::part(user, generation, at, part.len()));
                self.keep_table(generation.to_string(), bytes.sum(), false, expire_at);
            }
            if flip.is_done() {
                let bytes = sizes::table_head(user, head);
                self.keep_table(format!("head of {user}"), bytes, true, expire_at);
            }
            Ok(flip)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Quotations for BillWitness {
        async fn store_answered(&self, quotation: _) -> _ {
            let created = self.inner.store.store_answered(quotation).await?;
            if created.is_new() {
                self.settled(quotation, sizes::quotation(quotation), quotation.accepted_at);
            }
            Ok(created)
        }

        async fn settle_quotation(&self, key: _, verdict: _, now: _) -> _ {
            let settlement = self.inner.store.settle_quotation(key, verdict, now).await?;
            if let Settlement::Settled(quotation) = &settlement {
                self.settled(quotation, sizes::settled_quotation(quotation), now);
            }
            Ok(settlement)
        }
    }
);

layer!(
    #[over(inner.queues)]
    impl Queues for BillWitness {
        /// Counts only receives that return messages. The driver uses empty ones to look at the queues,
        /// and they are not billed.
        async fn receive(&self, queue: _, max: _, wait: _, visibility: _) -> _ {
            let messages = self.engine.queues.receive(queue, max, wait, visibility).await?;
            if !messages.is_empty() {
                count_received(&self.meter, queue, &messages);
            }
            Ok(messages)
        }
    }
);
