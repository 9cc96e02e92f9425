//! Cold quotes, with and without a mountain of refreshes before them.

use ocache::load_generator::{Amount, Peer};
use ocache::model::UserId;

use crate::generated::Generated;
use crate::lab::{Scale, line, users};
use crate::quotes::Workload;
use crate::stack::{Build, Stack};

const PRODUCTS: u64 = 10_000;
const DISCOUNTS: u64 = 100;
const QUOTES: u32 = 400;
const BACKLOG: u32 = 100_000;
/// The first ones find nothing in memory, and are not counted.
const FIRST: usize = 5;
const OTHER_PRICE: u32 = 1;

pub async fn run(scale: Scale, builds: &[Build]) {
    let quotes = scale.of(QUOTES) as usize;
    let data = Generated::new(PRODUCTS, 2 * (quotes + FIRST) as u64, DISCOUNTS);
    let customers = data.users();
    let (calm, busy) = customers.split_at(quotes + FIRST);
    for build in builds {
        let mut stack = Stack::loaded(build, &data);
        stack.start();
        let dataset = data.read();
        let calm = cold_p99(&stack, &dataset, calm).await;

        // Orders wait while nobody works, and then all of them are there at once.
        let waiting = users("waiting", scale.of(BACKLOG));
        let before = stack.calculations();
        stack.subscribe(&waiting);
        stack.until_calculated(&before, waiting.len() as u64);
        stack.stop();
        stack.change_a_price(&data, OTHER_PRICE);
        stack.start();
        let at_first = stack.refreshes_waiting();
        let busy = cold_p99(&stack, &data.read_with_another_price(OTHER_PRICE), busy).await;
        let left = stack.refreshes_waiting();
        stack.stop();

        let name = build.name;
        line("7", &format!("cold quote of 10,000 products, {name}"), &format!("p99 {calm:.1} ms"));
        let what = format!("with {at_first} refreshes waiting, {left} at the end, {name}");
        line("7", &what, &format!("p99 {busy:.1} ms"));
        line("7", &format!("ratio, {name}"), &format!("{:.2}", busy / calm));
    }
}

/// One cold quote after the other, each of another customer; in milliseconds.
async fn cold_p99(stack: &Stack<'_>, dataset: &ocache::data::Dataset, users: &[UserId]) -> f64 {
    let to = stack.server().destination();
    let (first, counted) = users.split_at(FIRST);
    let mut p99 = 0.0;
    for users in [first, counted] {
        let amount = Amount::Quotes(users.len() as u64);
        let workload = Workload::for_users(users, dataset);
        let tally = workload.quote(&to, Peer::Gateway, amount, 1).await;
        p99 = tally.until_answered.millis(0.99);
    }
    p99
}
