//! Verification: it finds what is wrong, says what is only old, and finds nothing where nothing is.

#[path = "system/harness.rs"]
#[allow(dead_code, reason = "other tests of systems use the rest of it")]
mod harness;

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use harness::{Engine, System, user};
use ocache::data::{LoadOptions, apply, load, read_texts};
use ocache::model::{ProductId, QuotationKey};
use ocache::ports::{
    AtHead, Flip, Own, Ports, Quotation, QuotationStatus, Segment, Settlement, TableHead,
    UserDiscounts, Verdict,
};
use ocache::pricing::{
    Answer, Base, Currency, Discount, Discounts, LadderPacker, LadderRows, Money, OwnRow, OwnRows,
    PackedBase, PackedOwn, Product, Rounding, Rules, Step as PriceStep,
};
use ocache::runtime::Role;
use ocache::verify::{
    Audience, Finding, Kind, Report, Step, VerifyError, VerifyOptions, explain, verify,
};

const WORK: &[Role] = &[Role::PriceCalc, Role::QuotationProvider];

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $test() { super::$test(super::harness::memory()).await; })*
        }
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(super::harness::embedded()).await; })*
        }
    };
}

on_both!(
    a_clean_store_has_no_findings,
    a_table_with_another_price_is_wrong,
    a_base_with_another_name_is_wrong,
    a_table_that_does_not_add_up_is_wrong,
    a_table_without_a_part_or_with_a_damaged_one_is_wrong,
    a_head_that_claims_what_is_not_there_is_wrong,
    a_table_by_older_inputs_is_outdated_and_not_wrong,
    a_discount_changed_in_a_table_is_wrong,
    a_stale_table_of_an_active_user_is_told_apart,
    a_table_by_older_rules_is_told_apart,
    a_wrong_answer_is_found_and_explained,
    a_clean_store_with_price_lists_has_no_findings,
    a_ladder_with_another_price_or_rule_is_wrong,
    terms_with_another_price_are_wrong,
    a_table_that_misses_the_end_of_a_list_is_wrong,
    a_table_by_older_price_lists_is_outdated,
    an_answer_that_the_rows_do_not_give_is_wrong,
);

/// A verification of all there is, with its findings.
#[derive(Debug)]
struct Found {
    report: Report,
    findings: Vec<Finding>,
}

async fn found(system: &System) -> Found {
    let options = VerifyOptions { tables: None, answers: None, seed: 1 };
    let mut findings = vec![];
    let verified = verify(&*system.ports.store, options, system.now(), &mut findings).await;
    Found { report: verified.unwrap(), findings }
}

/// The kind of the one finding, and what it says.
async fn finding(system: &System) -> (Kind, String) {
    let found = found(system).await;
    assert_eq!(found.findings.len(), 1, "{found:?}");
    let finding = &found.findings[0];
    (finding.kind, format!("{}: {}", finding.subject, finding.what))
}

/// Loads one more product whenever quotations are read, so many times; on the memory engine, where a
/// load ends at once.
struct Loader {
    ports: Ports,
    loads_left: u32,
    restarts: u32,
    findings: Vec<Finding>,
}

impl Audience for Loader {
    fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn progress(&mut self, step: Step, _: u64) {
        if step == Step::Quotations && self.loads_left > 0 {
            self.loads_left -= 1;
            let product = Product::new(
                format!("Q{}", self.loads_left).parse().unwrap(),
                "one more".to_owned(),
                Money::from_minor(1),
            );
            let load = apply(&self.ports, vec![product.into()], Currency::USD);
            load.now_or_never().unwrap().unwrap();
        }
    }

    fn starts_over(&mut self) {
        self.restarts += 1;
    }
}

/// A system with two users' tables and an answer of each.
async fn quoted(engine: Engine) -> System {
    let mut system = System::with_fixtures(engine).await;
    system.run(WORK);
    for who in ["AAA", "BBB"] {
        assert_eq!(system.quote(who, "P1:2 P3:0.5 P9:1").await.status, "answered");
    }
    system.stop().await;
    system
}

fn packed(products: &[(&str, i64)]) -> PackedBase {
    let product = |(id, minor): &(&str, i64)| {
        Product::new(
            ProductId::new(*id).unwrap(),
            format!("Product {id}"),
            Money::from_minor(*minor),
        )
    };
    PackedBase::new(Currency::USD, products.iter().map(product).collect()).unwrap()
}

