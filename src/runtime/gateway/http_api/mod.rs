//! Quotes and prices over HTTP: the same for the local gateway and for API Gateway's HTTP API.
//!
//! A request goes through three steps, because what lies between them is not the same everywhere: it is
//! read ([`Call::read`]); then whoever took it asks whether its caller may ask for this client, and how the
//! client's visit is to be taken; then it is answered ([`HttpApi::answer`]).

mod call;
mod held;
mod quotes;
mod reply;
mod resource;

use std::sync::Arc;
use std::time::Duration;

pub use call::{Asked, Call};
pub use reply::forbidden;
pub(super) use reply::problem_with_code;
pub use resource::Resource;

use super::routes::Reply;
use crate::ports::Clock;
use crate::runtime::Shutdown;
use crate::stages::quotation_handler::QuotationHandler;

/// What answers the requests of a process.
pub struct HttpApi {
    clock: Arc<dyn Clock>,
    /// For how long a request is held at most.
    longest_wait: Duration,
    /// Nothing is held any more when this begins.
    shutdown: Shutdown,
}

/// The stages behind one request: those of all, or those for users who may never come again.
#[derive(Clone, Copy)]
pub struct Behind<'a> {
    /// Behind quotes.
    pub handler: &'a QuotationHandler,
}

impl HttpApi {
    /// For how long a request is held by a gateway that stays: within the half minute after which
    /// proxies give up.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(25);
    /// For how long by a function, which costs as long as it waits.
    pub const LONGEST_WAIT_OF_FUNCTION: Duration = Duration::from_secs(5);

    /// Nothing is held for longer than this, nor when the shutdown has begun.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, longest_wait: Duration, shutdown: Shutdown) -> Self {
        Self { clock, longest_wait, shutdown }
    }

    /// Answers a request whose caller may make it.
    pub async fn answer(&self, behind: Behind<'_>, call: Call) -> Reply {
        match call {
            Call::Quote(body, wait) => self.quote(behind.handler, body, self.wait(wait)).await,
            Call::Get { user, request_id, wait } => {
                self.get(behind.handler, &user, &request_id, self.wait(wait)).await
            }
        }
    }

    fn wait(&self, preferred: Duration) -> Duration {
        preferred.min(self.longest_wait)
    }
}
