//! Tests of loads: the head that decides, rows with versions, and a journal that is laid over them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::script::{NONCE, RecordedRequest, Script, ScriptedAnswer, got, ok, refused, status};
use crate::meter::journal_items::{JournalItem, pack};
use crate::model::{DigestBuilder, PriceListId, ProductId, Timestamp, UserId};
use crate::ports::{
    AtHead, CatalogueHead, Changes, Commit, Committed, LoadId, PortError, Record, RecordKey,
    RowChange, UserDiscounts,
};
use crate::pricing::{
    Currency, Discount, Discounts, Ladder, ListPrices, MinQuantity, Money, PriceList, PriceRule,
    Product, Recipients, Rounding, Rung, Scope, UnitRounding,
};

mod listing;

fn load() -> LoadId {
    LoadId("l1".to_owned())
}

fn product(id: &str, price: i64) -> Product {
    let id = ProductId::new(id).unwrap();
    Product::new(id, "name".to_owned(), Money::from_minor(price))
}

fn put(id: &str, price: i64) -> RowChange {
    RowChange::Put(Record::Product(product(id, price)))
}

fn delete(id: &str) -> RowChange {
    RowChange::Delete(RecordKey::Product(ProductId::new(id).unwrap()))
}

/// Returns a head at a version, with this journal or none.
fn at(version: u64, unfolded: Option<LoadId>) -> CatalogueHead {
    let (base_version, shared_version) = (version, version);
    CatalogueHead { version, base_version, shared_version, unfolded, ..CatalogueHead::EMPTY }
}

/// Returns a stored product, written by an older release or by the load of a version.
fn row(id: &str, version: Option<u64>) -> Value {
    let mut row =
        json!({ "product_id": { "S": id }, "name": { "S": "name" }, "price": { "N": "1" } });
    if let Some(version) = version {
        row["version"] = json!({ "N": version.to_string() });
    }
    row
}

fn tombstone(id: &str, version: u64) -> Value {
    json!({
        "product_id": { "S": id }, "version": { "N": version.to_string() },
        "deleted": { "BOOL": true }, "ttl": { "N": "9" },
    })
}

fn registered(is_over: bool) -> Value {
    json!({ "M": { "began_at": { "N": "1000" }, "is_over": { "BOOL": is_over } } })
}

/// Returns the head's item, at version 8.
fn head_item(unfolded: Option<&str>, journals: &[(&str, bool)]) -> Value {
    let mut item = json!({
        "product_id": { "S": "\u{1}catalogue" }, "version": { "N": "8" },
        "base_version": { "N": "8" }, "currency": { "S": "USD" }, "written_by": { "S": "x" },
    });
    for (load, is_over) in journals {
        item[format!("journal:{load}")] = registered(*is_over);
    }
    if let Some(load) = unfolded {
        item["unfolded"] = json!({ "S": load });
    }
    item
}

fn items(items: &[Value]) -> ScriptedAnswer {
    ok(json!({ "Items": items }).to_string())
}

fn journal(changes: &[RowChange]) -> Vec<Value> {
    let item = |item: JournalItem| {
        let packed = BASE64_STANDARD.encode(&item.packed);
        json!({
            "load_id": { "S": "l1" }, "first": { "S": item.first }, "changes": { "B": packed },
        })
    };
    pack(changes).unwrap().into_iter().map(item).collect()
}

