//! What a policy would have done: arrivals replayed in virtual time against the real stages on
//! the memory engine, and what that would have cost on AWS.
//!
//! | file | holds |
//! | --- | --- |
//! | `trace`, `synthetic` | who came when: read from a file, or drawn from a seed |
//! | `goods` | what is sold, and how it changes |
//! | `adaptive` | an experiment: an interval of its own for each user |
//! | `driver` | the one queue of everything that happens, in its order |
//! | `meter`, `ledger` | what the stages do to their ports, billed and written down |
//! | `outcome`, `sweep`, `plot` | what came of it: one policy, many, and a picture of them |
//!
//! Nothing happens but events, so an idle stretch costs nothing, however long it is. What a run
//! takes for granted stands at [`Scenario`].

mod adaptive;
mod driver;
mod goods;
mod ledger;
mod meter;
mod outcome;
mod plot;
mod scenario;
mod sweep;
mod synthetic;
mod trace;

pub use driver::replay;
pub use outcome::Outcome;
pub use plot::plot;
pub use scenario::{Adaptive, Candidate, ReplayError, Scenario};
pub use sweep::{Row, sweep};
pub use synthetic::{Rhythm, Synthetic};
pub use trace::{Arrival, TraceError, read_trace};
