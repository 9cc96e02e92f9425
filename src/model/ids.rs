//! Ids of customers, products, quotations and connections. They are checked where they enter.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use compact_str::CompactString;
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

/// The alphabet of random ids. No letter looks like a digit.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The bits of a random id.
const RANDOM_BITS: u32 = 110;
/// The length of a random id. Together with a prefix it fits into a text that allocates nothing.
const RANDOM_CHARS: usize = RANDOM_BITS as usize / 5;

/// Writes the lowest 110 bits after a prefix.
fn base32(prefix: &str, mut bits: u128) -> CompactString {
    let mut text = [0; RANDOM_CHARS];
    for slot in text.iter_mut().rev() {
        *slot = BASE32[(bits & 31) as usize];
        bits >>= 5;
    }
    let mut id = CompactString::new(prefix);
    // All bytes are of the alphabet.
    id.push_str(std::str::from_utf8(&text).unwrap_or_default());
    id
}

/// Reads what [`base32`] has written, or 130 bits of an id that an earlier version made. Bits that do not fit
/// are lost. Returns `None` if a byte is not in the alphabet.
fn read_base32(text: &[u8]) -> Option<u128> {
    text.iter().try_fold(0, |bits, byte| {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'h' => byte - b'a' + 10,
            b'j' | b'k' => byte - b'j' + 18,
            b'm' | b'n' => byte - b'm' + 20,
            b'p'..=b't' => byte - b'p' + 22,
            b'v'..=b'z' => byte - b'v' + 27,
            _ => return None,
        };
        Some(bits << 5 | u128::from(value))
    })
}

/// Makes request ids. In a process, each sorts after those that were made before it. So rows that have them
/// stand in the order in which they are stored.
#[derive(Debug, Default)]
pub struct RequestIds {
    /// The turn of the last id: its time, and its number among the ids of that millisecond.
    last: AtomicU64,
}

impl RequestIds {
    /// Makes an id that nobody can guess: the time, a number that grows, and 58 random bits.
    ///
    /// The first number of a millisecond is random, so that an id does not tell how many others there are, and so
    /// that two processes seldom make ids of one place. Its highest bit is zero, which leaves room to count.
    #[must_use]
    pub fn make(&self, at: Timestamp, random: [u8; 16]) -> RequestId {
        let number = RequestId::number(random) >> 1;
        let first = RequestId::millis(at) << RequestId::NUMBER_BITS | number;
        let next = |last: u64| first.max(last + 1);
        // Only the number is shared, so no order with other memory is needed.
        let made =
            self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        RequestId::of_turn(next(made.unwrap_or_else(|last| last)), random)
    }
}

impl RequestId {
    /// The prefix of ids made by ocache. A client's id may have it too: see [`QuotationKey`].
    const MADE: &'static str = "q_";
    /// The length of ids that earlier versions made, without the prefix.
    const EARLIER_CHARS: usize = 26;
    /// The bits of the time in milliseconds. They end in the year 2109.
    const TIME_BITS: u32 = 42;
    /// The bits of the number of an id in its millisecond. Numbers that are larger count on into the next one.
    const NUMBER_BITS: u32 = 10;

    /// Makes an id that nobody can guess: the time in milliseconds, then 68 random bits.
    #[must_use]
    pub fn made(at: Timestamp, random: [u8; 16]) -> Self {
        Self::of_turn(Self::millis(at) << Self::NUMBER_BITS | Self::number(random), random)
    }

    fn millis(at: Timestamp) -> u64 {
        at.millis().cast_unsigned() % (1 << Self::TIME_BITS)
    }

    /// Returns a number of the first of these bits.
    fn number(random: [u8; 16]) -> u64 {
        u64::from(u16::from_be_bytes([random[0], random[1]])) % (1 << Self::NUMBER_BITS)
    }

    /// Makes an id of a time with a number, and of the last of these bits.
    fn of_turn(turn: u64, random: [u8; 16]) -> Self {
        const RANDOM: u32 = RANDOM_BITS - RequestId::TIME_BITS - RequestId::NUMBER_BITS;
        let random = u128::from_be_bytes(random) % (1 << RANDOM);
        Self(base32(Self::MADE, u128::from(turn) << RANDOM | random))
    }

    /// Whether it has the form of an id made by ocache.
    #[must_use]
    pub fn is_made(&self) -> bool {
        let Some(rest) = self.0.strip_prefix(Self::MADE) else { return false };
        let is_as_long = matches!(rest.len(), RANDOM_CHARS | Self::EARLIER_CHARS);
        is_as_long && read_base32(rest.as_bytes()).is_some()
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
        Self(base32("", u128::from_be_bytes(bytes)))
    }
}

impl Generation {
    /// Creates a generation that no other table has.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32("", u128::from_be_bytes(bytes)))
    }
}

