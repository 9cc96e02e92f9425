//! Tables: what is left undone, what is written how, and answers that are lost.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use super::script::{Answer, NONCE, ROUNDS, Script, error, ok, status};
use crate::model::{
    ConnectionId, ConnectionRef, Dialect, Generation, ProductId, QuotationKey, RequestId,
    Timestamp, UserId,
};
use crate::ports::{
    BeginLoad, FailedEntry, Flip, LoadId, LoadMark, PortError, Quotation, QuotationStatus, Segment,
    TableHead, Topic,
};
use crate::pricing::{Currency, Discount, Discounts, Money, Product};

fn product(id: &str) -> Product {
    let id = ProductId::new(id).unwrap();
    Product { id, name: "name".to_owned(), price: Money::from_minor(1999) }
}

fn user() -> UserId {
    UserId::new("ann").unwrap()
}

fn generation() -> Generation {
    Generation::from_random([1; 16])
}

fn head() -> TableHead {
    let at = Timestamp::from_secs(1);
    TableHead {
        version: 3,
        generation: generation(),
        fingerprint: crate::model::DigestBuilder::new("test").finish(),
        pricing_version: 1,
        catalogue_version: 1,
        currency: Currency::USD,
        products: 1,
        parts: vec![],
        parts_expire_at: at,
        priced_at: at,
        validated_at: at,
        fresh_until: at,
        usable_until: at,
    }
}

fn quotation(expires_at: Timestamp) -> Quotation {
    let (user, request_id) = (user(), RequestId::made(Timestamp::from_secs(1), [1; 16]));
    Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: vec![],
        connection: ConnectionRef {
            endpoint: "http://127.0.0.1".to_owned(),
            id: ConnectionId::from_random([1; 16]),
        },
        dialect: Dialect::Current,
        accepted_at: expires_at,
        deadline: expires_at,
        expires_at,
        status: QuotationStatus::Pending,
    }
}

/// A topic without subscribers.
struct Nobody;

#[async_trait]
impl Topic for Nobody {
    async fn publish(&self, _bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        Ok(vec![])
    }
}

/// The answer to a batch of writes that leaves puts of these products undone.
fn unprocessed(ids: &[&str]) -> Answer {
    let put = |id: &&str| {
        json!({ "PutRequest": { "Item": {
            "product_id": { "S": id }, "name": { "S": "name" }, "price": { "N": "1999" },
        } } })
    };
    let puts: Vec<_> = ids.iter().map(put).collect();
    let left = if puts.is_empty() { json!({}) } else { json!({ "test-products": puts }) };
    ok(json!({ "UnprocessedItems": left }).to_string())
}

/// The products that a request writes, sorted.
fn written(request: &Value) -> Vec<String> {
    let requests = request["RequestItems"]["test-products"].as_array().unwrap();
    let id = |request: &Value| request["PutRequest"]["Item"]["product_id"]["S"].clone();
    let mut ids: Vec<_> = requests.iter().map(|r| id(r).as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn unprocessed_writes_are_sent_again_alone() {
    let answers = [unprocessed(&["B", "C"]), unprocessed(&["C"]), unprocessed(&[])];
    let script = Script::new(1, answers).await;
    script.aws.store().put_products(&["A", "B", "C"].map(product)).await.unwrap();
    let sent: Vec<_> = script.asked().iter().map(|asked| written(&asked.json())).collect();
    assert_eq!(sent, [vec!["A", "B", "C"], vec!["B", "C"], vec!["C"]]);
}

#[tokio::test]
async fn writes_that_stay_unprocessed_are_given_up() {
    let script = Script::new(1, vec![unprocessed(&["A"]); 20]).await;
    let error = script.aws.store().put_products(&[product("A")]).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { .. }), "{error:?}");
    assert_eq!(script.asked().len(), 1 + ROUNDS as usize);
}

#[tokio::test]
async fn progress_is_patience() {
    let ids: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let answers = (1..=10).map(|done| unprocessed(&ids[done..]));
    let script = Script::new(1, answers).await;
    let products: Vec<_> = ids.iter().map(|id| product(id)).collect();
    script.aws.store().put_products(&products).await.unwrap();
    assert_eq!(script.asked().len(), 10);
}

#[tokio::test]
async fn of_two_writes_with_one_key_the_last_is_sent() {
    let script = Script::new(1, [unprocessed(&[])]).await;
    let second = Product { name: "second".to_owned(), ..product("A") };
    script.aws.store().put_products(&[product("A"), product("B"), second]).await.unwrap();
    let request = script.asked()[0].json();
    assert_eq!(written(&request), ["A", "B"]);
    let names = request.to_string();
    assert!(names.contains("second"), "{names}");
}

