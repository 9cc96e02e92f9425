//! Tests of what a load would change, and that the load then changes exactly that.

use super::shop::Shop;

const CUSTOMERS: &str = r#"{"user_id":"A","groups":["gold"]}
    {"user_id":"B","currency":"EUR","groups":["gold"]}
    {"user_id":"C","groups":[]}
    {"id":"P","name":"P","prices":{"USD":"10.00","EUR":"9.00"},"floor":"6.00","category":"tools"}
    {"id":"Q","name":"Q","price":"20.00"}
    {"price_list":"L","currency":"USD","groups":["gold"]}
    {"price_list":"L","product_id":"P","price":"8.00"}
    {"price_list":"L","product_id":"P","min_quantity":10,"price":"7.00"}
    {"user_id":"C","product_id":"Q","percentage":"10"}"#;

async fn shop() -> Shop {
    let shop = Shop::new();
    shop.load(CUSTOMERS).await;
    for user in ["A", "B", "C"] {
        shop.visit(user).await;
    }
    shop
}

/// Returns which prices a load would change, sorted.
async fn moved(shop: &Shop, text: &str) -> Vec<String> {
    let (_, mut heard) = shop.preview(text, false).await;
    heard.sort();
    heard
}

#[tokio::test]
async fn each_kind_of_change_moves_the_prices_that_it_decides() {
    let shop = shop().await;
    for (text, expected) in [
        // A list price changes where no list says otherwise, and what depends on it.
        (
            r#"{"id":"P","name":"P","prices":{"USD":"11.00","EUR":"9.00"},"category":"tools"}"#,
            &["C P 0: 10.00 to 11.00 USD"][..],
        ),
        (
            r#"{"id":"Q","name":"Q","price":"10.00"}"#,
            &["A Q 0: 20.00 to 10.00 USD", "C Q 0: 18.00 to 9.00 USD"],
        ),
        // A rung changes, and another is added.
        (
            r#"{"price_list":"L","product_id":"P","min_quantity":10,"price":"7.50"}
               {"price_list":"L","product_id":"P","min_quantity":20,"price":"5.00"}"#,
            &["A P 10: 7.00 to 7.50 USD", "A P 20: 7.00 to 5.00 USD"],
        ),
        // A wide row is added. The floor and the narrower row limit it.
        (
            r#"{"price_list":"W","everyone":true}
               {"price_list":"W","category":"tools","percentage":50}"#,
            &[
                "A P 0: 8.00 to 6.00 USD",
                "A P 10: 7.00 to 6.00 USD",
                "B P 0: 9.00 to 4.50 EUR",
                "C P 0: 10.00 to 6.00 USD",
            ],
        ),
        // The list itself changes, and its recipients.
        (
            r#"{"price_list":"L","currency":"USD","groups":["gold"],"until":"2000-01-01T00:00:00Z"}"#,
            &["A P 0: 8.00 to 10.00 USD", "A P 10: 7.00 to 10.00 USD"],
        ),
        (
            r#"{"user_id":"C","groups":["gold"]}"#,
            &["C P 0: 10.00 to 8.00 USD", "C P 10: 10.00 to 7.00 USD"],
        ),
        (
            r#"{"user_id":"C","currency":"EUR"}"#,
            &["C P 0: - to 9.00 EUR", "C P 0: 10.00 to - USD", "C Q 0: 18.00 to - USD"],
        ),
        // Own rows change.
        (
            r#"{"user_id":"C","product_id":"P","min_quantity":5,"price":"9.50"}"#,
            &["C P 5: 10.00 to 9.50 USD", "C Q 0: 18.00 to 20.00 USD"],
        ),
        // A new product, and changes that make no difference.
        (
            r#"{"id":"R","name":"R","price":"1.00"}"#,
            &["A R 0: - to 1.00 USD", "C R 0: - to 1.00 USD"],
        ),
        (r#"{"id":"Q","name":"another name","price":"20.00"}"#, &[]),
        (r#"{"price_list":"N","priority":9}"#, &[]),
    ] {
        assert_eq!(moved(&shop, text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn the_effect_is_counted_with_the_largest_moves() {
    let shop = shop().await;
    let text = r#"{"id":"P","name":"P","prices":{"USD":"12.00","EUR":"9.90"},"floor":"9.00"}
        {"price_list":"L","product_id":"P","min_quantity":10,"price":"3.50"}
        {"id":"Q","name":"Q","price":"21.00"}"#;
    let (preview, heard) = shop.preview(text, false).await;
    let effect = preview.effect;
    assert_eq!((effect.customers, effect.affected), (3, 3));
    assert_eq!((effect.up.count, effect.down.count, effect.new, effect.gone), (4, 1, 0, 0));
    assert_eq!(heard.len(), 5);
    let most = effect.up.most.unwrap();
    assert_eq!((most.customer.as_str(), most.product.as_str()), ("C", "P"));
    assert_eq!(most.fall().unwrap().to_string(), "-20");
    assert_eq!(effect.down.most.unwrap().fall().unwrap().to_string(), "50");
    // Only changed prices count. The stated price of 8.00 was there before.
    assert_eq!(effect.under_floor.count, 1);
    assert_eq!(effect.under_floor.most.unwrap().min_quantity.to_string(), "10");
    assert_eq!((preview.counts.products.changed, preview.counts.prices.changed), (2, 1));
}

#[tokio::test]
async fn what_pruning_removes_is_gone() {
    let shop = shop().await;
    let (preview, mut heard) = shop.preview(r#"{"id":"Q","name":"Q","price":"20.00"}"#, true).await;
    heard.sort();
    assert_eq!(preview.counts.products.removed, 1);
    assert_eq!(
        heard,
        [
            "A P 0: 8.00 to - USD",
            "A P 10: 7.00 to - USD",
            "B P 0: 9.00 to - EUR",
            "C P 0: 10.00 to - USD"
        ]
    );
    assert_eq!(preview.effect.gone, 4);
}

#[tokio::test]
async fn nobody_active_is_no_error_and_others_are_not_looked_at() {
    let shop = shop().await;
    shop.clock.advance(std::time::Duration::from_secs(120));
    let (preview, heard) = shop.preview(r#"{"id":"Q","name":"Q","price":"1.00"}"#, false).await;
    assert_eq!((preview.effect.customers, heard.len()), (0, 0));
    assert_eq!(preview.counts.products.changed, 1);
}

#[tokio::test]
async fn after_the_load_nothing_is_left_to_change() {
    let shop = shop().await;
    let text = r#"{"price_list":"L","product_id":"P","min_quantity":10,"price":"5.00"}
        {"user_id":"B","currency":"USD"}"#;
    assert!(!moved(&shop, text).await.is_empty());
    shop.load(text).await;
    let (preview, heard) = shop.preview(text, false).await;
    assert!(!preview.counts.wrote());
    assert_eq!(heard, [""; 0]);
}
