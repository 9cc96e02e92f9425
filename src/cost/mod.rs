//! What a stack costs, measured or forecast, and whether precomputing pays.
//!
//! | file | holds |
//! | --- | --- |
//! | `traffic` | how many users are active, and how many quotes find nobody active: by a model |
//! | `events` | how often each thing happens, and what that uses, by a probe of the stages |
//! | `logs` | how much functions log of each thing |
//! | `forecast` | a month from a few numbers, and what other policies would change |
//! | `reading` | how often each thing happened, from what the meter saw |
//! | `bill` | money by stage and line |
//! | `verdict` | precompute for all, for some, or for nobody |
//! | `straightforward` | the design that ocache replaces, doing the same work |
//!
//! What stages use is not worked out here: the meter counts it in a probe on the engine in memory,
//! and [`crate::billing`] knows what it costs. Scans of active users, looks at unknown users, polls
//! in vain, reports of the meter and the straightforward design are counted by the same rules.

mod bill;
mod events;
mod forecast;
mod logs;
mod reading;
mod straightforward;
mod traffic;
mod verdict;

pub use bill::{Bill, BillLine, Purpose};
pub use events::Events;
pub use forecast::{Forecast, Month, Numbers};
pub use logs::LOG_LINE_BYTES;
pub use reading::{Known, Reading};
pub use straightforward::straightforward;
pub use traffic::{Share, Traffic};
pub use verdict::{Choice, Verdict};