fn commit() -> Commit {
    let (currency, rounding) = (Currency::USD, UnitRounding::PLAIN);
    Commit { load: load(), currency, rounding, changes: Changes::PRODUCTS }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_in_force() {
    let mut stored = head_item(Some("l1"), &[("l1", false)]);
    stored["written_by"] = json!({ "S": NONCE });
    let script = Script::new(2, [status(500, "{}"), refused(&stored)]).await;
    let committed = script.aws.store().commit_load(&commit(), Some(7)).await.unwrap();
    assert_eq!(committed, Committed::Version(8));
    assert_eq!(script.operations(), ["UpdateItem", "UpdateItem"]);
}

#[tokio::test]
async fn a_refused_commit_says_whether_it_can_be_tried_again() {
    for (stored, told) in [
        (head_item(None, &[("l1", false)]), Committed::Conflict),
        (head_item(Some("l0"), &[("l0", false), ("l1", false)]), Committed::Conflict),
        (head_item(None, &[("l1", true)]), Committed::Dropped),
        (head_item(None, &[]), Committed::Dropped),
    ] {
        let script = Script::new(1, [refused(&stored)]).await;
        let committed = script.aws.store().commit_load(&commit(), Some(7)).await.unwrap();
        assert_eq!(committed, told, "{stored}");
    }
}

#[tokio::test]
async fn a_commit_is_one_conditional_write() {
    let script = Script::new(1, vec![ok("{}"); 5]).await;
    let store = script.aws.store();
    assert_eq!(store.commit_load(&commit(), None).await.unwrap(), Committed::Version(1));
    let discounts_only = Commit { changes: Changes::NONE, ..commit() };
    store.commit_load(&discounts_only, None).await.unwrap();
    store.commit_load(&discounts_only, Some(7)).await.unwrap();
    let changes = Changes { lists: true, customers: true, ..Changes::NONE };
    let rounding = UnitRounding { unit_decimals: 2, rounding: Rounding::HalfUp };
    store.commit_load(&Commit { changes, rounding, ..commit() }, Some(7)).await.unwrap();
    let changes = Changes { shared_lists: true, ..Changes::NONE };
    store.commit_load(&Commit { changes, ..commit() }, Some(7)).await.unwrap();
    let asked: Vec<Value> = script.asked().iter().map(RecordedRequest::json).collect();
    for request in &asked {
        let condition = request["ConditionExpression"].as_str().unwrap();
        assert!(condition.contains("attribute_not_exists(unfolded)"), "{condition}");
        assert!(condition.contains("#journal.is_over = :no"), "{condition}");
        assert_eq!(request["ExpressionAttributeNames"]["#journal"], "journal:l1");
    }
    let text = |at: usize, part: &str| asked[at][part].as_str().unwrap().to_owned();
    assert!(text(0, "ConditionExpression").starts_with("attribute_not_exists(version)"));
    assert!(text(2, "ConditionExpression").starts_with("version = :expected"));
    for (at, versions) in [
        "base_version = :next, shared_version = :next, currency",
        "base_version = :zero, currency",
        "base_version = if_not_exists(base_version, version), currency",
        "base_version = if_not_exists(base_version, version), lists_version = :next, \
         has_customers = :yes, currency",
        "base_version = if_not_exists(base_version, version), shared_version = :next, currency",
    ]
    .into_iter()
    .enumerate()
    {
        let update = text(at, "UpdateExpression");
        assert!(update.starts_with(&format!("SET version = :next, {versions}")), "{update}");
    }
    assert_eq!(asked[2]["ExpressionAttributeValues"][":next"], json!({ "N": "8" }));
    let values = &asked[3]["ExpressionAttributeValues"];
    assert_eq!(values[":yes"], json!({ "BOOL": true }));
    assert_eq!(values[":decimals"], json!({ "N": "2" }));
    assert_eq!(values[":rounding"], json!({ "S": "half-up" }));
}

#[tokio::test]
async fn heads_of_all_releases_are_read() {
    let before = json!({
        "product_id": { "S": "\u{1}catalogue" }, "version": { "N": "7" },
        "currency": { "S": "CHF" }, "load_id": { "S": "l" }, "load_deadline": { "N": "1" },
        "load_currency": { "S": "USD" },
    });
    let first = json!({ "product_id": { "S": "\u{1}catalogue" }, "journal:l1": registered(false) });
    let without_lists = head_item(Some("l1"), &[("l1", false)]);
    let mut now = without_lists.clone();
    now["lists_version"] = json!({ "N": "6" });
    now["shared_version"] = json!({ "N": "5" });
    now["has_customers"] = json!({ "BOOL": true });
    now["unit_decimals"] = json!({ "N": "2" });
    now["rounding"] = json!({ "S": "half-up" });
    let script = Script::new(1, [&before, &first, &without_lists, &now].map(got)).await;
    let store = script.aws.store();
    let head = store.catalogue_head().await.unwrap().unwrap();
    let francs = Currency::try_from("CHF".to_owned()).unwrap();
    assert_eq!(head, CatalogueHead { currency: francs, ..at(7, None) });
    assert_eq!(store.catalogue_head().await.unwrap(), None);
    assert_eq!(store.catalogue_head().await.unwrap(), Some(at(8, Some(load()))));
    let head = store.catalogue_head().await.unwrap().unwrap();
    let rounding = UnitRounding { unit_decimals: 2, rounding: Rounding::HalfUp };
    let (lists_version, shared_version, has_customers) = (6, 5, true);
    let at = at(8, Some(load()));
    let expected = CatalogueHead { lists_version, shared_version, has_customers, rounding, ..at };
    assert_eq!(head, expected);
}

#[tokio::test]
async fn a_load_that_a_release_without_journals_left_half_done_is_known() {
    let mut loading = head_item(None, &[]);
    loading["load_id"] = json!({ "S": "l0" });
    let heads = [Some(loading), Some(head_item(None, &[])), None];
    let answers = heads.map(|head| head.map_or_else(|| ok("{}"), |item| got(&item)));
    let script = Script::new(1, answers).await;
    for expected in [true, false, false] {
        assert_eq!(script.aws.is_half_loaded().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn journals_are_all_but_the_one_of_the_head() {
    let item = head_item(Some("l0"), &[("l0", false), ("l1", false), ("l2", true)]);
    let script = Script::new(1, [got(&item)]).await;
    let mut journals = script.aws.store().journals().await.unwrap();
    journals.sort_by(|a, b| a.load.cmp(&b.load));
    let told: Vec<_> =
        journals.iter().map(|journal| (journal.load.0.as_str(), journal.is_over)).collect();
    assert_eq!(told, [("l1", false), ("l2", true)]);
    assert_eq!(journals[0].began_at, Timestamp::from_secs(1));
}

#[tokio::test]
async fn rows_are_folded_over_lower_versions_only() {
    let rows = json!({ "Responses": { "test-products": [
        row("P1", Some(5)), row("P2", Some(4)), tombstone("P4", 6),
    ] } });
    let written_meanwhile = refused(&row("P2", Some(6)));
    let script = Script::new(1, [ok(rows.to_string()), written_meanwhile, ok("{}")]).await;
    let changes = [put("P1", 2), put("P2", 2), delete("P3"), put("P4", 2)];
    let forget_at = Timestamp::from_millis(8_001);
    script.aws.store().fold(&load(), 5, &changes, forget_at).await.unwrap();
    let asked = script.asked();
    assert_eq!(script.operations(), ["BatchGetItem", "PutItem", "PutItem"]);
    let mut puts: Vec<Value> = asked[1..].iter().map(RecordedRequest::json).collect();
    puts.sort_by_key(|put| put["Item"]["product_id"]["S"].to_string());
    for put in &puts {
        let condition = &put["ConditionExpression"];
        assert_eq!(condition, "attribute_not_exists(version) OR version < :version");
        assert_eq!(put["ExpressionAttributeValues"][":version"], json!({ "N": "5" }));
    }
    let mut folded = row("P2", Some(5));
    folded["price"] = json!({ "N": "2" });
    assert_eq!(puts[0]["Item"], folded);
    assert_eq!(puts[1]["Item"], tombstone("P3", 5));
}

#[tokio::test]
async fn rows_of_a_later_version_are_not_read() {
    let rows = |rows: Value| ok(json!({ "Responses": { "test-products": rows } }).to_string());
    let answers = [
        rows(json!([row("P1", Some(6))])),
        rows(json!([row("P1", None), tombstone("P2", 6)])),
        rows(json!([row("P1", None), tombstone("P2", 5)])),
    ];
    let script = Script::new(1, answers).await;
    let (store, ids) = (script.aws.store(), ["P1", "P2"].map(|id| ProductId::new(id).unwrap()));
    assert_eq!(store.products(&ids, &at(5, None)).await.unwrap(), AtHead::Moved);
    assert_eq!(store.products(&ids, &at(5, None)).await.unwrap(), AtHead::Moved);
    let read = store.products(&ids, &at(5, None)).await.unwrap();
    assert_eq!(read, AtHead::Read(vec![product("P1", 1)]));
    let asked = script.asked()[0].json();
    assert_eq!(asked["RequestItems"]["test-products"]["ConsistentRead"], true);
}

#[tokio::test]
async fn a_journal_is_laid_over_rows_as_long_as_the_head_names_it() {
    // Rows and journal are read side by side, so one answer serves both reads.
    let both = |rows: &[Value]| {
        let changes = journal(&[put("P1", 2), put("P3", 2)]);
        ok(json!({ "Responses": { "test-products": rows }, "Items": changes }).to_string())
    };
    let ids = ["P1", "P2"].map(|id| ProductId::new(id).unwrap());
    for (head, is_read) in
        [(head_item(Some("l1"), &[]), true), (head_item(None, &[("l1", true)]), false)]
    {
        let read = || both(&[row("P1", Some(7)), row("P2", Some(7))]);
        // The journal has no change of P2, or the item with it was dropped.
        let script = Script::new(1, [read(), read(), got(&head)]).await;
        let read = script.aws.store().products(&ids, &at(8, Some(load()))).await.unwrap();
        let whole = vec![product("P2", 1), product("P1", 2)];
        assert_eq!(read, if is_read { AtHead::Read(whole) } else { AtHead::Moved });
    }
    // What the journal has needs no second read of the head.
    let read = || both(&[row("P1", Some(7))]);
    let script = Script::new(1, [read(), read()]).await;
    let read = script.aws.store().products(&ids[..1], &at(8, Some(load()))).await.unwrap();
    assert_eq!(read, AtHead::Read(vec![product("P1", 2)]));
}

#[tokio::test]
async fn what_was_written_to_a_journal_that_is_over_is_taken_back() {
    for (head, written) in
        [(head_item(None, &[("l1", false)]), true), (head_item(None, &[("l1", true)]), false)]
    {
        let script = Script::new(1, [ok("{}"), got(&head), ok("{}")]).await;
        let changes = [put("P1", 2), delete("P2")];
        assert_eq!(script.aws.store().write_journal(&load(), &changes).await.unwrap(), written);
        let asked: Vec<Value> = script.asked().iter().map(RecordedRequest::json).collect();
        let writes = |at: usize| asked[at]["RequestItems"]["test-journal"].clone();
        assert_eq!(writes(0)[0]["PutRequest"]["Item"]["first"], json!({ "S": "0/P1" }));
        if written {
            assert_eq!(asked.len(), 2);
        } else {
            let key = json!({ "load_id": { "S": "l1" }, "first": { "S": "0/P1" } });
            assert_eq!(writes(2), json!([{ "DeleteRequest": { "Key": key } }]));
        }
    }
}

#[tokio::test]
async fn a_journal_is_over_before_its_first_item_is_deleted() {
    let keys = json!({ "load_id": { "S": "l1" }, "first": { "S": "0/P1" } });
    let answers = [ok("{}"), items(&[keys]), ok("{}"), ok("{}")];
    let script = Script::new(1, answers).await;
    script.aws.store().drop_journal(&load()).await.unwrap();
    let order = ["UpdateItem", "Query", "BatchWriteItem", "UpdateItem"];
    assert_eq!(script.operations(), order);
    let asked: Vec<Value> = script.asked().iter().map(RecordedRequest::json).collect();
    assert_eq!(asked[0]["UpdateExpression"], "SET #journal.is_over = :yes");
    assert!(asked[0]["ConditionExpression"].as_str().unwrap().contains("unfolded <> :load"));
    assert_eq!(asked[3]["UpdateExpression"], "REMOVE #journal");

    // The head names this journal.
    let script = Script::new(1, [refused(&head_item(Some("l1"), &[("l1", false)]))]).await;
    script.aws.store().drop_journal(&load()).await.unwrap();
    assert_eq!(script.operations(), ["UpdateItem"]);
}

#[tokio::test]
async fn each_page_of_a_journal_is_deleted_before_the_next_is_read() {
    let key = |first: &str| json!({ "load_id": { "S": "l1" }, "first": { "S": first } });
    let (one, two) = (key("0/P1"), key("0/P2"));
    let page = json!({ "Items": [one], "LastEvaluatedKey": one }).to_string();
    let answers = [ok("{}"), ok(&page), ok("{}"), items(&[two]), ok("{}"), ok("{}")];
    let script = Script::new(1, answers).await;
    script.aws.store().drop_journal(&load()).await.unwrap();
    let order = ["UpdateItem", "Query", "BatchWriteItem", "Query", "BatchWriteItem", "UpdateItem"];
    assert_eq!(script.operations(), order);
    assert_eq!(script.asked()[3].json()["ExclusiveStartKey"], one);
}

/// Returns an id of the greatest length that shares nothing with others.
fn without_a_pattern(n: u64) -> String {
    let digest = DigestBuilder::new("test").number(n).finish().to_string();
    digest.repeat(2)[..ProductId::MAX_BYTES].to_owned()
}

#[tokio::test]
async fn a_row_that_is_too_large_is_named_before_anything_is_sent() {
    let discount = |n: u64| Discount {
        product_id: ProductId::new(without_a_pattern(n)).unwrap(),
        percentage: "12.345678".parse().unwrap(),
    };
    let discounts = Discounts::new((0..7000).map(discount).collect()).unwrap();
    let list = UserDiscounts::new(UserId::new("ann").unwrap(), discounts);
    let changes = [RowChange::Put(Record::Discounts(list))];
    let script = Script::new(1, []).await;
    let error = script.aws.store().write_journal(&load(), &changes).await.unwrap_err();
    assert!(
        matches!(&error, PortError::Rejected { what, .. } if what.contains("`ann`")),
        "{error}"
    );
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn a_list_for_too_many_users_is_named_with_a_way_out() {
    let users = (0..7000).map(|n| UserId::new(without_a_pattern(n)).unwrap()).collect();
    let list = PriceList {
        id: PriceListId::new("gold").unwrap(),
        priority: 0,
        currency: None,
        from: None,
        until: None,
        recipients: Recipients { users, ..Recipients::default() },
        is_wide: false,
        revision: 1,
    };
    let changes = [RowChange::Put(Record::PriceList(list))];
    let script = Script::new(1, []).await;
    let error = script.aws.store().write_journal(&load(), &changes).await.unwrap_err();
    let PortError::Rejected { what, why } = &error else { panic!("{error:?}") };
    assert_eq!(what, "price list `gold`");
    assert!(why.contains("409600") && why.contains("group"), "{why}");
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn rows_of_a_list_are_read_under_its_key_and_under_the_names_of_its_changes() {
    let list = PriceListId::new("gold").unwrap();
    let key = RecordKey::Prices(list.clone(), Scope::All);
    let changes = journal(&[RowChange::Delete(key)]);
    let head = head_item(Some("l1"), &[("l1", false)]);
    let rung = Rung { min_quantity: MinQuantity::ZERO, rule: PriceRule::Price(Money::ZERO) };
    let ladder = Ladder::new(vec![rung]).unwrap();
    let stored = |scope: &str| {
        json!({
            "list_id": { "S": "gold" }, "scope_id": { "S": scope }, "version": { "N": "7" },
            "ladder": { "B": BASE64_STANDARD.encode(ladder.pack().unwrap()) },
        })
    };
    let rows = [stored("all"), stored("category/tools")];
    let script = Script::new(1, [items(&changes), got(&head), items(&rows)]).await;
    let store = script.aws.store();
    let page = store.list_prices(&list, &at(8, Some(load())), None).await.unwrap();
    let AtHead::Read(page) = page else { panic!("{page:?}") };
    let scope = Scope::Category("tools".parse().unwrap());
    assert_eq!(page.items, [ListPrices { list, scope, ladder }]);
    let asked: Vec<Value> = script.asked().iter().map(RecordedRequest::json).collect();
    let value = |at: usize, name: &str| asked[at]["ExpressionAttributeValues"][name]["S"].clone();
    assert_eq!(value(0, ":kind"), "4/gold\u{1}");
    assert_eq!(value(2, ":list"), "gold");
    assert_eq!(asked[2]["ConsistentRead"], true);
}

/// Tests a list that version 0.1.0 wrote, and one as it is written now.
#[tokio::test]
async fn lists_of_the_version_before_are_read() {
    let head = CatalogueHead { version: 1, base_version: 1, ..CatalogueHead::EMPTY };
    let discount = |id: &str, percentage: &str| Discount {
        product_id: ProductId::new(id).unwrap(),
        percentage: percentage.parse().unwrap(),
    };
    let list = vec![discount("P1", "12.5"), discount("株", "0.000001")];
    let discounts = Discounts::new(list.clone()).unwrap();
    let entry = |one: &Discount| {
        json!({ "M": {
            "product_id": { "S": one.product_id.as_str() },
            "percentage": { "N": one.percentage.to_string() },
        } })
    };
    let entries: Vec<Value> = list.iter().map(entry).collect();
    let packed = BASE64_STANDARD.encode(discounts.pack().unwrap());
    for stored in [json!({ "L": entries }), json!({ "B": packed })] {
        let item = json!({
            "user_id": { "S": "ann" }, "version": { "N": "1" }, "discounts": stored,
        });
        let answer = json!({ "Responses": { "test-discounts": [item] }, "UnprocessedKeys": {} });
        let script = Script::new(1, [ok(answer.to_string())]).await;
        let user = UserId::new("ann").unwrap();
        let read = script.aws.store().discounts(std::slice::from_ref(&user), &head).await;
        let expected = UserDiscounts::new(user, discounts.clone());
        assert_eq!(read.unwrap(), AtHead::Read(vec![expected]));
    }
}
