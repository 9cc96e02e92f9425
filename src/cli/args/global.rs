//! Options of every command.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

use super::super::output_format::OutputFormat;
use super::super::paths::path;
use crate::model::{MAX_STACK_BYTES, is_stack};

/// The stack that is used if none is named.
pub const DEFAULT_STACK: &str = "organic-cache";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Folder of the embedded store [default: ocache/STACK in your data folder]
    #[arg(long, global = true, value_name = "DIR", env = "OCACHE_DATA_DIR", value_parser = path())]
    pub data_dir: Option<PathBuf>,
    /// Which engine holds tables and queues [default: embedded]
    #[arg(long, global = true, env = "OCACHE_BACKEND")]
    pub backend: Option<Backend>,
    /// Prefix of all tables, queues and topics
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "OCACHE_STACK",
        value_parser = parse_stack,
        default_value = DEFAULT_STACK
    )]
    pub stack: String,
    /// AWS profile; implies --backend aws
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region; implies --backend aws
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// AWS endpoint, such as that of a local AWS; implies --backend aws
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// API Gateway management endpoint to which answers may be pushed; may be given more than once
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "OCACHE_MANAGEMENT_ENDPOINT",
        value_delimiter = ','
    )]
    pub management_endpoint: Vec<String>,
    /// Settings file [default: ocache.toml in this folder or one above it, else in your configuration folder]
    #[arg(long, global = true, value_name = "FILE", env = "OCACHE_CONFIG", value_parser = path())]
    pub config: Option<PathBuf>,
    /// How data is printed
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        env = "OCACHE_OUTPUT",
        default_value = "table"
    )]
    pub output: OutputFormat,
    /// Whether to colour output
    #[arg(long, global = true, value_name = "WHEN", env = "OCACHE_COLOR", default_value = "auto")]
    pub color: Color,
    /// How logs are written
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        env = "OCACHE_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Print data and errors only
    #[arg(
        long,
        short,
        global = true,
        env = "OCACHE_QUIET",
        value_parser = BoolishValueParser::new(),
        conflicts_with = "verbose"
    )]
    pub quiet: bool,
    /// Log more; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Parses the name of a stack.
fn parse_stack(text: &str) -> Result<String, String> {
    match is_stack(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` cannot be the prefix of names; use up to {MAX_STACK_BYTES} letters, digits, - and _"
        )),
    }
}

/// Where tables and queues live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// One file on this machine; nothing to install
    Embedded,
    /// DynamoDB, SQS and SNS, in an account or on a local AWS
    Aws,
}

/// Whether output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal unless NO_COLOR is set; elsewhere if CLICOLOR_FORCE is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}
