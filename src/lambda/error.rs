//! Why a function does not start, and why an invocation fails as a whole.

use std::sync::Arc;

use lambda_runtime::Diagnostic;
use thiserror::Error;

use crate::aws::ConnectError;
use crate::cli::ProviderError;
use crate::data::LoadError;
use crate::ports::{Chain, PortError};
use crate::stages::StageError;
use crate::trace::InstallError;

/// Why a function does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The function's handler is none that this program has.
    #[error("handler `{handler}` is none of {known}", known = super::Function::names())]
    Handler {
        /// What the function is configured with.
        handler: String,
    },
    /// An environment variable does not make sense.
    #[error("the function's environment does not make sense")]
    Environment(#[source] clap::Error),
    /// The identity provider is named by half.
    #[error("the function's environment does not name an identity provider")]
    Provider(#[source] ProviderError),
    /// The function replies to clients, and is not told where their API is.
    #[error("OCACHE_MANAGEMENT_ENDPOINT is not the one endpoint of this function's API")]
    Endpoint,
    /// Traces are wanted, and cannot be sent.
    #[error("traces cannot be sent")]
    Traces(#[from] InstallError),
    /// AWS cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Lambda cannot be talked to.
    #[error("the Lambda runtime ended")]
    Runtime(#[source] lambda_runtime::Error),
}

/// Why an invocation fails. Lambda then counts an error; the messages of a queue come again when
/// their visibility ends.
#[derive(Debug, Error)]
pub enum EventError {
    /// The event lacks what its kind always has.
    #[error("the event has no {field}")]
    Incomplete {
        /// What is missing.
        field: &'static str,
    },
    /// The messages are of a queue that is not this function's.
    #[error("messages of `{source_arn}` do not belong here")]
    Queue {
        /// Where they come from.
        source_arn: String,
    },
    /// The changes are of a table that is no source table.
    #[error("changes of `{source_arn}` do not belong here")]
    Table {
        /// The stream that they come from.
        source_arn: String,
    },
    /// Changes of a source table were not loaded, for no fault of theirs.
    #[error("the changes were not loaded")]
    Load(#[from] LoadError),
    /// The first of several changes cannot be loaded, or not yet. Lambda halves the batch, so that the others are.
    #[error(
        "record {record}, the first of {of}, cannot be loaded; the others come again without it"
    )]
    FirstRecord {
        /// Its sequence number.
        record: String,
        /// How many came with it.
        of: usize,
    },
    /// The event's time is none.
    #[error("`{time}` is not a time")]
    Time {
        /// What the event says.
        time: String,
        /// What is wrong with it.
        #[source]
        source: jiff::Error,
    },
    /// The event's time is before all others that ocache knows.
    #[error("`{time}` is before 1970")]
    BeforeEpoch {
        /// What the event says.
        time: String,
    },
    /// The event is for a part of the users that there is not.
    #[error("there is no part {part} of {parts} of the customers")]
    Part {
        /// Which part, counted from 0.
        part: u32,
        /// How many parts there are.
        parts: u32,
    },
    /// A tick did not reach all users before the function's time was up, or segments of them could not be
    /// read.
    #[error(
        "{unfinished} of {segments} segments of the customers were not refreshed, {ordered} calculations \
         are ordered; the next tick begins elsewhere. If it is time that lacks, raise refresh_parts"
    )]
    Unfinished {
        /// How many segments were not read to their end.
        unfinished: usize,
        /// How many there are.
        segments: u32,
        /// How many calculations were ordered.
        ordered: usize,
    },
    /// A frame came through another API than the one that answers are pushed to.
    #[error("the frame came from stage `{stage}` of API `{api}`, answers go to {endpoint}")]
    Api {
        /// The id of the API that it came through.
        api: String,
        /// The stage of it.
        stage: String,
        /// The configured management endpoint.
        endpoint: String,
    },
    /// A request came by a route that the function is not for.
    #[error("route `{route}` does not belong here")]
    Route {
        /// Its path.
        route: String,
    },
    /// The keys of tokens cannot be read.
    #[error("tokens cannot be checked")]
    Keys(#[source] Arc<PortError>),
    /// None in practice: what is written are strings.
    #[error("the authorizer's answer cannot be written")]
    Context(#[source] serde_json::Error),
    /// The stage failed.
    #[error(transparent)]
    Stage(#[from] StageError),
}

impl EventError {
    /// The word by which Lambda and its logs tell errors apart.
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