/// The products in force, sorted by id.
async fn stored_products(system: &System) -> Vec<Product> {
    let store = &system.ports.store;
    let head = store.catalogue_head().await.unwrap().unwrap();
    let AtHead::Read(page) = store.list_products(&head, Segment::ALL, None).await.unwrap() else {
        panic!("a load came between")
    };
    let mut products = page.items;
    products.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    products
}

/// The parts of the base of these products.
fn parts_of(products: Vec<Product>) -> Vec<Bytes> {
    let packed = PackedBase::new(Currency::USD, products).unwrap();
    packed.parts.into_iter().map(Bytes::from).collect()
}

/// Replaces what is stored of the base that a user's table was priced against.
async fn overwrite_base(system: &System, who: &str, parts: Vec<Bytes>) {
    let name = system.head(who).await.unwrap().base();
    let base = system.ports.store.base(&name).await.unwrap().unwrap();
    system.ports.store.put_base(&name, &base, &parts).await.unwrap();
}

/// Replaces a user's own rows.
async fn overwrite_own(system: &System, who: &str, own: &OwnRows) {
    let packed = PackedOwn::new(own).unwrap().parts.remove(0);
    change_head(system, who, |head| head.own = Own::Inline(packed.into())).await;
}

fn priced(discounts: &Discounts) -> OwnRows {
    let base = Base::new(&packed(&PRODUCTS)).unwrap();
    OwnRows::price(base.index(), discounts, Rounding::HalfEven, |number| base.part(number)).unwrap()
}

/// Replaces a user's head by a changed one.
async fn change_head(system: &System, who: &str, change: impl FnOnce(&mut TableHead)) {
    let mut head = system.head(who).await.unwrap();
    let expected = head.version;
    head.version += 1;
    change(&mut head);
    let until = system.now().plus(Duration::from_secs(3600));
    let flip =
        system.ports.store.put_table(&user(who), &head, &[], Some(expected), until, None).await;
    assert_eq!(flip.unwrap(), Flip::Done);
}

fn list(discounts: &[(&str, &str)]) -> Discounts {
    let list = discounts.iter().map(|(product, percentage)| Discount {
        product_id: product.parse().unwrap(),
        percentage: percentage.parse().unwrap(),
    });
    Discounts::new(list.collect()).unwrap()
}

const PRODUCTS: [(&str, i64); 5] =
    [("P1", 50_000), ("P2", 57_800), ("P3", 102_900), ("P4", 14_500), ("P5", 1_084_300)];
const OF_AAA: [(&str, &str); 3] = [("P1", "10"), ("P2", "15"), ("P3", "12")];

async fn a_clean_store_has_no_findings(engine: Engine) {
    let system = quoted(engine).await;
    let Found { report, findings } = found(&system).await;
    assert_eq!((report.tables, report.tables_checked, report.active_tables), (2, 2, 2));
    assert_eq!((report.answers, report.answers_checked), (2, 2));
    assert_eq!(findings, []);
    // A sample is no more than was asked for.
    let options = VerifyOptions { tables: Some(1), answers: Some(1), seed: 1 };
    let mut findings = vec![];
    let verified = verify(&*system.ports.store, options, system.now(), &mut findings).await;
    let report = verified.unwrap();
    assert_eq!((report.tables, report.tables_checked), (2, 1));
    assert_eq!((report.answers, report.answers_checked), (2, 1));
}

async fn a_table_with_another_price_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    let mut products = stored_products(&system).await;
    products[3].price = products[3].price.map(|price| Money::from_minor(price.minor() + 1));
    overwrite_base(&system, "AAA", parts_of(products)).await;
    // Of everybody whose table was priced against that base.
    let Found { findings, .. } = found(&system).await;
    let users: Vec<String> = findings.iter().map(|found| found.subject.to_string()).collect();
    assert_eq!(users, ["table of `AAA`", "table of `BBB`"]);
    for Finding { kind, what, .. } in findings {
        assert_eq!(kind, Kind::Wrong);
        assert!(what.contains("product `P4` costs 145.00"), "{what}");
        assert!(what.contains("the table says 145.01"), "{what}");
    }
}

async fn a_base_with_another_name_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    let products = stored_products(&system).await;
    overwrite_base(&system, "AAA", parts_of(products.clone())).await;
    assert_eq!(found(&system).await.findings, []);
    let mut renamed = products;
    renamed[3].name.push('s');
    let name = renamed[3].name.clone();
    overwrite_base(&system, "AAA", parts_of(renamed)).await;
    let Found { findings, .. } = found(&system).await;
    assert_eq!(findings.len(), 2, "{findings:?}");
    for Finding { kind, what, .. } in findings {
        assert_eq!(kind, Kind::Wrong);
        let expected = format!("product `P4` has another name, the table says `{name}`");
        assert_eq!(what, expected);
    }
}

