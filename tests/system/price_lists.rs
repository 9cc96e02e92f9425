//! Tests of price lists, customers and quantity rules, from a load to the quote.

use std::time::Duration;

use ocache::model::{ProductId, Timestamp};
use ocache::ports::{Record, RecordKey, RowChange, UserDiscounts};
use ocache::pricing::{
    Customer, Discounts, Ladder, ListPrices, MinQuantity, Money, OwnLadder, OwnLadders, PriceList,
    PriceRule, Product, ProductDetail, QuantityRules, Recipients, Rung, Scope,
};
use ocache::protocol::QuotationFrame;
use ocache::runtime::Role;

use super::harness::{Engine, System, user};

const WORK: &[Role] = &[Role::PriceCalc, Role::QuotationProvider];
const ALL: &[Role] = &[Role::Refresh, Role::PriceCalc, Role::QuotationProvider];

fn rung(min: &str, rule: PriceRule) -> Rung {
    Rung { min_quantity: min.parse::<MinQuantity>().unwrap(), rule }
}

const fn price(minor: i64) -> PriceRule {
    PriceRule::Price(Money::from_minor(minor))
}

fn off(percentage: &str) -> PriceRule {
    PriceRule::Percentage(percentage.parse().unwrap())
}

fn everyone() -> Recipients {
    Recipients { everyone: true, ..Recipients::default() }
}

fn group(name: &str) -> Recipients {
    Recipients { groups: [name.parse().unwrap()].into(), ..Recipients::default() }
}

fn only(who: &str) -> Recipients {
    Recipients { users: [user(who)].into(), ..Recipients::default() }
}

fn list(id: &str, priority: i32, recipients: Recipients) -> PriceList {
    PriceList {
        id: id.parse().unwrap(),
        priority,
        currency: None,
        from: None,
        until: None,
        recipients,
        is_wide: false,
        revision: 1,
    }
}

fn rows(list: &str, scope: Scope, rungs: &[Rung]) -> RowChange {
    let ladder = Ladder::new(rungs.to_vec()).unwrap();
    RowChange::Put(Record::Prices(ListPrices { list: list.parse().unwrap(), scope, ladder }))
}

fn of(product: &str) -> Scope {
    Scope::Product(product.parse().unwrap())
}

fn header(list: PriceList) -> RowChange {
    RowChange::Put(Record::PriceList(list))
}

fn customer(who: &str, groups: &[&str], currency: Option<&str>) -> RowChange {
    let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
    let currency = currency.map(|currency| currency.parse().unwrap());
    RowChange::Put(Record::Customer(Customer { user: user(who), currency, groups }))
}

fn own(who: &str, currency: Option<&str>, ladders: &[(&str, &[Rung])]) -> RowChange {
    let ladders = ladders.iter().map(|(product, rungs)| OwnLadder {
        product_id: ProductId::new(*product).unwrap(),
        ladder: Ladder::new(rungs.to_vec()).unwrap(),
    });
    let currency = currency.map(|currency| currency.parse().unwrap());
    let ladders = OwnLadders { currency, ladders: ladders.collect() };
    RowChange::Put(Record::Discounts(UserDiscounts {
        ladders,
        ..UserDiscounts::new(user(who), Discounts::default())
    }))
}

/// Returns the unit prices of the lines, in the requested order.
fn unit_prices(quotation: &QuotationFrame) -> Vec<&str> {
    quotation.lines.iter().map(|line| line.unit_price.as_str()).collect()
}

async fn quoted(system: &System, who: &str, what: &str) -> Vec<String> {
    let quotation = system.quote(who, what).await;
    unit_prices(&quotation).into_iter().map(str::to_owned).collect()
}

/// Changes something, and waits until a customer's table has the change.
async fn change(system: &System, who: &str, changes: Vec<RowChange>) {
    let version = system.change(changes).await;
    // Orders tables as a load does.
    let change = ocache::stages::change::LoadChange {
        load: version.to_string(),
        version,
        catalogue: true,
        users: vec![],
    };
    let (store, queues) = (&*system.ports.store, &*system.ports.queues);
    ocache::stages::change::order(store, queues, &change, system.now()).await.unwrap();
    system.head_when(who, |head| head.catalogue_version == version).await;
}

async fn system(engine: Engine) -> System {
    let mut system = System::with_fixtures(engine).await;
    system.run(WORK);
    system
}

