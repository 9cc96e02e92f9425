//! A parsed and checked request to the API.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{ACCEPT, HeaderMap};
use hyper::{Method, StatusCode};

use super::etag::KnownTags;
use super::kept::{KeptReplies, KeptReply, SomeAsked};
use super::resource::{Pair, Resource, most_pairs, pairs};
use crate::model::{ProductId, Quantity, RequestId, UserId};
use crate::protocol::{
    ItemsError, ProtocolError, QuoteBody, TableFormat, parse_prices_body, parse_quote_body,
    priced_items,
};
use crate::runtime::gateway::http_reply::{Reply, bad_query, problem_with_code};
use crate::stages::prices::Question;

/// A request of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A quote, and how long to wait for its answer.
    Quote(QuoteBody, Duration),
    /// An earlier quotation.
    Get {
        /// The customer.
        user: UserId,
        /// The quotation's id.
        request_id: RequestId,
        /// How long to wait for its outcome.
        wait: Duration,
    },
    /// Prices of some products or of all.
    Prices(PricesAsked),
}

/// A request for prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricesAsked {
    /// The customer and the products.
    pub(super) of: PricesOf,
    /// The tags of replies that the client already has.
    pub(super) known: KnownTags,
    /// How long to wait for a table.
    pub(super) wait: Duration,
}

/// The products whose prices are requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PricesOf {
    /// Some products.
    Some(Arc<SomeAsked>),
    /// Some products, as in a request whose reply is kept.
    Kept(Arc<KeptReply>),
    /// All products of a customer.
    All(UserId, Rows),
}

impl PricesOf {
    fn user(&self) -> &UserId {
        match self {
            Self::Some(asked) => &asked.question.user,
            Self::Kept(reply) => &reply.asked.question.user,
            Self::All(user, _) => user,
        }
    }
}

/// The rows of a whole table that are requested, and their format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) format: TableFormat,
    /// The most rows.
    pub(super) limit: Option<usize>,
    /// Only rows after this product.
    pub(super) after: Option<ProductId>,
    /// The generation that the table must have: that of the table whose first rows the client has.
    pub(super) table: Option<String>,
}

/// A request in the form that all transports share.
#[derive(Clone, Copy, Debug)]
pub struct ApiRequest<'a> {
    /// The method, which is one of the resource's.
    pub method: &'a Method,
    /// The query, without the question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body; empty if there is none.
    pub body: &'a [u8],
}

impl Call {
    /// Reads a request for a resource, unless the reply to the same request is kept.
    pub(super) fn read(
        resource: Resource,
        asked: ApiRequest<'_>,
        kept: Option<&KeptReplies>,
    ) -> Result<Self, Reply> {
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
                    bad_query("whose quotation is it? Name the customer: ?client=…")
                })?;
                parameters.end()?;
                let user = customer(client)?;
                let request_id = RequestId::new(id).map_err(|error| refused(&error.into()))?;
                Ok(Self::Get { user, request_id, wait })
            }
            Resource::Prices(client) => {
                if *asked.method == Method::POST {
                    let (of, known) = (prices_of_body(client, asked)?, KnownTags::default());
                    return Ok(Self::Prices(PricesAsked { of, known, wait }));
                }
                let of = match kept.and_then(|kept| kept.to(&client, asked.query)) {
                    Some(reply) => PricesOf::Kept(reply),
                    None => prices_of_query(client, asked)?,
                };
                let known = KnownTags::of(asked.headers);
                Ok(Self::Prices(PricesAsked { of, known, wait }))
            }
        }
    }

    /// Returns the customer of the request.
    #[must_use]
    pub fn user(&self) -> &UserId {
        match self {
            Self::Quote(QuoteBody { user, .. }, _) | Self::Get { user, .. } => user,
            Self::Prices(PricesAsked { of, .. }) => of.user(),
        }
    }

    /// Whether the request makes its customer active.
    #[must_use]
    pub const fn is_visit(&self) -> bool {
        matches!(self, Self::Quote(..) | Self::Prices(_))
    }
}

fn customer(id: String) -> Result<UserId, Reply> {
    UserId::new(id).map_err(|error| refused(&error.into()))
}

