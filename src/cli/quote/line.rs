//! Parses one line of a session: products and quantities.

use std::iter::Peekable;
use std::str::Chars;

use thiserror::Error;

use crate::model::Item;
use crate::protocol::{ItemsError, check_items, parse_item};

/// Why a line is not a quote.
#[derive(Debug, Error)]
pub(super) enum LineError {
    /// A word begins with a quotation mark that is not closed.
    #[error("{0} is not closed")]
    Open(char),
    /// The words are not valid items.
    #[error(transparent)]
    Items(#[from] ItemsError),
}

/// Parses the items of a line, which blanks separate. A product with a blank in its id, or with a
/// quotation mark as its first character, must be in quotation marks: `"a b":2`, `'"a" b':2`. Inside
/// them, a doubled mark means a single one.
pub(super) fn items(line: &str) -> Result<Vec<Item>, LineError> {
    let words = words(line)?;
    let items = words.iter().map(|word| parse_item(word)).collect::<Result<_, _>>()?;
    Ok(check_items(items)?)
}

fn words(line: &str) -> Result<Vec<String>, LineError> {
    let mut characters = line.chars().peekable();
    let mut words = vec![];
    loop {
        while characters.next_if(|next| next.is_whitespace()).is_some() {}
        if characters.peek().is_none() {
            return Ok(words);
        }
        let mut word = match characters.next_if(|next| matches!(next, '"' | '\'')) {
            Some(mark) => quoted(mark, &mut characters)?,
            None => String::new(),
        };
        while let Some(character) = characters.next_if(|next| !next.is_whitespace()) {
            word.push(character);
        }
        words.push(word);
    }
}

/// Returns the text from a quotation mark that was read to its closing mark.
fn quoted(mark: char, characters: &mut Peekable<Chars<'_>>) -> Result<String, LineError> {
    let mut text = String::new();
    loop {
        match characters.next() {
            None => return Err(LineError::Open(mark)),
            Some(character) if character != mark => text.push(character),
            Some(_) if characters.next_if_eq(&mark).is_some() => text.push(mark),
            Some(_) => return Ok(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ProductId;

    fn read(line: &str) -> Vec<(String, String)> {
        let items = items(line).unwrap();
        items
            .iter()
            .map(|item| (item.product.as_str().to_owned(), item.quantity.to_string()))
            .collect()
    }

    #[test]
    fn blanks_and_colons_can_be_named() {
        for (line, wanted) in [
            ("P1:2  P3", vec![("P1", "2"), ("P3", "1")]),
            ("\tP1:2 \r", vec![("P1", "2")]),
            (r#""a b":2 'c  d'"#, vec![("a b", "2"), ("c  d", "1")]),
            ("urn:sku:7:2", vec![("urn:sku:7", "2")]),
            (r#""urn:sku:7":2"#, vec![("urn:sku:7", "2")]),
            (r#"19"-rack:2 O'Neil #1"#, vec![("19\"-rack", "2"), ("O'Neil", "1"), ("#1", "1")]),
            (r#"'"a" b':2"#, vec![("\"a\" b", "2")]),
            (r#""a ""b""":2"#, vec![("a \"b\"", "2")]),
        ] {
            let wanted: Vec<_> =
                wanted.iter().map(|(id, count)| ((*id).to_owned(), (*count).to_owned())).collect();
            assert_eq!(read(line), wanted, "{line}");
        }
        assert_eq!(items("\"a b:2").unwrap_err().to_string(), "\" is not closed");
        assert!(matches!(items("P1 P1"), Err(LineError::Items(ItemsError::Duplicate { .. }))));
    }

    proptest! {
        #[test]
        fn every_id_that_can_be_loaded_can_be_named(id in "[ -~é株]{1,16}", mark in "[\"']") {
            prop_assume!(ProductId::new(&id).is_ok());
            let quoted = id.replace(&mark, &mark.repeat(2));
            let line = format!("{mark}{quoted}{mark}:2.5 other");
            prop_assume!(id != "other");
            let wanted = vec![(id, "2.5".to_owned()), ("other".to_owned(), "1".to_owned())];
            prop_assert_eq!(read(&line), wanted);
        }
    }
}
