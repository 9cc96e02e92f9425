//! Categories of products: paths such as `tools/drills`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::escape;

/// A path of steps, from the widest to the narrowest: `tools/drills`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(String);

/// Why a text is not a category.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CategoryError {
    /// A step is empty, so there are two slashes in a row, a slash at an end, or no text.
    #[error("category `{}` has an empty step; write it like `tools/drills`", escape(text))]
    EmptyStep {
        /// The text.
        text: String,
    },
    /// A step begins or ends with a blank, or has a control character.
    #[error("category {text:?} has a step with a blank at an end, or with a control character")]
    Hidden {
        /// The text.
        text: String,
    },
    /// It has more than [`Category::MAX_BYTES`].
    #[error("category `{}…` is {length} bytes long, {max} are allowed", escape(start), max = Category::MAX_BYTES)]
    TooLong {
        /// Its first characters.
        start: String,
        /// Its length in bytes.
        length: usize,
    },
}

impl Category {
    /// The most bytes of a category.
    pub const MAX_BYTES: usize = 256;

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of steps.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }

    /// The path itself and all paths that contain it, the narrowest first.
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.0.as_str()), |path| Some(path.rsplit_once('/')?.0))
    }

    /// Whether this category contains another one or equals it. Only whole steps count: `tools` does not
    /// contain `toolsets`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.chain().any(|path| path == self.0)
    }
}

impl FromStr for Category {
    type Err = CategoryError;

    fn from_str(text: &str) -> Result<Self, CategoryError> {
        if text.len() > Self::MAX_BYTES {
            let start = text.chars().take(20).collect();
            return Err(CategoryError::TooLong { start, length: text.len() });
        }
        for step in text.split('/') {
            if step.is_empty() {
                return Err(CategoryError::EmptyStep { text: text.to_owned() });
            }
            if step.trim() != step || step.chars().any(char::is_control) {
                return Err(CategoryError::Hidden { text: text.to_owned() });
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Category {
    type Error = CategoryError;
    fn try_from(text: String) -> Result<Self, CategoryError> {
        text.parse()
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(text: &str) -> Category {
        text.parse().unwrap()
    }

    #[test]
    fn only_whole_steps_cover() {
        assert!(category("tools").covers(&category("tools/drills")));
        assert!(category("tools/drills").covers(&category("tools/drills")));
        assert!(!category("tools").covers(&category("toolsets")));
        assert!(!category("tools/drills").covers(&category("tools")));
        let deep = category("a/b/c");
        assert_eq!(deep.chain().collect::<Vec<_>>(), ["a/b/c", "a/b", "a"]);
    }

    #[test]
    fn empty_steps_are_refused_by_name() {
        for text in ["", "/", "a//b", "/a", "a/", "a/ b", "a\u{7}"] {
            let error = text.parse::<Category>().unwrap_err();
            assert!(!error.to_string().is_empty(), "{text}");
        }
    }
}
