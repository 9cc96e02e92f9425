//! The meter: which stage called what, why and how often, and how many units AWS bills for it.
//!
//! A [`Meter`] is an array of counters. On AWS an observer inside the engine feeds it with the calls that
//! were sent and the units that the service reports. On other engines [`metered`] wraps the ports, and feeds
//! the meter with the units that AWS would bill for the same work, by the rules in [`rules`]. A [`Scope`]
//! says which stage calls and why; it travels with the task. Each process writes its usage window by window,
//! so that any process can add it up.

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
