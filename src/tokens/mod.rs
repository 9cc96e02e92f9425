//! Signed tokens: who may quote for whom, and the keys that the tokens are signed with.
//!
//! A token is a JWT. ocache signs its own tokens with HS256 and the keys of a [`KeyRing`]. An identity
//! provider signs with RS256 or ES256, and a [`KeySet`] has its public keys. This module is pure: time is an
//! argument, and keys are read through [`crate::ports::KeySource`].

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
