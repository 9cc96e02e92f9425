//! Tests of `ocache verify`: its output and its exit codes.

use std::sync::Arc;
use std::time::Duration;

use ocache::embedded::Embedded;
use ocache::memory::MemoryConnections;
use ocache::model::UserId;
use ocache::ports::{Flip, NewTable, OwnStorage, Ports, SystemClock, SystemRandomness, TableHead};
use ocache::supervisor::Supervisor;
use serde_json::{Value, json};

use super::process::{Home, text};

/// Returns a store in which AAA was quoted, and the request id of that quote.
fn quoted() -> (Home, String) {
    let home = Home::with_fixtures();
    let _worker = home.worker("price-calc");
    let quotation = home.json(&["quote", "--client", "AAA", "P1:2", "P3:0.5", "P9:1"]);
    (home, quotation["request_id"].as_str().unwrap().to_owned())
}

/// Changes the table of AAA without ocache's knowledge.
fn meddle(home: &Home, with: impl AsyncFnOnce(&Ports, &UserId, TableHead)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let dir = home.path().join("data");
        let store = Embedded::open(
            &dir,
            Arc::new(SystemClock),
            Arc::new(SystemRandomness),
            &Supervisor::new(),
        )
        .unwrap();
        let ports = store.ports(Arc::new(MemoryConnections::default()));
        let user = UserId::new("AAA").unwrap();
        let heads = ports.store.table_heads(std::slice::from_ref(&user)).await.unwrap();
        let (_, head) = heads.into_iter().next().unwrap();
        with(&ports, &user, head).await;
        store.close().await;
    });
}

fn failing(home: &Home, args: &[&str], code: i32) -> (Value, String) {
    let output = home.run(&[args, &["--output", "json"]].concat());
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    (serde_json::from_slice(&output.stdout).unwrap(), stderr)
}

#[test]
fn a_clean_store_is_right_and_a_damaged_one_is_not() {
    let (home, _) = quoted();
    let report = home.json(&["verify", "--all", "--strict"]);
    assert_eq!(report["findings"], json!([]));
    assert_eq!(
        (&report["tables"]["checked"], &report["answers"]["checked"]),
        (&json!(1), &json!(1))
    );
    assert!(home.ok(&["verify"]).contains("0 of 1 tables of active customers stale"));

    meddle(&home, async |ports, user, head| {
        let OwnStorage::Inline(rows) = &head.own else { panic!("{head:?}") };
        let mut bytes = rows.to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let own = OwnStorage::Inline(bytes.into());
        let damaged = TableHead { own, version: head.version + 1, ..head.clone() };
        let until = head.parts_expire_at;
        let table = NewTable::new(user, &damaged, until).replacing(Some(head.version));
        let put = ports.store.put_table(table).await;
        assert_eq!(put.unwrap(), Flip::Done);
    });
    let (report, stderr) = failing(&home, &["verify"], 3);
    assert_eq!(report["tables"]["wrong"], 1);
    assert_eq!(
        (&report["findings"][0]["kind"], &report["findings"][0]["user"]),
        (&json!("wrong"), &json!("AAA"))
    );
    assert!(stderr.contains("1 wrong") && stderr.contains("\"hint\":\""), "{stderr}");
}

#[test]
fn what_is_only_old_fails_only_when_it_shall() {
    let (home, _) = quoted();
    meddle(&home, async |ports, user, head| {
        let long_ago = head.validated_at.minus(Duration::from_secs(300));
        let old = TableHead {
            version: head.version + 1,
            validated_at: long_ago,
            fresh_until: long_ago.plus(Duration::from_secs(120)),
            pricing_version: 0,
            ..head.clone()
        };
        let until = head.parts_expire_at;
        let table = NewTable::new(user, &old, until).replacing(Some(head.version));
        ports.store.put_table(table).await.unwrap();
    });
    let report = home.json(&["verify"]);
    assert_eq!(
        (&report["tables"]["other_rules"], &report["active_users"]["stale"]),
        (&json!(1), &json!(1))
    );
    assert!(report["active_users"]["age_secs"]["p50"].as_f64().unwrap() >= 300.0);
    let (_, stderr) = failing(&home, &["verify", "--strict"], 3);
    assert!(stderr.contains("1 of other pricing rules, 1 stale"), "{stderr}");
}

#[test]
fn an_answer_is_explained_line_by_line() {
    let (home, id) = quoted();
    let explained = home.json(&["verify", "--quotation", &id]);
    let line = &explained["lines"][1];
    assert_eq!(
        (&line["list_price"], &line["rule"], &line["exact_unit_price"], &line["unit_price"]),
        (&json!("1029.00"), &json!("list price less 12 %"), &json!("905.52"), &json!("905.52"))
    );
    assert_eq!((&line["exact_total"], &line["total"]), (&json!("452.76"), &json!("452.76")));
    assert_eq!(
        (&explained["total"], &explained["unavailable"]),
        (&json!("1352.76"), &json!(["P9"]))
    );
    let shown = home.ok(&["verify", "--quotation", &id]);
    assert!(shown.contains("right") && shown.contains("by rule version 2"), "{shown}");
    home.fails(4, &["verify", "--quotation", "q_00000000000000000000000000"]);
    home.fails(2, &["verify", "--quotation", "mine"]);
    home.fails(2, &["verify", "--quotation", &id, "--all"]);
}

#[test]
fn a_load_orders_the_tables_it_changes() {
    let (home, _) = quoted();
    let change = |percentage: u32| {
        let row = json!([{ "user_id": "AAA", "discounts": [{ "product_id": "P1", "percentage": percentage }] }]);
        home.file("discounts.json", row.to_string())
    };
    let report = home.json(&["load", &change(50)]);
    assert_eq!(report["tables_ordered"], 1);
    let _worker = home.worker("price-calc");
    // Only the order can bring the new price, because no schedule runs.
    loop {
        let one = home.json(&["prices", "AAA", "--product", "P1"]);
        if one["prices"][0]["unit_price"] == "250.00" {
            break;
        }
    }
    assert_eq!(home.json(&["load", &change(50)])["tables_ordered"], 0);
    assert_eq!(home.json(&["verify", "--all"])["tables"]["outdated"], 0);
}
