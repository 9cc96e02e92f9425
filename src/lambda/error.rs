//! Why a function does not start, and why an invocation fails as a whole.

use std::sync::Arc;

use lambda_runtime::Diagnostic;
use thiserror::Error;

use super::UnknownHandler;
use crate::aws::ConnectError;
use crate::cli::ProviderError;
use crate::data::LoadError;
use crate::ports::{Chain, PortError};
use crate::stages::StageError;
use crate::trace::InstallError;

/// Why a function does not start.
#[derive(Debug, Error)]
pub enum FunctionStartError {
    /// The program has no handler of this name.
    #[error(transparent)]
    Handler(#[from] UnknownHandler),
    /// An environment variable is invalid.
    #[error("the function's environment variables are not valid")]
    Environment(#[source] clap::Error),
    /// The settings of the identity provider are incomplete.
    #[error("the function's environment does not name an identity provider")]
    Provider(#[source] ProviderError),
    /// The function replies to clients, but its API's endpoint is not configured.
    #[error("OCACHE_MANAGEMENT_ENDPOINT is not the one endpoint of this function's API")]
    Endpoint,
    /// Tracing is enabled, but traces cannot be sent.
    #[error("traces cannot be sent")]
    Traces(#[from] InstallError),
    /// AWS cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection to Lambda ended.
    #[error("the Lambda runtime ended")]
    Runtime(#[source] lambda_runtime::Error),
}

/// Why an invocation fails. Lambda then counts an error, and the messages of a queue come again when their
/// visibility timeout ends.
#[derive(Debug, Error)]
pub enum EventError {
    /// The event lacks a field that its kind always has.
    #[error("the event has no {field}")]
    Incomplete {
        /// The missing field.
        field: &'static str,
    },
    /// The messages are of another function's queue.
    #[error("this function handles no messages of `{source_arn}`")]
    Queue {
        /// The queue from which they come.
        source_arn: String,
    },
    /// The changes are of a table that is not a source table.
    #[error("this function loads no changes of `{source_arn}`")]
    Table {
        /// The stream from which they come.
        source_arn: String,
    },
    /// Changes of a source table were not loaded, for a reason other than the changes.
    #[error("the changes were not loaded")]
    Load(#[from] LoadError),
    /// The first of several changes cannot be loaded, or not yet. Lambda halves the batch, so that the
    /// others are loaded.
    #[error(
        "record {record}, the first of {of}, cannot be loaded; the others come again without it"
    )]
    FirstRecord {
        /// The sequence number of the record.
        record: String,
        /// How many records came with it.
        of: usize,
    },
    /// The time in the event is invalid.
    #[error("`{time}` is not a time")]
    Time {
        /// The time in the event.
        time: String,
        /// The cause.
        #[source]
        source: jiff::Error,
    },
    /// The time in the event is before 1970, which ocache cannot store.
    #[error("`{time}` is before 1970")]
    BeforeEpoch {
        /// The time in the event.
        time: String,
    },
    /// The event is for a part of the users that does not exist.
    #[error("there is no part {part} of {parts} of the customers")]
    Part {
        /// The part, counted from 0.
        part: u32,
        /// How many parts there are.
        parts: u32,
    },
    /// A tick did not reach all users before the function's time was up, or segments of them could not be
    /// read.
    #[error(
        "{unfinished} of {segments} segments of the customers were not refreshed, {ordered} calculations \
         were ordered; the next tick begins with others. If the function ran out of time, raise refresh_parts"
    )]
    Unfinished {
        /// How many segments were not read to their end.
        unfinished: usize,
        /// How many segments there are.
        segments: u32,
        /// How many calculations were ordered.
        ordered: usize,
    },
    /// A frame came through another API than the one to which answers are pushed.
    #[error("the frame came from stage `{stage}` of API `{api}`, but answers go to {endpoint}")]
    Api {
        /// The id of the API through which it came.
        api: String,
        /// The stage of that API.
        stage: String,
        /// The configured management endpoint.
        endpoint: String,
    },
    /// A request came by a route that does not belong to the function.
    #[error("this function does not serve route `{route}`")]
    Route {
        /// The path of the route.
        route: String,
    },
    /// The keys of tokens cannot be read.
    #[error("tokens cannot be checked")]
    Keys(#[source] Arc<PortError>),
    /// The context of the authorizer cannot be written as JSON. This does not happen, because it has only
    /// strings.
    #[error("the authorizer's answer cannot be written")]
    Context(#[source] serde_json::Error),
    /// The stage failed.
    #[error(transparent)]
    Stage(#[from] StageError),
}

impl EventError {
    /// Returns the word by which Lambda and its logs distinguish errors.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "IncompleteEvent",
            Self::Queue { .. } => "ForeignQueue",
            Self::Table { .. } => "ForeignTable",
            Self::FirstRecord { .. } => "FirstRecord",
            Self::Load(_) => "LoadFailed",
            Self::Time { .. } | Self::BeforeEpoch { .. } => "BadTime",
            Self::Part { .. } => "NoSuchPart",
            Self::Unfinished { .. } => "Unfinished",
            Self::Api { .. } | Self::Route { .. } => "ForeignApi",
            Self::Keys(_) => "NoKeys",
            Self::Context(_) => "BadContext",
            Self::Stage(_) => "StageFailed",
        }
    }
}

impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        Self { error_type: error.kind().to_owned(), error_message: Chain(&error).to_string() }
    }
}
