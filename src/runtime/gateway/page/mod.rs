//! The page that people open in a browser, and the data that it requests from the gateway.

mod active;
mod answers;
mod clients;
mod explain;
mod files;
mod folded;
mod live;
mod products;
mod query;
mod routes;
mod worth;

pub(super) use routes::{PageSettings, WebPage};
