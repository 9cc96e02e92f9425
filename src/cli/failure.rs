//! The failure of a run: its message, its hint and its exit code.

use std::fmt;
use std::path::Path;

use clap::builder::styling::{AnsiColor, Style};
use serde_json::json;

use super::output_format::OutputFormat;
use super::pasted;
use super::shell::quoted;
use crate::data::{DataErrors, GenerateError, LoadError};
use crate::embedded::{BackupError, OpenError, RestoreError};
use crate::model::{escape_but, escape_json, named};
use crate::ports::{Chain, PortError, TableError};
use crate::stages::{MakeBaseError, StageError};

named! {
    /// The published exit codes, by their names for programs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(u8)]
    pub enum ExitCode {
        /// An error for which no other code fits.
        Failure = 1 => "failure",
        /// The command line is invalid.
        Usage = 2 => "usage",
        /// The given data is invalid and none of it was written, or stored data is wrong.
        BadData = 3 => "bad_data",
        /// The requested thing does not exist.
        NotFound = 4 => "not_found",
        /// The answer did not come in time.
        TimedOut = 5 => "timed_out",
        /// The store, the gateway or AWS cannot be reached.
        Unreachable = 6 => "unreachable",
        /// The caller may not do this.
        Denied = 7 => "denied",
        /// Ctrl-C came before there was a result.
        Interrupted = 130 => "interrupted",
    }
}

/// The result of a command, or of a part of one.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// The style that clap uses for errors.
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Green.on_default();