async fn a_table_that_does_not_add_up_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    let mut rows: Vec<OwnRow> = priced(&list(&OF_AAA)).as_slice().to_vec();
    rows[0].saving = Money::from_minor(rows[0].saving.minor() + 1);
    overwrite_own(&system, "AAA", &OwnRows::new(rows).unwrap()).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("product `P1`: 500.00 less 10 % is not 449.99"), "{what}");
}

async fn a_table_without_a_part_or_with_a_damaged_one_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    let good = system.head("AAA").await.unwrap();
    let Own::Inline(rows) = &good.own else { panic!("{good:?}") };
    let mut bytes = rows.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 0x40;
    change_head(&system, "AAA", |head| head.own = Own::Inline(bytes.into())).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("damaged"), "{what}");

    change_head(&system, "AAA", |head| {
        head.generation = ocache::model::Generation::from_random([9; 16]);
        head.own = Own::Parts(vec![0]);
    })
    .await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("part 0 of 1 is not there"), "{what}");

    change_head(&system, "AAA", |head| head.own = good.own).await;
    overwrite_base(&system, "AAA", vec![Bytes::from_static(b"rubbish")]).await;
    let Found { findings, .. } = found(&system).await;
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].what.contains("damaged"), "{findings:?}");
}

async fn a_head_that_claims_what_is_not_there_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    change_head(&system, "AAA", |head| head.products = 6).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("it has 5 products, and its head says 6"), "{what}");
    change_head(&system, "AAA", |head| {
        head.products = 5;
        head.catalogue_version = 9;
    })
    .await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("catalogue version 9, and the last one is 2"), "{what}");
}

async fn a_table_by_older_inputs_is_outdated_and_not_wrong(engine: Engine) {
    let system = quoted(engine).await;
    let other = UserDiscounts::new(user("AAA"), list(&[("P1", "11")]));
    system.change(vec![other.into()]).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Outdated);
    assert!(what.contains("product `P1` has a discount of 11 %, the table says 10 %"), "{what}");

    system.load([("P4".to_owned(), 1)]).await;
    let Found { report, findings } = found(&system).await;
    assert_eq!((report.count(Kind::Outdated), findings.len()), (2, 2), "{report:?}");
}

async fn a_discount_changed_in_a_table_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    // It adds up, and no list of the user's ever said so.
    overwrite_own(&system, "AAA", &priced(&list(&[("P1", "90")]))).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("product `P1` has a discount of 10 %, the table says 90 %"), "{what}");
    // Nor does a change of the list explain it.
    let other = UserDiscounts::new(user("AAA"), list(&[("P1", "11")]));
    system.change(vec![other.into()]).await;
    assert_eq!(finding(&system).await.0, Kind::Wrong);
}

async fn a_stale_table_of_an_active_user_is_told_apart(engine: Engine) {
    let system = quoted(engine).await;
    let long_ago = system.now().minus(Duration::from_secs(180));
    for who in ["AAA", "BBB"] {
        change_head(&system, who, |head| {
            head.validated_at = long_ago;
            head.fresh_until = long_ago.plus(Duration::from_secs(120));
        })
        .await;
    }
    // Who is no longer active need not be fresh.
    system.ports.store.remove_active_user(&user("BBB")).await.unwrap();
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Stale);
    assert!(what.contains("table of `AAA`: validated 18"), "{what}");
    let report = found(&system).await.report;
    assert_eq!((report.active_tables, report.stale), (1, 1));
    assert!(report.ages.p50 >= Duration::from_secs(180) && report.stale_share() > 0.99);
}

async fn a_table_by_older_rules_is_told_apart(engine: Engine) {
    let system = quoted(engine).await;
    change_head(&system, "AAA", |head| head.pricing_version = 0).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::OtherRules);
    assert!(what.contains("rule version 0, this ocache has version 1"), "{what}");
}

