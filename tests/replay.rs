//! Tests of replays whose outcome can be counted by hand.

use std::time::Duration;

use ocache::cost::{EventCounts, MeteredEvents, StoreFacts};
use ocache::data::ListSpec;
use ocache::meter::billing::Line;
use ocache::meter::{Action, Resource, Stage, Usage, UsageLine, billed};
use ocache::model::Timestamp;
use ocache::pricing::Currency;
use ocache::replay::{
    Adaptive, Arrival, Candidate, Probe, ProbedStack, ReplayOutcome, Rhythm, Scenario, Synthetic,
    TermsSpec, probe, replay,
};
use ocache::stages::{Answering, Policy};

/// The morning of some day.
const EIGHT: Timestamp = Timestamp::from_secs(1_800_000_000 / 86_400 * 86_400 + 8 * 3600);
const MINUTE: Duration = Duration::from_secs(60);

fn arrival(user: &str, after: Duration) -> Arrival {
    Arrival { at: EIGHT.plus(after), user: user.parse().unwrap(), lines: 3 }
}

fn scenario(arrivals: Vec<Arrival>) -> Scenario {
    Scenario {
        arrivals,
        products: 40,
        discounts: 5,
        terms: TermsSpec::NONE,
        prices_every: None,
        discounts_every: None,
        lists_every: None,
        calculation: Duration::from_millis(250),
        seed: 1,
        policy: Policy::default(),
    }
}

const EVERY_MINUTE: Candidate = Candidate {
    ttl: Duration::from_secs(300),
    refresh_every: MINUTE,
    on_change: true,
    adaptive: None,
};

async fn run(scenario: &Scenario, candidate: &Candidate) -> ReplayOutcome {
    replay(scenario, candidate).await.unwrap()
}

#[tokio::test]
async fn a_visit_is_what_can_be_counted_by_hand() {
    let half = Duration::from_secs(30);
    let outcome =
        run(&scenario(vec![arrival("a", half), arrival("a", MINUTE)]), &EVERY_MINUTE).await;
    assert_eq!((outcome.answered, outcome.failed, outcome.warm, outcome.stale), (2, 0, 1, 0));
    // The first quote waits for the one calculation. Nothing else is ever calculated.
    let waited = [outcome.cold_p50, outcome.cold_p99];
    assert_eq!(waited, [Duration::from_millis(250); 2]);
    assert_eq!(outcome.calculated, 1);
    // The replay ends after the last quote, which is before the tick of the first minute.
    assert_eq!((outcome.validated, outcome.wasted), (1, 1));
}

#[tokio::test]
async fn an_active_user_is_kept_warm_until_expiry() {
    let arrivals = vec![arrival("a", Duration::from_secs(30)), arrival("b", MINUTE * 60)];
    let outcome = run(&scenario(arrivals), &EVERY_MINUTE).await;
    // The ticks at minutes one to five find `a`, and the one at minute six does not.
    assert_eq!((outcome.answered, outcome.warm), (2, 0));
    assert_eq!((outcome.calculated, outcome.validated), (2, 5));
    // Nobody reads the last table of either user, nor the four tables of `a` before.
    assert_eq!(outcome.wasted, 5);
}

#[tokio::test]
async fn years_of_nothing_cost_a_schedule_and_no_time() {
    let ten_years = Duration::from_secs(3_652 * 86_400);
    let arrivals = vec![arrival("a", Duration::ZERO), arrival("a", ten_years)];
    let outcome = run(&scenario(arrivals), &EVERY_MINUTE).await;
    assert_eq!((outcome.answered, outcome.warm), (2, 0));
    let ticks = 3_652 * 1440;
    let invocations = outcome.usage.of(Line::Invocations);
    // A tick a minute from midnight on, and a few functions for each quote and order.
    assert!((ticks + 8 * 60..ticks + 8 * 60 + 40).contains(&invocations), "{invocations}");
}

