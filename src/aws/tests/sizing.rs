//! Whether the meter knows how large the items are that this engine stores.

use bytes::Bytes;

use crate::aws::item::{Item, item_bytes};
use crate::aws::{catalogue, discounts, quotations, usage_log};
use crate::meter::sizes;
use crate::model::{
    ConnectionId, ConnectionRef, Dialect, Item as Line, QuotationKey, RequestId, Timestamp, UserId,
};
use crate::ports::{Quotation, QuotationStatus, UsageRecord, UserDiscounts};
use crate::pricing::{Discount, Discounts, Money, Product};

fn size(item: &Item) -> u64 {
    item_bytes(item) as u64
}

#[test]
fn products_and_discounts_are_as_large_as_the_meter_says() {
    for (id, name, price) in [("P1", "Stand", 50_000), ("株", "Caneta “José”", 0)] {
        let id = id.parse().unwrap();
        let product = Product { id, name: name.to_owned(), price: Money::from_minor(price) };
        assert_eq!(sizes::product(&product), size(&catalogue::write(&product)));
    }
    for percentages in [vec![], vec!["10"], vec!["12.345678", "0", "100", "7.5"]] {
        let discount = |(number, percentage): (usize, &&str)| Discount {
            product_id: format!("P{number}").parse().unwrap(),
            percentage: percentage.parse().unwrap(),
        };
        let list = percentages.iter().enumerate().map(discount).collect();
        let list = UserDiscounts {
            user: UserId::new("José").unwrap(),
            discounts: Discounts::new(list).unwrap(),
        };
        let told = sizes::discounts(&list.user, &list.discounts);
        assert_eq!(told, size(&discounts::write(&list)), "{percentages:?}");
    }
}

#[test]
fn quotations_and_readings_are_as_large_as_the_meter_says() {
    let (user, request_id) = (UserId::new("José").unwrap(), RequestId::new("7").unwrap());
    let now = Timestamp::from_millis(1_800_000_000_123);
    let connection = ConnectionRef {
        endpoint: "https://abc123.execute-api.eu-west-1.amazonaws.com/live".to_owned(),
        id: ConnectionId::new("c1").unwrap(),
    };
    let quotation = Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: vec![Line { product: "P1".parse().unwrap(), quantity: "2".parse().unwrap() }],
        connection,
        dialect: Dialect::Current,
        accepted_at: now,
        deadline: now,
        expires_at: now,
        status: QuotationStatus::Pending,
    };
    let nonce = "written_by".len() + 32;
    let item = quotations::write(&quotation).unwrap();
    assert_eq!(sizes::quotation(&quotation), size(&item) + nonce as u64);

    let record = UsageRecord {
        window: 5_986_000,
        process: "f".repeat(32),
        body: Bytes::from_static(&[0; 500]),
        expires_at: now,
    };
    assert_eq!(sizes::usage(&record), size(&usage_log::write(&record)));
}
