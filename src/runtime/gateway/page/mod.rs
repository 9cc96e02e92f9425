//! The page that people open in a browser, and what it asks the gateway for.

mod clients;
mod files;
mod live;
mod products;
mod query;
mod routes;

pub(super) use routes::{Page, PageSettings};
