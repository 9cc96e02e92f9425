//! Tests of a customer's own list beside the stored one.

use ocache::data::{LoadError, LostRows, Mention};
use ocache::ports::discounts_now;

use super::shop::Shop;

/// Returns the rows of a customer's stored list.
async fn rows(shop: &Shop, user: &str) -> Vec<String> {
    let lists = discounts_now(&*shop.ports.store, &[user.parse().unwrap()]).await.unwrap();
    let mut rows = vec![];
    for list in &lists {
        let plain = list.discounts.as_slice().iter();
        rows.extend(plain.map(|plain| format!("{} {}", plain.product_id, plain.percentage)));
        for own in &list.ladders.ladders {
            let rungs = own.ladder.rungs().iter();
            rows.extend(rungs.map(|rung| {
                format!("{} from {} {:?}", own.product_id, rung.min_quantity, rung.rule)
            }));
        }
    }
    rows
}

#[tokio::test]
async fn a_list_that_is_replaced_says_what_it_lost() {
    let shop = Shop::new();
    let loaded = shop
        .load("user_id,product_id,percentage\nA,P1,5\nA,P2,5\nA,P3,5\nB,P1,5\nC,P1,5\nC,P2,5\n")
        .await;
    assert_eq!(loaded.lost, LostRows::default(), "nothing was there before");
    let text = "user_id,product_id,percentage\nA,P2,7\nB,P1,6\nC,P4,1\n";
    let (preview, _) = shop.preview(text, false).await;
    let report = shop.load(text).await;
    let users = Mention { count: 2, first: vec!["A".to_owned(), "C".to_owned()] };
    assert_eq!(report.lost, LostRows { rows: 4, users });
    assert_eq!(preview.lost, report.lost, "a dry run says the same");
    assert_eq!(rows(&shop, "A").await, ["P2 7"]);
}

#[tokio::test]
async fn merged_rows_take_the_place_of_rows_with_the_same_product_and_quantity() {
    let shop = Shop::new();
    shop.load(
        "user_id,product_id,min_quantity,price,percentage\n\
         A,P1,,,5\nA,P2,,9.00,\nA,P2,10,8.00,\nA,P3,,,1\n",
    )
    .await;
    let report = shop
        .merge(
            "user_id,product_id,min_quantity,price,percentage\n\
             A,P1,,,6\nA,P2,10,7.50,\nA,P2,20,7.00,\nA,P4,,,2\nB,P1,,,3\n",
        )
        .await
        .unwrap();
    assert_eq!((report.counts.users.changed, report.counts.users.added), (1, 1));
    assert_eq!(report.lost, LostRows::default());
    assert_eq!(
        rows(&shop, "A").await,
        [
            "P1 6",
            "P3 1",
            "P4 2",
            "P2 from 0 Price(Money(900))",
            "P2 from 10 Price(Money(750))",
            "P2 from 20 Price(Money(700))",
        ]
    );
    let again = shop.merge("user_id,product_id,percentage\nA,P4,2\n").await.unwrap();
    assert!(!again.counts.wrote(), "it is there already");
}

#[tokio::test]
async fn what_does_not_fit_the_stored_list_is_refused_and_nothing_is_written() {
    let shop = Shop::new();
    shop.load(
        "user_id,product_id,min_quantity,price,percentage\n\
         A,P1,,9.00,\nA,P1,10,8.00,\nA,P3,5,,7\nB,P1,,,2\nB,P1,10,,3\n",
    )
    .await;
    let head = shop.head().await;
    for (text, wrong) in [
        (
            "user_id,product_id,min_quantity,price\nA,P2,,1.00\nA,P1,20,8.50\n",
            &["f:3: the list of customer `A`, merged with what is stored, rises for product `P1`"]
                [..],
        ),
        // The stored tier of 20 pieces costs more than the row before it.
        (
            "user_id,product_id,min_quantity,price\nA,P1,5,7.50\n",
            &["f:2: the list of customer `A`, merged with what is stored, rises for product `P1`"],
        ),
        // Rows with only a percentage, and a whole list.
        (
            "user_id,product_id,percentage\nA,P9,1\nB,P1,5\nA,P3,10\n",
            &[
                "f:3: the list of customer `B`, merged with what is stored, rises for product `P1`",
                "f:4: the list of customer `A`, merged with what is stored, rises for product `P3`",
            ],
        ),
        (
            "\n{\"user_id\":\"B\",\"discounts\":[{\"product_id\":\"P1\",\"percentage\":5}]}",
            &["f:2: the list of customer `B`, merged with what is stored, rises for product `P1`"],
        ),
        (
            "{\"user_id\":\"A\",\"currency\":\"EUR\"}\n{\"user_id\":\"A\",\"product_id\":\"P2\",\"price\":1}",
            &["f:2: the list of customer `A` has prices in USD, such as for product `P1`"],
        ),
    ] {
        let error = shop.merge(text).await.unwrap_err();
        let LoadError::Data(errors) = &error else { panic!("{error:?}") };
        assert_eq!(errors.errors.len(), wrong.len(), "{error}");
        for (error, wrong) in errors.errors.iter().zip(wrong) {
            assert!(error.to_string().starts_with(wrong), "{error}");
        }
        assert_eq!(shop.head().await, head);
    }
}
