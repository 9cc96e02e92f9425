//! The engine that implements all ports.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::active_users::ActiveUserTable;
use super::bases::{BaseTable, PieceTable};
use super::catalogue::LoadedTables;
use super::connections::MemoryConnections;
use super::presence::ProcessTable;
use super::price_tables::PriceTableTables;
use super::queue::QueueStates;
use super::quotations::QuotationTable;
use super::usage_log::UsageTable;
use crate::ports::{BaseClaim, BaseName, Clock, Ports, Queue, Randomness, SettingsRecord};

/// An engine with all ports in one process, behind one lock. Clones share the same engine.
#[derive(Clone)]
pub struct Memory(Arc<SharedEngine>);

struct SharedEngine {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    connections: Arc<MemoryConnections>,
    state: Mutex<StoredData>,
    /// Notified whenever a message may have become receivable.
    arrivals: [Notify; Queue::ALL.len()],
}

/// All stored data.
#[derive(Default)]
pub(super) struct StoredData {
    pub(super) active_users: ActiveUserTable,
    pub(super) bases: BaseTable,
    pub(super) base_claims: BTreeMap<BaseName, BaseClaim>,
    pub(super) base_parts: PieceTable,
    pub(super) base_drafts: PieceTable,
    pub(super) loaded: LoadedTables,
    pub(super) price_tables: PriceTableTables,
    pub(super) quotations: QuotationTable,
    pub(super) settings: SettingsRecord,
    pub(super) queues: QueueStates,
    pub(super) usage: UsageTable,
    pub(super) processes: ProcessTable,
}

impl Memory {
    /// Creates an empty engine that uses this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self(Arc::new(SharedEngine {
            clock,
            randomness,
            connections: Arc::default(),
            state: Mutex::default(),
            arrivals: Default::default(),
        }))
    }

    /// Returns all ports of this engine.
    #[must_use]
    pub fn ports(&self) -> Ports {
        Ports {
            store: Arc::new(self.clone()),
            queues: Arc::new(self.clone()),
            dead_letters: Arc::new(self.clone()),
            topic: Arc::new(self.clone()),
            connections: self.connections(),
            usage: Arc::new(self.clone()),
            presence: Arc::new(self.clone()),
            clock: Arc::clone(&self.0.clock),
            randomness: Arc::clone(&self.0.randomness),
        }
    }

    /// Returns the connections that this engine pushes to.
    #[must_use]
    pub fn connections(&self) -> Arc<MemoryConnections> {
        Arc::clone(&self.0.connections)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    pub(super) fn arrivals(&self, queue: Queue) -> &Notify {
        &self.0.arrivals[queue as usize]
    }

    /// Locks the state. A poisoned lock is usable, because no change of the state is left half done by a
    /// panic.
    pub(super) fn state(&self) -> MutexGuard<'_, StoredData> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}
