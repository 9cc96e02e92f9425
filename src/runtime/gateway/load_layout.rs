//! The layout of the body of `POST /load`, given by its content type and by parameters with the names of
//! `ocache load`'s flags.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use hyper::header::{CONTENT_TYPE, HeaderMap};

use super::http_api::Parameters;
use super::http_reply::{Reply, bad_query};
use crate::data::{ColumnMeanings, Delimiter, Layout, LayoutError, NamedColumn};

/// The content type of a body.
pub(super) struct ContentType {
    /// The media type without parameters, in lower case.
    pub(super) media: String,
    charset: Option<String>,
}

impl ContentType {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = given.unwrap_or_default().split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            let is_charset = name.trim().eq_ignore_ascii_case("charset");
            is_charset.then(|| value.trim().trim_matches('"').to_owned())
        });
        Self { media, charset }
    }

    /// Returns the layout of a body of this type.
    pub(super) fn layout(&self, parameters: &mut Parameters<'_>) -> Result<Layout, Reply> {
        let refused = |error: LayoutError| bad_query(&error.to_string());
        let given = parameters.take("delimiter")?;
        let delimiter_is_given = given.is_some();
        let delimiter = match given {
            Some(name) => name.parse().map_err(refused)?,
            None if self.media == "text/tab-separated-values" => Delimiter::Tab,
            None => Delimiter::default(),
        };
        let encoding = match &self.charset {
            Some(name) => name.parse().map_err(refused)?,
            None => Default::default(),
        };
        let decimal_comma = flag(parameters, "decimal-comma")?;
        let line_breaks = flag(parameters, "line-breaks")?;
        let named = parameters.take_all("map");
        let named = named.iter().map(|text| text.parse::<NamedColumn>());
        let named = named.collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let ignored: Vec<String> =
            parameters.take_all("ignore").into_iter().map(Cow::into_owned).collect();
        let mut columns = ColumnMeanings::of(named, ignored).map_err(refused)?;
        columns.ignore_unknown = flag(parameters, "ignore-unknown")?;
        Ok(Layout { delimiter, delimiter_is_given, decimal_comma, line_breaks, encoding, columns })
    }
}

/// Returns the value of a parameter, if it is given.
pub(super) fn parsed<T: FromStr>(
    parameters: &mut Parameters<'_>,
    name: &str,
    wanted: impl Display,
) -> Result<Option<T>, Reply> {
    let Some(text) = parameters.take(name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| bad_query(&format!("`{name}` is not {wanted}")))
}

/// Whether a parameter is true.
pub(super) fn flag(parameters: &mut Parameters<'_>, name: &str) -> Result<bool, Reply> {
    Ok(parsed(parameters, name, "true or false")?.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(content_type: &'static str, query: &str) -> Result<Layout, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        let mut parameters = Parameters::read(query).unwrap_or_else(|_| panic!("{query}"));
        let layout = ContentType::of(&headers).layout(&mut parameters);
        layout.map_err(|reply| reply.status().as_u16())
    }

    #[test]
    fn a_body_is_laid_out_as_it_says() {
        assert_eq!(layout("text/csv", ""), Ok(Layout::default()));
        let tabs = layout("Text/Tab-Separated-Values; header=present", "").unwrap();
        assert_eq!(tabs.delimiter, Delimiter::Tab);
        let erp = layout(
            "text/csv; header=present; charset=\"Windows-1252\"",
            "delimiter=semicolon&decimal-comma=true&map=Artikel%3Did&map=Preis%3Dprice&ignore=EAN",
        )
        .unwrap();
        assert_eq!((erp.delimiter, erp.decimal_comma), (Delimiter::Semicolon, true));
        assert!(erp.delimiter_is_given && !tabs.delimiter_is_given, "a parameter gives it");
        assert!(!erp.line_breaks && layout("text/csv", "line-breaks=true").unwrap().line_breaks);
        assert_eq!(erp.encoding, "windows-1252".parse().unwrap());
        assert_ne!(erp.columns, ColumnMeanings::default());
        for (content_type, query) in [
            ("text/csv; charset=klingon", ""),
            ("text/csv", "delimiter=x"),
            ("text/csv", "decimal-comma=yes"),
            ("text/csv", "map=sku"),
            ("text/csv", "map=sku%3Did&ignore=sku"),
        ] {
            assert_eq!(layout(content_type, query), Err(400), "{content_type} {query}");
        }
    }
}
