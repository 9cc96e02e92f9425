//! What a process counts: for Prometheus, and for whoever watches the page.

mod answers;
mod feed;
mod history;
mod meters;
mod scrape;
mod server;

pub use answers::Answers;
pub use feed::{Event, What};
pub use history::{REASONS, SLOT, Slot};
pub use meters::Metrics;
pub use scrape::{CONTENT_TYPE, Scrape};
pub use server::MetricsServer;
