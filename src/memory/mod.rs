//! The reference model: every port on plain collections behind one lock.
//!
//! It is small enough to be right by reading, and the same calls always give the same results:
//! time and chance are injected, collections are ordered. Simulations run on it, and the other
//! engines must agree with it in one shared suite (`tests/engines.rs`).
//!
//! It deletes as late as the services do: users, heads and quotations past their expiry stay.

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