#[tokio::test]
async fn ten_quotes_of_a_cold_user_wait_for_one_calculation() {
    let arrivals = (0..10).map(|n| arrival("a", Duration::from_millis(n))).collect();
    let outcome = run(&scenario(arrivals), &EVERY_MINUTE).await;
    assert_eq!((outcome.answered, outcome.warm, outcome.calculated), (10, 0, 1));
    assert!(outcome.cold_p99 <= Duration::from_millis(300), "{:?}", outcome.cold_p99);
}

#[tokio::test]
async fn a_change_reaches_active_users_at_once_or_at_the_next_tick() {
    // Prices change half a minute after noon, while both users are active.
    let noon = MINUTE * 240 + Duration::from_secs(30);
    let mut scenario = scenario(vec![
        arrival("a", noon - Duration::from_secs(45)),
        arrival("b", noon - Duration::from_secs(20)),
        arrival("a", noon + Duration::from_secs(10)),
        arrival("b", noon + MINUTE * 12),
    ]);
    scenario.prices_every = Some(Duration::from_secs(86_400));
    let slow = Candidate { refresh_every: MINUTE * 7, ..EVERY_MINUTE };
    let with = run(&scenario, &slow).await;
    let without = run(&scenario, &Candidate { on_change: false, ..slow }).await;
    assert_eq!((with.outdated, without.outdated), (0, 1));
    assert_eq!(without.outdated_by, Duration::from_secs(10));
    assert_eq!(with.reached_last, Duration::from_millis(250));
    assert!(without.reached_last > Duration::from_secs(10), "{:?}", without.reached_last);
}

/// Returns six lists, of which each user has two, with three rungs.
fn listed(terms: u64) -> TermsSpec {
    let lists = ListSpec { lists: 6, tiers: 3, currencies: vec![] };
    TermsSpec { lists, currency: Currency::USD, lists_per_user: 2, terms }
}

#[tokio::test]
async fn users_with_the_same_price_lists_have_them_priced_once() {
    let half = Duration::from_secs(30);
    let two = || scenario(vec![arrival("a", half), arrival("b", half * 2)]);
    let plain = run(&two(), &EVERY_MINUTE).await;
    let with = |terms| Scenario { terms: listed(terms), ..two() };
    let same = run(&with(1), &EVERY_MINUTE).await;
    let different = run(&with(2), &EVERY_MINUTE).await;
    for outcome in [&plain, &same, &different] {
        assert_eq!((outcome.answered, outcome.failed, outcome.calculated), (2, 0, 2));
    }
    // For each base of terms: a part, the index, and the claim, which is taken and released.
    let written = [&plain, &same, &different].map(|outcome| heads_written(&outcome.metered));
    assert_eq!(written[1..], [written[0] + 4, written[0] + 8]);
    let rows = |outcome: &ReplayOutcome| {
        let is_row = |line: &UsageLine| line.resource == Resource::PriceLists;
        outcome.metered.total(is_row).items
    };
    // All lists without their rows are read once, and the four rows of each list that a user has. The
    // second terms may find the rows of one of their lists in memory.
    assert_eq!((rows(&plain), rows(&same)), (0, 6 + 2 * 4));
    assert!((6 + 3 * 4..=6 + 4 * 4).contains(&rows(&different)), "{}", rows(&different));
    // What is stored for them after the two users have gone is on the bill too.
    assert!(different.stored.table_byte_hours > same.stored.table_byte_hours);
}

