//! The straightforward design, doing the same work.
//!
//! It calculates for every message from a scan of all products, and writes a user's whole table
//! every time, as a list of maps, changed or not; a quote reads all of it. Everything else, and how
//! often it happens, is as it is here: queues, topic, quotations, the time of functions.

use crate::billing::{self, Line};
use crate::meter::rules::{
    CONTAINER_BYTES, ELEMENT_BYTES, item_read, item_write, number_bytes, page_read,
};
use crate::meter::{Operation, Reason, Resource, Scope, Stage, UsageLine, Used, billed};
use crate::replay::Outcome;

/// Names of the five fields of a product in a table: its id and name, list price, discount, price.
const FIELDS: [&str; 5] =
    ["product_id", "product_name", "original_value", "discount", "final_value"];
/// A price or a percentage, as text.
const NUMBER_CHARS: usize = 6;
/// An id and a name as the replay makes them: `P000123`, `Product P000123`.
const TEXT_BYTES: usize = 7 + 15;
const ITEM_BYTES: u64 = 30;

/// What AWS would bill for a replay's work in that design.
#[must_use]
pub fn straightforward(outcome: &Outcome, products: u64) -> billing::Usage {
    let mut usage = outcome.metered.only(|line| !is_replaced(line));
    let table = table_bytes(products);
    let scope = Scope::new(Stage::PriceCalc, Reason::Scheduled);
    let prepared = outcome.prepared();
    let times =
        |units: u64, count: u64| Used::derived(count, count, 0, units.saturating_mul(count));
    let scanned = times(page_read(products * product_bytes(), false), prepared);
    usage.add(scope, Operation::scan(Resource::Products), &scanned);
    let written = times(item_write(table), prepared);
    usage.add(scope, Operation::write(Resource::PricesByUser), &written);
    let scope = Scope::new(Stage::QuotationProvider, Reason::Quote);
    let read = times(item_read(table, false), outcome.answered);
    usage.add(scope, Operation::read(Resource::PricesByUser), &read);
    let missing = times(item_read(0, false), outcome.answered - outcome.warm);
    usage.add(scope, Operation::read(Resource::PricesByUser), &missing);
    let mut bill = billed(usage.lines());
    let stored = u128::from(table) * u128::from(outcome.stored.table_hours);
    bill.add(Line::Storage, stored + outcome.stored.other_byte_hours);
    bill
}

/// The catalogue and its base, and price tables.
fn is_replaced(line: &UsageLine) -> bool {
    let reads_products = line.resource == Resource::Products;
    let uses_tables =
        matches!(line.stage, Stage::PriceCalc | Stage::QuotationHandler | Stage::QuotationProvider);
    uses_tables && (reads_products || line.resource == Resource::PricesByUser)
}

const fn product_bytes() -> u64 {
    ("product_id".len() + "name".len() + "price".len() + TEXT_BYTES + number_bytes(NUMBER_CHARS))
        as u64
}

/// A table as one item; of more than 400 KB it would have to be several, of as many bytes.
fn table_bytes(products: u64) -> u64 {
    let names: usize = FIELDS.iter().map(|name| name.len() + ELEMENT_BYTES).sum();
    let values = TEXT_BYTES + 3 * number_bytes(NUMBER_CHARS);
    products * (ELEMENT_BYTES + CONTAINER_BYTES + names + values) as u64 + ITEM_BYTES
}
