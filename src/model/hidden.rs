//! Characters that are not visible, or that change how their neighbours are displayed.
//!
//! Two texts that differ only in such characters look the same to people but are different to programs. So
//! ids may not contain them, and terminals show their code points instead.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use icu_properties::props::{
    BidiControl, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup,
    NoncharacterCodePoint, PrependedConcatenationMark,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::named;

/// Characters that have a width but are empty, although Unicode does not call them spaces: the empty braille
/// cell and the musical note without a head.
const BLANK_SYMBOLS: [char; 2] = ['\u{2800}', '\u{1D159}'];

named! {
    /// Why a character is not allowed, in the words of messages.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Flaw {
        /// It is a control character, such as a line break, an escape or a tab.
        Control => "a control character",
        /// It changes the direction of the text around it.
        Direction => "a character that changes the direction of text",
        /// It has no width and is not visible, such as zero-width spaces and joiners, soft hyphens and variation
        /// selectors.
        Invisible => "an invisible character",
        /// Unicode reserves it for use inside programs. Some queues refuse it.
        Noncharacter => "a noncharacter",
        /// It is a space, but not the one that people type.
        Blank => "a blank that looks like a space",
    }
}

/// A character's code point in Unicode's notation: `U+200B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePoint(pub char);

impl fmt::Display for CodePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

/// Returns why a character is not allowed in an id. A plain space is allowed. So is the ideographic space,
/// which is as wide as the characters beside it.
pub(super) fn flaw_in_id(character: char) -> Option<Flaw> {
    let is_odd = is_blank(character) && !matches!(character, ' ' | '\u{3000}');
    flaw(character).or(is_odd.then_some(Flaw::Blank))
}

/// Whether a character is displayed as empty space.
pub(super) fn is_blank(character: char) -> bool {
    character.is_whitespace() || BLANK_SYMBOLS.contains(&character)
}

/// Whether a character is displayed on the one before it, as an accent is.
pub(super) fn is_mark(character: char) -> bool {
    GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(character))
}

/// Returns why a character is not allowed on a terminal.
fn flaw(character: char) -> Option<Flaw> {
    if character.is_ascii() {
        return character.is_ascii_control().then_some(Flaw::Control);
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    let is_separator =
        matches!(category, GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator);
    // The signs before Arabic and Syriac numbers are in the category of format characters, but they are
    // visible.
    let is_format = category == GeneralCategory::Format
        && !CodePointSetData::new::<PrependedConcatenationMark>().contains(character);
    if character.is_control() || is_separator {
        Some(Flaw::Control)
    } else if CodePointSetData::new::<BidiControl>().contains(character) {
        Some(Flaw::Direction)
    } else if CodePointSetData::new::<NoncharacterCodePoint>().contains(character) {
        Some(Flaw::Noncharacter)
    } else if is_format || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
    {
        Some(Flaw::Invisible)
    } else {
        None
    }
}

/// Escapes a text for a terminal: invisible characters are replaced by their code points, as in
/// `AAA\u{200b}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_but(text, &[])
}

/// The same, but keeps some characters: those that the program itself inserts.
#[must_use]
pub fn escape_but<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    replaced(text, kept, |character, escaped| escaped.extend(character.escape_unicode()))
}

/// Escapes a JSON text for a terminal without changing its meaning: invisible characters in its strings are
/// written as `\u200b`. Line breaks between its values stay.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    replaced(json, &['\n'], |character, escaped| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    })
}

fn replaced<'a>(
    text: &'a str,
    kept: &[char],
    mut replace: impl FnMut(char, &mut String),
) -> Cow<'a, str> {
    let is_shown = |character: char| flaw(character).is_none() || kept.contains(&character);
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_shown(character) {
            true => escaped.push(character),
            false => replace(character, &mut escaped),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last of each kind, and the ones that are common.
    const HIDDEN: [(Flaw, &str); 4] = [
        (Flaw::Control, "\0\t\n\u{1b}\u{7f}\u{85}\u{9f}\u{2028}\u{2029}"),
        (Flaw::Direction, "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}"),
        (
            Flaw::Invisible,
            concat!(
                "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180e}\u{180f}\u{200b}",
                "\u{200c}\u{200d}\u{2060}\u{2061}\u{2064}\u{2065}\u{206a}\u{206f}\u{3164}",
                "\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fff9}\u{fffb}\u{1bca0}\u{1d173}",
                "\u{e0001}\u{e0020}\u{e007f}\u{e0100}\u{e01ef}\u{e0fff}",
            ),
        ),
        (Flaw::Noncharacter, "\u{fdd0}\u{fdef}\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}"),
    ];

    const BLANKS: [char; 7] =
        ['\u{a0}', '\u{1680}', '\u{2003}', '\u{200a}', '\u{202f}', '\u{205f}', '\u{2800}'];

    #[test]
    fn what_does_not_show_is_known_by_its_kind() {
        for (kind, characters) in HIDDEN {
            for character in characters.chars() {
                assert_eq!(flaw_in_id(character), Some(kind), "{}", CodePoint(character));
                assert_eq!(flaw(character), Some(kind), "{}", CodePoint(character));
            }
        }
        for character in BLANKS {
            assert_eq!(flaw_in_id(character), Some(Flaw::Blank), "{}", CodePoint(character));
            assert_eq!(flaw(character), None, "a terminal is not harmed by it");
        }
        // Letters of many scripts, combining marks, private use and unassigned characters are all visible.
        for character in "aß/株 　é\u{301}ا\u{600}क्🙂\u{e000}\u{378}�".chars() {
            assert_eq!(flaw_in_id(character), None, "{}", CodePoint(character));
        }
    }

    #[test]
    fn a_terminal_is_shown_code_points_and_json_says_the_same() {
        assert!(matches!(escape("José Núñez 株式会社"), Cow::Borrowed(_)));
        assert_eq!(escape("A\u{202e}B\u{1b}[2J\n"), "A\\u{202e}B\\u{1b}[2J\\u{a}");
        assert_eq!(escape_but("a\n\u{feff}b", &['\n']), "a\n\\u{feff}b");
        let text = "a\u{200b}\u{e0041}\u{9b}";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let shown = escape_json(&json);
        assert_eq!(shown, "[\n  \"a\\u200b\\udb40\\udc41\\u009b\"\n]");
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [text]);
    }
}
