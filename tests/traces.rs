//! Tests of the traces of quotes through every process, as a collector sees them. They need a program with
//! the feature `otel`: `.ci/ministack cargo test --features otel --test traces`.

mod traces {
    mod collector;
    #[path = "../cli/process.rs"]
    #[allow(dead_code, reason = "the command-line tests use all of it")]
    mod process;
    #[path = "../cli/raw_socket.rs"]
    #[allow(dead_code, reason = "the command-line tests use all of it")]
    mod raw_socket;
    #[cfg(feature = "aws")]
    #[path = "../cli/stack.rs"]
    mod stack;

    mod quotes;

    /// The meanings of the variables. The module has its own tests, which run here without the library's
    /// other tests.
    #[path = "../../src/trace/settings.rs"]
    #[allow(dead_code, reason = "the library reads the process's own environment")]
    mod settings;
}
