//! Tests that the meter knows the size of the items that this engine stores.

use std::time::Duration;

use bytes::Bytes;

use crate::aws::item::{Item, blob, item_bytes};
use crate::aws::loaded::Loaded as _;
use crate::aws::loads::journal_item;
use crate::aws::{bases, head, presence, quotations, usage_log};
use crate::meter::journal_items::pack;
use crate::meter::sizes;
use crate::model::{
    ConnectionId, ConnectionRef, Dialect, DigestBuilder, Generation, Item as Line, QuotationKey,
    RequestId, Timestamp, UserId,
};
use crate::ports::{
    BaseName, FailureReason, LoadId, ProcessRecord, ProcessRole, Quotation, QuotationStatus,
    Record, RecordKey, RowChange, StoredBase, UsageRecord, UserDiscounts,
};
use crate::pricing::{
    Answer, AnswerLine, BaseIndex, Currency, Customer, Discount, Discounts, Ladder, ListPrices,
    Money, OwnLadder, OwnLadders, PartStart, PriceList, PriceRule, Product, ProductDetail,
    Recipients, Rung, Scope,
};

fn size(item: &Item) -> u64 {
    item_bytes(item) as u64
}

#[test]
fn products_and_discounts_are_as_large_as_the_meter_says() {
    for (id, name, price) in [("P1", "Stand", 50_000), ("株", "Caneta “José”", 0)] {
        let id = id.parse().unwrap();
        let product = Product::new(id, name.to_owned(), Money::from_minor(price));
        assert_eq!(sizes::product(&product, 12_345), size(&product.write(12_345).unwrap()));
        let category = Some("tools/drills".parse().unwrap());
        let detail = ProductDetail { category, ..ProductDetail::default() };
        let product = Product { price: None, ..product }.with_detail(detail);
        assert_eq!(sizes::product(&product, 12_345), size(&product.write(12_345).unwrap()));
    }
    for percentages in [vec![], vec!["10"], vec!["12.345678", "0", "100", "7.5"]] {
        let discount = |(number, percentage): (usize, &&str)| Discount {
            product_id: format!("P{number}").parse().unwrap(),
            percentage: percentage.parse().unwrap(),
        };
        let list = percentages.iter().enumerate().map(discount).collect();
        let list = UserDiscounts::new(UserId::new("José").unwrap(), Discounts::new(list).unwrap());
        assert_eq!(sizes::discounts(&list, 7), size(&list.write(7).unwrap()), "{percentages:?}");
        let own = OwnLadder { product_id: "P9".parse().unwrap(), ladder: ladder() };
        let ladders = OwnLadders { currency: Some(Currency::USD), ladders: vec![own] };
        let list = UserDiscounts { ladders, ..list };
        assert_eq!(sizes::discounts(&list, 7), size(&list.write(7).unwrap()), "{percentages:?}");
    }
}

fn ladder() -> Ladder {
    let rung = |min_quantity: &str, minor| Rung {
        min_quantity: min_quantity.parse().unwrap(),
        rule: PriceRule::Price(Money::from_minor(minor)),
    };
    Ladder::new(vec![rung("0", 1000), rung("12.5", 995)]).unwrap()
}

#[test]
fn customers_and_price_lists_are_as_large_as_the_meter_says() {
    let groups = ["gold", "“José”"].map(|group| group.parse().unwrap());
    let known = Customer {
        currency: Some(Currency::USD),
        groups: groups.clone().into(),
        ..Customer::unknown(UserId::new("José").unwrap())
    };
    for customer in [Customer::unknown(UserId::new("ann").unwrap()), known] {
        assert_eq!(sizes::customer(&customer, 7), size(&customer.write(7).unwrap()));
    }
    let list = PriceList {
        id: "大口".parse().unwrap(),
        priority: -7,
        currency: Some(Currency::USD),
        from: Some(Timestamp::from_millis(1_800_000_000_123)),
        until: None,
        recipients: Recipients { groups: groups.into(), ..Recipients::default() },
        is_wide: true,
        revision: 12,
    };
    assert_eq!(sizes::price_list(&list, 12), size(&list.write(12).unwrap()));
    let category = Scope::Category("tools/drills".parse().unwrap());
    for scope in [Scope::All, category, Scope::Product("株".parse().unwrap())] {
        let prices = ListPrices { list: list.id.clone(), scope, ladder: ladder() };
        assert_eq!(sizes::list_prices(&prices, 12), size(&prices.write(12).unwrap()));
    }
}

