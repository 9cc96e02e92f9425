//! The table of discounts: one list per user.

use async_trait::async_trait;
use rusqlite::Row;
use rusqlite::types::Value;

use super::engine::Embedded;
use super::failure::Failure;
use super::loaded::{Keys, LoadedTable, keys};
use super::rows::{from_packed, id, packed_bytes};
use crate::model::UserId;
use crate::ports::{
    AtHead, CatalogueHead, Cursor, DiscountStore, OfRecord, Page, PortError, Record, RecordKind,
    UserDiscounts,
};
use crate::pricing::{Discounts, OwnLadders};

/// Lists of more bytes than this, about 2,000 discounts, are unpacked on another thread.
const LARGE: usize = 16 * 1024;

pub(super) const GET: &str = "SELECT user, list, ladders FROM discounts WHERE user = ?1";
pub(super) const LIST: &str = "
    SELECT user FROM discounts WHERE user > ?1 AND user < ?2 ORDER BY user LIMIT ?3";

/// A page has only users, but rows that are read by key have lists. So these are two tables.
static LISTS: LoadedTable<FoundDiscounts> = LoadedTable {
    kind: RecordKind::Discounts,
    get: GET,
    list: LIST,
    page: 1000,
    row: stored,
    of: changed,
};
static USERS: LoadedTable<UserId> = LoadedTable {
    kind: RecordKind::Discounts,
    get: GET,
    list: LIST,
    page: 1000,
    row: user_of,
    of: user_in,
};

#[async_trait]
impl DiscountStore for Embedded {
    async fn discounts(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<UserDiscounts>>, PortError> {
        let AtHead::Read(found) = self.rows_at(&LISTS, keys(users), at).await? else {
            return Ok(AtHead::Moved);
        };
        let lists = match found.iter().map(FoundDiscounts::bytes).sum::<usize>() {
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
        self.page_at(&USERS, Keys::all(from), at).await
    }
}

/// A user's discounts, from the journal of a load or from a row.
enum FoundDiscounts {
    Changed(UserDiscounts),
    Stored { user: UserId, list: Value, ladders: Value },
}

impl FoundDiscounts {
    /// Returns how many bytes must still be unpacked.
    fn bytes(&self) -> usize {
        match self {
            Self::Changed(_) => 0,
            Self::Stored { list, ladders, .. } => packed_bytes(list) + packed_bytes(ladders),
        }
    }
}

fn unpack(found: Vec<FoundDiscounts>) -> Result<Vec<UserDiscounts>, Failure> {
    let unpacked = found.into_iter().map(|found| match found {
        FoundDiscounts::Changed(list) => Ok(list),
        FoundDiscounts::Stored { user, list, ladders } => {
            let what = || format!("the discounts of customer `{user}`");
            let discounts = from_packed(&list, what, Discounts::unpack)?.unwrap_or_default();
            let ladders = from_packed(&ladders, what, OwnLadders::unpack)?.unwrap_or_default();
            Ok(UserDiscounts { user, discounts, ladders })
        }
    });
    unpacked.collect()
}

fn stored(row: &Row<'_>) -> Result<FoundDiscounts, Failure> {
    Ok(FoundDiscounts::Stored { user: user_of(row)?, list: row.get(1)?, ladders: row.get(2)? })
}

fn user_of(row: &Row<'_>) -> Result<UserId, Failure> {
    id(row, 0, "a customer with discounts", UserId::stored)
}

fn changed(record: Record) -> Option<FoundDiscounts> {
    UserDiscounts::of(record).map(FoundDiscounts::Changed)
}

fn user_in(record: Record) -> Option<UserId> {
    UserDiscounts::of(record).map(|list| list.user)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{old_store, open, user};
    use super::*;
    use crate::model::{ProductId, Timestamp};
    use crate::ports::{
        CatalogueStore as _, Changes, Commit, Committed, LoadId, Loads as _, RowChange,
    };
    use crate::pricing::{Currency, Discount, UnitRounding};

    /// The version of the store in which lists were JSON.
    const VERSION_OF_JSON: usize = 5;

    fn list(of: &str, percentage: &str) -> UserDiscounts {
        let product_id = ProductId::new("株").unwrap();
        let list = vec![Discount { product_id, percentage: percentage.parse().unwrap() }];
        UserDiscounts::new(user(of), Discounts::new(list).unwrap())
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
        let old = old_store(dir.path(), VERSION_OF_JSON);
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
        let (currency, rounding) = (Currency::USD, UnitRounding::PLAIN);
        let commit = Commit { load: load.clone(), currency, rounding, changes: Changes::NONE };
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
