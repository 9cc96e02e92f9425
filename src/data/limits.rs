//! Limits that readers of files keep and that errors name.
//!
//! They are apart from the readers, because each reader uses [`Problem`](super::Problem).

/// After this many bytes a row of several lines has no further line. Otherwise a quote that is not closed
/// would take the rest of a large file into memory.
pub(super) const MAX_ROW_BYTES: usize = 1024 * 1024;

/// How many objects may be around rows, one inside the other. Each takes a part of the thread's stack and one
/// pass over the text, so a small file of many would end the process.
pub(super) const MAX_WRAPPER_DEPTH: usize = 16;
