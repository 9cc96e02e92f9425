//! Packed values are unpacked unchanged, damage is an error, and the bytes of this version stay the same.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::model::{ConnectionId, Generation, PriceListId, ProductId, Quantity};
use crate::pricing::{
    Answer, AnswerLine, Currency, InvalidItem, MinQuantity, Money, NextTier, Rate, Rule, RuleKind,
    Scope,
};

/// Texts of characters with one byte and with several. Keys are split at the slash.
fn text() -> impl Strategy<Value = String> {
    "[a-c/ é株]{1,6}"
}

fn product() -> impl Strategy<Value = ProductId> {
    text().prop_map(|text| ProductId::stored(text).unwrap())
}

fn quantity() -> impl Strategy<Value = Quantity> {
    prop::sample::select(vec!["0.001", "1", "2", "12.5", "1000000000"])
        .prop_map(|text| text.parse().unwrap())
}

fn item() -> impl Strategy<Value = Item> {
    (product(), quantity()).prop_map(|(product, quantity)| Item { product, quantity })
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![1_700_000_000_000_i64..1_900_000_000_000, any::<i64>()]
        .prop_map(Timestamp::from_millis)
}

fn money() -> impl Strategy<Value = Money> {
    prop_oneof![0..100_000_i64, any::<i64>()].prop_map(Money::from_minor)
}

fn rate() -> impl Strategy<Value = Rate> {
    (i64::MIN..=100_000_000).prop_map(|millionths| Rate::try_from(millionths).unwrap())
}

fn rule() -> impl Strategy<Value = Rule> {
    let kind = prop_oneof![
        Just(RuleKind::Price),
        Just(RuleKind::Amount),
        rate().prop_map(RuleKind::Percentage)
    ];
    let scope = prop_oneof![
        Just(Scope::All),
        "[a-c]{1,3}(/[a-c]{1,3})?".prop_map(|path| Scope::Category(path.parse().unwrap())),
        product().prop_map(Scope::Product),
    ];
    let list = text().prop_map(|id| PriceListId::stored(id).unwrap());
    let row = (kind, quantity(), option::of(time()));
    (option::of(list), any::<i32>(), option::of(scope), row).prop_map(
        |(list, priority, scope, (kind, min_quantity, until))| Rule {
            list,
            priority,
            scope,
            kind,
            min_quantity: MinQuantity::from(min_quantity),
            until,
        },
    )
}

fn line() -> impl Strategy<Value = AnswerLine> {
    let prices = (option::of(money()), rate(), money(), money());
    let more = (option::of(rule()), option::of((quantity(), money())));
    (item(), ".{0,8}", prices, more).prop_map(
        |(item, name, (list_price, discount, unit_price, total), (rule, tier))| AnswerLine {
            product: item.product,
            name,
            quantity: item.quantity,
            list_price,
            discount,
            unit_price,
            total,
            rule: rule.map(Box::new),
            next_tier: tier.map(|(quantity, unit_price)| NextTier { quantity, unit_price }),
        },
    )
}

