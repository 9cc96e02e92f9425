//! Words of a command line that somebody pastes into a shell.

use std::borrow::Cow;

/// A word as a shell takes it back. Only one with a NUL, which no argument has, cannot be quoted.
pub(super) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map(Cow::into_owned).unwrap_or_default()
}
