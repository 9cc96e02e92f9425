//! Measures whether more users or more products make each of them more expensive in processor time.

use std::time::Duration;

use ocache::load_generator::{Amount, ServerKind};
use ocache::runtime::Role;

use crate::generated::Generated;
use crate::inputs;
use crate::lab::{Lab, Scale, Stopwatch, users};
use crate::quotes::{SOCKETS, Workload};
use crate::results::{Line, Target, grouped, line};
use crate::stack::{Build, Stack};

const CUSTOMERS: u64 = 50;
const DISCOUNTS: u64 = 100;
/// Fewer quotes would be too few for a clock that counts hundredths of a second.
const QUOTES: u64 = 20_000;
/// The target for the longest time of a warm quote, divided by the shortest.
const TARGET: Target = Target::AtMost(1.5, "");

/// Measures quotes with more and more products.
pub async fn warm_quotes(scale: Scale, builds: &[Build]) {
    for build in builds {
        let mut all = vec![];
        for products in [100, 1_000, 10_000, 100_000, 1_000_000].map(|count| scale.of(count)) {
            let each = warm_quote(build, products.into()).await;
            let what = format!("processor time of a warm quote, {} products", grouped(products));
            let each = each.as_secs_f64() * 1e6;
            line("products", &build.label(&what), &format!("{each:.1} µs"));
            all.push(each);
        }
        let most = all.iter().copied().fold(0.0, f64::max);
        let least = all.iter().copied().fold(f64::INFINITY, f64::min);
        let what = build.label("the largest of these, beside the smallest");
        Line::new("products", &what, &format!("{most:.1} µs"))
            .beside(&format!("{least:.1} µs"), most / least)
            .target(TARGET, most / least)
            .print();
    }
}

/// Returns the server's processor time for a warm quote.
async fn warm_quote(build: &Build, products: u64) -> Duration {
    let data = Generated::new(products, CUSTOMERS, DISCOUNTS);
    let mut stack = Stack::loaded(build, &data);
    let workload = Workload::of(&data);
    let to = stack.start().destination();
    workload.warm(&to).await;
    stack.until_quiet();
    let before = stack.server().cpu_time();
    workload.quote(&to, ServerKind::Gateway, Amount::Quotes(QUOTES), SOCKETS).await;
    let used = stack.server().cpu_time() - before;
    stack.stop();
    used / QUOTES as u32
}

/// Measures refreshes of more and more users.
pub async fn unchanged_users(scale: Scale) {
    for count in [1_000, 10_000, 100_000, 1_000_000].map(|count| scale.of(count)) {
        let mut lab = Lab::new(inputs::dataset(10, 0, 0)).await;
        let users = users("user", count);
        // Twice: the first makes the tables, the second finds them unchanged.
        let mut per_user = Duration::ZERO;
        for _ in 0..2 {
            lab.order_refreshes(&users).await;
            let workers = lab.work(&[Role::PriceCalc]);
            let watch = Stopwatch::start();
            lab.until_refreshed().await;
            per_user = watch.cpu() / count;
            workers.stop().await;
        }
        let what =
            format!("processor time to refresh one of {} unchanged customers", grouped(count));
        line("users", &what, &format!("{} µs", per_user.as_micros()));
        lab.close().await;
    }
}
