//! Deletes expired records: in the writing thread, in small batches, when nobody wants to write.
//!
//! Every chore has its own budget, so that many records of one kind never delay another kind. A chore that
//! used up its budget has twice as much in the next batch, and that batch comes even if writers are busy.
//! So the more expires, the faster it is deleted.

mod chores;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::chores::{CHORES, COUNT};
use super::failure::Failure;
use super::marks::{Marks, Tx};
use super::transaction::Transact;
use super::writer::IdleWork;
use crate::model::Timestamp;
use crate::ports::Clock;

pub(super) use self::chores::backlog;
#[cfg(test)]
pub(super) use self::chores::searches;

/// How long the sweep rests after it found nothing.
const INTERVAL: Duration = Duration::from_secs(5);
/// The pause between two batches, in which others write.
const PAUSE: Duration = Duration::from_millis(20);
/// How long writers may delay a batch, unless the batch before it left something behind.
const PATIENCE: Duration = Duration::from_millis(250);

/// How much of each chore one batch may do.
type Budgets = [usize; COUNT];

/// Decides when to sweep, and how much.
pub(super) struct Sweeper {
    clock: Arc<dyn Clock>,
    due: Instant,
    /// How long writers may delay the next batch.
    patience: Duration,
    budgets: Budgets,
}

impl Sweeper {
    /// Returns a sweeper that is due for the first time after one interval.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let due = Instant::now() + INTERVAL;
        Self { clock, due, patience: PATIENCE, budgets: least_budgets() }
    }
}

impl IdleWork<Marks> for Sweeper {
    fn is_due(&self) -> bool {
        self.pause().is_zero()
    }

    fn is_overdue(&self) -> bool {
        self.is_due() && self.due.elapsed() >= self.patience
    }

    fn pause(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    /// Looks for something to delete and, only if there is something, deletes one batch in a transaction.
    fn step(
        &mut self,
        connection: &Connection,
        transact: &Transact<'_, Marks>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        // If the batch fails, the next one waits as long as when there is nothing to do.
        (self.due, self.patience) = (Instant::now() + INTERVAL, PATIENCE);
        if is_clean(connection, now)? {
            self.budgets = least_budgets();
            return Ok(());
        }
        let done = std::cell::Cell::new([0; COUNT]);
        transact(&|tx| sweep(tx, now, &self.budgets).map(|counts| done.set(counts)))?;
        let left_some = adapt(&mut self.budgets, &done.get());
        self.due = Instant::now() + PAUSE;
        if left_some {
            self.patience = Duration::ZERO;
        }
        Ok(())
    }
}

fn least_budgets() -> Budgets {
    CHORES.map(|chore| chore.budget.least)
}

/// Sets each budget by how much of it the last batch used. Returns whether any was used up.
fn adapt(budgets: &mut Budgets, done: &Budgets) -> bool {
    let mut left_some = false;
    for ((budget, done), chore) in budgets.iter_mut().zip(done).zip(CHORES) {
        if *done >= *budget {
            left_some = true;
            *budget = (*budget * 2).min(chore.budget.most);
        } else if *done < *budget / 2 {
            *budget = (*budget / 2).max(chore.budget.least);
        }
    }
    left_some
}

fn is_clean(connection: &Connection, now: Timestamp) -> Result<bool, Failure> {
    for chore in CHORES {
        if chore.is_due(connection, now)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Deletes one batch: of each kind the oldest, as many as its budget allows. Returns how much of each
/// budget was used.
fn sweep(tx: &Tx<'_>, now: Timestamp, budgets: &Budgets) -> Result<Budgets, Failure> {
    let mut done = [0; COUNT];
    for ((chore, budget), done) in CHORES.into_iter().zip(budgets).zip(&mut done) {
        *done = chore.work(tx, now, *budget)?;
    }
    Ok(done)
}