#[tokio::test]
async fn unprocessed_keys_are_asked_for_again() {
    let found = |id: &str| json!({ "product_id": { "S": id }, "name": { "S": "n" }, "price": { "N": "1" } });
    let first = json!({
        "Responses": { "test-products": [found("A")] },
        "UnprocessedKeys": { "test-products": { "Keys": [{ "product_id": { "S": "B" } }] } },
    });
    let second = json!({ "Responses": { "test-products": [found("B")] }, "UnprocessedKeys": {} });
    let script = Script::new(1, [ok(first.to_string()), ok(second.to_string())]).await;
    let ids = ["A", "B", "A"].map(|id| ProductId::new(id).unwrap());
    let mut products = script.aws.store().products(&ids).await.unwrap();
    products.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(products.iter().map(|product| product.id.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let asked = script.asked();
    let keys = |at: usize| asked[at].json()["RequestItems"]["test-products"]["Keys"].clone();
    assert_eq!(keys(0).as_array().unwrap().len(), 2, "each key once");
    assert_eq!(keys(1), json!([{ "product_id": { "S": "B" } }]));
}

#[tokio::test]
async fn an_item_that_is_too_large_is_named_before_anything_is_sent() {
    let discount = |n: usize| Discount {
        product_id: ProductId::new(format!("{n:064}")).unwrap(),
        percentage: "12.345678".parse().unwrap(),
    };
    let discounts = Discounts::new((0..5000).map(discount).collect()).unwrap();
    let script = Script::new(1, []).await;
    let list = crate::ports::UserDiscounts { user: user(), discounts };
    let error = script.aws.store().put_discounts(&[list]).await.unwrap_err();
    assert!(
        matches!(&error, PortError::Rejected { what, .. } if what.contains("`ann`")),
        "{error}"
    );
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn every_expiry_is_a_number_of_seconds() {
    let script = Script::new(1, vec![ok("{}"); 4]).await;
    let (store, at) = (script.aws.store(), Timestamp::from_millis(1_700_000_000_001));
    store.record_visit(&user(), Timestamp::default(), at).await.unwrap();
    let parts = [Bytes::from_static(b"x")];
    store.put_table(&user(), &head(), &parts, None, at).await.unwrap();
    store.create_quotation(&quotation(at), &Nobody, "").await.unwrap();
    let asked: Vec<_> = script.asked().iter().map(super::script::Asked::json).collect();
    let expected = json!({ "N": "1700000001" });
    assert_eq!(asked[0]["ExpressionAttributeValues"][":ttl"], expected);
    let part = &asked[1]["RequestItems"]["test-prices-by-user"][0]["PutRequest"]["Item"];
    assert_eq!(part["ttl"], expected);
    assert_eq!(asked[2]["Item"]["ttl"], expected);
    assert_eq!(asked[3]["Item"]["ttl"], expected);
}

#[tokio::test]
async fn expired_users_are_filtered_out() {
    let script = Script::new(1, [ok(r#"{"Items":[]}"#)]).await;
    let now = Timestamp::from_millis(5999);
    script.aws.store().list_active_users(Segment::ALL, now, None).await.unwrap();
    let asked = script.asked()[0].json();
    assert_eq!(asked["FilterExpression"], "#ttl > :now");
    assert_eq!(asked["ExpressionAttributeValues"][":now"], json!({ "N": "5" }));
}

fn refused(item: &Value) -> Answer {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": item,
    });
    status(400, body.to_string())
}

/// The first answer was lost; the second attempt fails on what the first has written.
#[tokio::test]
async fn a_flip_whose_answer_was_lost_is_done() {
    for (written_by, flip) in [(NONCE, Flip::Done), ("another", Flip::Conflict)] {
        let stored = json!({ "written_by": { "S": written_by } });
        let script = Script::new(2, [status(500, "{}"), refused(&stored)]).await;
        let store = script.aws.store();
        let expire_at = Timestamp::from_secs(9);
        let put = store.put_table(&user(), &head(), &[], Some(2), expire_at).await;
        assert_eq!(put.unwrap(), flip);
        assert_eq!(script.operations(), ["PutItem", "PutItem"]);
    }
}

#[tokio::test]
async fn a_load_whose_answers_were_lost_goes_on() {
    let stored = json!({
        "written_by": { "S": NONCE }, "version": { "N": "8" }, "currency": { "S": "USD" },
    });
    let lost = || [status(500, "{}"), refused(&stored)];
    let script = Script::new(2, lost().into_iter().chain(lost())).await;
    let (store, now) = (script.aws.store(), Timestamp::from_secs(1));
    let mark = LoadMark {
        id: LoadId("l".to_owned()),
        deadline: now.plus(Duration::from_secs(9)),
        currency: Currency::USD,
    };
    let begun = store.begin_load(&mark, Some(7), now).await.unwrap();
    assert_eq!(begun, BeginLoad::Begun);
    assert_eq!(store.finish_load(&mark.id).await.unwrap(), Some(8));
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let item =
        json!({ "Item": { "product_id": { "S": "\u{1}catalogue" }, "version": { "S": "1" } } });
    let script = Script::new(1, [ok(item.to_string()), error("ResourceNotFoundException")]).await;
    let broken = script.aws.store().catalogue_head().await.unwrap_err();
    assert!(matches!(&broken, PortError::Corrupt { what, .. } if what.contains("catalogue")));
    let missing = script.aws.store().catalogue_head().await.unwrap_err();
    assert!(
        matches!(&missing, PortError::Missing { what } if what == "table `test-products`"),
        "{missing:?}"
    );
}
