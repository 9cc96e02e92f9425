//! Bases: what tables of one version of the products share.

use bytes::Bytes;
use ocache::model::DigestBuilder;
use ocache::ports::{BaseName, Ports, StoredBase};
use ocache::pricing::{BaseIndex, Currency, PartStart};

use super::samples::{now, product_id, secs};

/// A base of parts that begin with these products.
fn base(first: &[&str]) -> StoredBase {
    let start = |(id, part): (&&str, u32)| PartStart { product: product_id(id), index: part * 300 };
    let parts: Vec<PartStart> = first.iter().zip(0..).map(start).collect();
    let index = BaseIndex { currency: Currency::USD, products: 3_000, parts };
    StoredBase { index, expires_at: now().plus(secs(3600)) }
}

/// The base of a version of the products, in dollars.
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
    // Written down once, for each is stored until so long after now.
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