async fn a_wrong_answer_is_found_and_explained(engine: Engine) {
    let system = quoted(engine).await;
    let page = system.ports.store.list_quotations(None).await.unwrap();
    let good = page.items.into_iter().find(|quotation| quotation.user == user("AAA")).unwrap();
    let QuotationStatus::Answered(answer) = &good.status else { panic!("{good:?}") };
    let explained = explain(answer, false);
    assert!(!explained.is_wrong());
    let line = &explained.lines[1];
    assert_eq!(
        (line.rule.as_str(), line.exact_unit_price.as_str(), line.exact_total.as_str()),
        ("list price less 12 %", "905.52", "452.76")
    );

    let change = |change: &dyn Fn(&mut Answer)| {
        let mut wrong = answer.as_ref().clone();
        change(&mut wrong);
        wrong
    };
    let one_cent = |money: &mut Money| *money = Money::from_minor(money.minor() + 1);
    for (what, wrong) in [
        (
            "500.00 less 10 % is 450.00, not 450.01",
            change(&|a| one_cent(&mut a.lines[0].unit_price)),
        ),
        ("2 times 450.00 is 900.00, not 900.01", change(&|a| one_cent(&mut a.lines[0].total))),
        ("are 1352.76 together, not 1352.77", change(&|a| one_cent(&mut a.total))),
        (
            "not those that were asked for",
            change(&|a| {
                let line = a.lines.pop().unwrap();
                a.total = Money::from_minor(a.total.minor() - line.total.minor());
            }),
        ),
        (
            "product `P1` has a price, the answer says",
            change(&|a| {
                a.unavailable.push("P1".parse().unwrap());
                a.lines.remove(0);
                a.total = a.lines[0].total;
            }),
        ),
        (
            "`P1` does not cost 0.01 in catalogue version 2",
            change(&|a| {
                let line = &mut a.lines[0];
                line.list_price = Some(Money::from_minor(1));
                line.unit_price = Money::from_minor(1);
                line.total = Money::from_minor(2);
                a.total = Money::from_minor(2 + 45_276);
            }),
        ),
    ] {
        let stored = store(&system, &good, wrong).await;
        let report = found(&system).await;
        let said: Vec<&str> = report.findings.iter().map(|found| found.what.as_str()).collect();
        assert!(said.len() == 1 && said[0].contains(what), "{what}: {said:?}");
        system.ports.store.delete_quotation(&stored).await.unwrap();
    }
    let other = change(&|a| a.pricing_version = 0);
    assert!(!explain(&other, false).knows_rules);
    store(&system, &good, other).await;
    assert_eq!(finding(&system).await.0, Kind::OtherRules);
}

/// Verifies everything while so many loads come into force, one in each run.
async fn verified_while_loading(
    system: &System,
    loads: u32,
) -> (Result<Report, VerifyError>, u32, Vec<Finding>) {
    let options = VerifyOptions { tables: None, answers: None, seed: 1 };
    let findings = vec![];
    let mut loader =
        Loader { ports: system.ports.clone(), loads_left: loads, restarts: 0, findings };
    let verified = verify(&*system.ports.store, options, system.now(), &mut loader).await;
    (verified, loader.restarts, loader.findings)
}

#[tokio::test(start_paused = true)]
async fn a_load_that_comes_into_force_meanwhile_makes_it_start_over() {
    let system = quoted(harness::memory()).await;
    overwrite_own(&system, "AAA", &priced(&list(&[("P1", "90")]))).await;
    let before = found(&system).await.report;
    let (verified, restarts, findings) = verified_while_loading(&system, 3).await;
    let report = verified.unwrap();
    assert_eq!((report.catalogue_version, restarts), (before.catalogue_version + 3, 3));
    // Nothing is counted of the runs that were not finished, and nothing is told twice.
    assert_eq!((report.tables_checked, report.answers_checked), (2, 2));
    let told: Vec<(Kind, String)> =
        findings.iter().map(|found| (found.kind, found.subject.to_string())).collect();
    let of = |user: &str| format!("table of `{user}`");
    assert_eq!(told, [(Kind::Wrong, of("AAA")), (Kind::Outdated, of("BBB"))], "{findings:?}");
    assert_eq!((report.count(Kind::Wrong), report.count(Kind::Outdated)), (1, 1));

    let (verified, restarts, _) = verified_while_loading(&system, 4).await;
    assert!(matches!(verified, Err(VerifyError::Loading)), "{verified:?}");
    assert_eq!(restarts, 3);
}

/// Stores a quotation like a good one, with another answer.
async fn store(system: &System, good: &Quotation, answer: Answer) -> QuotationKey {
    let request_id =
        ocache::model::RequestId::made(system.ports.clock.now(), system.ports.randomness.bits());
    let key = QuotationKey::new(&good.user, &request_id);
    let status = QuotationStatus::Pending;
    let deadline = system.now().plus(Duration::from_secs(30));
    let pending = Quotation { key: key.clone(), request_id, status, deadline, ..good.clone() };
    let store = &system.ports.store;
    store.create_quotation(&pending, &*system.ports.topic, "").await.unwrap();
    let verdict = Verdict::Answer(Box::new(answer));
    let settled = store.settle_quotation(&key, &verdict, system.now()).await.unwrap();
    assert!(matches!(settled, Settlement::Settled(_)));
    key
}

