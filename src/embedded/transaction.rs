//! The transaction of the writing thread.

use std::cell::RefCell;
use std::ops::Deref;

use rusqlite::{CachedStatement, Connection, Params};

use super::failure::Failure;
use super::known_heads::KnownHeads;

/// The transaction in which a job runs.
pub(super) struct Transaction<'a, M> {
    connection: &'a Connection,
    /// The statements that its jobs share.
    statements: RefCell<Vec<(&'static str, CachedStatement<'a>)>>,
    /// What its jobs tell the hook.
    pub(super) marks: M,
}

/// Runs a closure in a transaction.
pub(super) type Transact<'a, M> =
    dyn Fn(&dyn Fn(&Transaction<'_, M>) -> Result<(), Failure>) -> Result<(), Failure> + 'a;

impl<'a, M: Default> Transaction<'a, M> {
    fn new(connection: &'a Connection) -> Self {
        Self { connection, statements: RefCell::default(), marks: M::default() }
    }

    /// Executes a statement that several jobs of a transaction share. Finding it by its text for each job would
    /// take a fifth of the time of a short statement.
    pub(super) fn execute_often(
        &self,
        statement: &'static str,
        values: impl Params,
    ) -> rusqlite::Result<usize> {
        let mut shared = self.statements.borrow_mut();
        let place = match shared.iter().position(|(text, _)| *text == statement) {
            Some(place) => place,
            None => {
                shared.push((statement, self.connection.prepare_cached(statement)?));
                shared.len() - 1
            }
        };
        shared[place].1.execute(values)
    }
}

impl<M> Deref for Transaction<'_, M> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// Runs `work` in one transaction. Returns what its jobs tell the hook.
pub(super) fn transaction<M: Default>(
    connection: &Connection,
    heads: &KnownHeads,
    work: impl FnOnce(&Transaction<'_, M>) -> Result<(), Failure>,
) -> Result<M, Failure> {
    let tx = Transaction::new(connection);
    execute(connection, "BEGIN IMMEDIATE")?;
    heads.begun();
    let commit = || heads.commit(|| execute(connection, "COMMIT"));
    let outcome = work(&tx).and_then(|()| commit());
    if outcome.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    outcome.map(|()| tx.marks)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Failure> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
