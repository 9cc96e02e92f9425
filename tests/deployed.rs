//! The stack that `infra/` deploys, on a local AWS that enforces IAM: the functions are this very
//! program, the queues wake them, and no process of ours runs but the client. `infra/test` deploys
//! it and runs this; without it everything here is ignored.
//!
//! What a local AWS cannot show: how long anything takes, what is throttled, and more than one batch
//! of a FIFO queue at a time.

#[cfg(feature = "aws")]
mod deployed {
    #[path = "../cli/forged.rs"]
    #[allow(dead_code, reason = "the command-line tests use all of it")]
    mod forged;
    #[path = "../cli/process.rs"]
    #[allow(dead_code, reason = "the command-line tests use all of it")]
    pub mod process;
    pub mod stack;
    pub mod waiting;
    pub mod websocket;

    mod commands;
    mod giving_up;
    mod operators;
    mod over_http;
    mod quoting;
    mod refreshing;
    mod source_tables;
    mod tokens;
    mod workers;
}
