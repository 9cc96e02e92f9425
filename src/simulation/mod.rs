//! Seeded simulation: the whole system on the memory engine, in simulated time, with everything
//! breaking that can break; and the promises that must hold all the same.
//!
//! A [`Simulation`] is drawn from its seed: users, products, price lists, policy, processes, what clients do,
//! and which call of which port fails, takes long, happens twice, or is the last thing a process
//! does. The stages, the runtime and the loader are those that run everywhere. From bottom to top:
//!
//! | layer | does |
//! | --- | --- |
//! | memory engine | is what is true, by the right clock |
//! | witness | sees every effect and checks it against what happened before |
//! | unreliable ports, one set for each process | break, by chance |
//! | planted bug, if any | shows that the checks can fail |
//! | stages, consumers, loader | do what they always do, by their process's clock |
//!
//! A seed replays exactly: one thread, paused time, one generator. A run that breaks an
//! [`Invariant`] is a [`Violation`], with its seed and the story of what led to it.

mod chance;
mod checks;
mod clients;
mod fleet;
mod inputs;
mod ledger;
mod loaded;
mod loads;
mod messages;
mod oracle;
mod plan;
mod planted;
mod price_lists;
mod process;
mod promises;
mod report;
mod scenario;
mod settle;
mod tables;
mod unreliable;
mod witness;
mod world;

/// The version that no head has: a table that is put in its place leaves its parts and no head, as it
/// does where the two are written one after the other.
const NEVER: Option<u64> = Some(u64::MAX);

pub use planted::PlantedBug;
pub use report::{FaultKind, Invariant, Report, Violation};
pub use scenario::Simulation;
