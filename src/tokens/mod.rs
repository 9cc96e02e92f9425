//! Signed tokens: who may quote for whom, and the keys that prove it.
//!
//! A token is a JWT. ocache signs its own with HS256, by the keys of a [`KeyRing`]; an identity
//! provider signs its tokens with RS256 or ES256, and a [`KeySet`] has its public keys. Pure: time is an
//! argument, and where keys are kept is [`crate::ports::KeySource`]'s business.

mod claims;
mod clients;
mod key_set;
mod keys;
#[cfg(test)]
pub(crate) mod testing;
mod token;

pub use claims::{CLIENTS, Grant, LEEWAY, SignError};
pub use clients::Clients;
pub use key_set::{Issuer, KeySet, KeySetError, MAX_KEY_SET_BYTES, Unusable, UnusableKey};
pub use keys::{Key, KeyRing, KeysError};
pub use token::{MAX_TOKEN_BYTES, Refusal, Token};
