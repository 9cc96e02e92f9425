//! Measures how many bytes the tables of many customers take, in two generations.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;

use crate::generated::Generated;
use crate::lab::Scale;
use crate::results::{Line, Target, grouped, line};
use crate::stack::{Build, Stack};

pub const PRODUCTS: u64 = 10_000;
pub const CUSTOMERS: u32 = 20_000;
pub const DISCOUNTS: u64 = 20;
/// The target for all of them in two generations.
pub const TARGET: Target = Target::AtMost(50.0, " MB");
/// DynamoDB bills this many bytes more for each item.
pub const OVERHEAD: u64 = 100;
/// What a load and a table leave behind.
const KEPT: [&str; 3] = ["prices_by_user", "products", "discounts"];

pub fn run(scale: Scale, builds: &[Build]) {
    let data = Generated::new(PRODUCTS, scale.of(CUSTOMERS).into(), DISCOUNTS);
    for build in builds {
        let mut stack = Stack::loaded(build, &data);
        let customers = two_generations(&mut stack, &data);
        show(&stack, customers);
    }
}

/// Calculates the tables of all customers twice. Returns how many customers there are.
pub fn two_generations(stack: &mut Stack<'_>, data: &Generated) -> usize {
    let users = data.users();
    stack.start();
    let before = stack.calculations();
    stack.subscribe(&users);
    stack.until_calculated(&before, users.len() as u64);
    let before = stack.calculations();
    stack.change_a_price(data, 1);
    stack.until_calculated(&before, users.len() as u64);
    // A process writes down what it used when it ends.
    stack.stop();
    users.len()
}

fn show(stack: &Stack<'_>, customers: usize) {
    let shown = grouped(customers as f64);
    let what = format!("{shown} customers × 10,000 products × {DISCOUNTS} discounts, twice");
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let files: u64 =
        stack.files().iter().filter_map(|file| file.metadata().ok()).map(|it| it.len()).sum();
    Line::new(
        "stored",
        &stack.build.label(&format!("files of the store, {what}")),
        &megabytes(files),
    )
    .target(TARGET, files as f64 / 1e6)
    .print();
    let store = stack.files().into_iter().find(|file| file.ends_with("store.db"));
    let tables = tables(&store.expect("the store is a file"));
    let used: u64 = tables.iter().map(|(_, bytes)| bytes).sum();
    let largest =
        tables.iter().take(4).map(|(name, bytes)| format!("{name} {}", megabytes(*bytes)));
    let figure = format!("{} ({})", megabytes(used), largest.collect::<Vec<_>>().join(", "));
    line("stored", &stack.build.label("pages in use in it"), &figure);
    let meter = stack.run(&["meter", "--over", "3h", "--output", "json"]);
    let meter: Meter = serde_json::from_str(&meter).expect("the meter prints JSON");
    let written = meter.usage.iter().filter(|line| line.is_kept_item());
    let bytes: u64 = written.map(|line| line.bytes + OVERHEAD * line.items).sum();
    let what = "items written for it to AWS by its rules, with what the second generation replaces";
    line("stored", &stack.build.label(what), &megabytes(bytes));
}

/// Returns the bytes of the pages of each table and index, the largest first.
fn tables(store: &Path) -> Vec<(String, u64)> {
    let store = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let store = store.expect("the store can be opened");
    let sizes = "SELECT name, SUM(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY bytes DESC";
    let mut sizes = store.prepare(sizes).expect("SQLite counts its pages");
    let sizes = sizes.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    sizes.expect("sizes can be read").map(|row| row.expect("a size can be read")).collect()
}

#[derive(Deserialize)]
struct Meter {
    usage: Vec<Used>,
}

#[derive(Deserialize)]
struct Used {
    resource: String,
    action: String,
    items: u64,
    bytes: u64,
}

impl Used {
    fn is_kept_item(&self) -> bool {
        self.action == "write" && KEPT.contains(&self.resource.as_str())
    }
}