pub async fn a_group_has_its_lists_and_no_other_group_sees_them(engine: Engine) {
    let mut system = system(engine).await;
    system
        .change(vec![
            customer("gold", &["gold"], None),
            customer("both", &["gold", "north"], None),
            header(PriceList { is_wide: true, ..list("G", 1, group("gold")) }),
            rows("G", Scope::All, &[rung("0", off("10"))]),
            header(PriceList {
                currency: Some("USD".parse().unwrap()),
                ..list("N", 1, group("north"))
            }),
            rows("N", of("P1"), &[rung("0", price(40_000))]),
        ])
        .await;
    assert_eq!(quoted(&system, "gold", "P1:1 P2:1").await, ["450.00", "520.20"]);
    // Of one priority the lowest price counts, list by list.
    assert_eq!(quoted(&system, "both", "P1:1 P2:1").await, ["400.00", "520.20"]);
    assert_eq!(quoted(&system, "nobody", "P1:1 P2:1").await, ["500.00", "578.00"]);
    // A customer's own discount stays, because the own list comes first.
    assert_eq!(quoted(&system, "AAA", "P1:1 P4:1").await, ["450.00", "145.00"]);
    system.stop().await;
}

pub async fn a_customer_who_changes_the_group_has_other_prices_at_once(engine: Engine) {
    let mut system = system(engine).await;
    system
        .change(vec![
            customer("ann", &["gold"], None),
            header(PriceList { is_wide: true, ..list("G", 1, group("gold")) }),
            rows("G", Scope::All, &[rung("0", off("10"))]),
            header(PriceList { is_wide: true, ..list("S", 1, group("silver")) }),
            rows("S", Scope::All, &[rung("0", off("5"))]),
        ])
        .await;
    assert_eq!(quoted(&system, "ann", "P1:1").await, ["450.00"]);
    change(&system, "ann", vec![customer("ann", &["silver"], None)]).await;
    assert_eq!(quoted(&system, "ann", "P1:1").await, ["475.00"]);
    system.stop().await;
}

pub async fn a_list_that_is_deleted_while_tables_name_it_is_gone_with_the_next_one(engine: Engine) {
    let mut system = system(engine).await;
    let put = vec![
        header(PriceList { is_wide: true, ..list("E", 1, everyone()) }),
        rows("E", Scope::All, &[rung("0", off("50"))]),
    ];
    system.change(put).await;
    assert_eq!(quoted(&system, "ann", "P1:1").await, ["250.00"]);
    let list = || "E".parse().unwrap();
    let delete = vec![
        RowChange::Delete(RecordKey::PriceList(list())),
        RowChange::Delete(RecordKey::Prices(list(), Scope::All)),
    ];
    change(&system, "ann", delete).await;
    assert_eq!(quoted(&system, "ann", "P1:1").await, ["500.00"]);
    system.stop().await;
}

pub async fn a_changed_price_of_a_list_makes_tables_stale_until_it_is_in_them(engine: Engine) {
    let mut system = system(engine).await;
    let half = |percentage| rows("E", Scope::All, &[rung("0", off(percentage))]);
    let header =
        |revision| header(PriceList { is_wide: true, revision, ..list("E", 1, everyone()) });
    system.change(vec![header(1), half("50")]).await;
    assert!(!system.quote("ann", "P1:1").await.stale);
    system.stop().await;
    // Nobody calculates.
    system.run(&[Role::QuotationProvider]);
    system.change(vec![header(2), half("40")]).await;
    let stale = system.quote("ann", "P1:1").await;
    assert!(stale.stale);
    assert_eq!(unit_prices(&stale), ["250.00"]);
    system.run(WORK);
    system.head_when("ann", |head| head.version == 2).await;
    let fresh = system.quote("ann", "P1:1").await;
    assert!(!fresh.stale);
    assert_eq!(unit_prices(&fresh), ["300.00"]);
    system.stop().await;
}

pub async fn ladders_give_each_quantity_its_price_and_name_the_next(engine: Engine) {
    let mut system = system(engine).await;
    let usd = Some("USD");
    let rungs = [rung("1", price(49_000)), rung("10", price(45_000)), rung("100", off("20"))];
    system.change(vec![own("ann", usd, &[("P1", &rungs)])]).await;
    let quotation = system.quote("ann", "P1:0.5 P1:1 P1:9.999 P1:10 P1:100 P2:3").await;
    let expected = ["500.00", "490.00", "490.00", "450.00", "400.00", "578.00"];
    assert_eq!(unit_prices(&quotation), expected);
    let tiers = quotation.lines.iter().map(|line| {
        let tier = line.next_tier.as_ref();
        tier.map_or(String::new(), |tier| format!("{} {}", tier.quantity, tier.unit_price))
    });
    let tiers: Vec<String> = tiers.collect();
    assert_eq!(tiers, ["1 490.00", "10 450.00", "10 450.00", "100 400.00", "", ""]);
    system.stop().await;
}

