//! The engine on one SQLite file, shared by all ocache processes of a machine.
//!
//! In each process one thread writes, and commits many jobs at once. A few threads read in parallel, each
//! on its own connection. One thread notices what other processes committed, and one notices that a process
//! has ended. What is committed survives `kill -9` and a loss of power.

mod active_users;
mod answers;
mod backup;
mod bases;
mod catalogue;
mod checkpoint;
mod clear;
mod clock;
mod dead_letters;
mod discounts;
mod engine;
mod failure;
mod file_limit;
mod files;
mod folding;
mod groups;
mod handover;
mod head;
mod housekeeping;
mod journal_rows;
mod known_heads;
mod leases;
mod loaded;
mod loads;
mod marks;
mod migrate;
mod open;
mod open_error;
mod presence;
mod price_lists;
mod price_tables;
mod queues;
mod quotations;
mod readers;
mod receive;
mod restore;
mod rows;
mod schema;
mod serving;
mod stack_settings;
mod sweep;
mod take;
#[cfg(test)]
mod testing;
mod token_keys;
mod topic;
mod transaction;
mod usage_log;
mod wake;
mod wal_index;
mod writer;

pub use backup::{BackupError, Copied};
pub use engine::Embedded;
pub use open_error::OpenError;
pub use restore::{Restore, RestoreError};
pub use token_keys::KeysFile;
