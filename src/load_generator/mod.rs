//! Sends quotes over many websockets, as fast as they are answered or at a set rate, and measures the
//! answers. `ocache bench` and the benchmarks use it.
//!
//! The generator may share its processors with the gateway that it measures, so it does little for each
//! quote. Frames are built from parts that were rendered before. A reply is read without copying, and
//! only a sample of the answers is parsed completely and checked.

mod answers;
mod frames;
mod plan;
mod quotes;
mod run;
mod socket;
mod tally;

pub use answers::{ExpectedPrice, ExpectedPrices};
pub use plan::{Amount, LoadRun, ServerKind};
pub use quotes::{QuoteMix, RequestNames};
pub use run::RunError;
pub use tally::{Tally, Times};
