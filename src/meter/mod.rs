//! The meter: which stage called what, why, how often, and how many units AWS bills for it.
//!
//! A [`Meter`] is a field of counters. On AWS an observer inside the engine feeds it with what was
//! sent and what the service says it consumed; on the other engines [`metered`] wraps the ports and
//! feeds it with what AWS would have billed for the same work, by the rules in [`rules`]. Who is
//! asking is told by a [`Scope`], which travels with the task. What a process has used is written
//! down by window, so that any other process can add it up.

mod bill;
pub mod billing;
mod catalogue;
mod counters;
pub(crate) mod journal_items;
mod layer;
mod loads;
mod messages;
mod operation;
mod presence;
mod price_lists;
mod price_tables;
mod quotations;
mod readings;
mod reporter;
pub mod rules;
mod scope;
pub(crate) mod sizes;
mod stack_settings;
mod usage;
mod used;
mod users;
mod window;

pub use bill::billed;
pub use counters::Meter;
pub use layer::{metered, metered_and_watched};
pub(crate) use messages::count_received;
pub use operation::{Action, Operation, Resource, Unit};
pub use readings::Readings;
pub use reporter::Reporter;
pub use scope::{Reason, Scope, Stage};
pub use usage::{Usage, UsageLine};
pub use used::Used;
pub use window::Window;