fn prices_of_body(client: String, asked: ApiRequest<'_>) -> Result<PricesOf, Reply> {
    let user = customer(client)?;
    Parameters::read(asked.query)?.end()?;
    let (items, quantity) = parse_prices_body(asked.body).map_err(|error| refused(&error))?;
    let question = Question { user, items };
    Ok(PricesOf::Some(Arc::new(SomeAsked { question, quantity, query: None })))
}

fn prices_of_query(client: String, asked: ApiRequest<'_>) -> Result<PricesOf, Reply> {
    let user = customer(client)?;
    let (products, mut parameters) = Parameters::apart(asked.query, "product")?;
    if products.is_empty() {
        if parameters.has("quantity") {
            return Err(bad_query(
                "`quantity` is that of products: name one or more with `product`, as in \
                 ?product=P1&quantity=2",
            ));
        }
        return Ok(PricesOf::All(user, rows(parameters, asked.headers)?));
    }
    let quantity = match parameters.take("quantity")? {
        None => Quantity::ONE,
        Some(text) => {
            text.parse().map_err(|why| refused(&ItemsError::EveryQuantity(why).into()))?
        }
    };
    parameters.end()?;
    let items = priced_items(products, quantity).map_err(|error| refused(&error.into()))?;
    let (question, query) = (Question { user, items }, Some(asked.query.into()));
    Ok(PricesOf::Some(Arc::new(SomeAsked { question, quantity, query })))
}

fn rows(mut parameters: Parameters<'_>, headers: &HeaderMap) -> Result<Rows, Reply> {
    let format = match parameters.take("format")?.as_deref() {
        None => accepted_format(headers),
        Some("ndjson") => TableFormat::Ndjson,
        Some("csv") => TableFormat::Csv,
        Some(_) => return Err(bad_query("`format` is ndjson or csv")),
    };
    let limit = match parameters.take("limit")? {
        None => None,
        Some(text) => Some(
            text.parse()
                .ok()
                .filter(|limit| *limit > 0)
                .ok_or_else(|| bad_query("`limit` is not a number from 1"))?,
        ),
    };
    let after = parameters.take("after")?.map(ProductId::new).transpose();
    let after = after.map_err(|error| refused(&error.into()))?;
    let table = parameters.take("table")?;
    parameters.end()?;
    Ok(Rows { format, limit, after, table })
}

/// Returns CSV if the client accepts it by name and NDJSON not. Otherwise returns NDJSON, even if the
/// client accepts neither: the content type of the reply tells it.
fn accepted_format(headers: &HeaderMap) -> TableFormat {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<&str> = values
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .map(str::trim)
        .collect();
    let names = |media: &str| accepted.iter().any(|range| range.eq_ignore_ascii_case(media));
    match names("text/csv") && !names("application/x-ndjson") {
        true => TableFormat::Csv,
        false => TableFormat::Ndjson,
    }
}

/// The parameters of a query. An unknown parameter is refused, because the client meant something by it.
pub(in crate::runtime::gateway) struct Parameters<'a>(Vec<Pair<'a>>);

impl<'a> Parameters<'a> {
    pub(in crate::runtime::gateway) fn read(query: &'a str) -> Result<Self, Reply> {
        let pairs: Result<_, _> = pairs(query).collect();
        pairs.map(Self).map_err(bad_query)
    }

    /// Reads a query in which one name may be many times. Returns the values of that name, and the other
    /// parameters.
    #[inline]
    fn apart(query: &'a str, repeated: &str) -> Result<(Vec<Cow<'a, str>>, Self), Reply> {
        let (mut values, mut others) = (Vec::with_capacity(most_pairs(query)), vec![]);
        for pair in pairs(query) {
            let (name, value) = pair.map_err(bad_query)?;
            if name == repeated {
                values.push(value);
            } else {
                others.push((name, value));
            }
        }
        Ok((values, Self(others)))
    }

