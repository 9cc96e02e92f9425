//! Seeded simulation: runs the whole system on the memory engine in simulated time, breaks everything
//! that can break, and checks the invariants that must still hold.
//!
//! The seed of a [`Simulation`] determines everything: users, products, price lists, policy, processes,
//! what clients do, and which call of which port fails, takes long, happens twice, or is the last one of
//! its process. The stages, the runtime and the loader are the real ones. From bottom to top:
//!
//! | layer | does |
//! | --- | --- |
//! | memory engine | holds the true state, by the right clock |
//! | witness | sees every effect and checks it against what happened before |
//! | unreliable ports, one set for each process | fail at random |
//! | planted bug, if any | shows that the checks can fail |
//! | stages, consumers, loader | do what they always do, by their process's clock |
//!
//! A seed replays exactly, because a run has one thread, paused time and one generator. A run that breaks
//! an [`Invariant`] ends in a [`Violation`], with its seed and the events that led to it.

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

/// A version that no head has. Putting a table on the condition of this version stores its parts and no
/// head. So a simulation can separate the two writes, as they are on an engine that writes one after the
/// other.
const NEVER: Option<u64> = Some(u64::MAX);

pub use planted::PlantedBug;
pub use report::{FaultKind, Invariant, SimulationReport, Violation};
pub use scenario::Simulation;
