//! Tests of the command line, as real processes on the embedded engine.

mod cli {
    mod forged;
    pub mod http;
    pub mod process;
    mod raw_socket;

    mod abuse;

    #[cfg(feature = "aws")]
    mod aws;
    mod backups;
    mod bad_input;
    mod bench;
    mod client_examples;
    mod commands;
    // The committed scripts are those of the default features.
    #[cfg(feature = "aws")]
    mod completions;
    mod costing;
    mod examples;
    #[cfg(unix)]
    mod file_limit;
    mod files;
    mod four_lines;
    mod gateway;
    mod guides;
    mod help;
    mod hidden;
    mod http_errors;
    mod http_load;
    mod http_prices;
    mod http_quotes;
    mod identity_provider;
    mod impostor;
    mod leaving;
    mod listing;
    mod loading;
    mod meter;
    mod metrics;
    mod opening;
    mod operating;
    mod other_pages;
    mod output;
    mod presence;
    #[cfg(target_os = "linux")]
    mod pty;
    mod quoting;
    #[cfg(feature = "aws")]
    mod refused;
    mod restoring;
    mod schema;
    mod schemas;
    mod secrets;
    mod settings;
    mod simulating;
    #[cfg(feature = "aws")]
    mod stack;
    mod stack_settings;
    mod supervised;
    #[cfg(target_os = "linux")]
    mod terminals;
    mod tokens;
    mod unread;
    mod up;
    mod verifying;
    mod watching_files;
}
