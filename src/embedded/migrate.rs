//! Migrates a store of an earlier version.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::open_error::OpenError;
use super::schema::{APPLICATION_ID, BEFORE_JOURNALS, MIGRATIONS, VERSION};

/// Applies the missing steps in one transaction. If two processes do this at once, the second finds nothing
/// to do.
pub(super) fn migrate(file: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let failed = |error| OpenError::from_sqlite(file, error);
    let version = |connection: &Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))
    };
    if version(connection).map_err(failed)? == VERSION {
        return Ok(());
    }
    let tx =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found = version(&tx).map_err(failed)?;
    let Some(missing) = usize::try_from(found).ok().and_then(|done| MIGRATIONS.get(done..)) else {
        return Err(OpenError::Newer { file: file.to_owned(), found });
    };
    let is_half_loaded = BEFORE_JOURNALS.contains(&found) && is_loading(&tx).map_err(failed)?;
    for step in missing {
        tx.execute_batch(step).map_err(failed)?;
    }
    if is_half_loaded {
        tx.execute("UPDATE catalogue_head SET half_loaded = 1", []).map_err(failed)?;
    }
    tx.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    tx.commit().map_err(failed)
}

/// Whether a store without journals has a load that has begun and not ended. Its rows then come from that
/// load and from the one before, and nothing shows which is which.
fn is_loading(connection: &Connection) -> rusqlite::Result<bool> {
    let loading = "SELECT EXISTS (SELECT 1 FROM catalogue_head WHERE load_id IS NOT NULL)";
    connection.query_one(loading, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{old_store, open as open_store, user};
    use super::*;
    use crate::model::Timestamp;
    use crate::ports::{
        ActiveUsers as _, CatalogueHead, CatalogueStore as _, Changes, Commit, LoadId, Loads as _,
        PriceTables as _, Segment, first_products,
    };

    #[tokio::test]
    async fn a_store_of_any_earlier_version_keeps_its_tables() {
        let ann = user("ann");
        for version in 1..VERSION {
            let dir = tempfile::tempdir().unwrap();
            let old = old_store(dir.path(), version as usize);
            let put = "INSERT INTO active_user VALUES (1, 'ann', ?1, 1000, 1000)";
            old.execute(put, [1_900_000_000]).unwrap();
            let put = "INSERT INTO product (id, name, price) VALUES ('P1', 'Desk', 500)";
            old.execute(put, []).unwrap();
            // Price tables in another format are calculated again.
            if version < 6 {
                let put = "INSERT INTO table_head VALUES ('ann', 1, 'g', '{}', 1900000000)";
                old.execute(put, []).unwrap();
            }
            drop(old);

            let store = open_store(dir.path());
            let users = store.list_active_users(Segment::ALL, Timestamp::default(), None).await;
            assert_eq!(users.unwrap().items[0].user, ann, "version {version}");
            let products = first_products(&store, 9).await.unwrap();
            assert_eq!(products.rows[0].name, "Desk", "version {version}");
            assert!(store.table_heads(std::slice::from_ref(&ann)).await.unwrap().is_empty());
            store.close().await;
        }
    }

    #[tokio::test]
    async fn a_load_that_an_earlier_program_left_half_done_is_remembered_until_the_next_load() {
        for version in BEFORE_JOURNALS {
            for is_loading in [true, false] {
                let dir = tempfile::tempdir().unwrap();
                let old = old_store(dir.path(), version as usize);
                let put = "INSERT INTO catalogue_head (id, version, currency, load_id)
                    VALUES (1, 3, 'USD', ?1)";
                old.execute(put, [is_loading.then_some("a load")]).unwrap();
                drop(old);

                let store = open_store(dir.path());
                assert_eq!(store.is_half_loaded().await.unwrap(), is_loading, "version {version}");
                store.close().await;
                // The result does not depend on which process migrated the store.
                let store = open_store(dir.path());
                assert_eq!(store.is_half_loaded().await.unwrap(), is_loading, "version {version}");
                let head = store.catalogue_head().await.unwrap().unwrap();
                let load = LoadId("the next".to_owned());
                store.begin_load(&load, Timestamp::from_secs(1)).await.unwrap();
                let CatalogueHead { currency, rounding, .. } = head;
                let commit = Commit { load, currency, rounding, changes: Changes::PRODUCTS };
                store.commit_load(&commit, Some(head.version)).await.unwrap();
                assert!(!store.is_half_loaded().await.unwrap(), "version {version}");
                store.close().await;
            }
        }
    }
}
