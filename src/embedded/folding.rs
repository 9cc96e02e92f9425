//! Folds the changes of a load into the rows.

use rusqlite::params;

use super::failure::Failure;
use super::marks::Tx;
use super::rows::to_json;
use crate::model::PackedError;
use crate::ports::{Record, RecordKey, RecordKind, RowChange, UserDiscounts};
use crate::pricing::{ListPrices, OwnLadders, Product};

const PUT_PRODUCT: &str = "
    INSERT INTO product (id, name, price, detail) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET name = excluded.name, price = excluded.price, detail = excluded.detail";
const PUT_DISCOUNTS: &str = "
    INSERT INTO discounts (user, list, ladders) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET list = excluded.list, ladders = excluded.ladders";
const PUT_CUSTOMER: &str = "
    INSERT INTO customer (user, record) VALUES (?1, ?2)
    ON CONFLICT DO UPDATE SET record = excluded.record";
const PUT_LIST: &str = "
    INSERT INTO price_list (id, record) VALUES (?1, ?2)
    ON CONFLICT DO UPDATE SET record = excluded.record";
const PUT_PRICES: &str = "
    INSERT INTO list_price (key, ladder) VALUES (?1, ?2)
    ON CONFLICT DO UPDATE SET ladder = excluded.ladder";

/// Writes a change into its row.
pub(super) fn fold(tx: &Tx<'_>, change: &RowChange) -> Result<(), Failure> {
    match change {
        RowChange::Put(Record::Product(product)) => put_product(tx, product),
        RowChange::Put(Record::Discounts(list)) => put_discounts(tx, list),
        RowChange::Put(Record::Customer(customer)) => {
            let record = to_json(customer, || format!("customer `{}`", customer.user))?;
            put(tx, PUT_CUSTOMER, &change.key(), &record)
        }
        RowChange::Put(Record::PriceList(list)) => {
            let record = to_json(list, || format!("price list `{}`", list.id))?;
            put(tx, PUT_LIST, &change.key(), &record)
        }
        RowChange::Put(Record::Prices(ListPrices { ladder, .. })) => {
            let key = change.key();
            let packed = ladder.pack().map_err(|error| unpackable(&key, &error))?;
            put(tx, PUT_PRICES, &key, &packed)
        }
        RowChange::Delete(key) => delete(tx, key),
    }
}

fn put_product(tx: &Tx<'_>, product: &Product) -> Result<(), Failure> {
    let id = product.id.as_str();
    let json = |detail| to_json(detail, || format!("the detail of product `{id}`"));
    let detail = product.detail.as_deref().map(json).transpose()?;
    let price = product.price.map(|price| price.minor());
    tx.prepare_cached(PUT_PRODUCT)?.execute(params![id, product.name, price, detail])?;
    Ok(())
}

fn put_discounts(tx: &Tx<'_>, list: &UserDiscounts) -> Result<(), Failure> {
    let failed = |error| unpackable(&RecordKey::Discounts(list.user.clone()), &error);
    let packed = list.discounts.pack().map_err(failed)?;
    let ladders = Some(&list.ladders).filter(|ladders| !ladders.is_empty());
    let ladders = ladders.map(OwnLadders::pack).transpose().map_err(failed)?;
    tx.prepare_cached(PUT_DISCOUNTS)?.execute(params![list.user.as_str(), packed, ladders])?;
    Ok(())
}

fn put(
    tx: &Tx<'_>,
    statement: &str,
    key: &RecordKey,
    content: &impl rusqlite::ToSql,
) -> Result<(), Failure> {
    tx.prepare_cached(statement)?.execute(params![key.stored(), content])?;
    Ok(())
}

fn unpackable(key: &RecordKey, error: &PackedError) -> Failure {
    Failure::rejected(key.to_string(), error.to_string())
}

fn delete(tx: &Tx<'_>, key: &RecordKey) -> Result<(), Failure> {
    let statement = match key.kind() {
        RecordKind::Product => "DELETE FROM product WHERE id = ?1",
        RecordKind::Discounts => "DELETE FROM discounts WHERE user = ?1",
        RecordKind::Customer => "DELETE FROM customer WHERE user = ?1",
        RecordKind::PriceList => "DELETE FROM price_list WHERE id = ?1",
        RecordKind::Prices => "DELETE FROM list_price WHERE key = ?1",
    };
    tx.prepare_cached(statement)?.execute([key.stored()])?;
    Ok(())
}