pub async fn a_list_of_one_customer_counts_at_its_priority(engine: Engine) {
    let mut system = system(engine).await;
    let usd = Some("USD".parse().unwrap());
    let individual = |priority, recipients| {
        header(PriceList { currency: usd, revision: 1, ..list("I", priority, recipients) })
    };
    let shared = header(PriceList { is_wide: true, ..list("S", 5, everyone()) });
    system
        .change(vec![
            shared,
            rows("S", Scope::All, &[rung("0", off("10"))]),
            individual(4, only("ann")),
            rows("I", of("P1"), &[rung("0", price(30_000)), rung("10", price(20_000))]),
        ])
        .await;
    // Below the shared list it never counts.
    assert_eq!(quoted(&system, "ann", "P1:1 P2:1").await, ["450.00", "520.20"]);
    let raise = |priority, revision| {
        header(PriceList { currency: usd, revision, ..list("I", priority, only("ann")) })
    };
    // Beside the shared list the lower price counts; above it this one always counts.
    for (priority, revision) in [(5, 2), (6, 3)] {
        change(&system, "ann", vec![raise(priority, revision)]).await;
        assert_eq!(quoted(&system, "ann", "P1:1 P1:10 P2:1").await, ["300.00", "200.00", "520.20"]);
    }
    assert_eq!(quoted(&system, "bob", "P1:1").await, ["450.00"]);
    system.stop().await;
}

pub async fn each_customer_buys_in_their_currency(engine: Engine) {
    let mut system = system(engine).await;
    let euro = |minor| {
        let prices = [("EUR".parse().unwrap(), Money::from_minor(minor))].into();
        ProductDetail { prices, ..ProductDetail::default() }
    };
    let product = |id: &str, minor| {
        Product::new(id.parse().unwrap(), format!("name of {id}"), Money::from_minor(minor))
    };
    system
        .change(vec![
            product("P1", 50_000).with_detail(euro(46_000)).into(),
            customer("ann", &[], Some("EUR")),
            own("ann", Some("EUR"), &[("P1", &[rung("10", price(40_000)), rung("20", off("50"))])]),
            header(PriceList { is_wide: true, ..list("E", 0, everyone()) }),
            rows("E", Scope::All, &[rung("0", off("10"))]),
            header(PriceList {
                currency: Some("USD".parse().unwrap()),
                ..list("U", 9, everyone())
            }),
            rows("U", of("P1"), &[rung("0", price(100))]),
        ])
        .await;
    let quotation = system.quote("ann", "P1:1 P1:10 P1:20 P2:1").await;
    assert_eq!(quotation.currency.as_deref(), Some("EUR"));
    assert_eq!(unit_prices(&quotation), ["414.00", "400.00", "230.00"]);
    assert_eq!(quotation.unavailable, ["P2"]);
    assert_eq!(quoted(&system, "bob", "P1:1").await, ["1.00"]);
    // In another currency only the percentages of the own list hold.
    change(&system, "ann", vec![customer("ann", &[], None)]).await;
    assert_eq!(quoted(&system, "ann", "P1:1 P1:10 P1:20").await, ["1.00", "1.00", "250.00"]);
    system.stop().await;
}

pub async fn a_quantity_that_is_not_sold_is_named_with_its_neighbours(engine: Engine) {
    let mut system = system(engine).await;
    let quantity = |text: &str| Some(text.parse().unwrap());
    let quantities = QuantityRules::new(quantity("12"), quantity("12"), quantity("48")).unwrap();
    let detail = ProductDetail { quantities, ..ProductDetail::default() };
    let dozens = |id: &str, price: Option<i64>| -> RowChange {
        let price = price.map(Money::from_minor);
        let product =
            Product { price, ..Product::new(id.parse().unwrap(), id.to_owned(), Money::ZERO) };
        product.with_detail(detail.clone()).into()
    };
    let usd = Some("USD".parse().unwrap());
    let changes = vec![
        dozens("MUG", Some(150)),
        dozens("JUG", None),
        dozens("CUP", None),
        header(PriceList { currency: usd, ..list("cups", 1, only("ann")) }),
        rows("cups", of("CUP"), &[rung("24", price(300))]),
    ];
    system.change(changes).await;
    let quotation = system.quote("ann", "MUG:13 MUG:6 MUG:60 MUG:24 P1:1 JUG:13 CUP:13").await;
    assert_eq!(unit_prices(&quotation), ["1.50", "500.00"]);
    assert_eq!(quotation.unavailable, ["JUG"], "no quantity has a price");
    let invalid = quotation.invalid.iter().map(|item| {
        let shown = |quantity: &Option<String>| quantity.clone().unwrap_or("-".to_owned());
        format!("{} {} {} {}", item.product, item.quantity, shown(&item.below), shown(&item.above))
    });
    let invalid: Vec<String> = invalid.collect();
    assert_eq!(invalid, ["MUG 13 12 24", "MUG 6 - 12", "MUG 60 48 -", "CUP 13 12 24"]);
    system.stop().await;
}

