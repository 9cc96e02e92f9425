//! Ids of customers, products, quotations and connections. They are checked where they enter.

use std::fmt::{self, Write as _};

use compact_str::{CompactString, format_compact};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Timestamp;
use super::digest::DigestBuilder;
use super::id_rules::{IdError, check_new, check_stored};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(CompactString);

        impl $name {
            /// The most bytes of an id.
            pub const MAX_BYTES: usize = $max;

            /// Creates an id that comes from outside: a file, a command line, a client.
            ///
            /// It is never altered, because the sender knows it by exactly these bytes.
            ///
            /// # Errors
            /// [`IdError`] if it is empty or too long, or could be mistaken for another id: a character is
            /// not visible, a blank is at an end, or a letter is not in Unicode's form NFC.
            pub fn new(text: impl Into<CompactString>) -> Result<Self, IdError> {
                let text = text.into();
                check_new($kind, $max, &text)?;
                Ok(Self(text))
            }

            /// Creates an id that is already stored or sent, or that is only looked up.
            ///
            /// Version 0.1.0 accepted ids that are refused today. Data stored under them can still be read
            /// and deleted.
            ///
            /// # Errors
            /// [`IdError`] if it is empty or too long, or has a control character.
            pub fn stored(text: impl Into<CompactString>) -> Result<Self, IdError> {
                let text = text.into();
                check_stored($kind, $max, &text)?;
                Ok(Self(text))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::stored(CompactString::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

text_id! {
    /// A customer: 1–256 bytes of UTF-8, with visible characters only.
    UserId, "customer id", 256
}
text_id! {
    /// A product: 1–64 bytes of UTF-8, with visible characters only.
    ProductId, "product id", 64
}
text_id! {
    /// A price list: 1–64 bytes of UTF-8, with visible characters only.
    PriceListId, "price list id", 64
}
text_id! {
    /// A group of customers: 1–64 bytes of UTF-8, with visible characters only.
    CustomerGroup, "group", 64
}
text_id! {
    /// The id of one quotation, made by ocache or chosen by the client: 1–128 bytes.
    RequestId, "request id", 128
}
text_id! {
    /// The subject that a token was issued to: 1–256 bytes, for logs.
    Subject, "subject", 256
}
text_id! {
    /// A websocket connection, as its gateway names it.
    ConnectionId, "connection id", 128
}

text_id! {
    /// The random name under which the parts of one written price table are stored.
    Generation, "generation", 64
}

/// The alphabet of random ids. 26 characters have 130 bits, and no letter looks like a digit.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes 128 random bits as 26 characters.
fn base32(bytes: [u8; 16]) -> String {
    let mut bits = u128::from_be_bytes(bytes);
    let mut text = [0; 26];
    for slot in text.iter_mut().rev() {
        *slot = BASE32[(bits & 31) as usize];
        bits >>= 5;
    }
    text.iter().map(|&byte| char::from(byte)).collect()
}

impl RequestId {
    /// The prefix of ids made by ocache. A client's id may have it too: see [`QuotationKey`].
    const MADE: &'static str = "q_";

    /// Makes an id that nobody can guess: the time in milliseconds, then 80 random bits.
    ///
    /// Ids of the same time sort together. So what is stored at one time is in one place of an index.
    #[must_use]
    pub fn made(at: Timestamp, mut random: [u8; 16]) -> Self {
        random[..6].copy_from_slice(&at.millis().to_be_bytes()[2..]);
        Self(format_compact!("{}{}", Self::MADE, base32(random)))
    }

    /// Whether it has the form of an id made by ocache.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.0
            .strip_prefix(Self::MADE)
            .is_some_and(|rest| rest.len() == 26 && rest.bytes().all(|byte| BASE32.contains(&byte)))
    }
}

impl ProductId {
    /// Checks that [`Self::stored`] would accept a text.
    pub(crate) fn check_stored(text: &str) -> Result<(), IdError> {
        check_stored("product id", Self::MAX_BYTES, text)
    }

    /// Creates an id from a text that was already checked.
    pub(crate) fn checked(text: &str) -> Self {
        Self(text.into())
    }
}

impl Subject {
    /// The subject of tokens that ocache makes for itself.
    #[must_use]
    pub fn ocache() -> Self {
        Self("ocache".into())
    }
}

impl ConnectionId {
    /// Creates an id that nobody can guess.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(bytes).into())
    }
}

impl Generation {
    /// Creates a generation that no other table has.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(bytes).into())
    }
}

