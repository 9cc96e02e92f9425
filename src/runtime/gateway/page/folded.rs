//! Folds texts for searches.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Returns a text without differences of case, of accents, and of forms of the same letter, so that
/// `cafe` finds `CAFÉ`.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let categories = CodePointMapData::<GeneralCategory>::new();
    let letters = DecomposingNormalizerBorrowed::new_nfkd();
    let letters = letters.normalize_iter(text.chars());
    letters
        .filter(|letter| categories.get(*letter) != GeneralCategory::NonspacingMark)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_forms_make_no_difference() {
        for (text, plain) in [
            ("CAFÉ", "cafe"),
            ("Ångström", "angstrom"),
            ("Núñez", "nunez"),
            ("ﬁne ①", "fine 1"),
            ("e\u{301}", "e"),
            ("P-10/Ä", "p-10/a"),
        ] {
            assert_eq!(folded(text), plain, "{text}");
        }
        assert_eq!(folded("株式会社"), "株式会社");
    }
}
