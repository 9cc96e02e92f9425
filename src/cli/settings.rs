//! Checks the global options and turns them into settings of the program.

use std::path::{Path, PathBuf};

use super::args::{Backend, DEFAULT_STACK, Global, SlotArgs};
use super::failure::{ExitCode, Failure, Result};
use super::paths::base_folder;
use super::shell::quoted;
use crate::runtime::Slots;
use crate::supervisor::Supervisor;

/// The selected engine and its target.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The engine.
    pub backend: Backend,
    /// The folder of the embedded store and of the gateway registry.
    pub data_dir: PathBuf,
    /// The flags that name the same stack from anywhere, such as ` --stack shop`.
    pub(super) as_flags: String,
    /// Learns of every task and thread of this run that dies.
    pub supervisor: Supervisor,
    /// The target on AWS, if that is the engine.
    #[cfg(feature = "aws")]
    pub aws: AwsTarget,
}

/// A target on AWS.
#[cfg(feature = "aws")]
#[derive(Clone, Debug)]
pub struct AwsTarget {
    /// The prefix of all names.
    pub stack: String,
    /// The profile.
    pub profile: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The endpoint.
    pub endpoint_url: Option<String>,
    /// The management endpoints of API Gateway to which answers may be pushed.
    pub management_endpoints: Vec<String>,
}

impl Settings {
    pub(super) fn new(global: &Global) -> Result<Self> {
        let backend = backend(global)?;
        let data_dir = match &global.data_dir {
            Some(dir) => dir.clone(),
            None => default_data_dir()?.join("ocache").join(&global.stack),
        };
        // Commands without a store run wherever the home is, such as in /dev/null.
        if global.data_dir.is_some() && backend == Backend::Embedded {
            check_folder(&data_dir)?;
        }
        Ok(Self {
            backend,
            data_dir,
            as_flags: as_flags(global)?,
            supervisor: Supervisor::new(),
            #[cfg(feature = "aws")]
            aws: AwsTarget {
                stack: global.stack.clone(),
                profile: global.profile.clone(),
                region: global.region.clone(),
                endpoint_url: global.endpoint_url.clone(),
                management_endpoints: global.management_endpoint.clone(),
            },
        })
    }
}

/// Returns the flags that mean the same stack in another terminal, whatever its folder and variables are.
fn as_flags(global: &Global) -> Result<String> {
    let absolute = |path: &Option<PathBuf>| -> Result<Option<String>> {
        let path = path.as_ref().map(std::path::absolute).transpose().map_err(Failure::internal)?;
        Ok(path.map(|path| path.display().to_string()))
    };
    let is_aws = backend(global)? == Backend::Aws;
    let of_aws = |value: &Option<String>| value.clone().filter(|_| is_aws);
    let is_default = global.stack == DEFAULT_STACK;
    let flags = [
        ("--config", absolute(&global.config)?),
        ("--data-dir", absolute(&global.data_dir)?),
        ("--backend", is_aws.then(|| "aws".to_owned())),
        ("--stack", (!is_default).then(|| global.stack.clone())),
        ("--profile", of_aws(&global.profile)),
        ("--region", of_aws(&global.region)),
        ("--endpoint-url", of_aws(&global.endpoint_url)),
    ];
    let given = flags.into_iter().filter_map(|(flag, value)| Some((flag, value?)));
    Ok(given.map(|(flag, value)| format!(" {flag} {}", quoted(&value))).collect())
}

/// Selects the engine. Flags of AWS or a set endpoint select AWS. Credentials in the environment do not.
fn backend(global: &Global) -> Result<Backend> {
    let flags = [&global.profile, &global.region, &global.endpoint_url];
    let flagged = flags.iter().any(|flag| flag.is_some());
    match global.backend {
        Some(Backend::Embedded) if flagged => {
            let message =
                "--backend embedded does not go with --profile, --region or --endpoint-url";
            Err(Failure::new(ExitCode::Usage, message).hint("leave one of them out"))
        }
        Some(backend) => Ok(backend),
        None if flagged || endpoint_is_set() => Ok(Backend::Aws),
        None => Ok(Backend::Embedded),
    }
}

/// Whether the environment sets an endpoint of AWS.
#[cfg(feature = "aws")]
fn endpoint_is_set() -> bool {
    crate::aws::endpoint_in_environment().is_some()
}

/// In a build without AWS, the variable has no meaning.
#[cfg(not(feature = "aws"))]
const fn endpoint_is_set() -> bool {
    false
}

/// Refuses a data folder that is a file or below one, because it can neither have nor get a store.
fn check_folder(data_dir: &Path) -> Result<()> {
    let is_file = |path: &&Path| std::fs::metadata(path).is_ok_and(|found| !found.is_dir());
    let Some(file) = data_dir.ancestors().find(is_file) else { return Ok(()) };
    let (dir, file) = (data_dir.display(), file.display());
    let message = format!("`{dir}` cannot be the data folder: `{file}` is a file, not a folder");
    Err(Failure::new(ExitCode::Usage, message).hint(
        "choose a folder with --data-dir or OCACHE_DATA_DIR; `ocache up` makes it if it does not exist",
    ))
}

/// Returns `$XDG_DATA_HOME`, or its default from the standard.
fn default_data_dir() -> Result<PathBuf> {
    base_folder("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
        Failure::new(ExitCode::Usage, "there is no home folder to keep the store in")
            .hint("choose one with --data-dir or OCACHE_DATA_DIR")
    })
}

impl From<SlotArgs> for Slots {
    fn from(args: SlotArgs) -> Self {
        Self {
            refresh: args.refresh_slots.into(),
            urgent: args.urgent_slots.into(),
            provider: args.provider_slots.into(),
        }
    }
}
