//! The reference model: every port on plain collections behind one lock.
//!
//! It is small enough to be checked by reading. The same calls always give the same results, because time and
//! randomness are injected and collections are ordered. Simulations run on it, and the other engines must
//! agree with it in one shared test suite (`tests/engines.rs`).
//!
//! Like the services, it does not delete rows when they expire: expired customers, heads and quotations stay
//! stored.

mod active_users;
mod bases;
mod catalogue;
mod clock;
mod connections;
mod engine;
mod journals;
mod limits;
mod paging;
mod presence;
mod price_tables;
mod queue;
mod queues;
mod quotations;
mod stack_settings;
mod token_keys;
mod usage_log;

pub use clock::{ManualClock, TokioClock};
pub use connections::MemoryConnections;
pub use engine::Memory;
pub use token_keys::{MemoryKeys, MemoryTokenKeys};
