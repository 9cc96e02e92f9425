//! Measures how many tables are calculated a second, beside the straightforward way of price calc.

use std::time::Duration;

use ocache::model::UserId;
use ocache::pricing::OwnRows;
use ocache::pricing::Rounding;
use ocache::runtime::Role;
use tokio::task::JoinSet;

use crate::lab::{Lab, Scale, Stopwatch};
use crate::results::{Line, Target, grouped};
use crate::{inputs, opponent};

const PRODUCTS: u64 = 10_000;
const DISCOUNTS: u64 = 100;
/// As many as the worker calculates at once.
const AT_ONCE: usize = 20;
/// The target for tables a second, divided by the opponent's.
const TARGET: Target = Target::AtLeast(100.0);

/// Measures tables of which every input has changed, both on one store, in turns.
pub async fn against_the_opponent(scale: Scale) {
    let count = scale.of(4_000);
    let mut lab = Lab::new(inputs::dataset(PRODUCTS, count.into(), DISCOUNTS)).await;
    let users: Vec<UserId> = lab.dataset.discounts.iter().map(|list| list.user.clone()).collect();
    check_prices(&lab);
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    let (mut our_cpu, mut their_cpu) = (Duration::ZERO, Duration::ZERO);
    let few = &users[..users.len().div_ceil(40)];
    for _ in 0..3 {
        lab.change_the_catalogue().await;
        lab.order_refreshes(few).await;
        let watch = Stopwatch::start();
        let mut loops = JoinSet::new();
        for _ in 0..AT_ONCE {
            let ports = lab.ports.clone();
            loops.spawn(async move { while opponent::work_once(&ports).await {} });
        }
        loops.join_all().await;
        theirs += watch.wall();
        their_cpu += watch.cpu();

        lab.change_the_catalogue().await;
        lab.order_refreshes(&users).await;
        let watch = Stopwatch::start();
        let workers = lab.work(&[Role::PriceCalc]);
        lab.until_refreshed().await;
        ours += watch.wall();
        our_cpu += watch.cpu();
        workers.stop().await;
    }
    let ours = 3.0 * users.len() as f64 / ours.as_secs_f64();
    let theirs = 3.0 * few.len() as f64 / theirs.as_secs_f64();
    let what = "tables a second, 10,000 products, 100 discounts, all changed";
    Line::new("tables", what, &grouped(ours))
        .beside(&format!("opponent: {theirs:.1}"), ours / theirs)
        .target(TARGET, ours / theirs)
        .print();
    let each =
        |cpu: Duration, users: &[UserId]| cpu.as_secs_f64() * 1e6 / (3.0 * users.len() as f64);
    let (ours, theirs) = (each(our_cpu, &users), each(their_cpu, few));
    Line::new("tables", "processor time for each", &format!("{ours:.0} µs"))
        .beside(&format!("opponent: {} µs", grouped(theirs)), ours / theirs)
        .print();
    lab.close().await;
}

/// Checks that the opponent's prices are ocache's.
fn check_prices(lab: &Lab) {
    let base = inputs::base(&lab.dataset.products);
    for list in lab.dataset.discounts.iter().take(20) {
        let own = OwnRows::price(base.index(), &list.discounts, Rounding::HalfEven, |number| {
            base.part(number)
        });
        let own = own.expect("the base is whole");
        let theirs = opponent::price(&lab.dataset.products, &list.discounts);
        for (product, entry) in theirs {
            let ours = base.entry(&product.id, &own);
            assert_eq!(ours, Some(entry), "{}", product.id);
        }
    }
}
