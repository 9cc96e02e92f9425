//! A snapshot of the cache, read at most once per interval for all viewers together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::active::{Active, Total};
use super::answers::AnswersView;
use crate::ports::{CatalogueHead, Depth, PortError, Ports, Queue};
use crate::runtime::gateway::Sockets;
use crate::runtime::metrics::{Event, REASONS, SLOT, Scrape, Slot};
use crate::stages::SettingsInForce;

const SHOWN_EVENTS: usize = 50;

/// The snapshot as the page shows it.
#[derive(Serialize)]
struct Snapshot {
    at: String,
    /// The interval after which a new snapshot can be read.
    every_ms: u64,
    ttl_secs: u64,
    refresh_every_secs: f64,
    /// The answers of this process. The recalculations and events below are of this process too.
    answers: AnswersView,
    catalogue: Option<CatalogueView>,
    active_clients: Total,
    queues: Vec<QueueView>,
    sockets: usize,
    recalculations: RecalculationsView,
    events: Vec<Event>,
}

#[derive(Serialize)]
struct CatalogueView {
    version: u64,
    currency: String,
    folding: bool,
}

#[derive(Serialize)]
struct QueueView {
    queue: &'static str,
    waiting: u64,
    in_flight: u64,
    delayed: u64,
    dead_letters: u64,
}

#[derive(Serialize)]
struct RecalculationsView {
    /// Whether tables are calculated in this process. If not, all counts are zero.
    counted_here: bool,
    slot_secs: u64,
    reasons: [&'static str; REASONS.len()],
    /// The counts of each slot are in the order of the reasons.
    slots: Vec<RecalculationsSlot>,
}

#[derive(Serialize)]
struct RecalculationsSlot {
    from: String,
    counts: [u64; REASONS.len()],
}

/// Reads the snapshot. All viewers share it.
pub(super) struct Live {
    ports: Ports,
    settings: SettingsInForce,
    sockets: Arc<Sockets>,
    active: Arc<Active>,
    look_every: Duration,
    /// Held while the snapshot is read, so that only one task reads it.
    seen: Mutex<Option<(Instant, Bytes)>>,
}

impl Live {
    pub(super) fn new(
        ports: Ports,
        settings: SettingsInForce,
        sockets: Arc<Sockets>,
        active: Arc<Active>,
        look_every: Duration,
    ) -> Self {
        Self { ports, settings, sockets, active, look_every, seen: Mutex::default() }
    }

    /// Returns the latest snapshot as JSON.
    pub(super) async fn snapshot(&self, scrape: &Scrape) -> Result<Bytes, PortError> {
        let mut seen = self.seen.lock().await;
        if let Some((at, snapshot)) = &*seen
            && at.elapsed() < self.look_every
        {
            return Ok(snapshot.clone());
        }
        let snapshot = self.look(scrape).await?;
        let json = serde_json::to_vec(&snapshot)
            .map_err(|error| PortError::corrupt("what was seen of the cache", error))?;
        let json = Bytes::from(json);
        *seen = Some((Instant::now(), json.clone()));
        Ok(json)
    }

    async fn look(&self, scrape: &Scrape) -> Result<Snapshot, PortError> {
        let now = self.ports.clock.now();
        let policy = &self.settings.now().policy;
        let metrics = scrape.metrics();
        Ok(Snapshot {
            at: now.to_string(),
            every_ms: u64::try_from(self.look_every.as_millis()).unwrap_or(u64::MAX),
            ttl_secs: policy.ttl.as_secs(),
            refresh_every_secs: policy.refresh_every.as_secs_f64(),
            answers: AnswersView::of(&metrics.answers(now)),
            catalogue: self.ports.store.catalogue_head().await?.map(CatalogueView::from),
            active_clients: self.active.total().await?,
            queues: scrape.depths().await.into_iter().map(QueueView::from).collect(),
            sockets: self.sockets.count(),
            recalculations: RecalculationsView {
                counted_here: metrics.is_calculating(),
                slot_secs: SLOT.as_secs(),
                reasons: REASONS,
                slots: metrics.course(now).into_iter().map(RecalculationsSlot::from).collect(),
            },
            events: metrics.events(SHOWN_EVENTS),
        })
    }
}

impl From<CatalogueHead> for CatalogueView {
    fn from(head: CatalogueHead) -> Self {
        let currency = head.currency.to_string();
        Self { version: head.version, currency, folding: head.unfolded.is_some() }
    }
}

impl From<(Queue, Depth)> for QueueView {
    fn from((queue, depth): (Queue, Depth)) -> Self {
        let Depth { waiting, in_flight, delayed, dead } = depth;
        Self { queue: queue.name(), waiting, in_flight, delayed, dead_letters: dead }
    }
}

impl From<Slot> for RecalculationsSlot {
    fn from(slot: Slot) -> Self {
        Self { from: slot.from.to_string(), counts: slot.counts }
    }
}
