//! The rules for ids.

use icu_normalizer::ComposingNormalizerBorrowed;
use thiserror::Error;

use super::hidden::{CodePoint, Flaw, escape, flaw_in_id, is_blank, is_mark};
use super::words;

/// Why a text is not a valid id.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum IdError {
    /// The text is empty.
    #[error("{kind} is empty")]
    Empty {
        /// The kind of id.
        kind: &'static str,
    },
    /// The text has too many bytes of UTF-8.
    #[error("{kind} `{start}…` is {length} bytes long, {max} are allowed")]
    TooLong {
        /// The kind of id.
        kind: &'static str,
        /// Its first characters.
        start: String,
        /// Its length in bytes.
        length: usize,
        /// The most bytes allowed.
        max: usize,
    },
    /// A character is not visible, or changes how others are displayed.
    #[error("{kind} {shown} has {code_point}, {flaw}, as character {place}")]
    Character {
        /// The kind of id.
        kind: &'static str,
        /// The id, quoted and escaped.
        shown: String,
        /// The character.
        code_point: CodePoint,
        /// Why the character is not allowed.
        flaw: Flaw,
        /// The position of the character, counted from 1.
        place: usize,
    },
    /// The text begins or ends with a blank.
    #[error("{kind} {shown} {end} with a blank, {code_point}")]
    BlankEnd {
        /// The kind of id.
        kind: &'static str,
        /// The id, quoted and escaped.
        shown: String,
        /// `begins` or `ends`.
        end: &'static str,
        /// The blank.
        code_point: CodePoint,
    },
    /// A letter is written as several characters or as a deprecated one, although Unicode has one for it.
    #[error("{kind} {shown} is not in Unicode's form NFC: it has {found} where NFC has {wanted}")]
    NotComposed {
        /// The kind of id.
        kind: &'static str,
        /// The id, quoted and escaped.
        shown: String,
        /// The code points that it has.
        found: String,
        /// The code points that should be in their place.
        wanted: String,
    },
}

/// Checks that a text is valid as a new id.
pub(super) fn check_new(kind: &'static str, max: usize, text: &str) -> Result<(), IdError> {
    check_size(kind, max, text)?;
    if is_plain(text) && !text.starts_with(' ') && !text.ends_with(' ') {
        return Ok(());
    }
    for (end, character) in [("begins", text.chars().next()), ("ends", text.chars().next_back())] {
        if let Some(blank) = character.filter(|character| is_blank_end(*character)) {
            let code_point = CodePoint(blank);
            return Err(IdError::BlankEnd { kind, shown: shown(text), end, code_point });
        }
    }
    let flaws = text.chars().enumerate().filter_map(|(at, c)| Some((at, c, flaw_in_id(c)?)));
    if let Some(error) = flaws.map(|found| has_flaw(kind, text, found)).next() {
        return Err(error);
    }
    if text.is_ascii() {
        return Ok(());
    }
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    if nfc.is_normalized(text) {
        return Ok(());
    }
    let (found, wanted) = difference(text, nfc);
    Err(IdError::NotComposed { kind, shown: shown(text), found, wanted })
}

/// Checks that a text was a valid id in some version of ocache.
pub(super) fn check_stored(kind: &'static str, max: usize, text: &str) -> Result<(), IdError> {
    check_size(kind, max, text)?;
    if is_plain(text) {
        return Ok(());
    }
    let mut characters = text.chars().enumerate();
    match characters.find(|(_, character)| character.is_control()) {
        None => Ok(()),
        Some((at, character)) => Err(has_flaw(kind, text, (at, character, Flaw::Control))),
    }
}

fn check_size(kind: &'static str, max: usize, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind });
    }
    if text.len() > max {
        let start: String = text.chars().take(16).collect();
        let start = escape(&start).into_owned();
        return Err(IdError::TooLong { kind, start, length: text.len(), max });
    }
    Ok(())
}

/// Whether a text has only printable ASCII characters, as most ids do. They are all allowed.
fn is_plain(text: &str) -> bool {
    !words::any_byte(text.as_bytes(), |word| words::smaller(word, b' ') | words::larger(word, b'~'))
}

/// Whether a character is a blank that an id may not begin or end with. A line break counts as a control
/// character instead.
fn is_blank_end(character: char) -> bool {
    is_blank(character) && flaw_in_id(character) != Some(Flaw::Control)
}

