//! Names from files, made safe for messages, and the names that were probably meant.

use std::borrow::Cow;

use crate::model::escape;

/// Returns text from a file for a message: shortened, and harmless to a terminal.
pub(super) fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    let start: String = text.chars().take(MAX_CHARS).collect();
    let end = if text.chars().nth(MAX_CHARS).is_some() { "…" } else { "" };
    format!("{}{end}", escape(&start))
}

/// Returns a name as a word for a shell.
pub(super) fn quoted(name: &str) -> String {
    let name = shown(name);
    shlex::try_quote(&name).map(Cow::into_owned).unwrap_or_default()
}

/// Returns the candidate that was probably meant by a name.
pub(super) fn nearest(
    name: &str,
    candidates: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    const MAX_EDITS: usize = 2;
    const MAX_BYTES: usize = 32;
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    candidates
        .map(|candidate| {
            let is_start = candidate.split('_').next() == Some(&name);
            (if is_start { 0 } else { strsim::osa_distance(&name, candidate) }, candidate)
        })
        .filter(|(edits, candidate)| *edits <= MAX_EDITS && *edits < candidate.len())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Returns the end of a message about an unknown name.
pub(super) fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = || ["id", "name", "price", "product_id"].into_iter();
        for (given, near) in [
            ("prize", Some("price")),
            ("ID", Some("id")),
            ("productId", Some("product_id")),
            ("nmae", Some("name")),
            ("product", Some("product_id")),
            ("colour", None),
            ("x", None),
            (&*"price".repeat(100), None),
        ] {
            assert_eq!(nearest(given, names()), near, "{given}");
        }
    }

    #[test]
    fn names_from_files_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown(&"x".repeat(41)), "x".repeat(40) + "…");
    }
}