/// Why a run ends without its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: ExitCode,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Creates a failure. The message is in lower case and names the thing that failed.
    pub(super) fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Adds a hint.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint with the name that was probably meant, or else another hint.
    #[must_use]
    pub(super) fn suggest(self, near: Option<impl fmt::Display>, or: impl Into<String>) -> Self {
        match near {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self.hint(or),
        }
    }

    /// Puts the name of the thing before a message that does not contain it.
    #[must_use]
    pub(super) fn of_a(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    #[must_use]
    pub(super) fn without_hint(self) -> Self {
        Self { hint: None, ..self }
    }

    pub(super) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Adds the flags of this stack to the commands in the hint, so that they can be pasted anywhere.
    #[must_use]
    pub(super) fn for_stack(self, as_flags: &str) -> Self {
        let hint = self.hint.map(|hint| pasted::for_stack(&hint, as_flags));
        Self { hint, ..self }
    }

    /// Puts the chosen profile into the hint.
    #[cfg(feature = "aws")]
    #[must_use]
    pub(super) fn for_profile(self, profile: Option<&str>) -> Self {
        let hint = self.hint.map(|hint| super::refusals::for_profile(&hint, profile));
        Self { hint, ..self }
    }

    /// Creates the failure of an operation that needs a build with AWS.
    #[cfg(not(feature = "aws"))]
    pub(super) fn without_aws(what: &str) -> Self {
        let message = format!("{what}, and this build has no AWS support");
        Self::new(ExitCode::Usage, message)
            .hint("build ocache with the feature `aws`, which is on by default")
    }

    /// Creates a failure for an error that should not happen.
    pub(super) fn internal(error: impl std::error::Error) -> Self {
        Self::new(ExitCode::Failure, Chain(&error).to_string())
    }

    /// Returns the exit code.
    #[must_use]
    pub const fn code(&self) -> ExitCode {
        self.code
    }

    /// Returns the failure as one line of JSON, for programs.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { code, message, hint } = self;
        let error = json!({
            "exit_code": *code as u8, "kind": code.name(), "message": message, "hint": hint,
        });
        escape_json(&json!({ "error": error }).to_string()).into_owned()
    }

    /// Renders the failure in a format. The text for people has colour codes.
    #[must_use]
    pub fn render(&self, format: OutputFormat) -> String {
        match format {
            OutputFormat::Table => self.in_words(ERROR, HINT),
            OutputFormat::Json | OutputFormat::Ndjson => self.to_json(),
        }
    }

    /// Returns the text without colour codes.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.in_words(Style::new(), Style::new())
    }

    fn in_words(&self, error: Style, hint: Style) -> String {
        let mut text = format!("{error}error:{error:#} {}", escape_but(&self.message, &['\n']));
        if let Some(advice) = &self.hint {
            let advice = escape_but(advice, &['\n']);
            text.push_str(&format!("\n\n{hint}hint:{hint:#} {advice}"));
        }
        text
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let message = Chain(&error).to_string();
        #[cfg(feature = "aws")]
        let known = super::refusals::hint(&error);
        #[cfg(not(feature = "aws"))]
        let known = None::<String>;
        let failure = Self::of(error, message);
        match known {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl Failure {
    /// Creates the failure for an error of a port, with the usual hint.
    fn of(error: PortError, message: String) -> Self {
        match error {
            PortError::Unavailable { .. } => Self::new(ExitCode::Unreachable, message),
            PortError::Throttled { .. } => {
                Self::new(ExitCode::Unreachable, message).hint("try again a little later")
            }
            PortError::Missing { .. } => Self::new(ExitCode::NotFound, message)
                .hint("`ocache provision` makes what is missing; see also --stack and --region"),
            PortError::Denied { .. } => Self::new(ExitCode::Denied, message)
                .hint("`ocache doctor` shows your identity and what it may not do"),
            PortError::Refused { .. } => Self::new(ExitCode::Failure, message).hint(
                "`ocache doctor` checks everything; see also --endpoint-url and AWS_ENDPOINT_URL",
            ),
            PortError::Rejected { .. } => Self::new(ExitCode::BadData, message),
            PortError::Corrupt { .. } => Self::new(ExitCode::Failure, message),
        }
    }
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Port(error) | StageError::Base(MakeBaseError::Port(error)) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Port(error) => error.into(),
            error @ (TableError::NoBase { .. }
            | TableError::NoBasePart { .. }
            | TableError::NoPart { .. }) => {
                let message = format!("the table was replaced while it was read: {error}");
                Self::new(ExitCode::Failure, message).hint("run the command again")
            }
            error => Self::internal(error),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let hint = error.hint();
        Self::new(ExitCode::Unreachable, Chain(&error).to_string()).hint(hint)
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let code = match &error {
            BackupError::Copy { source: PortError::Unavailable { .. }, .. } => {
                ExitCode::Unreachable
            }
            _ => ExitCode::Failure,
        };
        let hint = match &error {
            BackupError::Exists { .. } | BackupError::Create { .. } => {
                "choose a file that does not exist, in a folder that does"
            }
            BackupError::Copy { .. } | BackupError::Sync { .. } => {
                "make room on the disk of the copy, and run the command again"
            }
            BackupError::Outpaced { .. } => {
                "copy to a faster disk, or when less is written, and move the file from there"
            }
            BackupError::Ended { .. } => "run the command again",
        };
        Self::new(code, Chain(&error).to_string()).hint(hint)
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        let (code, hint) = match &error {
            RestoreError::NoFile { .. } => {
                (ExitCode::NotFound, "`ocache backup FILE` writes a backup")
            }
            RestoreError::Same { .. } => {
                (ExitCode::Usage, "name a backup, or another folder with --data-dir")
            }
            RestoreError::HasLog { file, .. } => {
                // The commands of other hints are about the stack of this run; this one is about the file's.
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = match file.file_name().is_some_and(|name| name == "store.db") {
                    true => quoted(&folder.unwrap_or(Path::new(".")).to_string_lossy()),
                    false => "FOLDER".to_owned(),
                };
                let hint = format!(
                    "copy that store with `ocache backup FILE --data-dir {folder}`, and restore the copy"
                );
                return Self::new(ExitCode::BadData, Chain(&error).to_string()).hint(hint);
            }
            RestoreError::Foreign { .. } => {
                (ExitCode::BadData, "name a file that `ocache backup FILE` has written")
            }
            RestoreError::Damaged { .. } => (
                ExitCode::BadData,
                "restore another backup, or load your files into an empty store",
            ),
            RestoreError::Newer { .. } => (ExitCode::BadData, "restore it with the newer ocache"),
            RestoreError::InUse { .. } => (
                ExitCode::Failure,
                "end `ocache up`, the workers and gateways of this folder, and whatever else has the file open",
            ),
            RestoreError::UnderWay { .. } => {
                (ExitCode::Failure, "answer or end the other `ocache restore`, then run it again")
            }
            RestoreError::Io { .. } => (
                ExitCode::Failure,
                "make the folder writable, and make room on its disk for another copy",
            ),
        };
        Self::new(code, Chain(&error).to_string()).hint(hint)
    }
}

impl From<DataErrors> for Failure {
    fn from(errors: DataErrors) -> Self {
        Self::new(ExitCode::BadData, errors.to_string())
            .hint("nothing was written; fix the files and load them again")
    }
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        let message = Chain(&error).to_string();
        match error {
            GenerateError::Products { .. } | GenerateError::Tiers { .. } => {
                Self::new(ExitCode::Usage, message)
            }
            GenerateError::Discounts { products, .. } => Self::new(ExitCode::Usage, message)
                .hint(format!("ask for more with --products, or for --discounts {products}")),
            GenerateError::NotEmpty { .. } => Self::new(ExitCode::Failure, message)
                .hint("choose another folder, or overwrite with --force"),
            GenerateError::Left { .. } => Self::new(ExitCode::Failure, message)
                .hint("delete them if they are of an earlier run, or choose another folder"),
            GenerateError::Interrupted { .. } => Self::new(ExitCode::Interrupted, message),
            GenerateError::Io { .. } => Self::new(ExitCode::Failure, message),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let message = Chain(&error).to_string();
        match error {
            LoadError::Port(error) => error.into(),
            LoadError::Data(errors) => errors.into(),
            LoadError::UnitDecimals { .. } | LoadError::Contended | LoadError::Dropped => {
                Self::new(ExitCode::Failure, message).hint("load the files again")
            }
            LoadError::Changes(_) => Self::new(ExitCode::Failure, message),
            LoadError::DoesNotFit { .. } => Self::new(ExitCode::BadData, message)
                .hint("load that price with fewer decimals first, or keep `unit-decimals`"),
            LoadError::Currency { stored, given } => {
                Self::new(ExitCode::BadData, message).hint(format!(
                    "load with --currency {stored}, or replace all prices with --prune --currency {given}"
                ))
            }
        }
    }
}

#[cfg(feature = "aws")]
impl From<crate::aws::ConnectError> for Failure {
    fn from(error: crate::aws::ConnectError) -> Self {
        use crate::aws::ConnectError;
        let message = Chain(&error).to_string();
        match error {
            ConnectError::NoCredentials { .. } => Self::new(ExitCode::Denied, message),
            ConnectError::NoProfile { .. } => Self::new(ExitCode::Denied, message)
                .hint("`aws configure list-profiles` lists them"),
            ConnectError::EmptyProfile { profile, .. } => {
                let profile = super::shell::quoted(&profile);
                Self::new(ExitCode::Denied, message)
                    .hint(format!("`aws configure --profile {profile}` sets them"))
            }
            ConnectError::LoggedOut { profile, .. } => {
                let profile = super::shell::quoted(&profile);
                Self::new(ExitCode::Denied, message)
                    .hint(format!("`aws sso login --profile {profile}`"))
            }
            ConnectError::NoRegion
            | ConnectError::BadEndpoint { .. }
            | ConnectError::PasswordInEndpoint
            | ConnectError::BadStack { .. } => Self::new(ExitCode::Usage, message),
        }
    }
}

#[cfg(feature = "aws")]
impl From<crate::aws::ProvisionError> for Failure {
    fn from(error: crate::aws::ProvisionError) -> Self {
        match error {
            crate::aws::ProvisionError::Port(error) => error.into(),
            error => Self::new(ExitCode::Failure, Chain(&error).to_string()),
        }
    }
}
