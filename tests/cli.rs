//! The command line, as real processes on the embedded engine.

mod cli {
    pub mod process;
    mod raw_socket;

    mod abuse;

    #[cfg(feature = "aws")]
    mod aws;
    mod bad_input;
    mod bench;
    mod commands;
    // The scripts are those of the default features.
    #[cfg(feature = "aws")]
    mod completions;
    mod costing;
    mod examples;
    mod four_lines;
    mod gateway;
    mod guides;
    mod meter;
    mod metrics;
    mod opening;
    mod output;
    mod quoting;
    mod secrets;
    mod settings;
    mod simulating;
    mod tokens;
    mod up;
    mod verifying;
}
