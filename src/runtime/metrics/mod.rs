//! The counters of a process, for Prometheus and for the page.

mod answers;
mod feed;
mod history;
mod meters;
mod scrape;
mod server;

pub use answers::Answers;
pub use feed::{Event, EventListener, What};
pub use history::{REASONS, SLOT, Slot};
pub use meters::{Metrics, WRITTEN};
pub use scrape::{CONTENT_TYPE, Scrape};
pub use server::MetricsServer;
