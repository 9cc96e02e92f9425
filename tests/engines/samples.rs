//! Records to store and messages to send.

use std::time::Duration;

use ocache::model::{
    ConnectionId, ConnectionRef, Dialect, DigestBuilder, Generation, Item, ProductId, QuotationKey,
    RequestId, Timestamp, UserId,
};
use ocache::ports::{
    Clock as _, OwnStorage, Prices, Quotation, QuotationStatus, Randomness as _, SystemRandomness,
};
use ocache::ports::{SystemClock, TableHead};
use ocache::pricing::{Answer, AnswerLine, Currency, Money, Percentage, Product, UnitRounding};

/// Ids that some code stores, escapes, truncates or compares wrongly sooner or later.
pub const ODD_IDS: [&str; 12] = [
    "José Núñez 株式会社",
    "Jose\u{301} Nu\u{301}n\u{303}ez",
    "a",
    "A",
    " a",
    "a ",
    "a/b#c?d&e=f%20",
    "'; DROP TABLE users; --",
    "\"quoted\"\\back",
    "\u{1f469}\u{200d}\u{1f680}",
    "\u{202e}right to left",
    "null",
];

/// Returns the present time in whole seconds, so that nothing is lost where only seconds are kept.
pub fn now() -> Timestamp {
    Timestamp::from_secs(SystemClock.now().secs_rounded_up())
}

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Returns an id as an engine reads it. Some of these ids are refused today, but exist in some store.
pub fn user(id: &str) -> UserId {
    UserId::stored(id).unwrap()
}

pub fn product_id(id: &str) -> ProductId {
    ProductId::stored(id).unwrap()
}

pub fn product(id: &str, minor: i64) -> Product {
    let name = format!("Product “{id}”");
    Product::new(product_id(id), name, Money::from_minor(minor))
}

pub fn percentage(text: &str) -> Percentage {
    text.parse().unwrap()
}

pub fn generation() -> Generation {
    Generation::from_random(SystemRandomness.bits())
}

pub fn request_id() -> RequestId {
    RequestId::made(SystemClock.now(), SystemRandomness.bits())
}

pub fn connection(id: &str) -> ConnectionRef {
    let endpoint = "http://127.0.0.1:3000/stage".to_owned();
    ConnectionRef { endpoint, id: ConnectionId::new(id).unwrap() }
}

/// Returns a head of a version, different from that of any other version.
pub fn head(version: u64) -> TableHead {
    let now = now();
    TableHead {
        version,
        generation: generation(),
        fingerprint: DigestBuilder::new("test").number(version).finish(),
        pricing_version: 1,
        base_version: 0,
        catalogue_version: version * 2,
        currency: Currency::USD,
        products: 3000,
        rounding: UnitRounding::PLAIN,
        own: OwnStorage::Parts(vec![0, 7, 300]),
        prices: Prices { first_part: 3, ..Prices::LIST },
        next: vec![],
        valid_until: None,
        parts_expire_at: now.plus(secs(86_400)),
        priced_at: now.plus(Duration::from_millis(1)),
        validated_at: now.plus(Duration::from_millis(2)),
        fresh_until: now.plus(Duration::from_millis(120_003)),
        usable_until: now.plus(Duration::from_millis(900_004)),
    }
}

/// Returns a pending quotation of a user, with a deadline in half a minute.
pub fn quotation(of: &str) -> Quotation {
    let (user, request_id, now) = (user(of), request_id(), now());
    Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: vec![
            Item { product: product_id("P1"), quantity: "2".parse().unwrap() },
            Item { product: product_id("株"), quantity: "0.125".parse().unwrap() },
        ],
        connection: Some(connection("c1")),
        dialect: Dialect::Current,
        accepted_at: now.plus(Duration::from_millis(123)),
        deadline: now.plus(Duration::from_millis(30_123)),
        expires_at: now.plus(secs(7 * 86_400)),
        status: QuotationStatus::Pending,
    }
}

/// Returns an answer with a line that costs this amount.
pub fn answer(minor: i64) -> Answer {
    let line = AnswerLine {
        product: product_id("P1"),
        name: "Caneta azul “José” 株式会社".to_owned(),
        quantity: "2".parse().unwrap(),
        list_price: Some(Money::MAX_PRICE),
        discount: percentage("12.345678").into(),
        unit_price: Money::from_minor(minor),
        total: Money::from_minor(minor * 2),
        rule: None,
        next_tier: None,
    };
    Answer {
        total: line.total,
        lines: vec![line],
        unavailable: vec![product_id("株")],
        invalid: vec![],
        currency: "JPY".parse().unwrap(),
        unit_decimals: 0,
        answered_at: now(),
        priced_at: now(),
        validated_at: now(),
        stale: true,
        generation: generation(),
        catalogue_version: 7,
        pricing_version: 1,
    }
}
