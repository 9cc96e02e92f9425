//! Cold quotes, with and without a mountain of refreshes before them.

use std::time::{Duration, Instant};

use ocache::model::{ConnectionId, ConnectionRef, Dialect, Item, Quantity, UserId};
use ocache::ports::Queue;
use ocache::runtime::Role;
use ocache::stages::quotation_handler::{Ask, QuotationHandler};
use ocache::stages::{Lookup, Policy};

use crate::inputs;
use crate::lab::{Lab, Scale, line, quantile, users};

const PRODUCTS: u64 = 10_000;

pub async fn run(scale: Scale) {
    let (quotes, backlog) = (scale.of(200), scale.of(100_000));
    let mut lab = Lab::new(inputs::dataset(PRODUCTS, 0, 0)).await;
    let workers = lab.work(&[Role::PriceCalc, Role::QuotationProvider]);
    // The first reads the catalogue.
    quote(&lab, &users("first", 5)).await;
    let mut calm = quote(&lab, &users("calm", quotes)).await;
    workers.stop().await;
    lab.order_refreshes(&users("waiting", backlog)).await;
    let workers = lab.work(&[Role::PriceCalc, Role::QuotationProvider]);
    quote(&lab, &users("second", 5)).await;
    let mut busy = quote(&lab, &users("busy", quotes)).await;
    let left = lab.ports.queues.depth(Queue::Refresh).await.expect("depths can be read").waiting;
    workers.stop().await;
    let (calm, busy) = (quantile(&mut calm, 0.99), quantile(&mut busy, 0.99));
    let ms = |time: Duration| format!("p99 {:.1} ms", time.as_secs_f64() * 1000.0);
    line("7", "cold quote of 10,000 products", &ms(calm));
    let what = format!("with {backlog} refreshes waiting ({left} at the end)");
    line("7", &what, &ms(busy));
    line("7", "ratio", &format!("{:.2}", busy.as_secs_f64() / calm.as_secs_f64()));
    lab.close().await;
}

/// One cold quote after the other, each of another user.
pub async fn quote(lab: &Lab, users: &[UserId]) -> Vec<Duration> {
    let handler = QuotationHandler::new(&lab.ports, Lookup::new(&lab.ports), Policy::default());
    let mut times = vec![];
    for user in users {
        let id = ConnectionId::new(user.as_str()).expect("it is an id");
        let connection = ConnectionRef { endpoint: "http://127.0.0.1:1".to_owned(), id };
        let product = lab.dataset.products[times.len() % lab.dataset.products.len()].id.clone();
        let ask = Ask {
            user: user.clone(),
            items: vec![Item { product, quantity: Quantity::ONE }],
            request_id: None,
            dialect: Dialect::Current,
            connection: connection.clone(),
        };
        let begun = Instant::now();
        handler.quote(ask).await.expect("the quote is accepted");
        lab.connections.next_frame(&connection).await;
        times.push(begun.elapsed());
    }
    times
}
