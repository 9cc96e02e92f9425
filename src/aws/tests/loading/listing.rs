//! Tests of listings with a journal laid over the rows.

use super::*;
use crate::ports::{Cursor, Segment};

#[tokio::test]
async fn a_listing_within_a_journal_that_was_folded_is_over() {
    let script = Script::new(1, []).await;
    let from = Some(Cursor("puts".to_owned()));
    let page = script.aws.store().list_products(&at(8, None), Segment::ALL, from).await.unwrap();
    assert_eq!(page.read().map(|page| (page.items.len(), page.next.is_some())), Some((0, false)));
    assert!(script.operations().is_empty());
}

#[tokio::test]
async fn a_listing_leaves_out_what_the_journal_changes_and_ends_with_what_it_puts() {
    let changes = journal(&[put("P1", 2), delete("P2"), put("P3", 2)]);
    let head = head_item(Some("l1"), &[("l1", false)]);
    let rows = [head.clone(), row("P1", Some(7)), row("P2", None), row("P4", None)];
    let answers = [items(&changes), got(&head), items(&rows), items(&changes), got(&head)];
    let script = Script::new(1, answers).await;
    let (store, at) = (script.aws.store(), at(8, Some(load())));
    let AtHead::Read(first) = store.list_products(&at, Segment::ALL, None).await.unwrap() else {
        panic!()
    };
    assert_eq!(first.items, [product("P4", 1)]);
    let AtHead::Read(last) = store.list_products(&at, Segment::ALL, first.next).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(last.items, [product("P1", 2), product("P3", 2)]);
    assert!(last.next.is_none());
    assert_eq!(script.operations(), ["Query", "GetItem", "Scan", "Query", "GetItem"]);
}

#[tokio::test]
async fn segments_side_by_side_read_the_names_of_a_journal_once() {
    let changes = journal(&[put("P1", 2)]);
    let head = head_item(Some("l1"), &[("l1", false)]);
    let of = |id| items(&[row(id, None)]);
    let more =
        json!({ "Items": [row("P3", None)], "LastEvaluatedKey": { "product_id": { "S": "P3" } } });
    let answers = [
        // The first page of the first segment, and what the journal puts.
        [items(&changes), got(&head), of("P2"), items(&changes), got(&head)].to_vec(),
        // Both pages of the second segment.
        vec![ok(more.to_string()), of("P4")],
    ];
    let script = Script::new(1, answers.concat()).await;
    let (store, at) = (script.aws.store(), at(8, Some(load())));
    let page = async |index, from| {
        let segment = Segment { index, count: 2 };
        match store.list_products(&at, segment, from).await.unwrap() {
            AtHead::Read(page) => page,
            AtHead::Moved => panic!("nobody loads"),
        }
    };
    let first = page(0, None).await;
    let puts = page(0, first.next).await;
    assert_eq!((puts.items, puts.next), (vec![product("P1", 2)], None));
    let second = page(1, None).await;
    assert_eq!(page(1, second.next).await.items, [product("P4", 1)]);
    let operations = ["Query", "GetItem", "Scan", "Query", "GetItem", "Scan", "Scan"];
    assert_eq!(script.operations(), operations, "the names are read first, and never again");
}

#[tokio::test]
async fn a_listing_whose_journal_is_dropped_on_the_way_begins_again() {
    let (folded, changes) = (head_item(None, &[("l1", true)]), journal(&[put("P1", 2)]));
    let script = Script::new(1, [items(&[]), got(&folded), items(&changes), got(&folded)]).await;
    let (store, at) = (script.aws.store(), at(8, Some(load())));
    let first = store.list_products(&at, Segment::ALL, None).await.unwrap();
    assert!(matches!(first, AtHead::Moved), "{first:?}");
    let last =
        store.list_products(&at, Segment::ALL, Some(Cursor("puts".to_owned()))).await.unwrap();
    assert!(matches!(last, AtHead::Moved), "{last:?}");
}
