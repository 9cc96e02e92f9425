//! Kept replies: the prices of some products as they were last rendered, up to a limit.
//!
//! The page of a shop asks for the same products of the same customer again and again. While the state of
//! the customer's table stays the same, so does the reply, and only the head of the table has to be read.
//! Many requests come only once, so a reply is kept when its request comes again in the same state.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::etag::TableState;
use crate::model::{Item, Quantity};
use crate::stages::prices::Question;

/// About how large a kept reply is, with its request, in bytes.
const REPLY_BYTES: u64 = 8 * 1024;
/// How many requests are remembered until they come again.
const REMEMBERED: usize = 16 * 1024;

/// A request for the prices of some products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SomeAsked {
    pub(super) question: Question,
    /// The quantity of each product.
    pub(super) quantity: Quantity,
    /// The query of which this was read; `None` if it came as a body, whose replies are not kept.
    pub(super) query: Option<Box<str>>,
}

/// A reply and the request that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptReply {
    pub(super) asked: Arc<SomeAsked>,
    /// The state of the table that it shows.
    pub(super) state: TableState,
    pub(super) tag: String,
    pub(super) body: Bytes,
}

/// The kept replies of a process.
pub(super) struct KeptReplies {
    replies: Cache<ByText, Arc<KeptReply>, ByBytes>,
    /// The hashes of requests that came, with the state of the table.
    once: Cache<u64, ()>,
    hashes: RandomState,
}

/// A request, known by its customer and its query.
#[derive(Clone)]
struct ByText(Arc<SomeAsked>);

/// The customer and the query of a request that has just come.
#[derive(Hash)]
struct Text<'a>(&'a str, &'a str);

impl ByText {
    fn text(&self) -> Text<'_> {
        let SomeAsked { question, query, .. } = &*self.0;
        Text(question.user.as_str(), query.as_deref().unwrap_or_default())
    }
}

impl Hash for ByText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }
}

impl PartialEq for ByText {
    fn eq(&self, other: &Self) -> bool {
        other.text().equivalent(self)
    }
}

impl Eq for ByText {}

impl Equivalent<ByText> for Text<'_> {
    fn equivalent(&self, key: &ByText) -> bool {
        let Text(user, query) = key.text();
        (self.0, self.1) == (user, query)
    }
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<ByText, Arc<KeptReply>> for ByBytes {
    fn weight(&self, ByText(asked): &ByText, reply: &Arc<KeptReply>) -> u64 {
        /// The estimated memory for the two shared values, their texts, and the entry of the cache.
        const OF_ENTRY: usize = 400;
        // Ids of more than 24 bytes have memory of their own.
        let ids = asked.question.items.iter().map(|item| item.product.as_str().len());
        let items = asked.question.items.len() * size_of::<Item>();
        let query = asked.query.as_deref().map_or(0, str::len);
        let long_ids = ids.filter(|bytes| *bytes > 24).sum::<usize>();
        (OF_ENTRY + items + long_ids + query + reply.body.len()) as u64
    }
}

impl KeptReplies {
    /// Keeps replies up to about this many bytes.
    pub(super) fn up_to(bytes: u64) -> Self {
        Self {
            replies: Cache::with_weighter((bytes / REPLY_BYTES) as usize, bytes, ByBytes),
            once: Cache::new(REMEMBERED),
            hashes: RandomState::new(),
        }
    }

    /// Returns the last reply to this customer's query.
    pub(super) fn to(&self, user: &str, query: &str) -> Option<Arc<KeptReply>> {
        self.replies.get(&Text(user, query))
    }

    /// Forgets a reply, because its table is in another state now.
    pub(super) fn forget(&self, reply: &KeptReply) {
        self.replies.remove(&ByText(reply.asked.clone()));
    }

    /// Whether a request with a query came before while the table was in this state. If not, remembers it.
    pub(super) fn comes_again(&self, asked: &Arc<SomeAsked>, state: &TableState) -> bool {
        if asked.query.is_none() {
            return false;
        }
        let hash = self.hashes.hash_one((ByText(asked.clone()), state));
        let comes_again = self.once.get(&hash).is_some();
        if !comes_again {
            self.once.insert(hash, ());
        }
        comes_again
    }

    /// Keeps a reply. Returns its body.
    pub(super) fn keep(
        &self,
        asked: &Arc<SomeAsked>,
        state: TableState,
        tag: &str,
        json: Vec<u8>,
    ) -> Bytes {
        // What is kept must not have room to spare.
        let body = Bytes::from(json.into_boxed_slice());
        let reply =
            KeptReply { asked: asked.clone(), state, tag: tag.to_owned(), body: body.clone() };
        self.replies.insert(ByText(asked.clone()), Arc::new(reply));
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Generation, UserId};

    fn asked(user: &str, query: Option<&str>) -> Arc<SomeAsked> {
        let question = Question { user: UserId::new(user).unwrap(), items: vec![] };
        let query = query.map(Into::into);
        Arc::new(SomeAsked { question, quantity: Quantity::ONE, query })
    }

    fn state(version: u64) -> TableState {
        let generation = Generation::from_random([0; 16]);
        TableState { generation, version, stale: false, begun: 0 }
    }

    #[test]
    fn a_request_comes_again_if_the_table_is_in_the_same_state() {
        let replies = KeptReplies::up_to(1 << 20);
        let comes_again =
            |user, query, version| replies.comes_again(&asked(user, query), &state(version));
        assert!(!comes_again("AAA", Some("product=P1"), 1));
        assert!(comes_again("AAA", Some("product=P1"), 1));
        for (user, query) in [("AAA", "product=P2"), ("BBB", "product=P1"), ("AAAproduct=", "P1")] {
            assert!(!comes_again(user, Some(query), 1), "{user} {query}");
        }
        assert!(!comes_again("AAA", Some("product=P1"), 2));
        // What comes as a body is never kept.
        assert!(!comes_again("AAA", None, 1) && !comes_again("AAA", None, 1));
    }

    #[test]
    fn the_last_reply_is_kept_until_it_is_forgotten() {
        let replies = KeptReplies::up_to(1 << 20);
        let asked = asked("AAA", Some("product=P1"));
        assert_eq!(replies.to("AAA", "product=P1"), None);
        for version in [1, 2] {
            replies.keep(&asked, state(version), "\"a\"", b"{}".to_vec());
        }
        let found = replies.to("AAA", "product=P1").unwrap();
        assert_eq!(found.state, state(2));
        for (user, query) in [("AAA", "product=P2"), ("BBB", "product=P1"), ("AAAproduct=", "P1")] {
            assert_eq!(replies.to(user, query), None, "{user} {query}");
        }
        replies.forget(&found);
        assert_eq!(replies.to("AAA", "product=P1"), None);
    }

    #[test]
    fn replies_are_kept_up_to_a_limit() {
        const LIMIT: u64 = 1 << 20;
        let replies = KeptReplies::up_to(LIMIT);
        for number in 0..1000 {
            let asked = asked("AAA", Some(&format!("product=P{number}")));
            let body = replies.keep(&asked, state(1), "\"a\"", vec![b'x'; 8 * 1024]);
            assert_eq!(body.len(), 8 * 1024);
        }
        let (kept, bytes) = (replies.replies.len(), replies.replies.weight());
        assert!(bytes <= LIMIT && kept > 60, "{kept} replies, {bytes} bytes");
    }
}
