//! The table of discounts: one list per user.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::journal_rows::{Kind, Overlay, listed};
use super::rows::{from_packed, id, packed_bytes};
use crate::model::UserId;
use crate::ports::{
    AtHead, CatalogueHead, Cursor, DiscountStore, Page, PortError, Record, UserDiscounts,
};
use crate::pricing::Discounts;

/// How many users a page has.
const PAGE: usize = 1000;
/// Lists of more bytes than this, about 2,000 discounts, are unpacked away from the thread that asks.
const LARGE: usize = 16 * 1024;

pub(super) const GET: &str = "SELECT list FROM discounts WHERE user = ?1";
pub(super) const LIST: &str = "SELECT user FROM discounts WHERE user > ?1 ORDER BY user LIMIT ?2";

#[async_trait]
impl DiscountStore for Embedded {
    async fn discounts(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<UserDiscounts>>, PortError> {
        let (users, version) = (users.to_vec(), at.version);
        let found = self
            .look(users.len(), move |connection| {
                let Some(overlay) = Overlay::at(connection, version)? else {
                    return Ok(AtHead::Moved);
                };
                let mut statement = connection.prepare_cached(GET)?;
                let mut found = Vec::with_capacity(users.len());
                for user in &users {
                    if let Some(change) = overlay.over(Kind::Discounts, user.as_str())? {
                        found.extend(change.and_then(as_discounts).map(Found::Changed));
                        continue;
                    }
                    let list: Option<Value> =
                        statement.query_row([user.as_str()], |row| row.get(0)).optional()?;
                    found.extend(list.map(|list| Found::Stored(user.clone(), list)));
                }
                Ok(AtHead::Read(found))
            })
            .await?;
        let AtHead::Read(found) = found else { return Ok(AtHead::Moved) };
        let lists = match found.iter().map(Found::bytes).sum::<usize>() {
            0..=LARGE => unpack(found).map_err(|failure| self.port_error(failure)),
            _ => self.read(move |_| unpack(found)).await,
        };
        lists.map(AtHead::Read)
    }

    async fn list_discounted_users(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<UserId>>, PortError> {
        let version = at.version;
        self.read(move |connection| {
            let Some(overlay) = Overlay::at(connection, version)? else {
                return Ok(AtHead::Moved);
            };
            let rows = |after: &str| {
                let mut statement = connection.prepare_cached(LIST)?;
                let mut rows = statement.query(params![after, PAGE])?;
                let mut users: Vec<UserId> = vec![];
                while let Some(row) = rows.next()? {
                    users.push(id(row, 0, "a user with discounts", UserId::stored)?);
                }
                Ok(users)
            };
            let user = |record| as_discounts(record).map(|list| list.user);
            let from = from.as_ref();
            listed(&overlay, Kind::Discounts, from, PAGE, rows, user, UserId::as_str)
                .map(AtHead::Read)
        })
        .await
    }
}

/// A user's discounts: from the journal of a load, or as they are in a row.
enum Found {
    Changed(UserDiscounts),
    Stored(UserId, Value),
}

impl Found {
    /// How many bytes are yet to be unpacked.
    fn bytes(&self) -> usize {
        match self {
            Self::Changed(_) => 0,
            Self::Stored(_, list) => packed_bytes(list),
        }
    }
}

fn unpack(found: Vec<Found>) -> Result<Vec<UserDiscounts>, Failure> {
    let unpacked = found.into_iter().map(|found| match found {
        Found::Changed(list) => Ok(list),
        Found::Stored(user, list) => {
            let what = || format!("the discounts of user `{user}`");
            let discounts = from_packed(&list, what, Discounts::unpack)?.unwrap_or_default();
            Ok(UserDiscounts { user, discounts })
        }
    });
    unpacked.collect()
}

fn as_discounts(record: Record) -> Option<UserDiscounts> {
    match record {
        Record::Discounts(list) => Some(list),
        Record::Product(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::open::FILE;
    use super::super::schema::{APPLICATION_ID, MIGRATIONS};
    use super::super::testing::{open, user};
    use super::*;
    use crate::model::{ProductId, Timestamp};
    use crate::ports::{CatalogueStore as _, Commit, Committed, LoadId, Loads as _, RowChange};
    use crate::pricing::{Currency, Discount};

    /// The version of the store whose lists were JSON.
    const VERSION_OF_JSON: usize = 5;

    fn list(of: &str, percentage: &str) -> UserDiscounts {
        let product_id = ProductId::new("株").unwrap();
        let list = vec![Discount { product_id, percentage: percentage.parse().unwrap() }];
        UserDiscounts { user: user(of), discounts: Discounts::new(list).unwrap() }
    }

    async fn read(store: &Embedded) -> Vec<UserDiscounts> {
        let head = store.catalogue_head().await.unwrap().unwrap();
        match store.discounts(&["ann", "bob"].map(user), &head).await.unwrap() {
            AtHead::Read(lists) => lists,
            AtHead::Moved => panic!("nobody loads"),
        }
    }

    #[tokio::test]
    async fn lists_of_the_version_before_are_kept_and_written_packed() {
        let dir = tempfile::tempdir().unwrap();
        let old = Connection::open(dir.path().join(FILE)).unwrap();
        for step in &MIGRATIONS[..VERSION_OF_JSON] {
            old.execute_batch(step).unwrap();
        }
        old.pragma_update(None, "user_version", VERSION_OF_JSON).unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.execute_batch(
            "INSERT INTO catalogue_head (id, version, base_version, currency) VALUES (1, 1, 1, 'USD')",
        )
        .unwrap();
        for list in [list("ann", "12.5"), list("bob", "0.000001")] {
            let json = serde_json::to_string(&list.discounts).unwrap();
            let put = "INSERT INTO discounts (user, list) VALUES (?1, ?2)";
            old.execute(put, [list.user.as_str(), &json]).unwrap();
        }
        drop(old);

        let store = open(dir.path());
        assert_eq!(read(&store).await, [list("ann", "12.5"), list("bob", "0.000001")]);
        let (load, now) = (LoadId("l".to_owned()), Timestamp::default());
        let changes = [RowChange::Put(Record::Discounts(list("ann", "7")))];
        let commit = Commit { load: load.clone(), currency: Currency::USD, changes_base: false };
        store.begin_load(&load, now).await.unwrap();
        assert!(store.write_journal(&load, &changes).await.unwrap());
        let version = store.commit_load(&commit, Some(1)).await.unwrap();
        assert_eq!(version, Committed::Version(2));
        store.fold(&load, 2, &changes, now).await.unwrap();
        store.finish_load(&load).await.unwrap();
        assert_eq!(read(&store).await, [list("ann", "7"), list("bob", "0.000001")]);
        let types = "SELECT typeof(list) FROM discounts ORDER BY user";
        let types: Vec<String> = store
            .read(move |connection| {
                let mut statement = connection.prepare(types)?;
                Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
            })
            .await
            .unwrap();
        assert_eq!(types, ["blob", "text"]);
    }
}
