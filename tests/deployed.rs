//! Tests of the stack that `infra/` deploys, on a local AWS that enforces IAM. The functions are this
//! program, the queues wake them, and the only process of these tests is the client. `infra/test` deploys
//! the stack and runs these tests; without it all of them are ignored.
//!
//! A local AWS does not show how long anything takes, what is throttled, or more than one batch of a FIFO
//! queue at a time.

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
