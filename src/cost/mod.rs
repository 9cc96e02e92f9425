//! What a stack costs, measured or forecast, and whether precomputing pays.
//!
//! | file | holds |
//! | --- | --- |
//! | `traffic` | a model of the active customers, and of the quotes of customers who are not active |
//! | `events` | how often each thing happens, and the usage of each, from a probe of the stages |
//! | `logs` | the log volume of each event in functions |
//! | `looks` | how often functions read the catalogue's head |
//! | `forecast` | the cost of a month from a few numbers, and what other policies would change |
//! | `reading` | how often each thing happened, from the meter |
//! | `stored` | facts about prices and quotes from the store, which the meter does not see |
//! | `measured` | the cost of a running stack in a span of time, and what other settings would change |
//! | `what_if` | the cost with another interval or TTL |
//! | `told` | all results as JSON |
//! | `bill` | money by purpose, stage and line |
//! | `verdict` | whether to precompute for all, for some or for nobody |
//! | `straightforward` | the design that ocache replaces, for the same work |
//!
//! The usage of stages is not modelled here: the meter counts it in a probe on the engine in memory, and
//! [`crate::meter::billing`] has the prices. Scans of active customers, reads of unknown customers, empty
//! polls, reports of the meter and the straightforward design are counted by the same rules. The time in which
//! a tick orders its batches is a constant for each batch.

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
pub use events::EventCounts;
pub use forecast::{Forecast, Month, Numbers};
pub use logs::LOG_LINE_BYTES;
pub use measured::{Advice, ComparedLine, MeasureError, Measured, Measuring, per_million};
pub use reading::{MeteredEvents, StoreFacts};
pub use straightforward::straightforward;
pub use told::{lines_json, verdict_json, what_if_json};
pub use traffic::{Share, Traffic};
pub use verdict::{Choice, CostVerdict};
pub use what_if::WhatIf;
