//! Tests of tables and answers with price lists and ladders.

use super::*;

on_both!(
    a_clean_store_with_price_lists_has_no_findings,
    a_ladder_with_another_price_or_rule_is_wrong,
    terms_with_another_price_are_wrong,
    a_table_that_misses_the_end_of_a_list_is_wrong,
    a_table_that_was_validated_after_a_list_began_is_right,
    a_table_by_older_price_lists_is_outdated,
    an_answer_that_the_rows_do_not_give_is_wrong,
);

async fn bring(system: &System, records: serde_json::Value) {
    let (text, path) = (records.to_string(), std::path::Path::new("records.json"));
    let data = read_texts(&[(path, text.as_bytes())], Currency::USD).unwrap();
    let options = LoadOptions { currency: Currency::USD, prune: false, merge: false };
    let ports = &system.ports;
    let loaded = load(&*ports.store, &*ports.clock, &*ports.randomness, &data, options, &|_| {});
    loaded.await.unwrap();
}

/// Returns a system with two customers of a group, each with a table and an answer. The first has the
/// group's list, which ends, a list of their own, and own ladders.
async fn with_price_lists(engine: Engine) -> System {
    let mut system = System::with_fixtures(engine).await;
    let tool = |id: &str| serde_json::json!({"id": id, "name": id, "price": "100.00", "category": "tools"});
    let tools = ["T1", "T2", "T3", "T4"].map(tool);
    bring(
        &system,
        serde_json::json!({
            "products": tools,
            "customers": [
                {"user_id": "ann", "groups": ["gold"]},
                {"user_id": "bob", "groups": ["gold"]},
            ],
            "price_lists": [
                {"price_list": "gold", "groups": ["gold"], "currency": "USD",
                 "until": "2099-01-01T00:00:00Z"},
                {"price_list": "ann", "users": ["ann"], "priority": 1, "currency": "USD"},
            ],
            "prices": [
                {"price_list": "gold", "category": "tools", "percentage": "10"},
                {"price_list": "gold", "product_id": "T1", "min_quantity": "10", "price": "80.00"},
                {"price_list": "ann", "product_id": "T2", "min_quantity": "5", "amount": "25.00"},
            ],
            "user_discounts": [
                {"user_id": "ann", "product_id": "T3", "min_quantity": "2", "price": "70.00"},
                {"user_id": "ann", "product_id": "T4", "percentage": "15"},
            ],
        }),
    )
    .await;
    system.run(WORK);
    for who in ["ann", "bob"] {
        assert_eq!(system.quote(who, "T1:10 T2:5 T3:2 T4:1 P1:1").await.status, "answered");
    }
    system.stop().await;
    system
}

/// Returns packed ladders in which each step is changed.
fn repacked(part: &[u8], change: impl Fn(u32, &mut PriceStep, &mut Rules)) -> Bytes {
    let rows = LadderRows::decode(part).unwrap();
    let (mut rules, mut packer) = (Rules::default(), LadderPacker::default());
    let indexes: Vec<u32> = rows.iter().map(|(index, _)| index).collect();
    for index in indexes {
        let mut steps = rows.steps_in(index, &mut rules).unwrap();
        steps.iter_mut().for_each(|step| change(index, step, &mut rules));
        packer.push(index, &steps, &rules).unwrap();
    }
    packer.finish().unwrap().parts.remove(0).into()
}

async fn a_clean_store_with_price_lists_has_no_findings(engine: Engine) {
    let system = with_price_lists(engine).await;
    let Found { report, findings } = found(&system).await;
    assert_eq!(findings, []);
    assert_eq!((report.tables_checked, report.answers_checked), (2, 2));
    let head = system.head("ann").await.unwrap();
    assert!(head.prices.terms.is_some() && head.valid_until.is_some(), "{head:?}");
}

async fn a_ladder_with_another_price_or_rule_is_wrong(engine: Engine) {
    let system = with_price_lists(engine).await;
    let good = system.head("ann").await.unwrap();
    let OwnStorage::Inline(ladders) = good.prices.ladders.clone() else { panic!("{good:?}") };
    // The row is of T3, which is after the five products of the fixtures and two more.
    let dearer = repacked(&ladders, |index, step, rules| {
        let is_own = rules.get(step.rule).is_some_and(|rule| rule.list.is_none());
        if index == 7 && is_own {
            step.price = Money::from_minor(step.price.minor() + 1);
        }
    });
    change_head(&system, "ann", |head| head.prices.ladders = OwnStorage::Inline(dearer)).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    let expected =
        "product `T3` costs 70.00 from 2 on by the customer's own list, the table says 70.01";
    assert!(what.contains(expected), "{what}");

    let other_rule = repacked(&ladders, |_, step, rules| {
        let mut rule = rules.get(step.rule).unwrap().clone();
        rule.priority += 1;
        step.rule = rules.number(&rule);
    });
    change_head(&system, "ann", |head| head.prices.ladders = OwnStorage::Inline(other_rule)).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("the table says by another rule"), "{what}");

    // A percentage is wrong by the table's own figures, whatever is loaded now.
    let not_calculated = repacked(&ladders, |_, step, _| step.price = Money::from_minor(9_001));
    change_head(&system, "ann", |head| head.prices.ladders = OwnStorage::Inline(not_calculated))
        .await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("100.00 less 10 % is not 90.01"), "{what}");

    change_head(&system, "ann", |head| head.prices.ladders = OwnStorage::NONE).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("product `T2` costs 75.00 from 5 on by list `ann`"), "{what}");
}