/// The key under which a quotation is stored.
///
/// An id made by ocache is globally unique. An id chosen by a client is unique only for its customer, so its
/// key also contains a hash of the customer. So two customers who both use the ids `1, 2, 3` never collide.
/// This is true for every chosen id, even if it looks like one made by ocache.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuotationKey(CompactString);

/// The length of a customer's hash in a key.
const SCOPE_CHARS: usize = 32;

impl QuotationKey {
    /// Returns the key of a request whose id was chosen by the client.
    #[must_use]
    pub fn new(user: &UserId, request: &RequestId) -> Self {
        let scope = DigestBuilder::new("quotation").part(user.as_str().as_bytes()).finish();
        let mut key = CompactString::with_capacity(SCOPE_CHARS + 1 + request.as_str().len());
        // Writing into a text cannot fail.
        let _ = write!(key, "{scope}/{request}");
        Self(key)
    }

    /// Makes a request id that nobody can guess, and its key.
    #[must_use]
    pub fn make(at: Timestamp, random: [u8; 16]) -> (RequestId, Self) {
        let made = RequestId::made(at, random);
        let key = Self(made.0.clone());
        (made, key)
    }

    /// Returns the key of a request whose id was made by ocache; `None` if the id does not have that form.
    #[must_use]
    pub fn of_made(request: &RequestId) -> Option<Self> {
        request.is_made().then(|| Self(request.0.clone()))
    }

    /// Where a key that ocache made stands among all of them: its time and number, and eleven random bits.
    /// The number is positive, and hardly ever do two keys have the same. Returns `None` for a key of an
    /// earlier version, and for one with an id that the client chose.
    #[must_use]
    pub fn place(&self) -> Option<i64> {
        /// The characters with the bits of a place, and how many bits they have beyond these.
        const CHARS: usize = 13;
        const BEYOND: u32 = CHARS as u32 * 5 - i64::BITS + 1;
        let made = self.0.strip_prefix(RequestId::MADE)?.as_bytes();
        let first = made.get(..CHARS).filter(|_| made.len() == RANDOM_CHARS)?;
        i64::try_from(read_base32(first)? >> BEYOND).ok()
    }

    /// Creates a key from its stored text.
    ///
    /// # Errors
    /// [`IdError`] if it is empty.
    pub fn stored(text: impl Into<CompactString>) -> Result<Self, IdError> {
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
        for earlier in ["q_0123456789abcdefghjkmnpqrs", "q_01m88znyfwydxkfb23xkwfdxsc"] {
            let id = RequestId::new(earlier).unwrap();
            assert_eq!(QuotationKey::of_made(&id).unwrap().place(), None);
        }
        for other in ["q_", "1", "q_0123456789abcdefghjkmnpqri", "Q_0123456789abcdefghjkmnpqrs"] {
            assert!(!RequestId::new(other).unwrap().is_made(), "{other}");
        }
    }

    #[test]
    fn every_letter_of_a_random_id_is_read_as_it_was_written() {
        for (value, letter) in BASE32.iter().enumerate() {
            assert_eq!(read_base32(&[b'z', *letter]), Some(31 << 5 | value as u128));
        }
        assert_eq!((0..=u8::MAX).filter(|byte| read_base32(&[*byte]).is_some()).count(), 32);
        let all = (1 << RANDOM_BITS) - 1;
        assert_eq!(read_base32(base32("", u128::MAX).as_bytes()), Some(all));
    }

    #[test]
    fn made_ids_sort_in_the_order_in_which_they_were_made() {
        let ids = RequestIds::default();
        // Also where there are many in a millisecond, and when the clock is set back.
        let times = [1, 1, 2, 0].into_iter().chain([5; 3000]).chain([255, 256]);
        let random =
            |number: usize| ((number * 7919) as u128).wrapping_mul(1 << 100 | 1).to_be_bytes();
        let made = times.enumerate().map(|(number, at)| {
            ids.make(Timestamp::from_millis(1_800_000_000_000 + at), random(number))
        });
        let made: Vec<RequestId> = made.collect();
        assert!(made.is_sorted_by(|one, next| one < next));
        let places: Vec<i64> =
            made.iter().map(|id| QuotationKey::of_made(id).unwrap().place().unwrap()).collect();
        assert!(places[0] > 0 && places.is_sorted_by(|one, next| one < next));
        let last = Timestamp::from_millis((1 << RequestId::TIME_BITS) - 1);
        let (_, key) = QuotationKey::make(last, [255; 16]);
        assert_eq!(key.place(), Some(i64::MAX));
    }

    #[test]
    fn random_ids_allocate_nothing() {
        let (request, key) = QuotationKey::make(Timestamp::default(), [7; 16]);
        let connection = ConnectionId::from_random([7; 16]);
        let generation = Generation::from_random([7; 16]);
        let texts = [&request.0, &key.0, &connection.0, &generation.0];
        assert!(texts.iter().all(|text| !text.is_heap_allocated()));
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
