//! Tokens as text, and the reasons to refuse them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::model::Timestamp;

/// The most bytes of a token. A websocket's URL with a token must fit the 4,096 characters that API Gateway
/// accepts, and the token's claims must fit the 8 KB that an authorizer may return.
pub const MAX_TOKEN_BYTES: usize = 3840;

/// The scheme before a token in a header.
const SCHEME: &str = "bearer";
/// The parameter for a token in a URL.
const PARAMETER: &str = "token";

/// A token as it was sent. It is never shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a token is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// There is no token.
    #[error("a token is needed")]
    Missing,
    /// The header is not `Bearer` and one token.
    #[error("the authorization is not `Bearer` and a token")]
    NotBearer,
    /// It is longer than any token.
    #[error("the token has more than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// It does not have the form of a token.
    #[error("that is not a token")]
    Malformed,
    /// It is unsigned, or its algorithm is not accepted.
    #[error("the token's algorithm is not accepted here")]
    Algorithm,
    /// Its header has no `kid`, or an empty one.
    #[error("the token names no key: its header has no `kid`")]
    UnnamedKey,
    /// It names an unknown key.
    #[error("the token is signed with a key that is not known here")]
    UnknownKey,
    /// It is not signed by the key that it names, or was changed afterwards.
    #[error("the token's signature is wrong")]
    Signature,
    /// Claims are missing or not valid.
    #[error("the token lacks `sub`, `exp` or the claim of its customers, or has them wrong")]
    Claims,
    /// It is from another issuer than the trusted identity provider.
    #[error("the token comes from another issuer")]
    Issuer,
    /// It is for another audience than ocache.
    #[error("the token is for another audience")]
    Audience,
    /// It is not valid yet.
    #[error("the token is not valid before {from}")]
    Early {
        /// The time from which it is valid.
        from: Timestamp,
    },
    /// It has expired.
    #[error("the token expired at {at}")]
    Expired {
        /// The time when it expired.
        at: Timestamp,
    },
}

impl Token {
    /// Reads the token of an `Authorization` header.
    ///
    /// # Errors
    /// [`Refusal::NotBearer`] if the header has another form.
    pub fn of_header(authorization: &str) -> Result<Self, Refusal> {
        match authorization.trim().split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => {
                Ok(Self(token.trim().to_owned()))
            }
            _ => Err(Refusal::NotBearer),
        }
    }

    /// Reads the token in the query of a URL. Browsers use it, because they cannot send headers with a
    /// websocket.
    #[must_use]
    pub fn of_query(query: &str) -> Option<Self> {
        let mut parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
        // No character of a token needs to be escaped.
        parameters.find(|(name, _)| *name == PARAMETER).map(|(_, token)| Self(token.to_owned()))
    }

    /// The text of the token, for sending it.
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
