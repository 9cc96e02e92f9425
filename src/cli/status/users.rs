//! Shows the active customers and their tables.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Map;

use super::super::failure::{Failure, Result};
use super::super::output::{Output, name, number, table};
use super::super::stream::{ObjectStream, members};
use super::Overview;
use crate::model::{Timestamp, UserId, show_duration};
use crate::ports::{ActiveUser, Ports, Segment, TableHead, pages};

/// The most customers that are shown to people. Programs get all of them.
const SHOWN: usize = 50;
/// The number of tables that are read at once. With a million products, each head has about 10 KB.
const HEADS_AT_ONCE: usize = 100;

#[derive(Serialize)]
struct UserStatus {
    user: String,
    expires_at: String,
    expires_in_secs: u64,
    table: Option<TableStatus>,
}

#[derive(Serialize)]
struct TableStatus {
    products: u64,
    catalogue_version: u64,
    head_version: u64,
    priced_at: String,
    validated_at: String,
    age_secs: u64,
    fresh: bool,
    usable: bool,
}

/// The customers that are shown to people.
pub(super) struct ShownUsers {
    first: Vec<(ActiveUser, Option<TableHead>)>,
    count: usize,
}

/// Prints everything for programs, each customer as soon as it is read.
pub(super) async fn stream_users(
    output: &Output,
    ports: &Ports,
    overview: &Overview,
) -> Result<()> {
    let about = serde_json::to_value(overview).map_err(Failure::internal)?;
    let mut stream = ObjectStream::begin(output, &members(about), "active_users")?;
    let mut progress = output.count_rows("active customers", None);
    let mut pages = pages(|from| ports.store.list_active_users(Segment::ALL, overview.now, from));
    while let Some(mut users) = pages.next().await? {
        users.retain(|user| user.is_active(overview.now));
        for some in users.chunks(HEADS_AT_ONCE) {
            for (user, head) in with_tables(ports, some.to_vec()).await? {
                stream.item(&UserStatus::new(&user, head.as_ref(), overview.now))?;
            }
            progress.add(some.len() as u64);
        }
        if !stream.is_heard() {
            break;
        }
    }
    drop(progress);
    stream.end(&Map::new())
}

/// Returns the first customers by id, and the number of all.
pub(super) async fn shown_users(
    output: &Output,
    ports: &Ports,
    now: Timestamp,
) -> Result<ShownUsers> {
    let mut progress = output.count("active customers", None);
    let (mut first, mut count) = (BTreeMap::new(), 0);
    let mut pages = pages(|from| ports.store.list_active_users(Segment::ALL, now, from));
    while let Some(mut users) = pages.next().await? {
        users.retain(|user| user.is_active(now));
        progress.add(users.len() as u64);
        count += users.len();
        for user in users {
            first.insert(user.user.clone(), user);
            if first.len() > SHOWN {
                first.pop_last();
            }
        }
    }
    let first = with_tables(ports, first.into_values().collect()).await?;
    Ok(ShownUsers { first, count })
}

/// Returns the customers with the heads of their tables, in the given order.
async fn with_tables(
    ports: &Ports,
    users: Vec<ActiveUser>,
) -> Result<Vec<(ActiveUser, Option<TableHead>)>> {
    let ids: Vec<UserId> = users.iter().map(|user| user.user.clone()).collect();
    let heads = ports.store.table_heads(&ids).await?;
    let mut heads: BTreeMap<UserId, TableHead> = heads.into_iter().collect();
    let users = users.into_iter().map(|user| {
        let head = heads.remove(&user.user);
        (user, head)
    });
    Ok(users.collect())
}

impl UserStatus {
    fn new(user: &ActiveUser, head: Option<&TableHead>, now: Timestamp) -> Self {
        Self {
            user: user.user.as_str().to_owned(),
            expires_at: user.expires_at.to_string(),
            expires_in_secs: user.expires_at.since(now).as_secs(),
            table: head.map(|head| TableStatus::new(head, now)),
        }
    }
}

impl TableStatus {
    fn new(head: &TableHead, now: Timestamp) -> Self {
        Self {
            products: head.products,
            catalogue_version: head.catalogue_version,
            head_version: head.version,
            priced_at: head.priced_at.to_string(),
            validated_at: head.validated_at.to_string(),
            age_secs: now.since(head.validated_at).as_secs(),
            fresh: head.is_fresh(now),
            usable: head.is_usable(now),
        }
    }
}

impl ShownUsers {
    /// Returns how many customers can be shown.
    pub(super) const fn len(&self) -> usize {
        self.first.len()
    }

    /// Formats a table of at most this many customers.
    pub(super) fn show(&self, now: Timestamp, at_most: usize) -> String {
        if self.count == 0 {
            return "no active customers".to_owned();
        }
        let mut table = table(["customer", "time left", "products", "checked", "priced"]);
        for (user, head) in self.first.iter().take(at_most) {
            let left = Duration::from_secs(user.expires_at.since(now).as_secs());
            let ago = |time: Timestamp| format!("{} ago", show_duration(now.since(time)));
            let [products, checked, priced] = match head {
                Some(head) => {
                    [head.products.to_string(), ago(head.validated_at), ago(head.priced_at)]
                }
                None => ["no table".to_owned(), String::new(), String::new()],
            };
            let cells = [show_duration(left), products, checked, priced].map(number);
            table.add_row(std::iter::once(name(user.user.to_string())).chain(cells));
        }
        let more = match self.count - self.first.len().min(at_most) {
            0 => String::new(),
            more => format!("\nand {more} more (see --output json)"),
        };
        format!("{table}{more}")
    }
}
