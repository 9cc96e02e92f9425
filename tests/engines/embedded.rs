//! The engine on one SQLite file, with a new directory for every test.

use std::sync::Arc;

use ocache::embedded::Embedded;
use ocache::memory::MemoryConnections;
use ocache::ports::{SystemClock, SystemRandomness};
use ocache::supervisor::Supervisor;

use super::fixture::Fixture;

pub async fn start() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let engine = Embedded::open(
        dir.path(),
        Arc::new(SystemClock),
        Arc::new(SystemRandomness),
        &Supervisor::new(),
    )
    .unwrap();
    let ports = engine.ports(Arc::new(MemoryConnections::default()));
    let clean_up = Box::pin(async move {
        engine.close().await;
        drop(dir);
    });
    Fixture { ports, clean_up }
}
