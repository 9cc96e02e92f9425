//! Whether more users or more products make each of them dearer, in time on the processors.

use std::time::Duration;

use ocache::runtime::Role;

use crate::inputs;
use crate::lab::{Lab, Scale, Stopwatch, line, users};

/// What a hundredth of a second is too coarse for is not measured with fewer calls.
const QUOTES: u32 = 2_000;

pub async fn run(scale: Scale) {
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
        let what = format!("refresh of {count} unchanged users");
        line("8", &what, &format!("{} µs of CPU each", per_user.as_micros()));
        lab.close().await;
    }
    for products in [100, 1_000, 10_000, 100_000, 1_000_000].map(|products| scale.of(products)) {
        let lab = Lab::new(inputs::dataset(products.into(), 0, 0)).await;
        let workers = lab.work(&[Role::PriceCalc, Role::QuotationProvider]);
        let user = users("user", 1);
        crate::cold::quote(&lab, &user).await;
        let again: Vec<_> = user.iter().cycle().take(QUOTES as usize).cloned().collect();
        let watch = Stopwatch::start();
        crate::cold::quote(&lab, &again).await;
        let per_quote = watch.cpu() / QUOTES;
        let what = format!("warm quote of {products} products");
        line("8", &what, &format!("{} µs of CPU each", per_quote.as_micros()));
        workers.stop().await;
        lab.close().await;
    }
}
