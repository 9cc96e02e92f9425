//! Entity tags of prices: the same table and the same request have the same tag.

use hyper::header::{HeaderMap, IF_NONE_MATCH};

use crate::model::{Digest, DigestBuilder, Generation, Item, Timestamp, UserId};
use crate::ports::TableHead;

/// Another version of ocache may show the same prices in another form, so the version is part of the tag.
const FORM: &str = env!("CARGO_PKG_VERSION");

/// The tags of the replies that a client already has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownTags(Option<String>);

impl KnownTags {
    /// Reads the tags that a request names.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let tags: Vec<&str> = values.collect();
        Self((!tags.is_empty()).then(|| tags.join(",")))
    }

    /// Whether the tags include this one. A proxy that has compressed a reply may have turned its tag
    /// into a weak one.
    pub(super) fn contain(&self, tag: &str) -> bool {
        let Some(tags) = &self.0 else { return false };
        let mut tags = tags.split(',').map(str::trim);
        tags.any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag)
    }
}

/// What of a customer's table decides a reply: in the same state, the same request has the same reply.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TableState {
    pub(super) generation: Generation,
    /// The version of the head.
    pub(super) version: u64,
    pub(super) stale: bool,
    /// How many periods have begun. A head may hold prices for several.
    pub(super) begun: usize,
}

impl TableState {
    /// Returns the state of a table at a time.
    pub(super) fn of(head: &TableHead, at: Timestamp, stale: bool) -> Self {
        let generation = head.generation.clone();
        Self { generation, version: head.version, stale, begun: head.begun(at) }
    }

    /// Begins the digest of a reply to this customer.
    fn digest(&self, of: &str, user: &UserId) -> DigestBuilder {
        DigestBuilder::new(of)
            .part(FORM.as_bytes())
            .part(user.as_str().as_bytes())
            .part(self.generation.as_str().as_bytes())
            .number(self.version)
            .number(self.stale.into())
            .number(self.begun as u64)
    }
}

/// Returns the tag of the prices of some products.
pub(super) fn of_some(user: &UserId, state: &TableState, items: &[Item]) -> String {
    // All items have the same quantity. No id contains a line feed.
    let quantity = items.first().map_or(0, |item| item.quantity.thousandths());
    let ids: usize = items.iter().map(|item| item.product.as_str().len() + 1).sum();
    let mut asked = Vec::with_capacity(size_of_val(&quantity) + ids);
    asked.extend_from_slice(&quantity.to_le_bytes());
    for item in items {
        asked.push(b'\n');
        asked.extend_from_slice(item.product.as_str().as_bytes());
    }
    shown(&state.digest("some", user).part(&asked).finish())
}

/// Returns the tag of a whole table in this form.
pub(super) fn of_all(user: &UserId, state: &TableState, form: &str) -> String {
    shown(&state.digest("all", user).part(form.as_bytes()).finish())
}

fn shown(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_others() {
        let known = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IF_NONE_MATCH, value.parse().unwrap());
            }
            KnownTags::of(&headers)
        };
        for values in [&["\"a\""][..], &["\"x\", W/\"a\""], &["\"x\"", "\"a\""], &["*"]] {
            assert!(known(values).contain("\"a\""), "{values:?}");
        }
        for values in [&[][..], &["\"ab\""], &["a"]] {
            assert!(!known(values).contain("\"a\""), "{values:?}");
        }
    }
}
