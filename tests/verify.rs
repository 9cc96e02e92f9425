//! Tests of verification: it finds what is wrong, tells what is only old, and finds nothing where nothing
//! is wrong.

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
    AtHead, Flip, NewTable, OwnStorage, Ports, Quotation, QuotationStatus, Segment, Settlement,
    TableHead, UserDiscounts, Verdict,
};
use ocache::pricing::{
    Answer, Base, Currency, Discount, Discounts, LadderPacker, LadderRows, Money, OwnRow, OwnRows,
    PackedBase, PackedOwn, Product, Rounding, Rules, Step as PriceStep,
};
use ocache::runtime::Role;
use ocache::verify::{
    Audience, Finding, FindingKind, VerifyError, VerifyOptions, VerifyReport, VerifyStep, explain,
    verify,
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
);

#[path = "verify/loads.rs"]
mod loads;
#[path = "verify/price_lists.rs"]
mod price_lists;

/// A verification of everything, with its findings.
#[derive(Debug)]
struct Found {
    report: VerifyReport,
    findings: Vec<Finding>,
}

async fn found(system: &System) -> Found {
    let options = VerifyOptions { tables: None, answers: None, seed: 1 };
    let mut findings = vec![];
    let verified = verify(&*system.ports.store, options, system.now(), &mut findings).await;
    Found { report: verified.unwrap(), findings }
}

/// Returns the kind and the text of the only finding.
async fn finding(system: &System) -> (FindingKind, String) {
    let found = found(system).await;
    assert_eq!(found.findings.len(), 1, "{found:?}");
    let finding = &found.findings[0];
    (finding.kind, format!("{}: {}", finding.subject, finding.what))
}

/// Returns a system with tables of two users and an answer for each.
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

/// Returns the products in force, sorted by id.
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

/// Returns the parts of the base of these products.
fn parts_of(products: Vec<Product>) -> Vec<Bytes> {
    let packed = PackedBase::new(Currency::USD, products).unwrap();
    packed.parts.into_iter().map(Bytes::from).collect()
}

/// Replaces the stored base against which a user's table was priced.
async fn overwrite_base(system: &System, who: &str, parts: Vec<Bytes>) {
    let name = system.head(who).await.unwrap().base();
    let base = system.ports.store.base(&name).await.unwrap().unwrap();
    system.ports.store.put_base(&name, &base, &parts).await.unwrap();
}

/// Replaces a user's own rows.
async fn overwrite_own(system: &System, who: &str, own: &OwnRows) {
    let packed = PackedOwn::new(own).unwrap().parts.remove(0);
    change_head(system, who, |head| head.own = OwnStorage::Inline(packed.into())).await;
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
    let user = user(who);
    let table = NewTable::new(&user, &head, until).replacing(Some(expected));
    let flip = system.ports.store.put_table(table).await;
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
    // A sample is no larger than requested.
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
    // The finding concerns every user whose table was priced against that base.
    let Found { findings, .. } = found(&system).await;
    let users: Vec<String> = findings.iter().map(|found| found.subject.to_string()).collect();
    assert_eq!(users, ["table of `AAA`", "table of `BBB`"]);
    for Finding { kind, what, .. } in findings {
        assert_eq!(kind, FindingKind::Wrong);
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
        assert_eq!(kind, FindingKind::Wrong);
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
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("product `P1`: 500.00 less 10 % is not 449.99"), "{what}");
}

async fn a_table_without_a_part_or_with_a_damaged_one_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    let good = system.head("AAA").await.unwrap();
    let OwnStorage::Inline(rows) = &good.own else { panic!("{good:?}") };
    let mut bytes = rows.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 0x40;
    change_head(&system, "AAA", |head| head.own = OwnStorage::Inline(bytes.into())).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("damaged"), "{what}");

    change_head(&system, "AAA", |head| {
        head.generation = ocache::model::Generation::from_random([9; 16]);
        head.own = OwnStorage::Parts(vec![0]);
    })
    .await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
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
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("it has 5 products, and its head says 6"), "{what}");
    change_head(&system, "AAA", |head| {
        head.products = 5;
        head.catalogue_version = 9;
    })
    .await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("catalogue version 9, and the last one is 2"), "{what}");
}

async fn a_table_by_older_inputs_is_outdated_and_not_wrong(engine: Engine) {
    let system = quoted(engine).await;
    let other = UserDiscounts::new(user("AAA"), list(&[("P1", "11")]));
    system.change(vec![other.into()]).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Outdated);
    assert!(what.contains("product `P1` has a discount of 11 %, the table says 10 %"), "{what}");

    system.load([("P4".to_owned(), 1)]).await;
    let Found { report, findings } = found(&system).await;
    assert_eq!((report.count(FindingKind::Outdated), findings.len()), (2, 2), "{report:?}");
}

async fn a_discount_changed_in_a_table_is_wrong(engine: Engine) {
    let system = quoted(engine).await;
    // The table is consistent, but no list of the user ever had this discount.
    overwrite_own(&system, "AAA", &priced(&list(&[("P1", "90")]))).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Wrong);
    assert!(what.contains("product `P1` has a discount of 10 %, the table says 90 %"), "{what}");
    // A change of the list does not explain it either.
    let other = UserDiscounts::new(user("AAA"), list(&[("P1", "11")]));
    system.change(vec![other.into()]).await;
    assert_eq!(finding(&system).await.0, FindingKind::Wrong);
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
    // A table of a user who is no longer active need not be fresh.
    system.ports.store.remove_active_user(&user("BBB")).await.unwrap();
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::Stale);
    assert!(what.contains("table of `AAA`: last check recorded 18"), "{what}");
    let report = found(&system).await.report;
    assert_eq!((report.active_tables, report.stale), (1, 1));
    assert!(report.ages.p50 >= Duration::from_secs(180) && report.stale_share() > 0.99);
}

async fn a_table_by_older_rules_is_told_apart(engine: Engine) {
    let system = quoted(engine).await;
    change_head(&system, "AAA", |head| head.pricing_version = 0).await;
    let (kind, what) = finding(&system).await;
    assert_eq!(kind, FindingKind::OtherRules);
    assert!(what.contains("rule version 0, this ocache has version 2"), "{what}");
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
    assert_eq!(finding(&system).await.0, FindingKind::OtherRules);
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
    assert_eq!(finding(&system).await.0, FindingKind::Outdated);
}
