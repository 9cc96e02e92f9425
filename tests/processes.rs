//! Real processes that are killed with SIGKILL and started again, and what they leave behind.
//!
//! `OCACHE_KILLS` says how often something is killed, `OCACHE_KILLS_SEED` by which seed:
//!
//! ```text
//! OCACHE_KILLS=50 .ci/ministack cargo test --test processes -- --nocapture killed
//! ```

mod processes {
    pub mod account;
    pub mod clients;
    pub mod fleet;
    pub mod prices;
    pub mod report;
    pub mod socket;
    pub mod stack;

    mod dead_hands;
    #[cfg(feature = "aws")]
    mod dropping;
    mod killing;
    mod long_work;
}
