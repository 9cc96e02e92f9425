//! Tests of the tables: unprocessed entries, the form of writes, and lost answers.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::script::{NONCE, ROUNDS, Script, ScriptedAnswer, error, got, ok, refused, status};
use crate::model::{
    ConnectionId, ConnectionRef, Dialect, Generation, ProductId, QuotationKey, RequestId,
    Timestamp, UserId,
};
use crate::ports::{
    AtHead, BaseName, CatalogueHead, Created, FailedEntry, FailureReason, Flip, LoadId, NewTable,
    PortError, Quotation, QuotationStatus, RecordKey, RowChange, Segment, StoredBase, TableHead,
    Topic, pack_target, testing,
};
use crate::pricing::Currency;

fn user() -> UserId {
    UserId::new("ann").unwrap()
}

fn base_name() -> BaseName {
    BaseName { version: 1, currency: Currency::USD, terms: None }
}

fn generation() -> Generation {
    Generation::from_random([1; 16])
}

fn head() -> TableHead {
    TableHead { products: 1, ..testing::head(3, &generation(), Timestamp::from_secs(1)) }
}

fn quotation(expires_at: Timestamp) -> Quotation {
    let (user, request_id) = (user(), RequestId::made(Timestamp::from_secs(1), [1; 16]));
    Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: vec![],
        connection: Some(ConnectionRef {
            endpoint: "http://127.0.0.1".to_owned(),
            id: ConnectionId::from_random([1; 16]),
        }),
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

/// Returns the answer to a batch of writes that leaves these parts of base 1 unprocessed.
fn unprocessed(numbers: impl IntoIterator<Item = usize>) -> ScriptedAnswer {
    let put = |number: usize| {
        json!({ "PutRequest": { "Item": {
            "user_id": { "S": format!("\u{1}base/1/USD/{number}") }, "part": { "S": "part" },
            "bytes": { "B": "eA==" },
        } } })
    };
    let puts: Vec<_> = numbers.into_iter().map(put).collect();
    let left = if puts.is_empty() { json!({}) } else { json!({ "test-prices-by-user": puts }) };
    ok(json!({ "UnprocessedItems": left }).to_string())
}

/// Returns the parts that a request writes, sorted.
fn written(request: &Value) -> Vec<usize> {
    let requests = request["RequestItems"]["test-prices-by-user"].as_array().unwrap();
    let name = |request: &Value| request["PutRequest"]["Item"]["user_id"]["S"].clone();
    let number = |name: Value| name.as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
    let mut numbers: Vec<usize> = requests.iter().map(|request| number(name(request))).collect();
    numbers.sort_unstable();
    numbers
}

/// Writes a base with this many parts.
async fn put_base(script: &Script, parts: usize) -> Result<(), PortError> {
    let expires_at = Timestamp::from_secs(9);
    let base = StoredBase { expires_at, ..StoredBase::nothing(Currency::USD) };
    script.aws.store().put_base(&base_name(), &base, &vec![Bytes::from_static(b"x"); parts]).await
}

#[tokio::test]
async fn unprocessed_writes_are_sent_again_alone() {
    let answers = [unprocessed([1, 2]), unprocessed([2]), unprocessed([]), ok("{}")];
    let script = Script::new(1, answers).await;
    put_base(&script, 3).await.unwrap();
    let sent: Vec<_> = script.asked()[..3].iter().map(|asked| written(&asked.json())).collect();
    assert_eq!(sent, [vec![0, 1, 2], vec![1, 2], vec![2]]);
}

#[tokio::test]
async fn writes_that_stay_unprocessed_are_given_up() {
    let script = Script::new(1, vec![unprocessed([0]); 20]).await;
    let error = put_base(&script, 1).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { .. }), "{error:?}");
    assert_eq!(script.asked().len(), 1 + ROUNDS as usize);
}

