//! Price lists, their rows, and customers.

use async_trait::async_trait;
use rusqlite::Row;
use serde::de::DeserializeOwned;

use super::engine::Embedded;
use super::failure::{Failure, TextError};
use super::loaded::{Keys, LoadedTable, keys};
use super::rows::from_json;
use crate::model::{PriceListId, UserId};
use crate::ports::{
    AtHead, CatalogueHead, Cursor, CustomerStore, OfRecord, Page, PortError, PriceListStore,
    RecordKey, RecordKind, keys_of_list,
};
use crate::pricing::{Customer, Ladder, ListPrices, PriceList, Scope};

pub(super) const GET_CUSTOMER: &str = "SELECT user, record FROM customer WHERE user = ?1";
pub(super) const LIST_CUSTOMERS: &str = "
    SELECT user, record FROM customer WHERE user > ?1 AND user < ?2 ORDER BY user LIMIT ?3";
pub(super) const GET_LIST: &str = "SELECT id, record FROM price_list WHERE id = ?1";
pub(super) const LIST_LISTS: &str = "
    SELECT id, record FROM price_list WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3";
pub(super) const GET_PRICES: &str = "SELECT key, ladder FROM list_price WHERE key = ?1";
pub(super) const LIST_PRICES: &str = "
    SELECT key, ladder FROM list_price WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT ?3";

static CUSTOMERS: LoadedTable<Customer> = LoadedTable {
    kind: RecordKind::Customer,
    get: GET_CUSTOMER,
    list: LIST_CUSTOMERS,
    page: 2000,
    row: customer,
    of: Customer::of,
};
/// A list may name thousands of users, so a page has few lists.
static LISTS: LoadedTable<PriceList> = LoadedTable {
    kind: RecordKind::PriceList,
    get: GET_LIST,
    list: LIST_LISTS,
    page: 200,
    row: price_list,
    of: PriceList::of,
};
static PRICES: LoadedTable<ListPrices> = LoadedTable {
    kind: RecordKind::Prices,
    get: GET_PRICES,
    list: LIST_PRICES,
    page: 4000,
    row: list_prices,
    of: ListPrices::of,
};