/// Tests that a table from before the load has the same prices after it.
pub async fn a_list_that_is_loaded_long_before_it_begins_counts_from_then_on(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.refresh_every = Duration::from_millis(500);
    system.policy.ttl = Duration::from_secs(600);
    system.run(ALL);
    assert_eq!(unit_prices(&system.quote("ann", "P1:1").await), ["500.00"]);
    let edge = system.now().plus(Duration::from_secs(8));
    let later = PriceList { is_wide: true, from: Some(edge), ..list("L", 1, everyone()) };
    system.change(vec![header(later), rows("L", Scope::All, &[rung("0", off("50"))])]).await;
    let mut quotes_before = 0;
    loop {
        let before = system.now();
        let quotation = system.quote("ann", "P1:1").await;
        if system.now() < edge {
            assert_eq!(unit_prices(&quotation), ["500.00"], "at {before}, edge {edge}");
            quotes_before += 1;
        } else if before >= edge {
            assert_eq!(unit_prices(&quotation), ["250.00"], "at {before}, edge {edge}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(quotes_before > 0, "no quote came before the edge {edge}");
    system.stop().await;
}

/// Tests that on either side of an edge the right price comes from a warm table, to the millisecond.
///
/// `OCACHE_EDGE_CUSTOMERS` says how many customers are quoted in turn, at 200 quotes a second in all.
pub async fn at_the_edge_of_a_window_the_right_price_is_warm(engine: Engine) {
    cross_a_window(engine, Duration::from_secs(4)).await;
}

/// Tests the same on an engine whose calls take milliseconds, so that calculating all tables takes longer.
#[cfg(feature = "aws")]
pub async fn at_the_edge_of_a_window_the_right_price_is_warm_on_a_slow_engine(engine: Engine) {
    cross_a_window(engine, Duration::from_secs(12)).await;
}

/// Quotes customers while a list begins and ends. Tables with the next prices are made two intervals ahead.
///
/// The window is one interval long: a machine that is busy with other tests answers few quotes a second, and at least
/// one must be asked and answered within the window.
async fn cross_a_window(engine: Engine, interval: Duration) {
    /// The time for the first quote of each customer, which is cold.
    const COLD_QUOTE: Duration = Duration::from_millis(250);
    let customers = std::env::var("OCACHE_EDGE_CUSTOMERS").ok();
    let customers: u32 = customers.map_or(3, |count| count.parse().unwrap());
    let customers: Vec<String> =
        (0..customers).map(|number| format!("customer-{number}")).collect();
    let mut system = System::with_fixtures(engine).await;
    system.policy.refresh_every = interval;
    system.policy.ttl = Duration::from_secs(600);
    let cold_quotes = COLD_QUOTE * customers.len() as u32;
    let edge = system.now().plus(interval * 2).plus(cold_quotes);
    let end = edge.plus(interval);
    let windowed =
        PriceList { is_wide: true, from: Some(edge), until: Some(end), ..list("W", 1, everyone()) };
    system.change(vec![header(windowed), rows("W", Scope::All, &[rung("0", off("50"))])]).await;
    system.run(ALL);
    for who in &customers {
        system.quote(who, "P1:1").await;
    }
    let counted = |warmth: &str| {
        let text = system.metrics.render().unwrap();
        let labels = format!("outcome=\"answered\",warmth=\"{warmth}\"");
        let name = format!("ocache_quotations_total{{{labels}}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or("0").parse::<u64>().unwrap()
    };
    // A quotation is counted just after it is pushed.
    while counted("cold") + counted("warm") != customers.len() as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let first_ones = counted("cold");
    let side = |at: Timestamp| usize::from(at >= edge) + usize::from(at >= end);
    let mut seen = [0_u32; 3];
    let begun = system.now();
    for who in customers.iter().cycle() {
        let before = system.now();
        let quotation = system.quote(who, "P1:1").await;
        let after = system.now();
        // A quote that crosses an edge may have either price.
        if side(before) == side(after) {
            let expected = ["500.00", "250.00", "500.00"][side(before)];
            assert_eq!(unit_prices(&quotation), [expected], "{who} at {before}, edge {edge}");
            assert!(!quotation.stale, "{who} at {before}, edge {edge}");
            seen[side(before)] += 1;
        }
        // On a busy machine a quote can take all the time after the window; then the next one shows its price.
        if after >= end.plus(Duration::from_millis(1500)) && seen[2] > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!(
        "quotes before, within and after the window: {seen:?}, {:.0} a second; cold: {}",
        f64::from(seen.iter().sum::<u32>()) / system.now().since(begun).as_secs_f64(),
        counted("cold") - first_ones
    );
    // The test saw both edges, however slow a local AWS is.
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    assert_eq!(counted("cold"), first_ones, "a quote was cold");
    system.stop().await;
}