    /// Takes the only value of a name.
    pub(in crate::runtime::gateway) fn take(
        &mut self,
        name: &str,
    ) -> Result<Option<String>, Reply> {
        let mut values = self.take_all(name);
        match values.len() {
            0 | 1 => Ok(values.pop().map(Cow::into_owned)),
            _ => Err(bad_query(&format!("`{name}` is given more than once"))),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| it.0 == name)
    }

    pub(in crate::runtime::gateway) fn take_all(&mut self, name: &str) -> Vec<Cow<'a, str>> {
        let mut values = Vec::with_capacity(self.0.iter().filter(|it| it.0 == name).count());
        values.extend(self.0.extract_if(.., |it| it.0 == name).map(|(_, value)| value));
        values
    }

    pub(in crate::runtime::gateway) fn end(self) -> Result<(), Reply> {
        match self.0.first() {
            Some((name, _)) => Err(bad_query(&format!("`{name}` is no parameter of this path"))),
            None => Ok(()),
        }
    }
}

/// Returns the reply to a request that cannot be understood.
pub(in crate::runtime::gateway) fn refused(error: &ProtocolError) -> Reply {
    problem_with_code(StatusCode::BAD_REQUEST, error.code(), &error.to_string())
}

/// Returns how long a client is willing to wait: `Prefer: wait=SECONDS` (RFC 7240). Preferences that
/// cannot be understood are ignored, as the RFC requires.
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
    use proptest::prelude::*;

    use super::*;

    fn read(resource: Resource, asked: ApiRequest<'_>) -> Result<Call, Reply> {
        Call::read(resource, asked, None)
    }

    fn get(id: &str, query: &str) -> Result<Call, Reply> {
        let (method, headers) = (&Method::GET, &HeaderMap::new());
        let asked = ApiRequest { method, query, headers, body: b"" };
        read(Resource::Quote(id.to_owned()), asked)
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

    fn prices(query: &str, accept: &'static str) -> Result<PricesOf, Reply> {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
        let asked = ApiRequest { method: &Method::GET, query, headers: &headers, body: b"" };
        match read(Resource::Prices("A".to_owned()), asked)? {
            Call::Prices(asked) => Ok(asked.of),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn prices_of_some_products_or_of_all() {
        let query = "product=P1&quantity=2.5&product=P2";
        let PricesOf::Some(asked) = prices(query, "*/*").unwrap() else { panic!() };
        assert_eq!((asked.question.items.len(), asked.quantity.to_string()), (2, "2.5".to_owned()));
        assert_eq!(asked.query.as_deref(), Some(query));
        let format = |query: &str, accept| match prices(query, accept).unwrap() {
            PricesOf::All(_, rows) => rows.format,
            other => panic!("{other:?}"),
        };
        assert_eq!(format("", "text/html, */*;q=0.8"), TableFormat::Ndjson);
        assert_eq!(format("", "Text/CSV;q=0.9"), TableFormat::Csv);
        assert_eq!(format("", "text/csv, application/x-ndjson"), TableFormat::Ndjson);
        assert_eq!(format("format=csv&after=P1&limit=7", "*/*"), TableFormat::Csv);
        for bad in [
            "product=P1&product=P1",
            "product=",
            "product=%zz",
            "product=P1&quantity=0",
            "product=P1&quantity=1&quantity=2",
            "product=P1&limit=5",
            "quantity=2",
            "format=xml",
            "limit=0",
            "after=",
        ] {
            assert_eq!(prices(bad, "*/*").unwrap_err().status(), StatusCode::BAD_REQUEST, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(
            path in ".{0,40}",
            query in ".{0,80}|(product|quantity|limit|after|format)=.{0,20}",
            body in prop::collection::vec(any::<u8>(), 0..200),
            prefer in "[ -~]{0,30}",
        ) {
            let headers = HeaderMap::from_iter([(ACCEPT, prefer.parse().unwrap())]);
            for start in ["/quotes/", "/prices/", "/quotes", ""] {
                let Some(Some(resource)) = Resource::of(&format!("{start}{path}")) else { continue };
                for method in resource.methods() {
                    let asked = ApiRequest { method, query: &query, headers: &headers, body: &body };
                    if let Err(reply) = read(resource.clone(), asked) {
                        prop_assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
                    }
                }
            }
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
