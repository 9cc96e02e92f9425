//! The straightforward design, for the same work.
//!
//! For every message it scans all products, reads the rows of the customer's price lists, and writes the
//! customer's whole table as a list of maps, whether it changed or not. A quote reads the whole table.
//! Everything else happens as often as in ocache: queues, topic, quotations, and the time of functions.

use crate::meter::billing::{self, Line};
use crate::meter::rules::{
    CONTAINER_BYTES, ELEMENT_BYTES, item_read, item_write, number_bytes, page_read,
};
use crate::meter::{Operation, Reason, Resource, Scope, Stage, UsageLine, Used, billed};
use crate::replay::{ReplayOutcome, Scenario, TermsSpec};

/// The names of a product's five fields in a table: id, name, list price, discount and price.
const FIELDS: [&str; 5] =
    ["product_id", "product_name", "original_value", "discount", "final_value"];
/// The names of the fields of a price list's row.
const ROW_FIELDS: [&str; 4] = ["price_list", "product_id", "min_quantity", "percentage"];
/// The names of the fields of a rung in a table.
const RUNG_FIELDS: [&str; 2] = ["min_quantity", "price"];
/// The length of a price or percentage as text.
const NUMBER_CHARS: usize = 6;
/// The length of an id and a name as the replay makes them: `P000123`, `Product P000123`.
const TEXT_BYTES: usize = 7 + 15;
const ITEM_BYTES: u64 = 30;

/// Returns what AWS would bill for the work of a replay in that design.
#[must_use]
pub fn straightforward(outcome: &ReplayOutcome, scenario: &Scenario) -> billing::BilledUsage {
    let Scenario { products, ref terms, .. } = *scenario;
    let mut usage = outcome.metered.only(|line| !is_replaced(line));
    let table = table_bytes(products) + ladder_bytes(products, scenario.discounts, terms);
    let list = terms.ladders_per_list(products) * terms.lists.tiers * row_bytes();
    let scope = Scope::new(Stage::PriceCalc, Reason::Scheduled);
    let prepared = outcome.prepared();
    let times =
        |units: u64, count: u64| Used::derived(count, count, 0, units.saturating_mul(count));
    let scanned = times(page_read(products * product_bytes(), false), prepared);
    usage.add(scope, Operation::scan(Resource::Products), &scanned);
    if terms.lists.lists > 0 {
        let read = times(page_read(list, false), prepared * terms.lists_per_user);
        usage.add(scope, Operation::scan(Resource::PriceLists), &read);
    }
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

/// Whether a line is replaced by that design's own: it is for the catalogue, bases, price lists or price
/// tables.
fn is_replaced(line: &UsageLine) -> bool {
    let reads_products = matches!(line.resource, Resource::Products | Resource::PriceLists);
    let uses_tables =
        matches!(line.stage, Stage::PriceCalc | Stage::QuotationHandler | Stage::QuotationProvider);
    uses_tables && (reads_products || line.resource == Resource::PricesByUser)
}

const fn product_bytes() -> u64 {
    ("product_id".len() + "name".len() + "price".len() + TEXT_BYTES + number_bytes(NUMBER_CHARS))
        as u64
}

/// Returns the size of a table as one item. Above 400 KB it would need several items, with as many bytes in
/// all.
fn table_bytes(products: u64) -> u64 {
    let names: usize = FIELDS.iter().map(|name| name.len() + ELEMENT_BYTES).sum();
    let values = TEXT_BYTES + 3 * number_bytes(NUMBER_CHARS);
    products * (ELEMENT_BYTES + CONTAINER_BYTES + names + values) as u64 + ITEM_BYTES
}

/// Returns the size of a price list's row: the ids of the list and a product as the replay makes them, and
/// two numbers.
fn row_bytes() -> u64 {
    let names: usize = ROW_FIELDS.iter().map(|name| name.len()).sum();
    (names + "list-00001".len() + "P000123".len() + 2 * number_bytes(NUMBER_CHARS)) as u64
}

/// Returns the bytes that the rungs of lists, and of a customer's own ladders, add to a table. If several
/// lists have a ladder for a product, only the rungs of one are counted.
fn ladder_bytes(products: u64, own: u64, terms: &TermsSpec) -> u64 {
    if terms.lists.tiers <= 1 {
        return 0;
    }
    let share = terms.ladders_per_list(products) as f64 / products.max(1) as f64;
    let unlisted = (0..terms.lists_per_user).fold(1.0, |unlisted, _| unlisted * (1.0 - share));
    let listed = (products as f64 * (1.0 - unlisted)).round() as u64;
    let names: usize = RUNG_FIELDS.iter().map(|name| name.len() + ELEMENT_BYTES).sum();
    let rung = ELEMENT_BYTES + CONTAINER_BYTES + names + 2 * number_bytes(NUMBER_CHARS);
    listed.max(own) * terms.lists.tiers * rung as u64
}