/// The key under which a quotation is stored.
///
/// An id made by ocache is globally unique. An id chosen by a client is unique only for its customer, so its
/// key also contains a hash of the customer. So two customers who both use the ids `1, 2, 3` never collide.
/// This is true for every chosen id, even if it looks like one made by ocache.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuotationKey(String);

/// The length of a customer's hash in a key.
const SCOPE_CHARS: usize = 32;

impl QuotationKey {
    /// Returns the key of a request whose id was chosen by the client.
    #[must_use]
    pub fn new(user: &UserId, request: &RequestId) -> Self {
        let scope = DigestBuilder::new("quotation").part(user.as_str().as_bytes()).finish();
        let mut key = String::with_capacity(SCOPE_CHARS + 1 + request.as_str().len());
        // Writing into a text cannot fail.
        let _ = write!(key, "{scope}/{request}");
        Self(key)
    }

    /// Makes a request id that nobody can guess, and its key.
    #[must_use]
    pub fn make(at: Timestamp, random: [u8; 16]) -> (RequestId, Self) {
        let made = RequestId::made(at, random);
        let key = Self(made.as_str().to_owned());
        (made, key)
    }

    /// Returns the key of a request whose id was made by ocache; `None` if the id does not have that form.
    #[must_use]
    pub fn of_made(request: &RequestId) -> Option<Self> {
        request.is_made().then(|| Self(request.as_str().to_owned()))
    }

    /// Creates a key from its stored text.
    ///
    /// # Errors
    /// [`IdError`] if it is empty.
    pub fn stored(text: impl Into<String>) -> Result<Self, IdError> {
        match text.into() {
            text if text.is_empty() => Err(IdError::Empty { kind: "quotation key" }),
            text => Ok(Self(text)),
        }
    }

    /// Returns the keys that a customer's request may have if only its id is known, the most likely first.
    pub fn candidates(user: &UserId, request: &RequestId) -> impl Iterator<Item = Self> {
        Self::of_made(request).into_iter().chain([Self::new(user, request)])
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for QuotationKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QuotationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_user_id() {
        assert!(UserId::new("José Núñez 株式会社").is_ok());
        assert!(UserId::new("u".repeat(256)).is_ok());
        assert!(matches!(UserId::new(""), Err(IdError::Empty { .. })));
        assert!(matches!(UserId::new("u".repeat(257)), Err(IdError::TooLong { length: 257, .. })));
        assert!(serde_json::from_str::<UserId>(r#""""#).is_err());
    }

    #[test]
    fn a_new_id_is_held_to_more_than_one_that_is_stored() {
        for text in ["EEE ", "AAA\u{200b}", "Jose\u{301}"] {
            assert!(UserId::new(text).is_err(), "{text:?}");
            let json = serde_json::to_string(text).unwrap();
            let read: UserId = serde_json::from_str(&json).unwrap();
            assert_eq!(UserId::stored(text), Ok(read.clone()));
            assert_eq!(serde_json::to_string(&read).unwrap(), json, "it is not altered");
        }
    }

    #[test]
    fn made_request_ids_are_recognised() {
        let made = RequestId::made(Timestamp::from_millis(-1), [255; 16]);
        assert!(made.is_made());
        assert_eq!(RequestId::new(made.as_str()), Ok(made));
        let ids = [1, 2, 255, 256].map(|at| RequestId::made(Timestamp::from_millis(at), [255; 16]));
        assert!(ids.is_sorted(), "{ids:?}");
        for other in ["q_", "1", "q_0123456789abcdefghjkmnpqri", "Q_0123456789abcdefghjkmnpqrs"] {
            assert!(!RequestId::new(other).unwrap().is_made(), "{other}");
        }
    }

    #[test]
    fn chosen_request_ids_are_scoped_by_user() {
        let [ann, bob] = ["ann", "bob"].map(|user| UserId::new(user).unwrap());
        let one = RequestId::new("1").unwrap();
        assert_ne!(QuotationKey::new(&ann, &one), QuotationKey::new(&bob, &one));
        assert_eq!(QuotationKey::of_made(&one), None);
        // A chosen id that looks like a made one is scoped too, and differs from the made one.
        let made = RequestId::made(Timestamp::from_secs(7), [7; 16]);
        let keys = [QuotationKey::new(&ann, &made), QuotationKey::new(&bob, &made)];
        assert_ne!(keys[0], keys[1]);
        let own = QuotationKey::of_made(&made).unwrap();
        assert!(!keys.contains(&own));
        let [chosen, _] = keys;
        assert!(QuotationKey::candidates(&ann, &made).eq([own, chosen]));
        assert!(QuotationKey::candidates(&ann, &one).eq([QuotationKey::new(&ann, &one)]));
    }
}
