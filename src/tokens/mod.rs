//! Signed tokens: who may quote for whom, and the keys that prove it.
//!
//! A token is a JWT, signed with HS256 and nothing else. Nobody but who has the keys can make one,
//! and a gateway needs nothing but the keys to check one. Pure: time is an argument, and where keys
//! are kept is [`crate::ports::TokenKeys`]' business.

mod claims;
mod clients;
mod keys;
#[cfg(test)]
pub(crate) mod testing;
mod token;

pub use claims::{Grant, LEEWAY, SignError};
pub use clients::Clients;
pub use keys::{Key, KeyRing, KeysError};
pub use token::{MAX_TOKEN_BYTES, Refusal, Token};
