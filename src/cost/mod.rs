//! What a stack costs, measured or forecast, and whether precomputing pays.
//!
//! | file | holds |
//! | --- | --- |
//! | `traffic` | how many users are active, and how many quotes find nobody active: by a model |
//! | `events` | how often each thing happens, and what that uses, by a probe of the stages |
//! | `logs` | how much functions log of each thing |
//! | `looks` | how often functions read the catalogue's head |
//! | `forecast` | a month from a few numbers, and what other policies would change |
//! | `reading` | how often each thing happened, from what the meter saw |
//! | `stored` | what the store says of prices and quotes, for what the meter does not see |
//! | `measured` | a running stack over a window, and what other settings would change |
//! | `what_if` | what another interval or another time to live would cost |
//! | `told` | all of it as JSON |
//! | `bill` | money by stage and line |
//! | `verdict` | precompute for all, for some, or for nobody |
//! | `straightforward` | the design that ocache replaces, doing the same work |
//!
//! What stages use is not worked out here: the meter counts it in a probe on the engine in memory,
//! and [`crate::meter::billing`] knows what it costs. Scans of active users, looks at unknown users, polls
//! in vain, reports of the meter and the straightforward design are counted by the same rules.

mod bill;
mod events;
mod forecast;
mod logs;
mod looks;
mod measured;
mod reading;
mod stored;
mod straightforward;
mod told;
mod traffic;
mod verdict;
mod what_if;

pub use bill::{Bill, BillLine, Purpose};
pub use events::Events;
pub use forecast::{Forecast, Month, Numbers};
pub use logs::LOG_LINE_BYTES;
pub use measured::{Advice, Compared, MeasureError, Measured, Measuring, per_million};
pub use reading::{Known, Reading};
pub use straightforward::straightforward;
pub use told::{lines_json, verdict_json, what_if_json};
pub use traffic::{Share, Traffic};
pub use verdict::{Choice, Verdict};
pub use what_if::WhatIf;
