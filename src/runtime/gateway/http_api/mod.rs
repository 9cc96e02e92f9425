//! Quotes and prices over HTTP, the same for the local gateway and for API Gateway's HTTP API.
//!
//! A request has three steps. First it is read ([`HttpApi::read`]). Then the caller of this module, which
//! differs between gateways, checks whether the token covers this customer, and how the visit counts.
//! Finally it is answered ([`HttpApi::answer`]).

mod call;
mod etag;
mod held;
mod kept;
mod prices;
mod quotes;
mod reply;
mod resource;
mod streams;
mod table;

use std::sync::Arc;
use std::time::Duration;

pub use call::{ApiRequest, Call};
pub(super) use call::{Parameters, refused};
use kept::KeptReplies;
pub use reply::forbidden;
pub use resource::Resource;
use streams::Streams;

use super::http_reply::Reply;
use crate::ports::Clock;
use crate::runtime::Shutdown;
use crate::runtime::metrics::Metrics;
use crate::stages::prices::Prices;
use crate::stages::quotation_handler::QuotationHandler;

/// Answers the requests of a process.
pub struct HttpApi {
    clock: Arc<dyn Clock>,
    /// The most time for which a request is held.
    longest_wait: Duration,
    /// When the shutdown begins, no request is held any longer.
    shutdown: Shutdown,
    /// About how large a page of a table may become. Without a limit, tables are streamed.
    page_bytes: Option<usize>,
    /// The tables that are being streamed.
    streams: Arc<Streams>,
    /// A process of a function lives too short, and is one of too many, to keep replies.
    kept: Option<KeptReplies>,
    metrics: Metrics,
}

/// The stages behind one request: the usual ones, or those for customers who may never come again.
#[derive(Clone, Copy)]
pub struct Behind<'a> {
    /// The stage behind quotes.
    pub handler: &'a QuotationHandler,
    /// The stage behind prices.
    pub prices: &'a Prices,
}

impl HttpApi {
    /// The most time for which a gateway process holds a request. It is less than the half minute after
    /// which proxies give up.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(25);
    /// The most time for which a function holds a request. A function is billed while it waits.
    pub const LONGEST_WAIT_OF_FUNCTION: Duration = Duration::from_secs(5);

    /// About the most memory for kept replies, in bytes: enough for 7,000 requests for 50 products.
    const KEPT_BYTES: u64 = 64 * 1024 * 1024;

    /// The page size of a function. Its reply may have 6 MB, in which the page is escaped as JSON.
    const PAGE_BYTES_OF_FUNCTION: usize = 2 * 1024 * 1024;

    /// Creates the API of a gateway process. No request is held after the shutdown has begun.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, shutdown: Shutdown, metrics: Metrics) -> Self {
        Self {
            clock,
            longest_wait: Self::LONGEST_WAIT,
            shutdown,
            page_bytes: None,
            streams: Arc::default(),
            kept: Some(KeptReplies::up_to(Self::KEPT_BYTES)),
            metrics,
        }
    }

    /// Creates the API of a function.
    #[must_use]
    pub fn of_function(clock: Arc<dyn Clock>) -> Self {
        Self {
            longest_wait: Self::LONGEST_WAIT_OF_FUNCTION,
            page_bytes: Some(Self::PAGE_BYTES_OF_FUNCTION),
            kept: None,
            ..Self::new(clock, Shutdown::new(), Metrics::new())
        }
    }

    /// Reads a request for a resource.
    ///
    /// # Errors
    /// Returns the reply to a request that cannot be understood.
    pub fn read(&self, resource: Resource, asked: ApiRequest<'_>) -> Result<Call, Reply> {
        Call::read(resource, asked, self.kept.as_ref())
    }

    /// Answers a request that its caller is authorised to make.
    pub async fn answer(&self, behind: Behind<'_>, call: Call) -> Reply {
        match call {
            Call::Quote(body, wait) => self.quote(behind.handler, body, self.wait(wait)).await,
            Call::Prices(asked) => self.prices(behind, asked).await,
            Call::Get { user, request_id, wait } => {
                Box::pin(self.get(behind.handler, &user, &request_id, self.wait(wait))).await
            }
        }
    }

    fn wait(&self, preferred: Duration) -> Duration {
        preferred.min(self.longest_wait)
    }
}
