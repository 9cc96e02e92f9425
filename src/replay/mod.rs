//! What a policy would have done: arrivals replayed in virtual time against the real stages on
//! the memory engine, and what that would have cost on AWS.
//!
//! | file | holds |
//! | --- | --- |
//! | `trace`, `synthetic` | who came when: read from a file, or drawn from a seed |
//! | `goods`, `terms` | what is sold, by which price lists, and how that changes |
//! | `adaptive` | an experiment: an interval of its own for each user |
//! | `driver` | the one queue of everything that happens, in its order |
//! | `bill_witness`, `bill_ledger` | what the stages do to their ports, written down beside the meter |
//! | `outcome`, `sweep`, `plot` | what came of it: one policy, many, and a picture of them |
//!
//! Nothing happens but events, so an idle stretch costs nothing, however long it is. What a run
//! takes for granted stands at [`Scenario`].

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

pub use bill_ledger::Stored;
pub use driver::{Probe, Sample, Sizes, probe, replay};
pub use outcome::Outcome;
pub use plot::plot;
pub use scenario::{Adaptive, Candidate, ReplayError, Scenario, function_mb};
pub use sweep::{Row, sweep};
pub use synthetic::{Rhythm, Synthetic};
pub use terms::TermsSpec;
pub use trace::{Arrival, TRACE_COLUMNS, TraceError, read_trace};
