//! Product and discount files, read whole or not at all, and loaded; and large ones made from a
//! seed.
//!
//! Files are JSON arrays, NDJSON, CSV, or `DynamoDB` batch-write JSON. What a file is, and which
//! of its rows are products and which are discounts, is told from its content and never from its
//! name. Every bad row of every file is reported with its line; one bad row refuses all the data.

mod apply;
mod collect;
mod csv;
mod difference;
mod error;
pub mod fixtures;
mod generate;
mod json;
mod lines;
mod load;
mod read;
mod record;
mod row;
mod seeded;
mod sources;
#[cfg(test)]
mod tests;
mod words;

pub use apply::apply;
pub use difference::Counts;
pub use error::{DataErrors, MAX_LISTED_ERRORS, Problem, RowError};
pub use generate::{Existing, Format, GenerateError, Generated, Spec, generate};
pub use load::{LoadError, LoadOptions, LoadProgress, LoadReport, load};
pub use read::{Dataset, FileSummary, Notice, read, read_texts, total_bytes};
pub(crate) use seeded::Draws;
