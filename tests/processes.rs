//! Tests of real processes that are killed and started again, of interrupted loads, and of what they leave
//! behind.
//!
//! `OCACHE_KILLS` says how often something is killed, `OCACHE_KILLS_SEED` by which seed:
//!
//! ```text
//! OCACHE_KILLS=50 .ci/ministack cargo test --test processes -- --nocapture killed
//! ```
//!
//! `OCACHE_INTERRUPTS` says how many loads are interrupted, `OCACHE_LOAD_PRODUCTS` how many products each
//! has, `OCACHE_LOADS` and `OCACHE_LOAD_QUOTES` how many loads and quotes run side by side:
//!
//! ```text
//! OCACHE_INTERRUPTS=100 OCACHE_LOAD_PRODUCTS=60000 OCACHE_LOADS=20 OCACHE_LOAD_QUOTES=10000 \
//!     .ci/ministack cargo test --test processes -- --nocapture load
//! ```

mod processes {
    pub mod account;
    pub mod clients;
    pub mod editions;
    pub mod fleet;
    pub mod line;
    pub mod prices;
    pub mod report;
    pub mod socket;
    pub mod stack;

    mod dead_hands;
    #[cfg(feature = "aws")]
    mod dropping;
    mod interrupted_loads;
    mod killing;
    mod long_work;
    mod quotes_during_loads;
}