#[tokio::test(start_paused = true)]
async fn discounts_on_products_that_do_not_exist_do_not_make_a_table_wrong() {
    let mut system = System::with_fixtures(harness::memory()).await;
    let discounts = list(&[("P1", "10"), ("P4", "0"), ("gone", "5")]);
    let given = UserDiscounts::new(user("AAA"), discounts);
    system.change(vec![given.into()]).await;
    system.run(WORK);
    system.quote("AAA", "P1:1").await;
    system.stop().await;
    assert_eq!(found(&system).await.findings, []);
    system.load([("P4".to_owned(), 1)]).await;
    assert_eq!(finding(&system).await.0, Kind::Outdated);
}

async fn bring(system: &System, records: serde_json::Value) {
    let (text, path) = (records.to_string(), std::path::Path::new("records.json"));
    let data = read_texts(&[(path, text.as_bytes())], Currency::USD).unwrap();
    let options = LoadOptions { currency: Currency::USD, prune: false, merge: false };
    let ports = &system.ports;
    let loaded = load(&*ports.store, &*ports.clock, &*ports.randomness, &data, options, &|_| {});
    loaded.await.unwrap();
}

/// A customer with a group's list, which ends, a list of their own, and own ladders; and another one of the
/// group. Each has a table and an answer.
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

/// The products of packed ladders by index, each step changed.
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
    let Own::Inline(ladders) = good.prices.ladders.clone() else { panic!("{good:?}") };
    // Of T3, which comes after the five products of the fixtures and two more.
    let dearer = repacked(&ladders, |index, step, rules| {
        let is_own = rules.get(step.rule).is_some_and(|rule| rule.list.is_none());
        if index == 7 && is_own {
            step.price = Money::from_minor(step.price.minor() + 1);
        }
    });
    change_head(&system, "ann", |head| head.prices.ladders = Own::Inline(dearer)).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    let expected =
        "product `T3` costs 70.00 from 2 on by the customer's own list, the table says 70.01";
    assert!(what.contains(expected), "{what}");

    let other_rule = repacked(&ladders, |_, step, rules| {
        let mut rule = rules.get(step.rule).unwrap().clone();
        rule.priority += 1;
        step.rule = rules.number(&rule);
    });
    change_head(&system, "ann", |head| head.prices.ladders = Own::Inline(other_rule)).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("the table says by another rule"), "{what}");

    // A percentage is wrong by the table's own figures, whatever is loaded now.
    let not_calculated = repacked(&ladders, |_, step, _| step.price = Money::from_minor(9_001));
    change_head(&system, "ann", |head| head.prices.ladders = Own::Inline(not_calculated)).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("100.00 less 10 % is not 90.01"), "{what}");

    change_head(&system, "ann", |head| head.prices.ladders = Own::NONE).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
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
        assert_eq!(kind, Kind::Wrong);
        let expected = "product `T1` costs 80.00 from 10 on by list `gold`, the table says 79.99";
        assert_eq!(what, format!("{expected}, in the same catalogue version"));
    }
}

async fn a_table_that_misses_the_end_of_a_list_is_wrong(engine: Engine) {
    let system = with_price_lists(engine).await;
    change_head(&system, "bob", |head| head.valid_until = None).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("2099-01-01T00:00:00.000Z; the table says never"), "{what}");
    change_head(&system, "bob", |head| {
        head.valid_until = Some("2099-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap())
            .map(|at| ocache::model::Timestamp::from_millis(at.as_millisecond()));
        head.usable_until = ocache::model::Timestamp::from_secs(5_000_000_000);
    })
    .await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Wrong);
    assert!(what.contains("usable after a price list begins or ends"), "{what}");
}

async fn a_table_by_older_price_lists_is_outdated(engine: Engine) {
    let system = with_price_lists(engine).await;
    let row = serde_json::json!({"price_list": "gold", "category": "tools", "percentage": "11"});
    bring(&system, serde_json::json!({ "prices": [row] })).await;
    let Found { findings, .. } = found(&system).await;
    let kinds: Vec<Kind> = findings.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [Kind::Outdated, Kind::Outdated], "{findings:?}");
    assert!(findings[0].what.contains("product `T1` costs 89.00"), "{findings:?}");

    // Who has left the group has another price, and the others have not.
    let system = with_price_lists(harness::memory()).await;
    bring(&system, serde_json::json!({"customers": [{"user_id": "bob", "groups": []}]})).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, Kind::Outdated);
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
