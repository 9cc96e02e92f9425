//! Tests of a downstream that fails: a proxy between ocache and a local AWS breaks.
//!
//! `OCACHE_OUTAGE_SECS` says how long each outage lasts:
#![cfg(feature = "aws")]

mod downstream {
    pub mod proxy;
    pub mod replies;
    pub mod system;

    mod bounds;
    mod outages;
    mod restart;
}
