//! Measures cold quotes, with and without many refreshes before them.

use std::fmt;

use ocache::load_generator::{Amount, ServerKind};
use ocache::model::UserId;

use crate::generated::Generated;
use crate::lab::{Scale, users};
use crate::quotes::Workload;
use crate::results::{Line, Target, line};
use crate::stack::{Build, Stack};

const PRODUCTS: u64 = 10_000;
const DISCOUNTS: u64 = 100;
const QUOTES: u32 = 400;
const BACKLOG: u32 = 100_000;
/// The first quotes find nothing in memory, and are not counted.
const FIRST: usize = 5;
const OTHER_PRICE: u32 = 1;
/// The target for the p99 with refreshes waiting, divided by that without.
const TARGET: Target = Target::AtMost(2.0, "");

pub async fn run(scale: Scale, builds: &[Build]) {
    let quotes = scale.of(QUOTES) as usize;
    let data = Generated::new(PRODUCTS, 2 * (quotes + FIRST) as u64, DISCOUNTS);
    let customers = data.users();
    let (calm, busy) = customers.split_at(quotes + FIRST);
    for build in builds {
        let mut stack = Stack::loaded(build, &data);
        stack.start();
        let dataset = data.read();
        let calm = waits(&stack, &dataset, calm).await;

        // Orders wait while nobody works, and then all of them are there at once.
        let waiting = users("waiting", scale.of(BACKLOG));
        let before = stack.calculations();
        stack.subscribe(&waiting);
        stack.until_calculated(&before, waiting.len() as u64);
        stack.stop();
        stack.change_a_price(&data, OTHER_PRICE);
        stack.start();
        let at_first = stack.refreshes_waiting();
        let busy = waits(&stack, &data.read_with_another_price(OTHER_PRICE), busy).await;
        let left = stack.refreshes_waiting();
        stack.stop();

        let ratio = busy.p99 / calm.p99;
        let (calm, busy) = (calm.to_string(), busy.to_string());
        line("cold", &build.label("cold quote of 10,000 products, alone"), &calm);
        let what = format!("the same with {at_first} refreshes waiting, {left} at the end");
        Line::new("cold", &build.label(&what), &busy)
            .beside(&format!("alone: {calm}"), ratio)
            .target(TARGET, ratio)
            .print();
    }
}

/// How long cold quotes wait for their answers, in milliseconds.
struct Waits {
    p50: f64,
    p99: f64,
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1} ms, p99 {:.1} ms", self.p50, self.p99)
    }
}

/// Asks for one cold quote after the other, each for another customer.
async fn waits(stack: &Stack<'_>, dataset: &ocache::data::Dataset, users: &[UserId]) -> Waits {
    let to = stack.server().destination();
    let (first, counted) = users.split_at(FIRST);
    let quoted = async |users: &[UserId]| {
        let amount = Amount::Quotes(users.len() as u64);
        Workload::for_users(users, dataset).quote(&to, ServerKind::Gateway, amount, 1).await
    };
    quoted(first).await;
    let tally = quoted(counted).await;
    let [p50, p99] = [0.5, 0.99].map(|share| tally.until_answered.millis(share));
    Waits { p50, p99 }
}