#[tokio::test]
async fn a_changed_list_reaches_those_who_have_it() {
    let noon = MINUTE * 240 + Duration::from_secs(30);
    let before = |user: &str| arrival(user, noon - Duration::from_secs(20));
    let users = ["a", "b", "c", "d", "e", "f"];
    let after = |user: &str| arrival(user, noon + Duration::from_secs(30));
    let arrivals = users.map(before).into_iter().chain(users.map(after)).collect();
    // Each user has one of six lists, and one of the lists changes.
    let terms = TermsSpec { lists_per_user: 1, ..listed(6) };
    let every = Some(Duration::from_secs(86_400));
    let scenario = Scenario { terms, lists_every: every, ..scenario(arrivals) };
    let slow = Candidate { refresh_every: MINUTE * 7, ..EVERY_MINUTE };
    let with = run(&scenario, &slow).await;
    let without = run(&scenario, &Candidate { on_change: false, ..slow }).await;
    assert_eq!((with.answered, with.outdated, without.outdated), (12, 0, 1));
    // Six are calculated at first. All are ordered again, and five of them are found to be right.
    assert_eq!((with.calculated, with.validated), (7, 5));
    assert_eq!(with.reached_last, Duration::from_millis(250));
}

#[tokio::test]
async fn an_adaptive_interval_doubles_while_nothing_changes_and_keeps_to_its_budget() {
    // They are active for six hours, with a change at noon in the middle.
    let day = Candidate { ttl: MINUTE * 360, ..EVERY_MINUTE };
    let mut scenario = scenario(
        ["a", "b"]
            .iter()
            .map(|user| arrival(user, Duration::from_secs(30)))
            .chain([arrival("c", MINUTE * 355)])
            .collect(),
    );
    scenario.prices_every = Some(Duration::from_secs(86_400));
    let fixed = run(&scenario, &day).await;
    assert!(fixed.prepared() > 2 * 350, "{fixed:?}");
    let adaptive = |orders_an_hour| Candidate {
        adaptive: Some(Adaptive { longest: MINUTE * 16, orders_an_hour }),
        ..day.clone()
    };
    let free = run(&scenario, &adaptive(None)).await;
    // Four doublings to sixteen minutes, twice, then one in about sixteen minutes.
    assert!((2 * 20..2 * 36).contains(&free.prepared()), "{}", free.prepared());
    assert_eq!((free.answered, free.calculated), (fixed.answered, fixed.calculated));
    let bound = run(&scenario, &adaptive(Some(60))).await;
    assert!(bound.prepared() <= 60 * 6 + 3, "{}", bound.prepared());
    let starved = run(&scenario, &adaptive(Some(0))).await;
    assert!(starved.validated == 0, "{starved:?}");
}

#[tokio::test]
async fn a_replay_is_the_same_every_time_and_a_longer_interval_costs_less() {
    let arrivals =
        Synthetic { rhythm: Rhythm::Sessions, users: 12, quotes_a_day: 6.0, days: 2, seed: 4 };
    let mut scenario = scenario(arrivals.arrivals());
    scenario.prices_every = Some(Duration::from_secs(86_400));
    scenario.discounts_every = Some(Duration::from_secs(43_200));
    let first = run(&scenario, &EVERY_MINUTE).await;
    assert_eq!(first, run(&scenario, &EVERY_MINUTE).await);
    assert_eq!(first.answered, scenario.arrivals.len() as u64);
    let slow = run(&scenario, &Candidate { refresh_every: MINUTE * 5, ..EVERY_MINUTE }).await;
    assert!(slow.prepared() < first.prepared());
    assert!(slow.usage.of(Line::WriteUnits) < first.usage.of(Line::WriteUnits));
}

fn heads_written(usage: &Usage) -> u64 {
    let is_write = |resource, action| (resource, action) == (Resource::PricesByUser, Action::Write);
    usage.total(|line| line.stage == Stage::PriceCalc && is_write(line.resource, line.action)).items
}

fn sample() -> ProbedStack {
    ProbedStack {
        products: 40,
        discounts: 5,
        terms: TermsSpec::NONE,
        lines: 3,
        calculation: Duration::from_millis(250),
        answering: Answering::Direct,
    }
}

