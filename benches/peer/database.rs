//! The peer's tables, and the transaction of a quote.

use std::collections::HashMap;
use std::path::Path;

use ocache::data::Dataset;
use ocache::pricing::Product;
use ocache::protocol::{LineFrame, QuotationFrame};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{Item, Quote};

/// One hundred percent, in millionths of a percent.
const WHOLE: i128 = 100_000_000;
/// How long quotations are kept: a week.
const KEPT_SECS: i64 = 7 * 24 * 60 * 60;

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
PRAGMA temp_store = MEMORY;
CREATE TABLE customers (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE products (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, list_price INTEGER NOT NULL);
CREATE TABLE prices (
    customer INTEGER NOT NULL, product INTEGER NOT NULL, discount INTEGER NOT NULL,
    unit_price INTEGER NOT NULL, PRIMARY KEY (customer, product)) WITHOUT ROWID;
CREATE TABLE quotations (
    id TEXT NOT NULL, customer INTEGER NOT NULL, answer TEXT NOT NULL, accepted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, PRIMARY KEY (customer, id));
";

const PRICE: &str = "
SELECT products.name, products.list_price, prices.discount, prices.unit_price
FROM products JOIN prices ON prices.customer = ?1 AND prices.product = products.number
WHERE products.id = ?2";

const STORE: &str = "
INSERT INTO quotations (id, customer, answer, accepted_at, expires_at)
VALUES (?1, ?2, ?3, unixepoch(), unixepoch() + ?4)";

pub(super) struct Database(Connection);

/// A line of a quotation.
pub(super) struct Line {
    pub(super) product: String,
    name: String,
    pub(super) quantity: u32,
    list_price: i64,
    discount: u32,
    pub(super) unit_price: i64,
}

impl Database {
    /// Makes a new database, with a row for every customer's price of every product.
    pub(super) fn filled(folder: &Path, dataset: &Dataset) -> rusqlite::Result<Self> {
        let mut database = Connection::open(folder.join("peer.db"))?;
        database.execute_batch(SCHEMA)?;
        let filling = database.transaction()?;
        {
            let mut products = filling.prepare("INSERT INTO products VALUES (?1, ?2, ?3, ?4)")?;
            for (number, one) in dataset.products.iter().enumerate() {
                products.execute(params![number, one.id.as_str(), one.name, listed(one)])?;
            }
            let mut customers = filling.prepare("INSERT INTO customers VALUES (?1, ?2)")?;
            let mut prices = filling.prepare("INSERT INTO prices VALUES (?1, ?2, ?3, ?4)")?;
            for (customer, list) in dataset.discounts.iter().enumerate() {
                customers.execute(params![customer, list.user.as_str()])?;
                let discounts = list.discounts.as_slice().iter();
                let discounts: HashMap<_, _> = discounts
                    .map(|discount| (&discount.product_id, discount.percentage.millionths()))
                    .collect();
                for (number, one) in dataset.products.iter().enumerate() {
                    let discount = discounts.get(&one.id).copied().unwrap_or(0);
                    let unit_price = unit_price(listed(one), discount);
                    prices.execute(params![customer, number, discount, unit_price])?;
                }
            }
        }
        filling.commit()?;
        database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;")?;
        Ok(Self(database))
    }

    /// Prices a quote and stores its answer in one transaction.
    pub(super) fn answer(
        &mut self,
        id: &str,
        quote: &Quote,
        answer: impl FnOnce(&[Line]) -> QuotationFrame,
    ) -> rusqlite::Result<QuotationFrame> {
        let quoting = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let customer = "SELECT number FROM customers WHERE id = ?1";
        let customer: i64 =
            quoting.prepare_cached(customer)?.query_row([&quote.client], |row| row.get(0))?;
        let lines = lines(&quoting, customer, &quote.items)?;
        let answer = answer(&lines);
        let text = serde_json::to_string(&answer).expect("an answer has a JSON form");
        quoting.prepare_cached(STORE)?.execute(params![id, customer, text, KEPT_SECS])?;
        quoting.commit()?;
        Ok(answer)
    }
}

/// Returns the lines of the items that have a price.
fn lines(database: &Connection, customer: i64, items: &[Item]) -> rusqlite::Result<Vec<Line>> {
    let mut price = database.prepare_cached(PRICE)?;
    let mut lines = Vec::with_capacity(items.len());
    for item in items {
        let line = price.query_row(params![customer, item.product], |row| {
            Ok(Line {
                product: item.product.clone(),
                quantity: item.quantity,
                name: row.get(0)?,
                list_price: row.get(1)?,
                discount: row.get(2)?,
                unit_price: row.get(3)?,
            })
        });
        lines.extend(line.optional()?);
    }
    Ok(lines)
}

impl Line {
    pub(super) fn frame(&self) -> LineFrame {
        let percent = format!("{}.{:06}", self.discount / 1_000_000, self.discount % 1_000_000);
        LineFrame {
            product: self.product.clone(),
            name: self.name.clone(),
            quantity: self.quantity.to_string(),
            list_price: Some(cents(self.list_price)),
            discount_percent: percent.trim_end_matches('0').trim_end_matches('.').to_owned(),
            unit_price: cents(self.unit_price),
            total: cents(self.unit_price * i64::from(self.quantity)),
            rule: None,
            next_tier: None,
        }
    }
}

fn listed(product: &Product) -> i64 {
    product.price.expect("every product has a price").minor()
}

/// Returns an amount of cents as dollars.
pub(super) fn cents(amount: i64) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}

/// Returns a list price less a discount, rounded to the nearest cent, and half to even.
fn unit_price(list_price: i64, discount: u32) -> i64 {
    let exact = i128::from(list_price) * (WHOLE - i128::from(discount));
    let (floor, rest) = (exact / WHOLE, exact % WHOLE);
    let up = rest * 2 > WHOLE || (rest * 2 == WHOLE && floor % 2 == 1);
    (floor + i128::from(up)) as i64
}
