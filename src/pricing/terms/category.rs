//! Categories of products: paths such as `tools/drills`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A path of steps, from the widest to the narrowest: `tools/drills`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(String);

/// Why a text is not a category.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CategoryError {
    /// Two slashes in a row, one at an end, or nothing at all.
    #[error("category `{text}` has an empty step; write it like `tools/drills`")]
    EmptyStep {
        /// What was given.
        text: String,
    },
    /// A blank at an end of a step, or a character that does not show.
    #[error("category {text:?} has a step with a blank at an end, or with a control character")]
    Hidden {
        /// What was given.
        text: String,
    },
    /// More than [`Category::MAX_BYTES`].
    #[error("category `{start}…` is {length} bytes long, {max} are allowed", max = Category::MAX_BYTES)]
    TooLong {
        /// Its first characters.
        start: String,
        /// Its length in bytes.
        length: usize,
    },
}

impl Category {
    /// The most bytes it may have.
    pub const MAX_BYTES: usize = 256;

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many steps it has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.split('/').count()
    }

    /// The path itself and all it lies in, the narrowest first.
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.0.as_str()), |path| Some(path.rsplit_once('/')?.0))
    }

    /// Whether another category lies in this one, or is it. Only whole steps count: `tools` does not
    /// cover `toolsets`.
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
