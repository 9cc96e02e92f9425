//! A downstream that breaks: a proxy of the tests' own between ocache and a local AWS.
//!
//! `OCACHE_OUTAGE_SECS` says how long each outage lasts:
//!
//! ```text
//! OCACHE_OUTAGE_SECS=60 .ci/ministack cargo test --test downstream -- --nocapture
//! ```
#![cfg(feature = "aws")]

mod downstream {
    pub mod proxy;
    pub mod replies;
    pub mod system;

    mod bounds;
    mod outages;
    mod restart;
}
