//! Measures whether deletion keeps up with writing while all tables change again and again.

use std::time::{Duration, Instant};

use ocache::model::UserId;
use ocache::ports::{Housekeeping as _, Upkeep};
use ocache::runtime::Role;
use tokio::time::{MissedTickBehavior, interval};

use crate::inputs;
use crate::lab::{Lab, Scale};
use crate::results::{grouped, line};

const PRODUCTS: u64 = 1_000;
/// How many tables change once a second, if the machine is fast enough.
const USERS: u64 = 5_000;
/// Ten minutes at full scale.
const SECS: u32 = 600;
/// How many rows show the course.
const ROWS: u64 = 10;

pub async fn run(scale: Scale) {
    let (secs, began) = (u64::from(scale.of(SECS)), Instant::now());
    let mut lab = Lab::new(inputs::dataset(PRODUCTS, USERS, 10)).await;
    let users: Vec<UserId> = lab.dataset.discounts.iter().map(|list| list.user.clone()).collect();
    let workers = lab.work(&[Role::PriceCalc]);
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut changed, mut told) = (0, 1);
    while began.elapsed() < Duration::from_secs(secs) {
        seconds.tick().await;
        lab.change_the_catalogue().await;
        lab.order_refreshes(&users).await;
        lab.until_refreshed().await;
        changed += users.len() as u64;
        while began.elapsed() >= Duration::from_secs(told * secs / ROWS) && told <= ROWS {
            told += 1;
            tell(&lab, began.elapsed(), changed).await;
        }
    }
    workers.stop().await;
    lab.close().await;
}

async fn tell(lab: &Lab, after: Duration, changed: u64) {
    let Upkeep { backlog, file_bytes, log_bytes } =
        lab.store().upkeep().await.expect("the store can be read");
    let records: u64 = backlog.iter().map(|one| one.records).sum();
    let late = backlog.iter().map(|one| one.late).max().unwrap_or_default();
    let rate = changed as f64 / after.as_secs_f64();
    let figure = format!(
        "{} tables/s, {} MB, log {} MB, {} expired records, the oldest {:.1} s late",
        grouped(rate),
        file_bytes >> 20,
        log_bytes >> 20,
        grouped(records as f64),
        late.as_secs_f64(),
    );
    let what = format!("5,000 tables change each second, after {} s", after.as_secs());
    line("upkeep", &what, &figure);
}
