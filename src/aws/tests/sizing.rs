//! Whether the meter knows how large the items are that this engine stores.

use bytes::Bytes;

use crate::aws::item::{Item, item_bytes};
use crate::aws::loaded::Loaded as _;
use crate::aws::loads::journal_item;
use crate::aws::{bases, head, quotations, usage_log};
use crate::meter::journal_items::pack;
use crate::meter::sizes;
use crate::model::{
    ConnectionId, ConnectionRef, Dialect, Item as Line, QuotationKey, RequestId, Timestamp, UserId,
};
use crate::ports::{
    LoadId, Quotation, QuotationStatus, Record, RecordKey, RowChange, StoredBase, UsageRecord,
    UserDiscounts,
};
use crate::pricing::{BaseIndex, Currency, Discount, Discounts, Money, PartStart, Product};

fn size(item: &Item) -> u64 {
    item_bytes(item) as u64
}

#[test]
fn products_and_discounts_are_as_large_as_the_meter_says() {
    for (id, name, price) in [("P1", "Stand", 50_000), ("株", "Caneta “José”", 0)] {
        let id = id.parse().unwrap();
        let product = Product { id, name: name.to_owned(), price: Money::from_minor(price) };
        assert_eq!(sizes::product(&product, 12_345), size(&product.write(12_345)));
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
        let told = sizes::discounts(&list.user, &list.discounts, 7);
        assert_eq!(told, size(&list.write(7)), "{percentages:?}");
    }
}

#[test]
fn journals_and_bases_are_as_large_as_the_meter_says() {
    let load = LoadId("l".repeat(32));
    let began_at = head::registration(Timestamp::from_millis(1_800_000_000_123));
    let registered = Item::from([(head::attribute_of(&load), began_at)]);
    assert_eq!(sizes::registration(&load), size(&registered));
    let product = |n: u32| Product {
        id: format!("株{n:07}").parse().unwrap(),
        name: format!("Caneta “{n}”"),
        price: Money::from_minor(n.into()),
    };
    let mut changes: Vec<_> =
        (0..3000).map(|n| RowChange::Put(Record::Product(product(n)))).collect();
    changes.push(RowChange::Delete(RecordKey::Discounts(UserId::new("ann").unwrap())));
    let items = pack(&changes).unwrap().into_iter();
    let written: Vec<u64> = items.map(|item| size(&journal_item(&load, item))).collect();
    assert!(written.len() > 2, "{written:?}");
    assert_eq!(sizes::journal(&load, &changes), written);

    let start = |(id, index): (&str, u32)| PartStart { product: id.parse().unwrap(), index };
    let parts = [("P1", 0), ("株", 300)].map(start).to_vec();
    let index = BaseIndex { currency: Currency::USD, products: 301, parts };
    let base = StoredBase { index, expires_at: Timestamp::from_millis(1_800_000_000_123) };
    assert_eq!(sizes::base_index(7, &base), size(&bases::write_index(7, &base).unwrap()));
    let bytes = Bytes::from_static(&[0; 500]);
    let part = bases::write_part(7, 12, &bytes, base.expires_at);
    assert_eq!(sizes::base_part(7, 12, bytes.len()), size(&part));
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