fn has_flaw(kind: &'static str, text: &str, found: (usize, char, Flaw)) -> IdError {
    let (at, character, flaw) = found;
    let code_point = CodePoint(character);
    IdError::Character { kind, shown: shown(text), code_point, flaw, place: at + 1 }
}

/// Returns an id in quotes, escaped for a terminal.
fn shown(text: &str) -> String {
    escape(&format!("{text:?}")).into_owned()
}

/// Returns the code points of the first letter that is not in NFC, and those that NFC has.
fn difference(text: &str, nfc: ComposingNormalizerBorrowed<'_>) -> (String, String) {
    let characters: Vec<char> = text.chars().collect();
    let is_start = |at: &usize| characters.get(*at).is_none_or(|next| !is_mark(*next));
    let starts: Vec<usize> = (0..=characters.len()).filter(is_start).collect();
    // A piece is a letter with its marks, or two letters, because the parts of a Hangul syllable are letters.
    let pieces = starts.windows(2).chain(starts.windows(3));
    let mut differing = pieces.filter_map(|piece| {
        let found: String = characters[piece[0]..piece[piece.len() - 1]].iter().collect();
        let wanted = nfc.normalize(&found);
        (wanted != found).then(|| (code_points(&found), code_points(&wanted)))
    });
    differing.next().unwrap_or_else(|| (code_points(text), code_points(&nfc.normalize(text))))
}

fn code_points(text: &str) -> String {
    text.chars().map(|character| CodePoint(character).to_string()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        check_new("customer id", 64, text).unwrap_err().to_string()
    }

    #[test]
    fn what_only_looks_like_an_id_is_refused_by_its_code_point() {
        for (text, error) in [
            ("", "customer id is empty"),
            ("a\nb", r#"customer id "a\nb" has U+000A, a control character, as character 2"#),
            ("a\n", r#"customer id "a\n" has U+000A, a control character, as character 2"#),
            (
                "AAA\u{200b}",
                r#"customer id "AAA\u{200b}" has U+200B, an invisible character, as character 4"#,
            ),
            (
                "\u{feff}CCC",
                r#"customer id "\u{feff}CCC" has U+FEFF, an invisible character, as character 1"#,
            ),
            (
                "A\u{202e}B",
                r#"customer id "A\u{202e}B" has U+202E, a character that changes the direction of text, as character 2"#,
            ),
            ("A\u{ffff}", r#"customer id "A\u{ffff}" has U+FFFF, a noncharacter, as character 2"#),
            (
                "A\u{a0}B",
                r#"customer id "A\u{a0}B" has U+00A0, a blank that looks like a space, as character 2"#,
            ),
            ("EEE ", r#"customer id "EEE " ends with a blank, U+0020"#),
            ("\u{3000}株", r#"customer id "\u{3000}株" begins with a blank, U+3000"#),
            (" ", r#"customer id " " begins with a blank, U+0020"#),
        ] {
            assert_eq!(refused(text), error);
        }
        for text in ["AAA", "a b", "José Núñez 株式会社", "山田　太郎", "P/1-2_3.4:5", "🙂"]
        {
            assert_eq!(check_new("customer id", 64, text), Ok(()), "{text}");
        }
    }

    #[test]
    fn one_name_has_one_form() {
        for (text, found, wanted) in [
            ("Jose\u{301}", "U+0065 U+0301", "U+00E9"),
            ("x e\u{301}e\u{301}", "U+0065 U+0301", "U+00E9"),
            ("\u{212b}", "U+212B", "U+00C5"),
            ("a\u{301}\u{316}b", "U+0061 U+0301 U+0316", "U+00E1 U+0316"),
            ("한 \u{1112}\u{1161}\u{11ab}", "U+1112 U+1161", "U+D558"),
        ] {
            let text = text.to_owned();
            let (found, wanted) = (found.to_owned(), wanted.to_owned());
            let shown = format!("{text:?}");
            let error = IdError::NotComposed { kind: "customer id", shown, found, wanted };
            assert_eq!(check_new("customer id", 64, &text), Err(error));
        }
    }

    #[test]
    fn what_earlier_versions_stored_is_read() {
        for text in ["EEE ", "AAA\u{200b}", "Jose\u{301}", "A\u{ffff}"] {
            assert_eq!(check_stored("customer id", 64, text), Ok(()), "{text:?}");
        }
        for text in ["", "a\nb", &"x".repeat(65)] {
            assert!(check_stored("customer id", 64, text).is_err(), "{text:?}");
        }
    }
}
