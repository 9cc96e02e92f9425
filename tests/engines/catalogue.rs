//! Tests of products.

use ocache::model::ProductId;
use ocache::ports::{AtHead, CatalogueHead, Ports, RecordKey, RowChange, Segment, products_now};
use ocache::pricing::{Money, Product};

use super::listing::{all_pages, all_products, delete_products, put_products, sorted_by};
use super::loading::{bring, finish, fold, head};
use super::samples::{ODD_IDS, product, product_id};

pub async fn products_are_upserted_and_deleted(ports: Ports) {
    let longest = "é".repeat(ProductId::MAX_BYTES / 2);
    let ids: Vec<_> = ODD_IDS.into_iter().chain([longest.as_str()]).collect();
    let mut products: Vec<_> = ids.iter().zip(1..).map(|(id, n)| product(id, n * 100)).collect();
    products[0].price = Some(Money::ZERO);
    products[1].price = Some(Money::MAX_PRICE);
    products[2].name = String::new();
    let products = sorted_by(products, |product| product.id.clone());
    put_products(&ports, &products).await;
    assert_eq!(all_products(&ports).await, products);

    let changed = Product { name: "Renamed".to_owned(), ..product(ODD_IDS[0], 1) };
    put_products(&ports, std::slice::from_ref(&changed)).await;
    let asked = [changed.id.clone(), product_id("unknown")];
    let read = products_now(&*ports.store, &asked).await.unwrap();
    assert_eq!(read, [changed]);

    let (gone, kept) = products.split_at(5);
    let mut gone: Vec<_> = gone.iter().map(|product| product.id.clone()).collect();
    gone.push(product_id("unknown"));
    delete_products(&ports, &gone).await;
    let left: Vec<_> = all_products(&ports).await.into_iter().map(|product| product.id).collect();
    assert_eq!(left, kept.iter().map(|product| product.id.clone()).collect::<Vec<_>>());
}

pub async fn a_large_catalogue_is_listed_whole(ports: Ports) {
    // More than 1 MB, which is the most that one page of a scan has.
    let name = "Ñ".repeat(600);
    let products: Vec<_> = (0..1200)
        .map(|n| Product { name: name.clone(), ..product(&format!("P{n:04}"), n) })
        .collect();
    put_products(&ports, &products).await;
    assert_eq!(all_products(&ports).await, products);

    let ids: Vec<_> = products.iter().map(|product| product.id.clone()).collect();
    delete_products(&ports, &ids[..600]).await;
    assert_eq!(all_products(&ports).await, products[600..]);
}

/// Returns the products of all segments at a head, sorted.
async fn in_segments(ports: &Ports, at: &CatalogueHead, count: u32) -> Vec<Product> {
    let mut products = vec![];
    for index in 0..count {
        let segment = Segment { index, count };
        let of_segment =
            all_pages(async |from| match ports.store.list_products(at, segment, from).await? {
                AtHead::Read(page) => Ok(page),
                AtHead::Moved => panic!("{at:?} is in force"),
            });
        products.extend(of_segment.await);
    }
    sorted_by(products, |product| product.id.clone())
}

pub async fn segments_cover_each_product_once(ports: Ports) {
    let mut products: Vec<_> = (0..250).map(|n| product(&format!("P{n:03}"), n)).collect();
    put_products(&ports, &products).await;
    let counts = [1, 2, 7, ports.store.product_segments()];
    for count in counts {
        assert_eq!(in_segments(&ports, &head(&ports).await, count).await, products, "{count}");
    }
    // A change in a journal is in one segment too, both before and after it is folded.
    products[20] = product("P020", 7_000);
    let changes = [
        RowChange::Delete(RecordKey::Product(products.remove(10).id)),
        products[19].clone().into(),
        product("P300", 300).into(),
    ];
    products.push(product("P300", 300));
    let unfolded = bring(&ports, "changes", &changes).await;
    for count in counts {
        assert_eq!(in_segments(&ports, &unfolded, count).await, products, "{count} unfolded");
    }
    fold(&ports, "changes", unfolded.version).await;
    finish(&ports, "changes").await;
    assert_eq!(in_segments(&ports, &head(&ports).await, 7).await, products, "folded");
}

pub async fn many_products_are_read_at_once(ports: Ports) {
    let products: Vec<_> = (0..130).map(|n| product(&format!("P{n:03}"), n)).collect();
    put_products(&ports, &products).await;
    let ids: Vec<_> = (0..260).map(|n| product_id(&format!("P{n:03}"))).collect();
    let read = products_now(&*ports.store, &ids).await.unwrap();
    assert_eq!(sorted_by(read, |product| product.id.clone()), products);
}

pub async fn nothing_asked_is_nothing_done(ports: Ports) {
    assert_eq!(products_now(&*ports.store, &[]).await.unwrap(), []);
    assert_eq!(all_products(&ports).await, []);
}