#[tokio::test]
async fn a_probe_tells_refreshes_that_write_nothing_from_those_that_do() {
    let probe = probe(&sample(), 4).await.unwrap();
    let written = [&probe.unchanged, &probe.confirmed, &probe.calculated].map(heads_written);
    assert_eq!(written, [0, 4, 4]);
    let lists = |usage: &Usage| usage.total(|line| line.resource == Resource::Discounts).items;
    let read = [&probe.unchanged, &probe.confirmed, &probe.calculated].map(lists);
    assert_eq!(read, [0, 0, 4], "discounts are read when a load came into force since");
    // The own rows of a table are in its head. A base has a part, an index and a claim, which is taken and
    // released.
    assert_eq!((probe.sizes.parts, heads_written(&probe.base)), (0, 4));
    assert!(probe.sizes.base > 0 && probe.sizes.head > 0 && probe.sizes.discounts > 0);
    // Later quotes find the base in memory, and read the heads of the table and of the catalogue.
    let reads =
        |line: &UsageLine| line.stage == Stage::QuotationHandler && line.action == Action::Read;
    assert_eq!(probe.direct.total(reads).calls, 2);
    assert_eq!(probe.touch.total(|line| line.stage == Stage::QuotationProvider).calls, 0);
}

#[tokio::test]
async fn a_probe_tells_the_base_of_terms_from_the_tables_of_those_who_have_them() {
    let plain = probe(&sample(), 4).await.unwrap();
    let listed = probe(&ProbedStack { terms: listed(6), ..sample() }, 4).await.unwrap();
    assert_eq!((plain.sizes.terms, plain.sizes.lists), (0, 0));
    assert_eq!(heads_written(&listed.terms), 4, "a part, its index and a claim twice");
    assert!(listed.sizes.terms > 0 && listed.sizes.lists > 0);
    let read = |probe: &Probe| probe.terms_read.total(|_| true).items;
    assert_eq!((read(&plain), read(&listed)), (0, 2));
    // A table names its terms, and has the ladders of its user. Refreshing an unchanged table reads no
    // more.
    assert!(listed.sizes.head > plain.sizes.head && listed.sizes.discounts > plain.sizes.discounts);
    let units = |usage: &Usage| billed(usage.lines()).of(Line::ReadUnits);
    assert_eq!(units(&listed.unchanged), units(&plain.unchanged));
}

#[tokio::test]
async fn what_a_replay_used_is_read_and_foreseen() {
    // Active for six hours. The ticks at minutes 6, 11 and so on to 356 write that the table is right.
    let day = Candidate { ttl: MINUTE * 360, ..EVERY_MINUTE };
    let half = Duration::from_secs(30);
    let scenario = scenario(vec![arrival("a", half), arrival("b", MINUTE * 361)]);
    let outcome = run(&scenario, &day).await;
    assert_eq!((outcome.calculated, outcome.validated), (2, 360));
    let known =
        StoreFacts { products: 40, base_parts: 1, discounts: 5, lines: 3, ..StoreFacts::default() };
    let reading = MeteredEvents::of(&outcome.metered, known, &scenario.policy);
    let EventCounts { refreshes, changed, confirmed, bases, .. } = reading.events;
    assert_eq!((refreshes, changed, confirmed, bases), (360.0, 0.0, 71.0, 1.0));

    let probe = probe(&sample(), 1).await.unwrap();
    let mut foreseen = Usage::default();
    for used in reading.events.used(&probe, 1).values() {
        foreseen.merge(used);
    }
    let units = |usage: &Usage, line| billed(usage.lines()).of(line) as f64;
    for line in [Line::WriteUnits, Line::ReadUnits, Line::FifoRequests] {
        let (foreseen, measured) = (units(&foreseen, line), units(&outcome.metered, line));
        assert!((foreseen / measured - 1.0).abs() < 0.02, "{line:?}: {foreseen}, {measured}");
    }
    // The base is stored beside the tables of both users.
    let stored = u128::from(probe.sizes.base) * 48;
    assert!(outcome.stored.table_byte_hours >= stored, "{:?}", outcome.stored);
}
