//! Values that are written as their displayed text.

use std::fmt;

use serde::{Serialize, Serializer};

/// Serializes a value as a JSON string of its displayed text.
pub(super) struct Text<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