#[async_trait]
impl CustomerStore for Embedded {
    async fn customers(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Customer>>, PortError> {
        self.rows_at(&CUSTOMERS, keys(users), at).await
    }

    async fn list_customers(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Customer>>, PortError> {
        self.page_at(&CUSTOMERS, Keys::all(from), at).await
    }
}

#[async_trait]
impl PriceListStore for Embedded {
    async fn price_lists(
        &self,
        lists: &[PriceListId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<PriceList>>, PortError> {
        self.rows_at(&LISTS, keys(lists), at).await
    }

    async fn list_price_lists(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<PriceList>>, PortError> {
        self.page_at(&LISTS, Keys::all(from), at).await
    }

    async fn prices(
        &self,
        rows: &[(PriceListId, Scope)],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<ListPrices>>, PortError> {
        let key = |(list, scope): &(PriceListId, Scope)| {
            RecordKey::Prices(list.clone(), scope.clone()).stored().into_owned()
        };
        self.rows_at(&PRICES, rows.iter().map(key).collect(), at).await
    }

    async fn list_prices(
        &self,
        list: &PriceListId,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<ListPrices>>, PortError> {
        self.page_at(&PRICES, Keys::between(keys_of_list(list), from), at).await
    }
}

fn customer(row: &Row<'_>) -> Result<Customer, Failure> {
    record(row, "customer")
}

fn price_list(row: &Row<'_>) -> Result<PriceList, Failure> {
    record(row, "price list")
}

fn record<T: DeserializeOwned>(row: &Row<'_>, kind: &str) -> Result<T, Failure> {
    let (id, record): (String, String) = (row.get(0)?, row.get(1)?);
    from_json(&record, || format!("{kind} `{id}`"))
}

fn list_prices(row: &Row<'_>) -> Result<ListPrices, Failure> {
    let key: String = row.get(0)?;
    let parsed = RecordKey::from_stored(RecordKind::Prices, &key);
    let parsed =
        parsed.map_err(|why| Failure::unreadable("a row of a price list", TextError(why)))?;
    let ladder = Ladder::unpack(row.get_ref(1)?.as_blob()?)
        .map_err(|error| Failure::unreadable(parsed.to_string(), error))?;
    match parsed {
        RecordKey::Prices(list, scope) => Ok(ListPrices { list, scope, ladder }),
        other => {
            Err(Failure::unreadable(other.to_string(), TextError("it is no price".to_owned())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Embedded;
    use super::super::testing::{old_store, open, user};
    use super::*;
    use crate::model::{ProductId, Timestamp};
    use crate::ports::testing::one_price;
    use crate::ports::{
        BaseName, Bases as _, CatalogueStore as _, Changes, Commit, Committed, DiscountStore as _,
        LoadId, Loads as _, PriceTables as _, Record, RowChange, Segment, UserDiscounts,
    };
    use crate::pricing::{Currency, Discount, Discounts, Money, Product, UnitRounding};

    /// The last version of the store without price lists.
    const VERSION_BEFORE: usize = 11;

    fn product(id: &str, minor: i64) -> Product {
        let id = ProductId::new(id).unwrap();
        Product::new(id, "Desk".to_owned(), Money::from_minor(minor))
    }

    fn discounts() -> UserDiscounts {
        let product_id = ProductId::new("P1").unwrap();
        let discount = Discount { product_id, percentage: "12.5".parse().unwrap() };
        UserDiscounts::new(user("ann"), Discounts::new(vec![discount]).unwrap())
    }

    /// Makes a store of that version, with a load that is in force and not yet folded.
    fn write_old_store(dir: &std::path::Path) {
        let old = old_store(dir, VERSION_BEFORE);
        old.execute_batch(
            "INSERT INTO product VALUES ('P1', 'Desk', 500), ('P2', 'Desk', 700);
            INSERT INTO journal (id, load, began_at) VALUES (3, 'l3', 1);
            INSERT INTO catalogue_head (id, version, base_version, currency, unfolded)
                VALUES (1, 7, 5, 'CHF', 3);
            INSERT INTO base (version, expires_at, contents) VALUES (5, 1900000000, '{}');
            INSERT INTO base_part (version, number, bytes) VALUES (5, 0, x'00');
            INSERT INTO price_table (user, version, expires_at, head)
                VALUES ('ann', 4, 1900000000, x'0100');",
        )
        .unwrap();
        let list = discounts().discounts.pack().unwrap();
        old.execute("INSERT INTO discounts (user, list) VALUES ('ann', ?1)", [list]).unwrap();
        let change = serde_json::json!({
            "product": { "id": "P2", "name": "Desk", "price": 710 },
        });
        let put = "INSERT INTO journal_row VALUES (3, 0, 'P2', ?1)";
        old.execute(put, [change.to_string()]).unwrap();
    }

    async fn products(store: &Embedded, at: &CatalogueHead) -> Vec<Product> {
        match store.list_products(at, Segment::ALL, None).await.unwrap() {
            AtHead::Read(page) => page.items,
            AtHead::Moved => panic!("nobody loads"),
        }
    }

    #[tokio::test]
    async fn a_store_without_price_lists_keeps_what_it_has_and_takes_some() {
        let dir = tempfile::tempdir().unwrap();
        write_old_store(dir.path());
        let store = open(dir.path());
        let head = store.catalogue_head().await.unwrap().unwrap();
        let load = LoadId("l3".to_owned());
        let expected = CatalogueHead {
            version: 7,
            base_version: 5,
            shared_version: 5,
            currency: "CHF".parse().unwrap(),
            unfolded: Some(load.clone()),
            ..CatalogueHead::EMPTY
        };
        assert_eq!(head, expected);
        assert_eq!(products(&store, &head).await, [product("P1", 500), product("P2", 710)]);
        let users = [user("ann")];
        assert_eq!(store.discounts(&users, &head).await.unwrap(), AtHead::Read(vec![discounts()]));
        assert!(store.table_heads(&users).await.unwrap().is_empty(), "it is calculated again");
        let base = BaseName { version: 5, currency: head.currency, terms: None };
        assert_eq!(store.base(&base).await.unwrap(), None);
        assert!(store.list_table_heads(None).await.unwrap().items.is_empty());

        // The load of that store is folded, and the next one brings a price list.
        let changes = store.list_journal(&load, None).await.unwrap().items;
        store.fold(&load, 7, &changes, Timestamp::default()).await.unwrap();
        store.finish_load(&load).await.unwrap();
        let row = one_price(&PriceListId::new("gold").unwrap(), Money::ZERO);
        let (load, changes) = (LoadId("l8".to_owned()), Changes { lists: true, ..Changes::NONE });
        let (currency, rounding) = (Currency::USD, UnitRounding::PLAIN);
        let commit = Commit { load: load.clone(), currency, rounding, changes };
        let put = [RowChange::Put(Record::Prices(row.clone()))];
        store.begin_load(&load, Timestamp::default()).await.unwrap();
        assert!(store.write_journal(&load, &put).await.unwrap());
        let committed = store.commit_load(&commit, Some(7)).await.unwrap();
        assert_eq!(committed, Committed::Version(8));
        let head = store.catalogue_head().await.unwrap().unwrap();
        let versions = [head.base_version, head.lists_version, head.shared_version];
        assert_eq!(versions, [5, 8, 5]);
        let rows = [(row.list.clone(), row.scope.clone())];
        let read = store.prices(&rows, &head).await.unwrap();
        assert_eq!(read, AtHead::Read(vec![row]));
        assert_eq!(products(&store, &head).await, [product("P1", 500), product("P2", 710)]);
    }
}
