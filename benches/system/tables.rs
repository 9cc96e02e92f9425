//! Tables a second.

use std::time::Duration;

use ocache::model::UserId;
use ocache::pricing::OwnRows;
use ocache::runtime::Role;
use tokio::task::JoinSet;

use crate::lab::{Lab, Scale, Stopwatch, line, peak_megabytes};
use crate::{inputs, opponent};

const PRODUCTS: u64 = 1_000;
/// As many as the worker has in hand.
const AT_ONCE: usize = 20;

/// Every input changed, both on one store, in turns.
pub async fn against_the_opponent(scale: Scale) {
    let count = scale.of(4_000);
    let mut lab = Lab::new(inputs::dataset(PRODUCTS, count.into(), 100)).await;
    let users: Vec<UserId> = lab.dataset.discounts.iter().map(|list| list.user.clone()).collect();
    check_prices(&lab);
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    let (mut our_cpu, mut their_cpu) = (Duration::ZERO, Duration::ZERO);
    let few = &users[..users.len().div_ceil(20)];
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
    line("4", "tables a second, 1,000 products, all inputs changed", &format!("{ours:.0}"));
    line("4", "the opponent", &format!("{theirs:.0}"));
    line("4", "ratio", &format!("{:.1}", ours / theirs));
    let each = |cpu: Duration, users: &[UserId]| cpu.as_micros() / (3 * users.len() as u128);
    let each = format!("{} µs, the opponent {} µs", each(our_cpu, &users), each(their_cpu, few));
    line("4", "CPU for each", &each);
    lab.close().await;
}

/// The opponent's prices are ours.
fn check_prices(lab: &Lab) {
    let base = inputs::base(&lab.dataset.products);
    for list in lab.dataset.discounts.iter().take(20) {
        let own = OwnRows::price(base.index(), &list.discounts, |number| base.part(number));
        let own = own.expect("the base is whole");
        let theirs = opponent::price(&lab.dataset.products, &list.discounts);
        for (product, entry) in theirs {
            let ours = base.entry(&product.id, &own);
            assert_eq!(ours, Some(entry), "{}", product.id);
        }
    }
}

/// Many users, every input changed.
pub async fn refresh(scale: Scale) {
    let count = scale.of(100_000);
    let mut lab = Lab::new(inputs::dataset(PRODUCTS, count.into(), 100)).await;
    let users: Vec<UserId> = lab.dataset.discounts.iter().map(|list| list.user.clone()).collect();
    for what in ["first tables", "changed", "unchanged"] {
        if what == "changed" {
            lab.change_the_catalogue().await;
        }
        lab.order_refreshes(&users).await;
        let watch = Stopwatch::start();
        let workers = lab.work(&[Role::PriceCalc]);
        lab.until_refreshed().await;
        let (wall, cpu) = (watch.wall(), watch.cpu());
        workers.stop().await;
        let rate = f64::from(count) / wall.as_secs_f64();
        let figure = format!(
            "{rate:.0} users/s, {} µs of CPU each, {} MB at most",
            cpu.as_micros() / u128::from(count),
            peak_megabytes()
        );
        line("5", &format!("refresh of {count} users × 1,000 products, {what}"), &figure);
    }
    let per_user = lab.bytes_on_disk() / u64::from(count);
    line("5", "the store's file, two generations", &format!("{per_user} bytes a user"));
    lab.close().await;
}