async fn terms_with_another_price_are_wrong(engine: Engine) {
    let system = with_price_lists(engine).await;
    let head = system.head("bob").await.unwrap();
    let name = head.base_of(&head.prices).unwrap();
    let store = &system.ports.store;
    let base = store.base(&name).await.unwrap().unwrap();
    let part = store.base_parts(&name, &[0]).await.unwrap().remove(0).unwrap();
    let cheaper = repacked(&part, |_, step, _| {
        if step.price == Money::from_minor(8_000) {
            step.price = Money::from_minor(7_999);
        }
    });
    store.put_base(&name, &base, &[cheaper]).await.unwrap();
    let Found { findings, .. } = found(&system).await;
    assert_eq!(findings.len(), 2, "{findings:?}");
    for Finding { kind, what, .. } in findings {
        assert_eq!(kind, FindingKind::Wrong);
        let expected = "product `T1` costs 80.00 from 10 on by list `gold`, the table says 79.99";
        assert_eq!(what, format!("{expected}, in the same catalogue version"));
    }
}

async fn a_table_that_misses_the_end_of_a_list_is_wrong(engine: Engine) {
    let system = with_price_lists(engine).await;
    change_head(&system, "bob", |head| head.valid_until = None).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("2099-01-01T00:00:00.000Z; the table says never"), "{what}");
    change_head(&system, "bob", |head| {
        head.valid_until = Some("2099-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap())
            .map(|at| ocache::model::Timestamp::from_millis(at.as_millisecond()));
        head.usable_until = ocache::model::Timestamp::from_secs(5_000_000_000);
    })
    .await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("usable after a price list begins or ends"), "{what}");
}

async fn a_table_that_was_validated_after_a_list_began_is_right(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let begins = system.now().plus(Duration::from_secs(60));
    bring(
        &system,
        serde_json::json!({
            "price_lists": [{"price_list": "sale", "everyone": true, "from": begins.to_string()}],
            "prices": [{"price_list": "sale", "percentage": "50"}],
        }),
    )
    .await;
    system.run(WORK);
    assert_eq!(system.quote("bob", "P1:1").await.status, "answered");
    system.stop().await;
    assert_eq!(found(&system).await.findings, []);
    let head = system.head("bob").await.unwrap();
    assert_eq!(head.next.iter().map(|next| next.from).collect::<Vec<_>>(), [begins]);
    // A refresh that finds nothing changed keeps the prices of both periods.
    let after = begins.plus(Duration::from_secs(1));
    change_head(&system, "bob", |head| head.validated_at = after).await;
    assert_eq!(found(&system).await.findings, []);
}

async fn a_table_by_older_price_lists_is_outdated(engine: Engine) {
    let system = with_price_lists(engine).await;
    let row = serde_json::json!({"price_list": "gold", "category": "tools", "percentage": "11"});
    bring(&system, serde_json::json!({ "prices": [row] })).await;
    let Found { findings, .. } = found(&system).await;
    let kinds: Vec<FindingKind> = findings.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [FindingKind::Outdated, FindingKind::Outdated], "{findings:?}");
    assert!(findings[0].what.contains("product `T1` costs 89.00"), "{findings:?}");

    // A customer who has left the group has another price, and the others do not.
    let system = with_price_lists(harness::memory()).await;
    bring(&system, serde_json::json!({"customers": [{"user_id": "bob", "groups": []}]})).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Outdated);
    assert!(what.contains("table of `bob`"), "{what}");
}

async fn an_answer_that_the_rows_do_not_give_is_wrong(engine: Engine) {
    let system = with_price_lists(engine).await;
    let page = system.ports.store.list_quotations(None).await.unwrap();
    let good = page.items.into_iter().find(|quotation| quotation.user == user("ann")).unwrap();
    let QuotationStatus::Answered(answer) = &good.status else { panic!("{good:?}") };
    assert_eq!(answer.lines[0].rule.as_ref().unwrap().list, Some("gold".parse().unwrap()));
    let change = |change: &dyn Fn(&mut Answer)| {
        let mut wrong = answer.as_ref().clone();
        change(&mut wrong);
        wrong
    };
    for (what, wrong) in [
        (
            "product `T1` costs 80.00 at this quantity, the answer says 75.00",
            change(&|answer| {
                let line = &mut answer.lines[0];
                line.unit_price = Money::from_minor(7_500);
                line.discount = "25".parse().unwrap();
                line.total = Money::from_minor(75_000);
                answer.total = Money::from_minor(answer.total.minor() - 5_000);
            }),
        ),
        (
            "product `T1` has its price by another rule",
            change(&|answer| answer.lines[0].rule.as_mut().unwrap().until = None),
        ),
        (
            "80.00 is 20 % less than 100.00, not 21 %",
            change(&|answer| answer.lines[0].discount = "21".parse().unwrap()),
        ),
    ] {
        let stored = store(&system, &good, wrong).await;
        let report = found(&system).await;
        let said: Vec<&str> = report.findings.iter().map(|found| found.what.as_str()).collect();
        assert!(said.len() == 1 && said[0].contains(what), "{what}: {said:?}");
        system.ports.store.delete_quotation(&stored).await.unwrap();
    }
}
