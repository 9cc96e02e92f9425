//! Values that are written as the text that they are shown as.

use std::fmt;

use serde::{Serialize, Serializer};

/// A value as a JSON string of what it is shown as.
pub(super) struct Text<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
