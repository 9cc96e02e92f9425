//! An engine for one test, and the clean-up after the test.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use ocache::ports::Ports;

/// An empty engine that nobody else uses.
pub struct Fixture {
    /// The ports that the test uses.
    pub ports: Ports,
    /// Runs after the test, however it ended. It owns what must live as long as the engine, such as a
    /// temporary directory.
    pub clean_up: BoxFuture<'static, ()>,
}

/// Runs one test.
pub async fn run<T>(fixture: Fixture, test: impl FnOnce(Ports) -> T)
where
    T: Future<Output = ()>,
{
    let Fixture { ports, clean_up } = fixture;
    let outcome = AssertUnwindSafe(test(ports)).catch_unwind().await;
    clean_up.await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}
