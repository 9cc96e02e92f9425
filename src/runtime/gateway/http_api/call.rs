//! A request to the API, understood and checked.

use std::time::Duration;

use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};

use super::reply::{bad, problem_with_code};
use super::resource::{Resource, pairs};
use crate::model::{RequestId, UserId};
use crate::protocol::{ProtocolError, QuoteBody, parse_quote_body};
use crate::runtime::gateway::routes::Reply;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A quote, and for how long its answer is waited for.
    Quote(QuoteBody, Duration),
    /// An earlier quotation.
    Get {
        /// Whose.
        user: UserId,
        /// Which.
        request_id: RequestId,
        /// For how long its outcome is waited for.
        wait: Duration,
    },
}

/// A request as it came, whatever brought it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method, one of those that the resource takes.
    pub method: &'a Method,
    /// Behind the question mark.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body; empty without one.
    pub body: &'a [u8],
}

impl Call {
    /// Reads a request for a resource.
    ///
    /// # Errors
    /// The reply to a request that cannot be understood.
    pub fn read(resource: Resource, asked: Asked<'_>) -> Result<Self, Reply> {
        let wait = wait(asked.headers);
        match resource {
            Resource::Quotes => {
                Parameters::read(asked.query)?.end()?;
                let body = parse_quote_body(asked.body).map_err(|error| refused(&error))?;
                Ok(Self::Quote(body, wait))
            }
            Resource::Quote(id) => {
                let mut parameters = Parameters::read(asked.query)?;
                let client = parameters.take("client")?.ok_or_else(|| {
                    bad("bad_query", "whose quotation is it? Name the client: ?client=…")
                })?;
                parameters.end()?;
                let user = UserId::new(client).map_err(|error| refused(&error.into()))?;
                let request_id = RequestId::new(id).map_err(|error| refused(&error.into()))?;
                Ok(Self::Get { user, request_id, wait })
            }
        }
    }

    /// Whose prices it is about.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        match self {
            Self::Quote(QuoteBody { user, .. }, _) | Self::Get { user, .. } => user,
        }
    }

    /// Whether it makes its user active.
    #[must_use]
    pub const fn is_visit(&self) -> bool {
        matches!(self, Self::Quote(..))
    }
}

/// The parameters of a query. One that nobody asks for is refused: it was meant to do something.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(query: &str) -> Result<Self, Reply> {
        pairs(query).map(Self).map_err(|why| bad("bad_query", &why))
    }

    /// The one value of a name.
    fn take(&mut self, name: &str) -> Result<Option<String>, Reply> {
        let mut values = self.take_all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(bad("bad_query", &format!("`{name}` is given more than once"))),
        }
    }

    fn take_all(&mut self, name: &str) -> Vec<String> {
        let (of_name, rest) = std::mem::take(&mut self.0).into_iter().partition(|it| it.0 == name);
        self.0 = rest;
        let of_name: Vec<(String, String)> = of_name;
        of_name.into_iter().map(|(_, value)| value).collect()
    }

    fn end(self) -> Result<(), Reply> {
        match self.0.first() {
            Some((name, _)) => {
                Err(bad("bad_query", &format!("`{name}` is no parameter of this path")))
            }
            None => Ok(()),
        }
    }
}

fn refused(error: &ProtocolError) -> Reply {
    problem_with_code(StatusCode::BAD_REQUEST, error.code(), &error.to_string())
}

/// For how long a client would wait: `Prefer: wait=SECONDS` (RFC 7240). What is not understood is
/// passed over, as that document has it.
fn wait(headers: &HeaderMap) -> Duration {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let preferences = values.flat_map(|value| value.split(','));
    let waits = preferences.filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        value.trim().trim_matches('"').parse().ok().filter(|_| is_wait)
    });
    // The first one counts.
    waits.map(|secs: u32| Duration::from_secs(secs.into())).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(id: &str, query: &str) -> Result<Call, Reply> {
        let (method, headers) = (&Method::GET, &HeaderMap::new());
        let asked = Asked { method, query, headers, body: b"" };
        Call::read(Resource::Quote(id.to_owned()), asked)
    }

    #[test]
    fn a_query_says_all_and_no_more() {
        let call = get("order-7", "client=Jos%C3%A9+N").unwrap();
        assert_eq!(call.user().as_str(), "José N");
        for (id, query) in [
            ("7", ""),
            ("7", "client="),
            ("7", "client=A&client=B"),
            ("7", "client=A&wait=5"),
            ("7", "client=%FF"),
            ("\u{1}", "client=A"),
        ] {
            assert_eq!(get(id, query).unwrap_err().status(), StatusCode::BAD_REQUEST, "{query}");
        }
    }

    #[test]
    fn the_wait_is_what_the_client_prefers() {
        for (prefer, secs) in [
            (&["wait=10"][..], 10),
            (&["respond-async, WAIT = 7; x=1"], 7),
            (&["handling=lenient", "wait=\"3\", wait=9"], 3),
            (&["wait=soon"], 0),
            (&["await=5"], 0),
            (&[], 0),
        ] {
            let mut headers = HeaderMap::new();
            for value in prefer {
                headers.append("prefer", value.parse().unwrap());
            }
            assert_eq!(wait(&headers), Duration::from_secs(secs), "{prefer:?}");
        }
    }
}
