//! Tests of bases, which tables of one version of the products share.

use bytes::Bytes;
use ocache::model::{DigestBuilder, Timestamp};
use ocache::ports::{BaseClaim, BaseName, MakerId, Ports, StoredBase};
use ocache::pricing::{BaseIndex, Currency, PartStart};

use super::samples::{now, product_id, secs};

/// Returns a base of parts that begin with these products.
fn base(first: &[&str]) -> StoredBase {
    let start = |(id, part): (&&str, u32)| PartStart { product: product_id(id), index: part * 300 };
    let parts: Vec<PartStart> = first.iter().zip(0..).map(start).collect();
    let index = BaseIndex { currency: Currency::USD, products: 3_000, parts };
    StoredBase { index, expires_at: now().plus(secs(3600)) }
}

/// Returns the name of the base of a version of the products, in dollars.
const fn name(version: u64) -> BaseName {
    BaseName { version, currency: Currency::USD, terms: None }
}

fn parts(of: &[&'static str]) -> Vec<Bytes> {
    of.iter().map(|part| Bytes::from_static(part.as_bytes())).collect()
}

pub async fn a_base_comes_back_as_it_was_written(ports: Ports) {
    assert_eq!(ports.store.base(&name(7)).await.unwrap(), None);
    let (base, parts) = (base(&["A", "株式会社"]), parts(&["first", "second"]));
    ports.store.put_base(&name(7), &base, &parts).await.unwrap();
    assert_eq!(ports.store.base(&name(7)).await.unwrap(), Some(base));
    let read = ports.store.base_parts(&name(7), &[1, 0, 2]).await.unwrap();
    assert_eq!(read, [Some(parts[1].clone()), Some(parts[0].clone()), None]);
}

pub async fn bases_of_two_names_are_kept_apart(ports: Ports) {
    let terms = |of: &str| Some(DigestBuilder::new(of).finish());
    let names = [
        name(1),
        name(11),
        BaseName { currency: "JPY".parse().unwrap(), ..name(1) },
        BaseName { terms: terms("a"), ..name(1) },
        BaseName { terms: terms("b"), ..name(1) },
    ];
    // Made once, because the expiry of each depends on the present time.
    let bases = ["one", "eleven", "yen", "terms", "others"].map(|text| (text, base(&[text])));
    for (name, (text, base)) in names.iter().zip(&bases) {
        ports.store.put_base(name, base, &parts(&[text])).await.unwrap();
    }
    for (name, (text, base)) in names.iter().zip(bases) {
        assert_eq!(ports.store.base(name).await.unwrap(), Some(base), "{name}");
        let part = Bytes::from_static(text.as_bytes());
        assert_eq!(ports.store.base_parts(name, &[0, 1]).await.unwrap(), [Some(part), None]);
    }
    for absent in [name(3), BaseName { terms: terms("c"), ..name(1) }] {
        assert_eq!(ports.store.base(&absent).await.unwrap(), None);
        assert_eq!(ports.store.base_parts(&absent, &[0]).await.unwrap(), [None]);
    }
}

pub async fn a_base_may_be_written_again_for_longer(ports: Ports) {
    let short = base(&["A"]);
    let long = StoredBase { expires_at: short.expires_at.plus(secs(3600)), ..short.clone() };
    for base in [&short, &long, &long] {
        ports.store.put_base(&name(1), base, &parts(&["one"])).await.unwrap();
        assert_eq!(ports.store.base(&name(1)).await.unwrap().as_ref(), Some(base));
    }
    let heads = ports.store.list_table_heads(None).await.unwrap();
    assert!(heads.items.is_empty(), "a base is nobody's table");
}

pub async fn parts_may_be_written_ahead_of_their_base(ports: Ports) {
    let (store, base) = (&ports.store, base(&["A", "B", "C", "D"]));
    let all = parts(&["a", "b", "c", "d"]);
    store.put_base_parts(&name(1), 0, &all[..2], base.expires_at).await.unwrap();
    store.put_base_parts(&name(1), 2, &all[2..3], base.expires_at).await.unwrap();
    assert_eq!(store.base(&name(1)).await.unwrap(), None, "nobody finds them yet");
    store.put_base(&name(1), &base, &all[3..]).await.unwrap();
    assert_eq!(store.base(&name(1)).await.unwrap().as_ref(), Some(&base));
    let stored: Vec<_> = all.iter().cloned().map(Some).collect();
    assert_eq!(store.base_parts(&name(1), &[0, 1, 2, 3]).await.unwrap(), stored);

    // The same base is stored again, to be kept for longer.
    let longer = StoredBase { expires_at: base.expires_at.plus(secs(3600)), ..base.clone() };
    store.put_base_parts(&name(1), 0, &all[..3], longer.expires_at).await.unwrap();
    let index = store.base(&name(1)).await.unwrap().map(|found| found.index);
    assert_eq!(index, Some(base.index), "its readers still find it");
    store.put_base(&name(1), &longer, &all[3..]).await.unwrap();
    assert_eq!(store.base(&name(1)).await.unwrap(), Some(longer));
    assert_eq!(
        store.base_parts(&name(1), &[3, 0]).await.unwrap(),
        [3, 0].map(|n| stored[n].clone())
    );
}

fn claim(maker: &str, until: Timestamp) -> BaseClaim {
    BaseClaim { maker: MakerId(maker.to_owned()), until }
}

pub async fn a_claim_keeps_others_out_until_it_ends(ports: Ports) {
    let start = now();
    let claims = async |version, maker, after, lasts| {
        let at = start.plus(secs(after));
        let claim = claim(maker, at.plus(secs(lasts)));
        ports.store.claim_base(&name(version), &claim, at).await.unwrap()
    };
    assert!(claims(1, "a", 0, 5).await);
    assert!(!claims(1, "b", 1, 5).await);
    assert!(claims(11, "b", 1, 5).await, "of another base");
    assert!(claims(1, "a", 2, 5).await, "who has it may renew it");
    assert!(!claims(1, "b", 6, 5).await, "it was renewed");
    assert!(claims(1, "b", 7, 5).await, "it has ended");
    assert!(!claims(1, "a", 8, 5).await);
    assert!(claims(1, "b", 8, 0).await, "who has it may give it up");
    assert!(claims(1, "a", 8, 5).await);
    assert_eq!(ports.store.base(&name(1)).await.unwrap(), None, "a claim is no base");
    let heads = ports.store.list_table_heads(None).await.unwrap();
    assert!(heads.items.is_empty(), "nor anybody's table");
}

pub async fn a_claim_by_a_clock_that_is_wrong_keeps_nobody_out(ports: Ports) {
    let (start, ahead) = (now(), now().plus(secs(3600)));
    let (wrong, right) = (claim("a", ahead.plus(secs(5))), claim("b", start.plus(secs(5))));
    assert!(ports.store.claim_base(&name(1), &wrong, ahead).await.unwrap());
    assert!(ports.store.claim_base(&name(1), &right, start).await.unwrap());
}

pub async fn drafts_come_back_and_are_no_part_of_a_base(ports: Ports) {
    let (store, late) = (&ports.store, now().plus(secs(3600)));
    let [one, two, other] = ["one", "two", "other"].map(|text| Bytes::from_static(text.as_bytes()));
    let drafts = [(0, one.clone()), (100_001, two.clone())];
    store.put_drafts(&name(1), &drafts, late).await.unwrap();
    store.put_drafts(&name(11), &[(0, other.clone())], late).await.unwrap();
    let read = store.drafts(&name(1), &[100_001, 7, 0]).await.unwrap();
    assert_eq!(read, [Some(two.clone()), None, Some(one)]);
    assert_eq!(store.base(&name(1)).await.unwrap(), None);
    assert_eq!(store.base_parts(&name(1), &[0]).await.unwrap(), [None]);

    store.put_base(&name(1), &base(&["A"]), &parts(&["part"])).await.unwrap();
    store.put_drafts(&name(1), &[(0, two.clone())], late).await.unwrap();
    assert_eq!(store.drafts(&name(1), &[0]).await.unwrap(), [Some(two)]);
    assert_eq!(store.drafts(&name(11), &[0]).await.unwrap(), [Some(other)]);
    let part = Bytes::from_static(b"part");
    assert_eq!(store.base_parts(&name(1), &[0]).await.unwrap(), [Some(part)]);
}
