//! The settings that errors advise, by the names that their reader knows: flags of `ocache load`, or
//! parameters of `POST /load`.

use std::cell::Cell;
use std::fmt;

use super::names::{quoted, shown};

thread_local! {
    /// Whether this thread writes errors for HTTP clients. `Display` takes no argument that could say so.
    static OVER_HTTP: Cell<bool> = const { Cell::new(false) };
}

/// Calls `write`, with errors worded for clients of `POST /load`.
pub fn worded_for_http<T>(write: impl FnOnce() -> T) -> T {
    /// Restores the previous wording, also if `write` panics.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            OVER_HTTP.set(self.0);
        }
    }
    let _before = Before(OVER_HTTP.replace(true));
    write()
}

/// A setting of a load with which refused data can be read.
pub(super) enum Advised<'a> {
    Prune,
    Merge,
    DecimalComma,
    LineBreaks,
    Delimiter(&'a str),
    Encoding(&'a str),
    /// Reads this column as a field.
    Map(&'a str),
    /// Leaves this column out.
    Ignore(&'a str),
}

impl fmt::Display for Advised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if OVER_HTTP.get() {
            return match self {
                Self::Prune => f.write_str("?prune=true"),
                Self::Merge => f.write_str("?merge=true"),
                Self::DecimalComma => f.write_str("?decimal-comma=true"),
                Self::LineBreaks => f.write_str("?line-breaks=true"),
                Self::Delimiter(name) => write!(f, "?delimiter={name}"),
                Self::Encoding(name) => write!(f, "charset={name} in the content type"),
                Self::Map(column) => write!(f, "?map={}%3DFIELD", encoded(column)),
                Self::Ignore(column) => write!(f, "?ignore={}", encoded(column)),
            };
        }
        match self {
            Self::Prune => f.write_str("--prune"),
            Self::Merge => f.write_str("--merge"),
            Self::DecimalComma => f.write_str("--decimal-comma"),
            Self::LineBreaks => f.write_str("--line-breaks"),
            Self::Delimiter(name) => write!(f, "--delimiter {name}"),
            Self::Encoding(name) => write!(f, "--encoding {name}"),
            Self::Map(column) => write!(f, "--map {}=FIELD", quoted(column)),
            Self::Ignore(column) => write!(f, "--ignore {}", quoted(column)),
        }
    }
}

/// Returns a name as it is written in a query.
fn encoded(name: &str) -> String {
    form_urlencoded::byte_serialize(shown(name).as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_is_told_what_they_can_give() {
        let advised = || {
            [
                Advised::Delimiter("tab"),
                Advised::Map("Preis €"),
                Advised::Ignore("EAN"),
                Advised::Prune,
            ]
            .map(|advised| advised.to_string())
        };
        let flags = ["--delimiter tab", "--map 'Preis €'=FIELD", "--ignore EAN", "--prune"];
        assert_eq!(advised(), flags);
        let parameters =
            ["?delimiter=tab", "?map=Preis+%E2%82%AC%3DFIELD", "?ignore=EAN", "?prune=true"];
        assert_eq!(worded_for_http(advised), parameters);
        assert!(std::panic::catch_unwind(|| worded_for_http(|| panic!("planted"))).is_err());
        assert_eq!(advised(), flags);
    }
}
