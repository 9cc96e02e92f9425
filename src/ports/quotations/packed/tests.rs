//! What is packed comes back, what is damaged is an error, and the bytes of this version stay.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::model::ConnectionId;

/// Texts of one byte to some of several bytes each; the slash is what keys are cut at.
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

fn line() -> impl Strategy<Value = AnswerLine> {
    let prices = (money(), 0..=100_000_000_u32, money(), money());
    (item(), ".{0,8}", prices).prop_map(
        |(item, name, (list_price, millionths, unit_price, total))| AnswerLine {
            product: item.product,
            name,
            quantity: item.quantity,
            list_price,
            discount: Percentage::from_millionths(millionths).unwrap(),
            unit_price,
            total,
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let lines = (vec(line(), 0..5), vec(product(), 0..3), money());
    let table = (time(), time(), any::<bool>(), any::<[u8; 16]>(), any::<u64>(), any::<u32>());
    (lines, table).prop_map(|((lines, unavailable, total), table)| {
        let (priced_at, validated_at, stale, generation, catalogue_version, pricing_version) =
            table;
        Answer {
            lines,
            unavailable,
            total,
            currency: "JPY".parse().unwrap(),
            priced_at,
            validated_at,
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

/// A quotation whose answer has, by their indexes, products that are among its items and others.
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
        let unpacked = Quotation::unpack(quotation.key.clone(), &packed).unwrap();
        prop_assert_eq!(&unpacked, &quotation);
        // A key that says nothing of the id.
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

    /// Bytes that a checksum fits by chance, or by intent.
    #[test]
    fn no_bytes_make_it_panic(mut fields in vec(any::<u8>(), 0..200)) {
        fields.insert(0, VERSION);
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
        list_price: Money::from_minor(50_000),
        discount: "12.5".parse().unwrap(),
        unit_price: Money::from_minor(43_750),
        total: Money::from_minor(87_500),
    };
    let answer = Answer {
        lines: vec![line],
        unavailable: vec![product("P1")],
        total: Money::from_minor(87_500),
        currency: Currency::USD,
        priced_at: accepted_at.minus(std::time::Duration::from_secs(60)),
        validated_at: accepted_at.minus(std::time::Duration::from_secs(1)),
        stale: false,
        generation: Generation::from_random([7; 16]),
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

/// Stores hold these bytes: a change of them needs another version.
#[test]
fn the_bytes_of_this_version_stay() {
    let quotation = answered();
    let asked = concat!(
        "010003616e6e02025031a01f025032a01f15687474703a2f2f3132372e302e302e313a33303030026331",
        "00f6c1e285e368e0d4038090e4c004"
    );
    let answered = concat!(
        "010001011243616e65746120e2809c4a6f73c3a9e2809da08d06a0f8fa05ccab0598d70a010098d70a03",
        "555344bfa907cf0f001a3037307733676531723730773367653172373077336765317237030163dcc5e1"
    );
    assert_eq!(hex(&quotation.pack().unwrap()), format!("{asked}{answered}"));
    let apart = concat!(
        "010102025032a01f025031d00f01001243616e65746120e2809c4a6f73c3a9e2809da08d06a0f8fa05cc",
        "ab0598d70a010198d70a03555344b698db85e368a6b2e285e368001a3037307733676531723730773367",
        "6531723730773367653172370301398aced7"
    );
    assert_eq!(hex(&quotation.status.pack().unwrap()), apart);
    let failed = QuotationStatus::Failed(FailureReason::TotalTooLarge("P1".to_owned()));
    assert_eq!(hex(&failed.pack().unwrap()), "010204025031313fdd67");
    let target = "0115687474703a2f2f3132372e302e302e313a3330303002633101aab33258";
    let packed = pack_target(quotation.connection.as_ref().unwrap(), Dialect::Original).unwrap();
    assert_eq!(hex(&packed), target);
}

#[test]
fn another_version_is_named() {
    let mut bytes = answered().pack().unwrap();
    bytes[0] = 9;
    let error = Quotation::unpack(answered().key, &bytes).unwrap_err();
    assert_eq!(error.to_string(), "it has format version 9, this ocache reads 1");
}
