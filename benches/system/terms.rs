//! Measures price lists at the size that sellers have: from a load to the last table.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use ocache::data::{Dataset, read_texts};
use ocache::model::UserId;
use ocache::pricing::Currency;
use ocache::runtime::Role;
use ocache::stages::change::LoadChange;

use crate::lab::{Lab, Scale, Stopwatch, users};
use crate::results::line;

const WORK: &[Role] = &[Role::PriceCalc];

/// The size of what is loaded.
struct Shape {
    products: u32,
    lists: u32,
    /// How many rows for single products each list has, and how many rungs each row has.
    rows: u32,
    rungs: u32,
    /// Whether each list also has a percentage on everything.
    wide: bool,
    customers: u32,
    /// How many groups each customer is in. Each group has one list.
    groups: u32,
    /// How many own discounts each customer has.
    own: u32,
}

pub async fn run(scale: Scale) {
    let groups = Shape {
        products: 29_000,
        lists: 125,
        rows: 2_000,
        rungs: 3,
        wide: true,
        customers: scale.of(3_248),
        groups: 1,
        own: 0,
    };
    row("125 terms", groups).await;
    let own = Shape {
        products: 10_000,
        lists: 50,
        rows: 500,
        rungs: 3,
        wide: true,
        customers: scale.of(20_000),
        groups: 1,
        own: 20,
    };
    row("50 lists, 20 own rows", own).await;
    let many = Shape {
        products: 10_000,
        lists: 1_000,
        rows: 100,
        rungs: 10,
        wide: false,
        customers: scale.of(15_000),
        groups: 25,
        own: 0,
    };
    row("a term for each customer, 25 lists of 10 rungs", many).await;
}

/// Measures the time from a load to the last table of all customers.
async fn row(name: &str, shape: Shape) {
    let customers = users("customer", shape.customers);
    let parsing = Stopwatch::start();
    let dataset = shape.dataset(&customers);
    line("terms", &format!("{name}: reading the files"), &seconds(parsing.wall()));
    let loading = Stopwatch::start();
    let mut lab = Lab::new(dataset).await;
    line("terms", &format!("{name}: load"), &seconds(loading.wall()));
    let (wall, cpu) = calculate(&mut lab, &customers).await;
    let count = f64::from(shape.customers);
    let figures = format!(
        "{} for {} customers, {:.0} a second, {:.0} µs of processor each",
        seconds(wall),
        shape.customers,
        count / wall.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / count
    );
    line("terms", &format!("{name}: all tables"), &figures);
    let (wall, _) = calculate(&mut lab, &customers).await;
    line("terms", &format!("{name}: an unchanged refresh of all"), &seconds(wall));
    let peak = peak_memory() / 1024;
    line(
        "terms",
        &format!("{name}: store, peak memory"),
        &format!("{} MB, {peak} MB", lab.megabytes()),
    );
    lab.close().await;
}

async fn calculate(lab: &mut Lab, customers: &[UserId]) -> (Duration, Duration) {
    lab.order_refreshes(customers).await;
    let watch = Stopwatch::start();
    let workers = lab.work(WORK);
    lab.until_refreshed().await;
    let spent = (watch.wall(), watch.cpu());
    workers.stop().await;
    spent
}

/// Measures a change of one price in a large list that everyone has.
pub async fn one_price(scale: Scale) {
    let shape = Shape {
        products: 100_000,
        lists: 1,
        rows: 100_000,
        rungs: 1,
        wide: false,
        customers: scale.of(1_000),
        groups: 1,
        own: 0,
    };
    let customers = users("customer", shape.customers);
    let mut lab = Lab::new(shape.dataset(&customers)).await;
    calculate(&mut lab, &customers).await;
    let before = parts_of_terms(&lab, &customers[0]).await;
    let text = "{\"price_list\":\"L0\",\"product_id\":\"P0050000\",\"price\":\"0.05\"}\n";
    let changed = parsed(text);
    let watch = Stopwatch::start();
    let LoadChange { catalogue, .. } = lab.load(&changed).await;
    assert!(catalogue, "everybody of the group may have it");
    let loaded = watch.wall();
    calculate(&mut lab, &customers).await;
    let figures = format!(
        "load {}, last of {} tables after {}",
        seconds(loaded),
        shape.customers,
        seconds(watch.wall())
    );
    line("one-price", "one price of a list of 100,000", &figures);
    let after = parts_of_terms(&lab, &customers[0]).await;
    let differing = after.iter().filter(|part| !before.contains(part)).count();
    let bytes: usize = after.iter().map(|part| part.len()).sum();
    let figures =
        format!("{} of {bytes} bytes together, {differing} with other content", after.len());
    line("one-price", "the same: parts written", &figures);
    lab.close().await;
}

