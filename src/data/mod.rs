//! Reads files of products, customers, price lists and discounts, loads them, and generates large ones from
//! a seed.
//!
//! Files are JSON arrays, JSON objects that hold rows, NDJSON, CSV, or exports of `DynamoDB`. Each may be
//! compressed with gzip. The format of a file and the kind of each row are recognized by content, never by
//! the file's name. What the content does not show comes from a [`Layout`]; nothing is guessed. Every bad
//! row of every file is reported with its line, and one bad row refuses all the data.

mod apply;
mod collect;
mod committing;
mod comparing_lists;
mod comparison;
mod csv;
mod csv_columns;
mod csv_fields;
mod csv_rows;
mod dataset;
mod difference;
mod duplicate;
mod effect;
mod error;
mod field;
pub mod fixtures;
mod generate;
mod generate_lists;
mod given;
mod given_lists;
mod json;
mod json_parts;
mod kinds;
mod layout;
mod limits;
mod lines;
mod load;
mod load_error;
mod mention;
mod mentions;
mod moved;
mod names;
mod nearest;
mod own_lists;
mod planned;
mod preview;
mod problem;
mod problem_kind;
mod problem_words;
mod pruning;
mod read;
mod record;
mod removed;
mod removing;
mod resolving;
mod row;
mod seeded;
mod seen;
mod set_rounding;
mod shape;
mod sources;
mod spreadsheet;
mod stored;
mod table_changes;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod told;
mod values;
mod watched;
mod ways_out;
mod window;
mod words;
mod wrapped;
mod wrapper_names;

pub use apply::apply;
pub use committing::LoadProgress;
pub use comparison::{KindCounts, RowCounts};
pub use dataset::{Dataset, FileSummary, Notice, SeveralLines};
pub use effect::{Effect, MovedPrice, MovedPrices, Moves};
pub use error::{DataErrors, Duplicate, MAX_LISTED_ERRORS, Problem, RowError};
pub use generate::{Existing, Format, GenerateError, Generated, ListSpec, Spec, generate};
pub(crate) use generate_lists::tier_quantity;
pub use given::{Amounts, FilePlace, GivenOwn, GivenPrices, GivenRule, GivenRung};
pub use kinds::{KnownColumns, csv_templates};
pub use layout::{ColumnMeanings, Delimiter, Layout, LayoutError, NamedColumn, TextEncoding};
pub use load::{LoadOptions, LoadReport, load, load_unread};
pub use load_error::LoadError;
pub use mention::Mention;
pub use mentions::Mentions;
pub use own_lists::LostRows;
pub use preview::{Preview, PreviewProgress, preview};
pub use read::{read, read_texts, read_texts_as, total_bytes};
pub use removed::RowKey;
pub(crate) use seeded::Draws;
pub use seen::FilesSeen;
pub use set_rounding::set_rounding;
pub use table_changes::TableChanges;
pub use text::{Gunzip, is_gzip, is_json};
pub use told::{counts_json, effect_json, mentions_json, moved_json, several_lines_json};
pub use watched::{Did, Watched};
pub use ways_out::worded_for_http;
pub use window::{LocalTime, Occurs};
