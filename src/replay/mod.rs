//! Replays arrivals in virtual time against the real stages on the memory engine, to find out what a
//! policy would have done and cost on AWS.
//!
//! | file | holds |
//! | --- | --- |
//! | `trace`, `synthetic` | the arrivals: read from a file, or drawn from a seed |
//! | `goods`, `terms` | the products, the price lists, and their changes |
//! | `adaptive` | an experiment: a separate interval for each user |
//! | `driver` | the queue of all events, in their order |
//! | `bill_witness`, `bill_ledger` | what the stages do to their ports, recorded beside the meter |
//! | `outcome`, `sweep`, `plot` | the results: of one policy, of many, and as a picture |
//!
//! Only events take time to process, so an idle stretch of any length costs nothing. [`Scenario`] lists
//! the assumptions of a run.

mod adaptive;
mod bill_ledger;
mod bill_witness;
mod driver;
mod goods;
mod outcome;
mod plot;
mod scenario;
mod sweep;
mod synthetic;
mod terms;
mod trace;

pub use bill_ledger::StorageUse;
pub use driver::{Probe, ProbedStack, Sizes, probe, replay};
pub use outcome::ReplayOutcome;
pub use plot::plot;
pub use scenario::{Adaptive, Candidate, ReplayError, Scenario, function_mb};
pub use sweep::{PolicyResult, sweep};
pub use synthetic::{Rhythm, Synthetic};
pub use terms::TermsSpec;
pub use trace::{Arrival, TRACE_COLUMNS, TraceError, read_trace};
