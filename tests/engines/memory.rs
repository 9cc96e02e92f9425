//! The engine in memory.

use std::sync::Arc;

use ocache::memory::{Memory, TokioClock};
use ocache::ports::SystemRandomness;

use super::fixture::Fixture;
use super::samples::now;

pub async fn start() -> Fixture {
    let engine = Memory::new(Arc::new(TokioClock::new(now())), Arc::new(SystemRandomness));
    Fixture { ports: engine.ports(), clean_up: Box::pin(async {}) }
}
