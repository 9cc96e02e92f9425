//! A token as text: how it arrives, and why it is refused.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::model::Timestamp;

/// The most bytes a token may have. The address of a websocket with a token in it must fit the 4,096
/// characters that API Gateway takes; and what the token says, the 8 KB that an authorizer may answer.
pub const MAX_TOKEN_BYTES: usize = 3840;

/// What comes before a token in a header.
const SCHEME: &str = "bearer";
/// The parameter of a URL that has a token.
const PARAMETER: &str = "token";

/// A token as somebody sent it. Not shown in logs, whatever is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a token does not open the door.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// There is none.
    #[error("a token is needed")]
    Missing,
    /// A header that has something else in it than one token.
    #[error("the authorization is not `Bearer` and a token")]
    NotBearer,
    /// More than any token has.
    #[error("the token has more than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not made like a token.
    #[error("that is not a token")]
    Malformed,
    /// Not signed, or in a way that is not accepted.
    #[error("the token's algorithm is not accepted here")]
    Algorithm,
    /// Its header has no `kid`, or an empty one.
    #[error("the token names no key: its header has no `kid`")]
    UnnamedKey,
    /// It names a key that is not ours.
    #[error("the token's key is not known here")]
    UnknownKey,
    /// Not signed by the key that it names, or changed afterwards.
    #[error("the token's signature is wrong")]
    Signature,
    /// Claims are missing, or not what they should be.
    #[error("the token lacks `sub`, `exp` or the claim of its customers, or has them wrong")]
    Claims,
    /// Made by somebody else than the identity provider that is trusted.
    #[error("the token is of another issuer")]
    Issuer,
    /// Meant for somebody else than ocache.
    #[error("the token is for another audience")]
    Audience,
    /// Too early.
    #[error("the token is not valid before {from}")]
    Early {
        /// From when on it is.
        from: Timestamp,
    },
    /// Too late.
    #[error("the token expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
}

impl Token {
    /// The token of an `Authorization` header.
    ///
    /// # Errors
    /// [`Refusal::NotBearer`].
    pub fn of_header(authorization: &str) -> Result<Self, Refusal> {
        match authorization.trim().split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => {
                Ok(Self(token.trim().to_owned()))
            }
            _ => Err(Refusal::NotBearer),
        }
    }

    /// The token of a URL's query, for browsers: they cannot send headers with a websocket.
    #[must_use]
    pub fn of_query(query: &str) -> Option<Self> {
        let mut parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
        // A token has no character that would have to be escaped.
        parameters.find(|(name, _)| *name == PARAMETER).map(|(_, token)| Self(token.to_owned()))
    }

    /// Its text, to be sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_in_a_header_or_in_a_url() {
        for header in ["Bearer a.b.c", "bearer  a.b.c ", " BEARER a.b.c"] {
            assert_eq!(Token::of_header(header).unwrap().as_str(), "a.b.c", "{header}");
        }
        for header in ["", "Bearer", "a.b.c", "Basic YTpi", "Bearera.b.c"] {
            assert_eq!(Token::of_header(header), Err(Refusal::NotBearer), "{header}");
        }
        let of_query = |query| Token::of_query(query).map(|token| token.0);
        assert_eq!(of_query("x=1&token=a.b.c&y").as_deref(), Some("a.b.c"));
        assert_eq!(of_query("token=").as_deref(), Some(""));
        for query in ["", "token", "tokens=a", "x=token"] {
            assert_eq!(of_query(query), None, "{query}");
        }
        assert!(!format!("{:?}", Token("a.b.c".to_owned())).contains("a.b.c"));
    }
}
