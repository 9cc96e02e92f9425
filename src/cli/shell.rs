//! Quotes words of a command line that is pasted into a shell.

use std::borrow::Cow;

/// Quotes a word for a shell. Only a word with a NUL cannot be quoted, and no argument has one.
pub(super) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map(Cow::into_owned).unwrap_or_default()
}
