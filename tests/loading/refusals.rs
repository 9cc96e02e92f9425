//! Tests of errors that only the store, or all files together, can show. Then nothing is written.

use super::shop::Shop;

#[tokio::test]
async fn bad_rows_are_refused_with_their_line_and_what_would_be_right() {
    let shop = Shop::new();
    shop.load(
        r#"{"price_list":"S","currency":"USD","everyone":true}
        {"price_list":"S","product_id":"P","price":"5.00"}
        {"price_list":"S","product_id":"P","min_quantity":20,"price":"4.00"}
        {"price_list":"S","product_id":"Q","min_quantity":5,"price":"4.00"}"#,
    )
    .await;
    for (text, expected) in [
        // Ladders that rise, within the files and together with what is stored.
        (
            "price_list,product_id,min_quantity,price\nS,R,0,5\nS,R,10,5.01\n",
            "f:3: price list `S` rises for product `R`: from 5.00 to 5.01 at min_quantity 10; a row for more may not be dearer",
        ),
        (
            "price_list,product_id,min_quantity,price\nS,P,10,6\n",
            "f:2: price list `S` rises for product `P`: from 5.00 to 6.00 at min_quantity 10; a row for more may not be dearer",
        ),
        (
            "price_list,product_id,min_quantity,price\nS,P,10,3\n",
            "f:2: price list `S` rises for product `P`: from 3.00 to 4.00 at min_quantity 20; a row for more may not be dearer",
        ),
        (
            "price_list,category,min_quantity,percentage\nS,tools,0,10\nS,tools,5,9.5\n",
            "f:3: price list `S` rises for category `tools`: from 10 % off to 9.5 % off at min_quantity 5; a row for more may not be dearer",
        ),
        (
            "price_list,min_quantity,amount\nS,5,1\nS,10,0.5\n",
            "f:3: price list `S` rises for all products: from 1.00 off to 0.50 off at min_quantity 10; a row for more may not be dearer",
        ),
        (
            "user_id,product_id,min_quantity,price\nA,P,0,1\nA,P,10,2\n",
            "f:3: the list of customer `A` rises for product `P`: from 1.00 to 2.00 at min_quantity 10; a row for more may not be dearer",
        ),
        // Lists that do not exist, or that have no currency.
        (
            "price_list,percentage\nX,5\n",
            "f:2: price list `X` is neither in the files nor in the store; give it a row, such as {\"price_list\":\"X\",\"everyone\":true}",
        ),
        (
            "{\"price_list\":\"N\",\"everyone\":true}\n{\"price_list\":\"N\",\"amount\":1}",
            "f:2: `amount` `1` needs a currency, and price list `N` has none; give the list a `currency`, or use `percentage`",
        ),
        (
            "{\"price_list\":\"N\",\"everyone\":true}\n{\"price_list\":\"N\",\"product_id\":\"P\",\"price\":1}",
            "f:2: `price` `1` needs a currency, and price list `N` has none; give the list a `currency`, or use `percentage`",
        ),
        // More decimals than the currency has that applies.
        (
            "price_list,product_id,price\nS,R,1.001\n",
            "f:2: price `1.001` has more than 2 decimals (currency USD)",
        ),
        (
            "{\"user_id\":\"A\",\"currency\":\"JPY\"}\n{\"user_id\":\"A\",\"product_id\":\"P\",\"amount\":0.5}",
            "f:2: `amount`: price `0.5` has more than 0 decimals (currency JPY)",
        ),
        // A new currency for a list whose stored prices stay.
        (
            "{\"price_list\":\"S\",\"currency\":\"EUR\",\"everyone\":true}\n{\"price_list\":\"S\",\"product_id\":\"Q\",\"min_quantity\":5,\"price\":\"4.00\"}",
            "f:1: price list `S` has prices in USD, such as for product `P`; load all its prices again with --prune, or give the list another id",
        ),
        (
            "{\"price_list\":\"S\",\"everyone\":true}",
            "f:1: price list `S` has prices in USD, such as for product `P`; load all its prices again with --prune, or give the list another id",
        ),
    ] {
        assert_eq!(shop.refusal(text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_ladder_has_at_most_a_thousand_tiers() {
    let shop = Shop::new();
    let rows = |columns: &str, from: usize, count: usize| {
        let rows = (from..from + count).map(|at| format!("S,P,{at},1.00\n"));
        format!("{columns}\n{}", rows.collect::<String>())
    };
    let of_list = "price_list,product_id,min_quantity,price";
    let of_customer = "user_id,product_id,min_quantity,price";
    shop.load(r#"{"price_list":"S","currency":"USD","everyone":true}"#).await;
    for (columns, whose) in [(of_list, "price list `S`"), (of_customer, "the list of customer `S`")]
    {
        let expected = format!("f:1002: {whose} has more than 1000 tiers for product `P`");
        assert_eq!(shop.refusal(&rows(columns, 1, 1_001)).await, expected);
        shop.load(&rows(columns, 1, 1_000)).await;
    }
    // With the stored tiers it would be one too many.
    let refused = shop.refusal(&rows(of_list, 2_000, 1)).await;
    assert_eq!(refused, "f:2: price list `S` has more than 1000 tiers for product `P`");
    let refused = shop.merge(&rows(of_customer, 2_000, 1)).await.unwrap_err().to_string();
    assert!(refused.contains("merged with what is stored, has more than 1000 tiers"), "{refused}");
}

#[tokio::test]
async fn rows_of_two_kinds_are_not_compared_and_equal_ones_do_not_rise() {
    let shop = Shop::new();
    shop.load(
        r#"{"price_list":"S","currency":"USD","everyone":true}
        {"price_list":"S","product_id":"P","price":"5.00"}
        {"price_list":"S","product_id":"P","min_quantity":5,"percentage":1}
        {"price_list":"S","product_id":"P","min_quantity":10,"price":"5.00"}"#,
    )
    .await;
    assert_eq!(shop.rows("S").await.len(), 3);
}

#[tokio::test]
async fn with_pruning_stored_rows_neither_rise_nor_keep_their_currency() {
    let shop = Shop::new();
    shop.load(
        r#"{"price_list":"S","currency":"USD","everyone":true}
        {"price_list":"S","product_id":"P","min_quantity":5,"price":"5.00"}
        {"price_list":"S","product_id":"Q","price":"5.00"}"#,
    )
    .await;
    shop.prune(
        r#"{"price_list":"S","currency":"EUR","everyone":true}
        {"price_list":"S","product_id":"P","price":"4.00"}"#,
    )
    .await;
    assert_eq!(shop.rows("S").await, ["product `P` from 0: costs 400"]);
    assert_eq!(shop.list("S").await.unwrap().currency.unwrap().code(), "EUR");
}

#[tokio::test]
async fn errors_of_all_rows_are_listed_in_their_order() {
    let shop = Shop::new();
    let error = shop
        .refusal("{\"user_id\":\"A\",\"product_id\":\"P\",\"price\":0.001}\n{\"price_list\":\"X\",\"percentage\":5}\n{\"user_id\":\"B\",\"product_id\":\"P\",\"price\":0.001}")
        .await;
    let lines: Vec<_> = error.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(lines, ["f:1:", "f:2:", "f:3:"]);
}
