//! The known clients, from which a user of the page chooses one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::folded::folded;
use super::query::Search;
use crate::model::UserId;
use crate::ports::{
    Clock, First, PortError, Segment, Store, first_customers, first_discounted_users,
};

/// The clients are read again after this time.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The most clients that are read. Others are not listed, but can be typed.
const MAX_LISTED: usize = 2_000;

/// The clients whose ids contain the searched text. Those that begin with it come first.
#[derive(Debug, Serialize)]
pub(super) struct FoundClients {
    clients: Vec<String>,
    /// How many of the clients that were read match.
    total: usize,
    /// Whether all clients were read.
    complete: bool,
}

/// The clients that have discounts or a record or are active, up to a limit.
pub(super) struct ClientDirectory {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Option<ClientList>>,
}

struct ClientList {
    looked_at: Instant,
    /// The clients with their folded ids.
    users: Vec<(String, UserId)>,
    complete: bool,
}

impl ClientDirectory {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, seen: Mutex::default() }
    }

    pub(super) async fn search(&self, search: &Search) -> Result<FoundClients, PortError> {
        let mut seen = self.seen.lock().await;
        let seen = match seen.take() {
            Some(young) if young.looked_at.elapsed() < LOOK_EVERY => seen.insert(young),
            _ => seen.insert(self.look().await?),
        };
        let Search { text, limit, offset, .. } = search;
        let begins = seen.users.iter().filter(|(folded, _)| folded.starts_with(text));
        let within = seen
            .users
            .iter()
            .filter(|(folded, _)| !folded.starts_with(text) && folded.contains(text));
        let fitting = begins.chain(within);
        let total = fitting.clone().count();
        let clients = fitting.skip(*offset).take(*limit).map(|(_, user)| user.to_string());
        Ok(FoundClients { clients: clients.collect(), total, complete: seen.complete })
    }

    async fn look(&self) -> Result<ClientList, PortError> {
        let First { rows, mut complete } = first_discounted_users(&*self.store, MAX_LISTED).await?;
        let mut users: BTreeSet<UserId> = rows.into_iter().collect();
        let First { rows, complete: has_all } = first_customers(&*self.store, MAX_LISTED).await?;
        users.extend(rows.into_iter().map(|customer| customer.user));
        complete &= has_all;
        let page = self.store.list_active_users(Segment::ALL, self.clock.now(), None).await?;
        users.extend(page.items.into_iter().map(|active| active.user));
        complete &= page.next.is_none();
        let users = users.into_iter().map(|user| (folded(user.as_str()), user)).collect();
        Ok(ClientList { looked_at: Instant::now(), users, complete })
    }
}
