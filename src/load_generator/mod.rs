//! Quotes over many websockets, as fast as they are answered or at a set rate, and how they are
//! answered: what `ocache bench` and the benchmarks measure with.
//!
//! It may share its processors with the gateway that it measures, so it does little for each quote:
//! frames are put together from parts that were rendered before, a reply is read without copying
//! it, and only a sample of the answers is parsed wholly and checked.

mod answers;
mod frames;
mod plan;
mod quotes;
mod run;
mod socket;
mod tally;

pub use answers::{ExpectedPrice, ExpectedPrices};
pub use plan::{Amount, Peer, Run};
pub use quotes::{QuoteMix, RequestNames};
pub use run::RunError;
pub use tally::{Tally, Times};
