//! The clients that are active now: searchable, and in pages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::folded::folded;
use super::query::Search;
use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, PortError, Ports, Segment, TableHead};
use crate::stages::SettingsInForce;

/// The clients are read up to about this many.
const READ: usize = 5_000;
/// The most pages that are cached between two reads, for all viewers.
const PAGES: usize = 64;

/// Active clients as the page shows them.
#[derive(Serialize)]
struct ActiveClientsView {
    at: String,
    ttl_secs: u64,
    /// How many clients match, or a lower bound if not all were searched.
    total: usize,
    /// Whether all active clients were searched.
    complete: bool,
    /// The matching clients, the latest visitors first.
    clients: Vec<ClientView>,
}

#[derive(Serialize)]
struct ClientView {
    client: String,
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

/// The number of active clients.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Total {
    /// The number, or a lower bound if not all were counted.
    total: usize,
    /// Whether all clients were counted.
    complete: bool,
}

/// Reads the active clients. All viewers share the result.
pub(super) struct Active {
    ports: Ports,
    settings: SettingsInForce,
    look_every: Duration,
    /// Held while the clients are read, so that only one task reads them.
    seen: Mutex<Option<ActiveList>>,
}

struct ActiveList {
    looked_at: Instant,
    at: Timestamp,
    /// The latest visitors first, with their folded ids.
    users: Vec<(String, ActiveUser)>,
    complete: bool,
    pages: HashMap<Search, Bytes>,
}

impl Active {
    pub(super) fn new(ports: Ports, settings: SettingsInForce, look_every: Duration) -> Arc<Self> {
        Arc::new(Self { ports, settings, look_every, seen: Mutex::default() })
    }

    /// Returns the number of active clients.
    pub(super) async fn total(&self) -> Result<Total, PortError> {
        let mut seen = self.seen.lock().await;
        let seen = self.look(&mut seen).await?;
        Ok(Total { total: seen.users.len(), complete: seen.complete })
    }

    /// Returns a page of the clients that match, as JSON.
    pub(super) async fn page(&self, search: Search) -> Result<Bytes, PortError> {
        let mut seen = self.seen.lock().await;
        let seen = self.look(&mut seen).await?;
        if let Some(page) = seen.pages.get(&search) {
            return Ok(page.clone());
        }
        let fitting = seen.users.iter().filter(|(folded, _)| folded.contains(&search.text));
        let total = fitting.clone().count();
        let users: Vec<&ActiveUser> =
            fitting.skip(search.offset).take(search.limit).map(|(_, user)| user).collect();
        let ids: Vec<UserId> = users.iter().map(|user| user.user.clone()).collect();
        let heads: HashMap<UserId, TableHead> =
            self.ports.store.table_heads(&ids).await?.into_iter().collect();
        let found = ActiveClientsView {
            at: seen.at.to_string(),
            ttl_secs: self.settings.now().policy.ttl.as_secs(),
            total,
            complete: seen.complete,
            clients: users
                .into_iter()
                .map(|user| ClientView::new(user, heads.get(&user.user), seen.at))
                .collect(),
        };
        let json = serde_json::to_vec(&found)
            .map_err(|error| PortError::corrupt("what was seen of active clients", error))?;
        let json = Bytes::from(json);
        if seen.pages.len() < PAGES {
            seen.pages.insert(search, json.clone());
        }
        Ok(json)
    }

    /// Returns what was read last, or reads again if that is too old.
    async fn look<'a>(
        &self,
        seen: &'a mut Option<ActiveList>,
    ) -> Result<&'a mut ActiveList, PortError> {
        match seen.take() {
            Some(young) if young.looked_at.elapsed() < self.look_every => Ok(seen.insert(young)),
            _ => {
                let at = self.ports.clock.now();
                let (mut users, complete) = self.read(at).await?;
                users.sort_unstable_by(|a, b| {
                    b.last_seen.cmp(&a.last_seen).then(a.user.cmp(&b.user))
                });
                let users = users.into_iter().map(|user| (folded(user.user.as_str()), user));
                let (looked_at, pages) = (Instant::now(), HashMap::new());
                Ok(seen.insert(ActiveList {
                    looked_at,
                    at,
                    users: users.collect(),
                    complete,
                    pages,
                }))
            }
        }
    }

    /// Returns the active clients, up to the limit, and whether these are all.
    async fn read(&self, now: Timestamp) -> Result<(Vec<ActiveUser>, bool), PortError> {
        let mut users = Vec::new();
        let mut from = None;
        loop {
            let page = self.ports.store.list_active_users(Segment::ALL, now, from).await?;
            users.extend(page.items.into_iter().filter(|user| user.is_active(now)));
            from = page.next;
            if from.is_none() || users.len() >= READ {
                return Ok((users, from.is_none()));
            }
        }
    }
}

impl ClientView {
    fn new(user: &ActiveUser, head: Option<&TableHead>, now: Timestamp) -> Self {
        Self {
            client: user.user.to_string(),
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
