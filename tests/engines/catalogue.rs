//! Products.

use ocache::model::ProductId;
use ocache::ports::{Ports, products_now};
use ocache::pricing::{Money, Product};

use super::listing::{all_products, delete_products, put_products, sorted_by};
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