#[test]
fn journals_and_bases_are_as_large_as_the_meter_says() {
    let load = LoadId("l".repeat(32));
    let began_at = head::registration(Timestamp::from_millis(1_800_000_000_123));
    let registered = Item::from([(head::attribute_of(&load), began_at)]);
    assert_eq!(sizes::registration(&load), size(&registered));
    let product = |n: u32| {
        Product::new(
            format!("株{n:07}").parse().unwrap(),
            format!("Caneta “{n}”"),
            Money::from_minor(n.into()),
        )
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
    let products = BaseName { version: 7, currency: Currency::USD, terms: None };
    let terms = Some(DigestBuilder::new("terms").finish());
    for name in [products, BaseName { terms, ..products }] {
        let item = bases::write_index(&name, &base).unwrap();
        assert_eq!(sizes::base_index(&name, &base), size(&item));
        let bytes = Bytes::from_static(&[0; 500]);
        let part = bases::write_base_part(&name, 12, &bytes, base.expires_at);
        assert_eq!(sizes::base_part(&name, 12, bytes.len()), size(&part));
    }
}

/// Returns a pending quotation of three lines, with an id that its client chose.
fn quotation() -> Quotation {
    let (user, request_id) = (UserId::new("José Núñez").unwrap(), RequestId::new("7").unwrap());
    let now = Timestamp::from_millis(1_800_000_000_123);
    let connection = ConnectionRef {
        endpoint: "https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com/production"
            .to_owned(),
        id: ConnectionId::new("L0SM9cOFvHcCIhw=").unwrap(),
    };
    let line = |product: &str| Line {
        product: product.parse().unwrap(),
        quantity: "12.5".parse().unwrap(),
    };
    Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: ["OFFICE-CHAIR-0001", "OFFICE-CHAIR-0002", "OFFICE-DESK-9999"].map(line).to_vec(),
        connection: Some(connection),
        dialect: Dialect::Current,
        accepted_at: now,
        deadline: now.plus(Duration::from_secs(30)),
        expires_at: now.plus(Duration::from_secs(7 * 86_400)),
        status: QuotationStatus::Pending,
    }
}

fn answer(of: &Quotation) -> QuotationStatus {
    let line = |item: &Line| AnswerLine {
        product: item.product.clone(),
        name: "Ergonomic office chair “José”, black, with armrests, 5 castors".to_owned(),
        quantity: item.quantity,
        list_price: Some(Money::from_minor(1_234_567)),
        discount: "12.345678".parse().unwrap(),
        unit_price: Money::from_minor(1_082_151),
        total: Money::from_minor(13_526_888),
        rule: None,
        next_tier: None,
    };
    QuotationStatus::Answered(Box::new(Answer {
        lines: of.items.iter().map(line).collect(),
        unavailable: vec![],
        invalid: vec![],
        total: Money::from_minor(40_580_664),
        currency: Currency::USD,
        unit_decimals: 0,
        priced_at: of.accepted_at.minus(Duration::from_secs(600)),
        validated_at: of.accepted_at.minus(Duration::from_secs(60)),
        answered_at: Timestamp::default(),
        stale: false,
        generation: Generation::from_random([7; 16]),
        catalogue_version: 12_345,
        pricing_version: 1,
    }))
}

/// The size of the attribute that says which call wrote an item.
const NONCE: u64 = "written_by".len() as u64 + 32;
/// How many bytes one write unit of DynamoDB holds.
const WRITE_UNIT: u64 = 1024;

#[test]
fn quotations_and_readings_are_as_large_as_the_meter_says() {
    let pending = quotation();
    let answered = Quotation { status: answer(&pending), ..pending.clone() };
    let failed =
        Quotation { status: QuotationStatus::Failed(FailureReason::NoTable), ..pending.clone() };
    for stored in [&pending, &answered, &failed] {
        let item = quotations::write(stored).unwrap();
        assert_eq!(sizes::quotation(stored), size(&item) + NONCE);
    }
    for settled in [&answered, &failed] {
        let mut item = quotations::write(&pending).unwrap();
        item.insert("outcome".to_owned(), blob(settled.status.pack().unwrap()));
        item.extend(quotations::write(settled).unwrap().remove_entry("status"));
        assert_eq!(sizes::settled_quotation(settled), size(&item) + NONCE);
    }

    let record = UsageRecord {
        window: 5_986_000,
        process: "f".repeat(32),
        body: Bytes::from_static(&[0; 500]),
        expires_at: pending.accepted_at,
    };
    assert_eq!(sizes::usage(&record), size(&usage_log::write(&record)));

    let process = ProcessRecord {
        process: "José".to_owned(),
        roles: ProcessRole::ALL.into(),
        machine: "machine".to_owned(),
        version: "1".to_owned(),
        started_at: pending.accepted_at,
        seen_at: pending.accepted_at,
        lives_until: pending.accepted_at,
        tick: None,
    };
    assert_eq!(sizes::process(&process), size(&presence::write(&process).unwrap()));
}

#[test]
fn a_quotation_of_three_lines_is_one_write_unit() {
    let pending = quotation();
    let answered = Quotation { status: answer(&pending), ..pending };
    let bytes = size(&quotations::write(&answered).unwrap()) + NONCE;
    assert!(bytes <= WRITE_UNIT * 3 / 4, "{bytes} bytes");
}