fn invalid() -> impl Strategy<Value = InvalidItem> {
    (item(), option::of(quantity()), option::of(quantity())).prop_map(|(item, below, above)| {
        InvalidItem { product: item.product, quantity: item.quantity, below, above }
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let lines = (vec(line(), 0..5), vec(product(), 0..3), vec(invalid(), 0..3), money(), 0..5_u8);
    let times = (time(), time(), time());
    let table = (times, any::<bool>(), any::<[u8; 16]>(), any::<u64>(), any::<u32>());
    (lines, table).prop_map(|((lines, unavailable, invalid, total, unit_decimals), table)| {
        let (times, stale, generation, catalogue_version, pricing_version) = table;
        let (priced_at, validated_at, answered_at) = times;
        Answer {
            lines,
            unavailable,
            invalid,
            total,
            currency: "JPY".parse().unwrap(),
            unit_decimals,
            priced_at,
            validated_at,
            answered_at,
            stale,
            generation: Generation::from_random(generation),
            catalogue_version,
            pricing_version,
        }
    })
}

fn status() -> impl Strategy<Value = QuotationStatus> {
    prop_oneof![
        Just(QuotationStatus::Pending),
        answer().prop_map(|answer| QuotationStatus::Answered(Box::new(answer))),
        prop_oneof![
            Just(FailureReason::DeadlinePassed),
            Just(FailureReason::EmptyCatalogue),
            Just(FailureReason::NoTable),
            Just(FailureReason::AnswerTooLarge),
            ".{0,8}".prop_map(FailureReason::TotalTooLarge),
        ]
        .prop_map(QuotationStatus::Failed),
    ]
}

/// A quotation whose answer has some products of its items, chosen by index, and others.
fn quotation() -> impl Strategy<Value = Quotation> {
    let asked = (text(), text(), vec(item(), 0..6), text(), any::<bool>());
    let times = (time(), time(), time());
    (asked, times, status(), option::of(any::<[u8; 16]>()), vec(any::<Index>(), 0..4)).prop_map(
        |((id, user, items, connection, original), times, mut status, made, shared)| {
            let user = UserId::stored(user).unwrap();
            let (request_id, key) = match made {
                Some(random) => QuotationKey::make(times.0, random),
                None => {
                    let id = RequestId::stored(id).unwrap();
                    (id.clone(), QuotationKey::new(&user, &id))
                }
            };
            if let QuotationStatus::Answered(answer) = &mut status
                && !items.is_empty()
            {
                for (line, index) in answer.lines.iter_mut().zip(shared) {
                    let item: &Item = index.get(&items);
                    (line.product, line.quantity) = (item.product.clone(), item.quantity);
                }
            }
            Quotation {
                key,
                request_id,
                user,
                items,
                connection: (!original).then(|| ConnectionRef {
                    endpoint: format!("https://{connection}"),
                    id: ConnectionId::stored(connection).unwrap(),
                }),
                dialect: if original { Dialect::Original } else { Dialect::Current },
                accepted_at: times.0,
                deadline: times.1,
                expires_at: times.2,
                status,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_packed_comes_back(quotation in quotation(), other_key in text()) {
        let packed = quotation.pack().unwrap();
        prop_assert_eq!(quotation.packed_bytes().unwrap(), packed.len());
        let unpacked = Quotation::unpack(quotation.key.clone(), &packed).unwrap();
        prop_assert_eq!(&unpacked, &quotation);
        // A key that does not contain the id.
        let key = QuotationKey::stored(other_key).unwrap();
        let odd = Quotation { key: key.clone(), ..quotation };
        prop_assert_eq!(&Quotation::unpack(key, &odd.pack().unwrap()).unwrap(), &odd);

        let apart = odd.status.pack().unwrap();
        prop_assert_eq!(QuotationStatus::unpack(&apart).unwrap(), odd.status);
        if let Some(connection) = odd.connection {
            let target = pack_target(&connection, odd.dialect).unwrap();
            prop_assert_eq!(unpack_target(&target).unwrap(), (connection, odd.dialect));
        }
    }

    #[test]
    fn damage_is_an_error(quotation in quotation(), at in any::<Index>(), mask in 1..=u8::MAX) {
        let packed = quotation.pack().unwrap();
        let mut damaged = packed.clone();
        damaged[at.index(packed.len())] ^= mask;
        prop_assert!(Quotation::unpack(quotation.key.clone(), &damaged).is_err());
        let cut = &packed[..at.index(packed.len())];
        prop_assert!(Quotation::unpack(quotation.key.clone(), cut).is_err());
        prop_assert!(QuotationStatus::unpack(cut).is_err());
        prop_assert!(unpack_target(cut).is_err());
    }

    /// Bytes with a valid checksum, as chance or an attacker may produce them.
    #[test]
    fn no_bytes_make_it_panic(
        mut fields in vec(any::<u8>(), 0..200),
        version in EARLIER_VERSION..=VERSION,
    ) {
        fields.insert(0, version);
        fields.extend(crc32fast::hash(&fields).to_le_bytes());
        let key = QuotationKey::stored("key").unwrap();
        if let Ok(quotation) = Quotation::unpack(key.clone(), &fields) {
            let again = Quotation::unpack(key, &quotation.pack().unwrap()).unwrap();
            prop_assert_eq!(again, quotation);
        }
        let _ = QuotationStatus::unpack(&fields);
        let _ = unpack_target(&fields);
    }
}

fn answered() -> Quotation {
    let (user, accepted_at) =
        (UserId::new("ann").unwrap(), Timestamp::from_millis(1_800_000_000_123));
    let (request_id, key) = QuotationKey::make(accepted_at, [1; 16]);
    let product = |id: &str| ProductId::new(id).unwrap();
    let quantity = "2".parse().unwrap();
    let items = ["P1", "P2"].map(|id| Item { product: product(id), quantity }).to_vec();
    let line = AnswerLine {
        product: product("P2"),
        name: "Caneta “José”".to_owned(),
        quantity,
        list_price: Some(Money::from_minor(50_000)),
        discount: "12.5".parse().unwrap(),
        unit_price: Money::from_minor(43_750),
        total: Money::from_minor(87_500),
        rule: None,
        next_tier: None,
    };
    let answer = Answer {
        lines: vec![line],
        unavailable: vec![product("P1")],
        invalid: vec![],
        total: Money::from_minor(87_500),
        currency: Currency::USD,
        unit_decimals: 0,
        priced_at: accepted_at.minus(std::time::Duration::from_secs(60)),
        validated_at: accepted_at.minus(std::time::Duration::from_secs(1)),
        answered_at: accepted_at.minus(std::time::Duration::from_secs(1)),
        stale: false,
        generation: Generation::new("070w3ge1r70w3ge1r70w3ge1r7").unwrap(),
        catalogue_version: 3,
        pricing_version: 1,
    };
    Quotation {
        key,
        request_id,
        user,
        items,
        connection: Some(ConnectionRef {
            endpoint: "http://127.0.0.1:3000".to_owned(),
            id: ConnectionId::new("c1").unwrap(),
        }),
        dialect: Dialect::Current,
        accepted_at,
        deadline: accepted_at.plus(std::time::Duration::from_secs(30)),
        expires_at: accepted_at.plus(std::time::Duration::from_secs(7 * 86_400)),
        status: QuotationStatus::Answered(Box::new(answer)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The answer with the fields that price lists need.
fn answered_with_terms() -> Quotation {
    let plain = answered();
    let QuotationStatus::Answered(answer) = plain.status else { panic!() };
    let rule = Rule {
        list: Some(PriceListId::new("gold").unwrap()),
        priority: -1,
        scope: Some(Scope::Category("tools/drills".parse().unwrap())),
        kind: RuleKind::Percentage("12.5".parse().unwrap()),
        min_quantity: "2".parse().unwrap(),
        until: Some(Timestamp::from_millis(1_800_100_000_000)),
    };
    let next_tier =
        NextTier { quantity: "10".parse().unwrap(), unit_price: Money::from_minor(40_000) };
    let line = AnswerLine {
        rule: Some(Box::new(rule)),
        next_tier: Some(next_tier),
        ..answer.lines[0].clone()
    };
    let invalid = InvalidItem {
        product: ProductId::new("P1").unwrap(),
        quantity: "2".parse().unwrap(),
        below: None,
        above: Some("12".parse().unwrap()),
    };
    let answer = Answer {
        lines: vec![line.clone(), line],
        unavailable: vec![],
        invalid: vec![invalid],
        unit_decimals: 2,
        ..*answer
    };
    Quotation { status: QuotationStatus::Answered(Box::new(answer)), ..plain }
}

/// Stores hold these bytes. If they change, the form needs a new version.
#[test]
fn the_bytes_of_this_version_stay() {
    let quotation = answered();
    let failed = QuotationStatus::Failed(FailureReason::TotalTooLarge("P1".to_owned()));
    let packed =
        [quotation.pack(), quotation.status.pack(), answered_with_terms().pack(), failed.pack()];
    let packed = packed.map(|bytes| hex(&bytes.unwrap()));
    let expected = [
        concat!(
            "020003616e6e02025031a01f025032a01f15687474703a2f2f3132372e302e302e313a33303030026331",
            "00f6c1e285e368e0d4038090e4c00401000001011243616e65746120e2809c4a6f73c3a9e2809d01a08d",
            "06c0f0f50bccab0598d70a000001000098d70a0355534400bfa907cf0fcf0f001a303730773367653172",
            "373077336765317237307733676531723703016f7f4bd4",
        ),
        concat!(
            "020102025032a01f025031d00f0001001243616e65746120e2809c4a6f73c3a9e2809d01a08d06c0f0f5",
            "0bccab0598d70a000001010098d70a0355534400b698db85e368a6b2e285e368a6b2e285e368001a3037",
            "3077336765317237307733676531723730773367653172370301b87603aa",
        ),
        concat!(
            "020003616e6e02025031a01f025032a01f15687474703a2f2f3132372e302e302e313a33303030026331",
            "00f6c1e285e368e0d4038090e4c0040100010104676f6c640101010c746f6f6c732f6472696c6c7301c0",
            "f0f50bd00f0180c491e5e36802011243616e65746120e2809c4a6f73c3a9e2809d01a08d06c0f0f50bcc",
            "ab0598d70a010001a09c0180f104011243616e65746120e2809c4a6f73c3a9e2809d01a08d06c0f0f50b",
            "ccab0598d70a010001a09c0180f1040001000001c0bb0198d70a0355534402bfa907cf0fcf0f001a3037",
            "307733676531723730773367653172373077336765317237030134a67144",
        ),
        "0202040250319f4d49e1",
    ];
    assert_eq!(packed, expected);
    let target = "0115687474703a2f2f3132372e302e302e313a3330303002633101aab33258";
    let packed = pack_target(quotation.connection.as_ref().unwrap(), Dialect::Original).unwrap();
    assert_eq!(hex(&packed), target);
}

/// Stores hold such bytes from before price lists existed.
#[test]
fn the_bytes_of_the_version_before_are_read() {
    let quotation = answered();
    let asked = concat!(
        "010003616e6e02025031a01f025032a01f15687474703a2f2f3132372e302e302e313a33303030026331",
        "00f6c1e285e368e0d4038090e4c004"
    );
    let answered = concat!(
        "010001011243616e65746120e2809c4a6f73c3a9e2809da08d06a0f8fa05ccab0598d70a010098d70a03",
        "555344bfa907cf0f001a3037307733676531723730773367653172373077336765317237030163dcc5e1"
    );
    let bytes = bytes_of(&format!("{asked}{answered}"));
    assert_eq!(Quotation::unpack(quotation.key.clone(), &bytes).unwrap(), quotation);
    let apart = concat!(
        "010102025032a01f025031d00f01001243616e65746120e2809c4a6f73c3a9e2809da08d06a0f8fa05cc",
        "ab0598d70a010198d70a03555344b698db85e368a6b2e285e368001a3037307733676531723730773367",
        "6531723730773367653172370301398aced7"
    );
    assert_eq!(QuotationStatus::unpack(&bytes_of(apart)).unwrap(), quotation.status);
    let failed = QuotationStatus::Failed(FailureReason::TotalTooLarge("P1".to_owned()));
    assert_eq!(QuotationStatus::unpack(&bytes_of("010204025031313fdd67")).unwrap(), failed);
    let target = "0115687474703a2f2f3132372e302e302e313a3330303002633101aab33258";
    let packed = pack_target(quotation.connection.as_ref().unwrap(), Dialect::Original).unwrap();
    assert_eq!(hex(&packed), target);
}

#[test]
fn lines_of_one_rule_hold_it_once() {
    let same = answered_with_terms();
    let mut different = same.clone();
    let QuotationStatus::Answered(answer) = &mut different.status else { panic!() };
    let rule = answer.lines[1].rule.as_mut().unwrap();
    rule.priority = -2;
    let rule_bytes = postcard::to_stdvec(rule).unwrap().len();
    let [same, different] = [same, different].map(|it| it.pack().unwrap().len());
    assert_eq!(different - same, rule_bytes);
}

#[test]
fn another_version_is_named() {
    let mut bytes = answered().pack().unwrap();
    bytes[0] = 9;
    let error = Quotation::unpack(answered().key, &bytes).unwrap_err();
    assert_eq!(error.to_string(), "it has format version 9, this ocache reads 2");
}
