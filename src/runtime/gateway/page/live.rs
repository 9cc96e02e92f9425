//! The cache as it is now: one look a second, whoever watches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, CatalogueHead, Depth, PortError, Ports, Queue, Segment, TableHead};
use crate::runtime::gateway::Sockets;
use crate::runtime::metrics::{Event, REASONS, SLOT, Scrape, Slot};
use crate::stages::SettingsInForce;

/// So many users are shown: those that came last.
const SHOWN_USERS: usize = 100;
/// So many are read to choose them from and to count.
const READ_USERS: usize = 5_000;
const SHOWN_EVENTS: usize = 50;

/// What the page shows.
#[derive(Serialize)]
struct Snapshot {
    at: String,
    /// How long it stays the same.
    every_ms: u64,
    ttl_secs: u64,
    refresh_every_secs: f64,
    catalogue: Option<CatalogueView>,
    active_users: UsersView,
    /// The tables of the users that are shown.
    tables: TablesView,
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
struct UsersView {
    /// How many there are, or at least.
    total: usize,
    /// Whether all were counted.
    complete: bool,
    users: Vec<UserView>,
}

#[derive(Serialize)]
struct UserView {
    user: String,
    first_seen: String,
    last_seen: String,
    expires_at: String,
    table: Option<TableView>,
}

#[derive(Serialize)]
struct TableView {
    /// `fresh`, `stale`, or `unusable`.
    state: &'static str,
    products: u64,
    version: u64,
    priced_at: String,
    validated_at: String,
}

#[derive(Default, Serialize)]
struct TablesView {
    fresh: usize,
    stale: usize,
    /// Not there, or too old to be used.
    missing: usize,
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
    /// In the order of the reasons.
    slots: Vec<SlotView>,
}

#[derive(Serialize)]
struct SlotView {
    from: String,
    counts: [u64; REASONS.len()],
}

/// Looks at the cache for all who watch.
pub(super) struct Live {
    ports: Ports,
    settings: SettingsInForce,
    sockets: Arc<Sockets>,
    look_every: Duration,
    /// Held while somebody looks.
    seen: Mutex<Option<(Instant, Bytes)>>,
}

impl Live {
    pub(super) fn new(
        ports: Ports,
        settings: SettingsInForce,
        sockets: Arc<Sockets>,
        look_every: Duration,
    ) -> Self {
        Self { ports, settings, sockets, look_every, seen: Mutex::default() }
    }

    /// What was last seen, as JSON.
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
        let store = &self.ports.store;
        let (mut users, complete) = self.active_users(now).await?;
        let total = users.len();
        users.sort_unstable_by(|a, b| b.last_seen.cmp(&a.last_seen).then(a.user.cmp(&b.user)));
        users.truncate(SHOWN_USERS);
        let ids: Vec<UserId> = users.iter().map(|user| user.user.clone()).collect();
        let heads: HashMap<UserId, TableHead> =
            store.table_heads(&ids).await?.into_iter().collect();
        let users: Vec<_> =
            users.iter().map(|user| UserView::new(user, heads.get(&user.user), now)).collect();
        let metrics = scrape.metrics();
        Ok(Snapshot {
            at: now.to_string(),
            every_ms: u64::try_from(self.look_every.as_millis()).unwrap_or(u64::MAX),
            ttl_secs: policy.ttl.as_secs(),
            refresh_every_secs: policy.refresh_every.as_secs_f64(),
            catalogue: store.catalogue_head().await?.map(CatalogueView::from),
            tables: TablesView::of(&users),
            active_users: UsersView { total, complete, users },
            queues: scrape.depths().await.into_iter().map(QueueView::from).collect(),
            sockets: self.sockets.count(),
            recalculations: RecalculationsView {
                counted_here: metrics.is_calculating(),
                slot_secs: SLOT.as_secs(),
                reasons: REASONS,
                slots: metrics.course(now).into_iter().map(SlotView::from).collect(),
            },
            events: metrics.events(SHOWN_EVENTS),
        })
    }

    /// The users that are active, or as many of them as are read; and whether that is all.
    async fn active_users(&self, now: Timestamp) -> Result<(Vec<ActiveUser>, bool), PortError> {
        let mut users = Vec::new();
        let mut from = None;
        loop {
            let page = self.ports.store.list_active_users(Segment::ALL, now, from).await?;
            users.extend(page.items.into_iter().filter(|user| user.is_active(now)));
            from = page.next;
            if from.is_none() || users.len() >= READ_USERS {
                return Ok((users, from.is_none()));
            }
        }
    }
}

impl UserView {
    fn new(user: &ActiveUser, head: Option<&TableHead>, now: Timestamp) -> Self {
        Self {
            user: user.user.to_string(),
            first_seen: user.first_seen.to_string(),
            last_seen: user.last_seen.to_string(),
            expires_at: user.expires_at.to_string(),
            table: head.map(|head| TableView {
                state: match () {
                    () if head.is_fresh(now) => "fresh",
                    () if head.is_usable(now) => "stale",
                    () => "unusable",
                },
                products: head.products,
                version: head.version,
                priced_at: head.priced_at.to_string(),
                validated_at: head.validated_at.to_string(),
            }),
        }
    }
}

impl TablesView {
    fn of(users: &[UserView]) -> Self {
        users.iter().fold(Self::default(), |mut tables, user| {
            match user.table.as_ref().map(|table| table.state) {
                Some("fresh") => tables.fresh += 1,
                Some("stale") => tables.stale += 1,
                _ => tables.missing += 1,
            }
            tables
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

impl From<Slot> for SlotView {
    fn from(slot: Slot) -> Self {
        Self { from: slot.from.to_string(), counts: slot.counts }
    }
}
