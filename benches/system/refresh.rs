//! Measures many active customers: how fast their tables are calculated, and what the server needs for
//! that.

use crate::generated::Generated;
use crate::lab::Scale;
use crate::results::{Line, Target, grouped};
use crate::stack::{Build, Calculated, Stack};

const PRODUCTS: u64 = 10_000;
const CUSTOMERS: u32 = 100_000;
const DISCOUNTS: u64 = 100;
/// The target for the memory of the server.
const TARGET: Target = Target::AtMost(400.0, " MB");

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
    let [shown, tables] = [customers, done.tables].map(|count| grouped(count as f64));
    let what = format!("refresh of {shown} customers × 10,000 products, {what}");
    let memory = stack.server().peak_megabytes();
    let figure = format!(
        "{} customers/s, {:.0} µs of processor time each, {memory} MB at most, {tables} calculated",
        grouped(customers as f64 / done.took.as_secs_f64()),
        done.cpu.as_secs_f64() * 1e6 / customers as f64,
    );
    let line = Line::new("refresh", &stack.build.label(&what), &figure);
    line.target(TARGET, memory as f64).print();
}
