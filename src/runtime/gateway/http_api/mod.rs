//! Quotes and prices over HTTP: the same for the local gateway and for API Gateway's HTTP API.
//!
//! A request goes through three steps, because what lies between them is not the same everywhere: it is
//! read ([`Call::read`]); then whoever took it asks whether its caller may ask for this client, and how the
//! client's visit is to be taken; then it is answered ([`HttpApi::answer`]).

mod call;
mod etag;
mod held;
mod prices;
mod quotes;
mod reply;
mod resource;
mod table;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

pub use call::{Asked, Call};
pub(super) use call::{Parameters, refused};
pub use reply::forbidden;
pub use resource::Resource;

use super::http_reply::Reply;
use crate::ports::Clock;
use crate::runtime::Shutdown;
use crate::stages::prices::Prices;
use crate::stages::quotation_handler::QuotationHandler;

/// What answers the requests of a process.
pub struct HttpApi {
    clock: Arc<dyn Clock>,
    /// For how long a request is held at most.
    longest_wait: Duration,
    /// Nothing is held any more when this begins.
    shutdown: Shutdown,
    /// About how large the page of a table may be; without it tables are streamed.
    page_bytes: Option<usize>,
    /// Places for tables that are streamed.
    streams: Arc<Semaphore>,
}

/// The stages behind one request: those of all, or those for users who may never come again.
#[derive(Clone, Copy)]
pub struct Behind<'a> {
    /// Behind quotes.
    pub handler: &'a QuotationHandler,
    /// Behind prices.
    pub prices: &'a Prices,
}

impl HttpApi {
    /// For how long a request is held by a gateway that stays: within the half minute after which
    /// proxies give up.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(25);
    /// For how long by a function, which costs as long as it waits.
    pub const LONGEST_WAIT_OF_FUNCTION: Duration = Duration::from_secs(5);

    /// A page of a function: of the 6 MB that its reply may have, all of it escaped as JSON.
    const PAGE_BYTES_OF_FUNCTION: usize = 2 * 1024 * 1024;

    /// Of a gateway that stays. Nothing is held when the shutdown has begun.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, shutdown: Shutdown) -> Self {
        let streams = Arc::new(Semaphore::new(table::STREAMS));
        Self { clock, longest_wait: Self::LONGEST_WAIT, shutdown, page_bytes: None, streams }
    }

    /// Of a function.
    #[must_use]
    pub fn of_function(clock: Arc<dyn Clock>) -> Self {
        Self {
            longest_wait: Self::LONGEST_WAIT_OF_FUNCTION,
            page_bytes: Some(Self::PAGE_BYTES_OF_FUNCTION),
            ..Self::new(clock, Shutdown::new())
        }
    }

    /// Answers a request whose caller may make it.
    pub async fn answer(&self, behind: Behind<'_>, call: Call) -> Reply {
        match call {
            Call::Quote(body, wait) => self.quote(behind.handler, body, self.wait(wait)).await,
            Call::Prices(asked) => self.prices(behind, asked).await,
            Call::Get { user, request_id, wait } => {
                self.get(behind.handler, &user, &request_id, self.wait(wait)).await
            }
        }
    }

    fn wait(&self, preferred: Duration) -> Duration {
        preferred.min(self.longest_wait)
    }
}
