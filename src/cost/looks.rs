//! How often functions read the catalogue's head, which each process keeps for a second.

use std::time::Duration;

use crate::meter::{Action, Resource, Stage, Usage, UsageLine};

/// How long a process keeps the head on AWS, in seconds.
const KEPT_SECS: f64 = 1.0;
/// The ratio of processes to busy processes: `docs/deploying.md` gives functions half as many again.
const SPARE: f64 = 1.5;

/// Returns the most reads of the head in an hour. `calls` an hour, which take `each`, need the number of
/// processes that `docs/deploying.md` says, and at least `least`. Each process reads the head once a second.
pub(super) fn most_an_hour(calls: f64, each: Duration, least: f64) -> f64 {
    let processes = (SPARE * calls * each.as_secs_f64() / 3600.0).max(least);
    processes * 3600.0 / KEPT_SECS
}

/// Whether a line has a stage's reads of the catalogue's head.
pub(super) fn is_look(line: &UsageLine, stage: Stage) -> bool {
    line.stage == stage && (line.resource, line.action) == (Resource::Products, Action::Read)
}

/// Returns the share of a stage's reads of the head that remains if at most `most` are made.
pub(super) fn share<'a>(
    used: impl IntoIterator<Item = &'a Usage>,
    stage: Stage,
    most: Option<f64>,
) -> f64 {
    let reads_of = |usage: &Usage| usage.total(|line| is_look(line, stage)).calls as f64;
    let all: f64 = used.into_iter().map(reads_of).sum();
    most.filter(|most| *most < all).map_or(1.0, |most| most / all)
}

/// Reduces the reads of the head to these shares.
pub(super) fn with_shares(usage: &Usage, shares: &[(Stage, f64)]) -> Usage {
    let is_any = |line: &UsageLine| shares.iter().any(|(stage, _)| is_look(line, *stage));
    let mut all = usage.only(|line| !is_any(line));
    for (stage, share) in shares {
        all.merge(&usage.only(|line| is_look(line, *stage)).times(*share));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::meter::{Operation, Reason, Scope, Used};

    #[test]
    fn each_process_reads_once_a_second() {
        let most_a_second = |calls: f64, millis| {
            most_an_hour(calls * 3600.0, Duration::from_millis(millis), 20.0) / 3600.0
        };
        let cases = [
            ((0.0, 100), 20.0),
            ((133.0, 100), 20.0),
            ((1_000.0, 100), 150.0),
            ((1_000.0, 50), 75.0),
        ];
        for ((calls, millis), reads) in cases {
            let found = most_a_second(calls, millis);
            assert!((found - reads).abs() < 1e-9, "{calls} {millis}: {found}");
        }
    }

    #[test]
    fn only_reads_of_the_head_become_fewer_and_never_more() {
        let mut used = Usage::default();
        let mut add = |stage, resource| {
            let scope = Scope::new(stage, Reason::Scheduled);
            used.add(scope, Operation::read(resource), &Used::derived(100, 0, 0, 0));
        };
        add(Stage::PriceCalc, Resource::Products);
        add(Stage::PriceCalc, Resource::PricesByUser);
        add(Stage::QuotationHandler, Resource::Products);
        for (most, reads) in [(None, 100), (Some(1e9), 100), (Some(25.0), 25)] {
            let share = share([&used], Stage::PriceCalc, most);
            let with = with_shares(&used, &[(Stage::PriceCalc, share)]);
            let calls = |usage: &Usage, stage| usage.total(|line| is_look(line, stage)).calls;
            assert_eq!(calls(&with, Stage::PriceCalc), reads, "{most:?}");
            assert_eq!(calls(&with, Stage::QuotationHandler), 100);
            assert_eq!(with.total(|_| true).calls, 200 + reads);
        }
    }
}
