//! The command line, as real processes on the embedded engine.

mod cli {
    pub mod process;

    #[cfg(feature = "aws")]
    mod aws;
    mod bad_input;
    mod commands;
    // The scripts are those of the default features.
    #[cfg(feature = "aws")]
    mod completions;
    mod four_lines;
    mod gateway;
    mod quoting;
    mod simulating;
    mod up;
    mod verifying;
}
