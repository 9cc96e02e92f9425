//! Compares many policies on one scenario, and marks those that are worth considering.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Candidate, ReplayError, ReplayOutcome, Scenario, replay};
use crate::meter::billing::{Usd, UsdPriceList};

/// The result of one policy.
#[derive(Clone, Debug)]
pub struct PolicyResult {
    /// The outcome of its replay.
    pub outcome: ReplayOutcome,
    /// The total cost.
    pub cost: Usd,
    /// The cost of a month.
    pub monthly: Usd,
    /// Whether no other policy answers at least as many quotes at once for at most the same cost, and is
    /// better in one of the two.
    pub is_best: bool,
}

/// Replays a scenario against each policy, with as many threads as the machine has processors. `progress`
/// is called with the number of finished policies.
///
/// # Errors
/// Returns the [`ReplayError`] of the first policy without a result.
pub fn sweep(
    scenario: &Scenario,
    candidates: &[Candidate],
    prices: &UsdPriceList,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<PolicyResult>, ReplayError> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<ReplayOutcome, ReplayError>)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(candidates.len()) {
            scope.spawn(|| {
                while let Some((index, candidate)) = take(&next, candidates) {
                    let outcome = run(scenario, candidate);
                    let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    done.push((index, outcome));
                    progress(done.len());
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if done.len() != candidates.len() {
        return Err(ReplayError::Died);
    }
    done.sort_by_key(|(index, _)| *index);
    let outcomes: Result<Vec<ReplayOutcome>, ReplayError> =
        done.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(ranked(outcomes?, prices))
}

fn take<'a>(next: &AtomicUsize, candidates: &'a [Candidate]) -> Option<(usize, &'a Candidate)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, candidates.get(index)?))
}

fn run(scenario: &Scenario, candidate: &Candidate) -> Result<ReplayOutcome, ReplayError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.map_err(ReplayError::Thread)?.block_on(replay(scenario, candidate))
}

fn ranked(outcomes: Vec<ReplayOutcome>, prices: &UsdPriceList) -> Vec<PolicyResult> {
    let mut rows: Vec<PolicyResult> = outcomes
        .into_iter()
        .map(|outcome| {
            let cost = prices.cost(&outcome.usage);
            PolicyResult { cost, monthly: outcome.monthly(cost), outcome, is_best: false }
        })
        .collect();
    let points: Vec<(Usd, u64)> = rows.iter().map(|row| (row.cost, row.outcome.warm)).collect();
    for (index, row) in rows.iter_mut().enumerate() {
        row.is_best = !points.iter().any(|other| beats(*other, points[index]));
    }
    rows
}

/// Whether a pair of cost and warm answers is at least as good as another in both, and better in one.
fn beats(one: (Usd, u64), other: (Usd, u64)) -> bool {
    one.0 <= other.0 && one.1 >= other.1 && one != other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reason_keeps_a_policy_on_the_frontier() {
        let point = |cost, warm| (Usd::from_pico(cost), warm);
        assert!(beats(point(1, 5), point(2, 5)));
        assert!(beats(point(1, 6), point(1, 5)));
        assert!(!beats(point(1, 5), point(1, 5)), "equals are both kept");
        assert!(!beats(point(1, 4), point(2, 5)));
    }
}
