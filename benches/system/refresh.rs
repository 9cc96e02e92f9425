//! Many active customers: how fast their tables are calculated, and what the server needs for it.

use crate::generated::Generated;
use crate::lab::{Scale, line};
use crate::stack::{Build, Calculated, Stack};

const PRODUCTS: u64 = 10_000;
const CUSTOMERS: u32 = 100_000;
const DISCOUNTS: u64 = 100;

pub fn run(scale: Scale, builds: &[Build]) {
    let data = Generated::new(PRODUCTS, scale.of(CUSTOMERS).into(), DISCOUNTS);
    let users = data.users();
    let count = users.len() as u64;
    for build in builds {
        let mut stack = Stack::loaded(build, &data);
        stack.start();
        let before = stack.calculations();
        stack.subscribe(&users);
        let first = stack.until_calculated(&before, count);
        show("first tables, as fast as customers are subscribed", count, &first, &stack);

        let before = stack.calculations();
        stack.change_a_price(&data, 1);
        let changed = stack.until_calculated(&before, count);
        show("a price changes, from the load on", count, &changed, &stack);

        // The schedule's first tick comes when a server starts.
        stack.stop();
        stack.start();
        let before = stack.calculations();
        let unchanged = stack.until_calculated(&before, count);
        show("unchanged, after a start", count, &unchanged, &stack);
        stack.stop();
    }
}

fn show(what: &str, customers: u64, done: &Calculated, stack: &Stack<'_>) {
    let name = stack.build.name;
    let what = format!("refresh of {customers} customers × 10,000 products, {what}, {name}");
    let figure = format!(
        "{:.0} customers/s, {:.0} µs of CPU each, {} MB at most, {} calculated",
        customers as f64 / done.took.as_secs_f64(),
        done.cpu.as_secs_f64() * 1e6 / customers as f64,
        stack.server().peak_megabytes(),
        done.tables,
    );
    line("5", &what, &figure);
}