#[tokio::test]
async fn progress_is_patience() {
    let answers = (1..=10).map(|done| unprocessed(done..10)).chain([ok("{}")]);
    let script = Script::new(1, answers).await;
    put_base(&script, 10).await.unwrap();
    assert_eq!(script.asked().len(), 10 + 1);
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
    let mut products = script.aws.store().products(&ids, &CatalogueHead::EMPTY).await.unwrap();
    let AtHead::Read(products) = &mut products else { panic!("{products:?}") };
    products.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(products.iter().map(|product| product.id.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let asked = script.asked();
    let keys = |at: usize| asked[at].json()["RequestItems"]["test-products"]["Keys"].clone();
    assert_eq!(keys(0).as_array().unwrap().len(), 2, "each key once");
    assert_eq!(keys(1), json!([{ "product_id": { "S": "B" } }]));
}

#[tokio::test]
async fn every_expiry_is_a_number_of_seconds() {
    let script = Script::new(1, vec![ok("{}"); 8]).await;
    let (store, at) = (script.aws.store(), Timestamp::from_millis(1_700_000_000_001));
    store.record_visit(&user(), Timestamp::default(), at).await.unwrap();
    let parts = [Bytes::from_static(b"x")];
    store.put_table(NewTable::new(&user(), &head(), at).with_parts(&parts)).await.unwrap();
    store.create_quotation(&quotation(at), &Nobody, "").await.unwrap();
    let base = StoredBase { expires_at: at, ..StoredBase::nothing(Currency::USD) };
    store.put_base(&base_name(), &base, &[Bytes::from_static(b"x")]).await.unwrap();
    let delete = RowChange::Delete(RecordKey::Product(ProductId::new("P1").unwrap()));
    store.fold(&LoadId("l".to_owned()), 1, &[delete], at).await.unwrap();
    let asked: Vec<_> = script.asked().iter().map(super::script::RecordedRequest::json).collect();
    let expected = json!({ "N": "1700000001" });
    assert_eq!(asked[0]["ExpressionAttributeValues"][":ttl"], expected);
    let part = &asked[1]["RequestItems"]["test-prices-by-user"][0]["PutRequest"]["Item"];
    assert_eq!(part["ttl"], expected);
    assert_eq!(asked[2]["Item"]["ttl"], expected);
    assert_eq!(asked[3]["Item"]["ttl"], expected);
    let part = &asked[4]["RequestItems"]["test-prices-by-user"][0]["PutRequest"]["Item"];
    assert_eq!(part["ttl"], expected);
    assert_eq!(asked[5]["Item"]["ttl"], expected, "the index of a base");
    assert_eq!(asked[7]["Item"]["ttl"], expected, "what was deleted");
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

/// The first answer was lost. The second attempt fails on what the first has written.
#[tokio::test]
async fn a_flip_whose_answer_was_lost_is_done() {
    for (written_by, flip) in [(NONCE, Flip::Done), ("another", Flip::Conflict)] {
        let stored = json!({ "written_by": { "S": written_by } });
        let script = Script::new(2, [status(500, "{}"), refused(&stored)]).await;
        let store = script.aws.store();
        let expire_at = Timestamp::from_secs(9);
        let (user, head) = (user(), head());
        let table = NewTable::new(&user, &head, expire_at).replacing(Some(2));
        let put = store.put_table(table).await;
        assert_eq!(put.unwrap(), flip);
        assert_eq!(script.operations(), ["PutItem", "PutItem"]);
    }
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

/// Returns the item of a quotation as version 0.1.0 wrote it.
fn unpacked_item(quotation: &Quotation, status: &str, outcome: &Value) -> Value {
    let millis = |time: Timestamp| json!({ "N": time.millis().to_string() });
    let text = |value: Value| json!({ "S": value.to_string() });
    json!({
        "request_id": { "S": quotation.key.as_str() },
        "client_request_id": { "S": quotation.request_id.as_str() },
        "user_id": { "S": quotation.user.as_str() },
        "lines": text(json!(quotation.items)),
        "connection": text(json!(quotation.connection)),
        "dialect": text(json!(quotation.dialect)),
        "accepted_at": millis(quotation.accepted_at),
        "deadline": millis(quotation.deadline),
        "expires_at": millis(quotation.expires_at),
        "ttl": { "N": quotation.expires_at.secs_rounded_up().to_string() },
        "status": { "S": status },
        "outcome": outcome,
    })
}

#[tokio::test]
async fn a_quotation_of_the_version_before_is_read_whatever_became_of_it() {
    let stored = quotation(Timestamp::from_millis(1_800_000_000_123));
    let failed = QuotationStatus::Failed(FailureReason::NoTable);
    let target =
        ConnectionRef { endpoint: "else".to_owned(), ..stored.connection.clone().unwrap() };
    let binary = |bytes: Vec<u8>| json!({ "B": STANDARD.encode(bytes) });
    let pending = unpacked_item(&stored, "pending", &json!({ "S": "\"pending\"" }));
    let settled = unpacked_item(&stored, "failed", &json!({ "S": json!(failed).to_string() }));
    let settled_since = unpacked_item(&stored, "failed", &binary(failed.pack().unwrap()));
    let mut redirected_since = pending.clone();
    let moved = pack_target(&target, Dialect::Original).unwrap();
    redirected_since["redirected"] = binary(moved);
    let failed = Quotation { status: failed, ..stored.clone() };
    let moved =
        Quotation { connection: Some(target), dialect: Dialect::Original, ..stored.clone() };
    for (item, expected) in [
        (pending, stored.clone()),
        (settled, failed.clone()),
        (settled_since, failed),
        (redirected_since, moved),
    ] {
        let script = Script::new(1, [got(&item)]).await;
        let read = script.aws.store().quotation(&stored.key).await.unwrap();
        assert_eq!(read, Some(expected));
    }
}

#[tokio::test]
async fn an_answered_quotation_is_one_conditional_write() {
    let at = Timestamp::from_millis(1_800_000_000_123);
    let failed = QuotationStatus::Failed(FailureReason::EmptyCatalogue);
    let answered = Quotation { status: failed, ..quotation(at) };
    let item = json!({
        "request_id": { "S": answered.key.as_str() },
        "packed": { "B": STANDARD.encode(answered.pack().unwrap()) },
        "ttl": { "N": "1800000001" },
        "status": { "S": "failed" },
        "written_by": { "S": NONCE },
    });
    let other = Quotation { items: vec![], ..quotation(at) };
    let mut existing = item.clone();
    existing["written_by"] = json!({ "S": "another" });
    existing["packed"] = json!({ "B": STANDARD.encode(other.pack().unwrap()) });
    let found = Created::Existing(Box::new(other));
    // The first answer was lost. The second attempt fails on what the first has written.
    for (stored, expected) in
        [(&item, Created::New { packed: answered.pack().unwrap().len() }), (&existing, found)]
    {
        let script = Script::new(2, [status(500, "{}"), refused(stored)]).await;
        let created = script.aws.store().store_answered(&answered).await.unwrap();
        assert_eq!(created, expected);
        assert_eq!(script.operations(), ["PutItem", "PutItem"]);
        let asked = script.asked()[0].json();
        assert_eq!(asked["Item"], item);
        assert_eq!(asked["ExpressionAttributeValues"][":now"], json!({ "N": "1800000000" }));
    }
}
