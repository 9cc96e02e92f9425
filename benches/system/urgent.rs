//! Counts what waits before cold quotes after a load of prices: messages sent to the urgent queue while
//! warm users quote.

use ocache::load_generator::{Amount, ServerKind};
use serde::Deserialize;

use crate::generated::Generated;
use crate::lab::Scale;
use crate::quotes::{SOCKETS, Workload};
use crate::results::{grouped, line};
use crate::stack::{Build, Stack};

const PRODUCTS: u64 = 1_000;
const DISCOUNTS: u64 = 10;
const QUOTES: u64 = 3;
const OTHER_PRICE: u32 = 1;

pub async fn run(scale: Scale, builds: &[Build]) {
    let data = Generated::new(PRODUCTS, scale.of(1_000).into(), DISCOUNTS);
    // Answers come from before the load or after it, so no price is expected.
    let workload = Workload::of(&data).of_any_price();
    for build in builds {
        let mut stack = Stack::loaded(build, &data);
        let to = stack.start().destination();
        workload.warm(&to).await;
        // A process writes down what it used when it ends. A start itself sends some messages.
        stack.stop();
        let warmed = sent(&stack);
        stack.start();
        stack.stop();
        let before = sent(&stack);
        let starting = [0, 1].map(|queue| before[queue] - warmed[queue]);

        let to = stack.start().destination();
        let load = stack.start_changing_a_price(&data, OTHER_PRICE);
        let all = Amount::Quotes(QUOTES * workload.customers);
        workload.quote(&to, ServerKind::Gateway, all, SOCKETS).await;
        load.finish();
        stack.stop();
        let after = sent(&stack);
        let [urgent, refresh] =
            [0, 1].map(|queue| (after[queue] - before[queue]).saturating_sub(starting[queue]));
        let what = format!(
            "orders of stale tables to the Quotation Queue while {} warm customers quote {QUOTES} \
             times during a load of prices",
            grouped(workload.customers as f64)
        );
        line("urgent", &build.label(&what), &grouped(urgent as f64));
        let what = build.label("the same, to the Refresh Queue");
        line("urgent", &what, &grouped(refresh as f64));
    }
}

#[derive(Deserialize)]
struct Meter {
    usage: Vec<Used>,
}

#[derive(Deserialize)]
struct Used {
    stage: String,
    resource: String,
    action: String,
    items: u64,
}

/// Returns how many messages servers have sent to the two queues of calculations, without those of the
/// schedule and of loads.
fn sent(stack: &Stack<'_>) -> [u64; 2] {
    let meter = stack.run(&["meter", "--over", "1h", "--output", "json"]);
    let meter: Meter = serde_json::from_str(&meter).expect("the meter prints JSON");
    ["quotation_queue", "refresh_queue"].map(|queue| {
        let sent = meter.usage.iter().filter(|used| {
            (&*used.resource, &*used.action) == (queue, "send")
                && !["refresh", "load"].contains(&&*used.stage)
        });
        sent.map(|used| used.items).sum()
    })
}