/// Returns the parts of the terms that the table of a customer names.
async fn parts_of_terms(lab: &Lab, customer: &UserId) -> Vec<Vec<u8>> {
    let store = &lab.ports.store;
    let heads = store.table_heads(std::slice::from_ref(customer)).await.expect("heads can be read");
    let name = heads.first().and_then(|(_, head)| head.base_of(&head.prices));
    let name = name.expect("the customer has terms");
    let base = store.base(&name).await.expect("bases can be read").expect("it is stored");
    let numbers: Vec<u32> = (0..).take(base.index.parts.len()).collect();
    let parts = store.base_parts(&name, &numbers).await.expect("parts can be read");
    parts.into_iter().map(|part| part.expect("it is stored").to_vec()).collect()
}

impl Shape {
    fn dataset(&self, customers: &[UserId]) -> Dataset {
        let mut text = String::new();
        for number in 0..self.products {
            let (cents, category) = (500 + number % 90_000, number % 50);
            let _ = writeln!(
                text,
                r#"{{"id":"P{number:07}","name":"Product {number}","price":"{}.{:02}","category":"c{category}/d{}"}}"#,
                cents / 100,
                cents % 100,
                number % 7
            );
        }
        for list in 0..self.lists {
            let _ = writeln!(
                text,
                r#"{{"price_list":"L{list}","priority":{},"currency":"USD","groups":["g{list}"]}}"#,
                list % 3
            );
            if self.wide {
                let _ = writeln!(
                    text,
                    r#"{{"price_list":"L{list}","percentage":"{}"}}"#,
                    1 + list % 20
                );
            }
            let step = (self.products / self.rows).max(1);
            for row in 0..self.rows {
                let product = (row * step + list % step) % self.products;
                for rung in 0..self.rungs {
                    let cents = 400 + (product + list) % 300 - rung * 20;
                    let min = if rung == 0 { 0 } else { 10 * rung };
                    let _ = writeln!(
                        text,
                        r#"{{"price_list":"L{list}","product_id":"P{product:07}","min_quantity":"{min}","price":"{}.{:02}"}}"#,
                        cents / 100,
                        cents % 100
                    );
                }
            }
        }
        for (number, customer) in (0_u32..).zip(customers) {
            let groups = (0..self.groups).map(|group| {
                // If there are many groups, no two customers have the same.
                let list = (number + group * (1 + number / self.lists.max(1))) % self.lists;
                format!("\"g{list}\"")
            });
            let groups: std::collections::BTreeSet<String> = groups.collect();
            let groups: Vec<String> = groups.into_iter().collect();
            let _ = writeln!(text, r#"{{"user_id":"{customer}","groups":[{}]}}"#, groups.join(","));
            for own in 0..self.own {
                let product = (number * 31 + own * 401) % self.products;
                let _ = writeln!(
                    text,
                    r#"{{"user_id":"{customer}","product_id":"P{product:07}","percentage":"{}"}}"#,
                    5 + own
                );
            }
        }
        parsed(&text)
    }
}

fn parsed(text: &str) -> Dataset {
    let file = (Path::new("terms.ndjson"), text.as_bytes());
    read_texts(&[file], Currency::USD).expect("it is what can be loaded")
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Returns the peak memory of this process, in KB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
