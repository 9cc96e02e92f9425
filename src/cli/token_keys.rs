//! Finds the keys of tokens that the arguments select.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{AccessArgs, Backend, ProviderError};
use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use super::parse::of_variable;
use super::settings::Settings;
use super::shell::quoted;
use crate::embedded::KeysFile;
use crate::ports::{KeySource as _, Randomness as _, SystemClock, SystemRandomness, TokenKeys};
use crate::runtime::gateway::{KeysPlace, Tokens};
use crate::runtime::{IdentityProvider, KeySetPlace, TokenCheck};
use crate::tokens::{Key, KeyRing, SignError};

/// The keys of one place.
pub(super) struct KeysFound {
    /// The keys.
    pub(super) keys: Arc<dyn TokenKeys>,
    /// The place, for other processes of this machine.
    pub(super) place: KeysPlace,
    /// Whether a missing key may be made without a request. This applies only to the file of the data
    /// folder.
    is_ours: bool,
}

/// Makes a path absolute, because other processes may have another working directory.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(Failure::internal)
}

impl KeysFound {
    /// Finds the keys: in the named file, else in that of the data folder or, on AWS, in the stack's
    /// secret.
    pub(super) async fn find(settings: &Settings, file: Option<PathBuf>) -> Result<Self> {
        match (file, settings.backend) {
            (Some(file), _) => Ok(Self::in_file(KeysFile::new(absolute(&file)?), false)),
            (None, Backend::Embedded) => {
                Ok(Self::in_file(KeysFile::of_folder(&absolute(&settings.data_dir)?), true))
            }
            (None, Backend::Aws) => Self::in_stack(settings).await,
        }
    }

    fn in_file(file: KeysFile, is_ours: bool) -> Self {
        let place = KeysPlace::File(file.path().to_owned());
        Self { keys: Arc::new(file), place, is_ours }
    }

    #[cfg(feature = "aws")]
    async fn in_stack(settings: &Settings) -> Result<Self> {
        let aws = super::engine::connect_aws(&settings.aws).await?;
        Ok(Self { keys: aws.token_keys(), place: KeysPlace::Stack, is_ours: false })
    }

    #[cfg(not(feature = "aws"))]
    async fn in_stack(_: &Settings) -> Result<Self> {
        Err(Failure::without_aws("the keys of a stack on AWS need AWS")
            .hint("say where the keys are with --keys FILE"))
    }

    /// Returns the keys. If the data folder has none, they are made.
    pub(super) async fn read(&self, output: &Output) -> Result<KeyRing> {
        if let Some(keys) = self.keys.read().await? {
            return Ok(keys);
        }
        if self.is_ours && self.keys.create(&KeyRing::new(new_key()?)).await? {
            output.note(&format!("made a key to sign tokens with, in {}", self.keys.place()));
        }
        self.keys.read().await?.ok_or_else(|| self.missing())
    }

    /// Returns the failure that there are no keys.
    pub(super) fn missing(&self) -> Failure {
        let hint = match &self.place {
            KeysPlace::File(file) => {
                let file = quoted(&file.display().to_string());
                format!("`ocache keys rotate --keys {file}` makes them")
            }
            KeysPlace::Stack => {
                "`ocache keys rotate`, with the same --stack and --region, makes them".to_owned()
            }
        };
        let message = format!("there are no keys in {}", self.keys.place());
        let failure = Failure::new(ExitCode::NotFound, message).hint(hint);
        match &self.place {
            KeysPlace::File(_) if !self.is_ours => of_variable(failure, "--keys", "OCACHE_KEYS"),
            _ => failure,
        }
    }

    /// Returns how a gateway that requires tokens checks them.
    pub(super) fn tokens(&self, provider: Option<IdentityProvider>) -> Tokens {
        let check = TokenCheck::new(self.keys.clone(), Arc::new(SystemClock));
        let check = match provider {
            Some(provider) => check.accepting(provider),
            None => check,
        };
        Tokens { check: Arc::new(check), keys: self.place.clone() }
    }
}

/// The keys that a gateway was given on the command line.
#[derive(Default)]
pub(super) struct GivenKeys {
    /// The file of ocache's own keys.
    pub(super) file: Option<PathBuf>,
    /// The identity provider whose tokens are accepted too.
    pub(super) provider: Option<IdentityProvider>,
}

impl GivenKeys {
    /// Reads the arguments. Fails if the keys of the provider cannot be read now.
    pub(super) async fn read(args: &AccessArgs) -> Result<Self> {
        let provider = args.provider.provider()?;
        if let Some(provider) = &provider {
            check_readable(&provider.keys)
                .await
                .map_err(|failure| of_variable(failure, "--jwks", "OCACHE_JWKS"))?;
        }
        Ok(Self { file: args.keys.keys.clone(), provider })
    }

    /// Refuses keys that would have no effect.
    pub(super) fn check_use(&self, requires_token: bool) -> Result<()> {
        let flag = match (&self.file, &self.provider) {
            _ if requires_token => return Ok(()),
            (Some(_), _) => "--keys",
            (None, Some(_)) => "--jwks",
            (None, None) => return Ok(()),
        };
        let message = format!("{flag} alone has no effect: this stack requires no tokens");
        Err(Failure::new(ExitCode::Usage, message).hint(format!(
            "require them with `ocache config set require-token true`, or leave {flag} out"
        )))
    }
}

async fn check_readable(keys: &KeySetPlace) -> Result<()> {
    let hint = match keys {
        KeySetPlace::Url(url) => format!("`curl --include {url}` shows what the provider answers"),
        KeySetPlace::File(_) => {
            "the file has what the `jwks_uri` of the provider answers: {\"keys\":[…]}".to_owned()
        }
    };
    match keys.read().await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            let message = format!("{} does not exist", keys.place());
            Err(Failure::new(ExitCode::NotFound, message).hint(hint))
        }
        Err(error) => Err(Failure::from(error).hint(hint)),
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::new(ExitCode::Usage, error.to_string()).hint(match error {
            ProviderError::NoIssuer => "name what the tokens have as `iss` with --issuer",
            ProviderError::NoKeys => "name the provider's keys with --jwks, or leave them out",
        })
    }
}

/// Makes a random key.
pub(super) fn new_key() -> Result<Key> {
    let bits = || SystemRandomness.bits();
    Key::from_random(bits(), [bits(), bits()]).map_err(Failure::internal)
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        match error {
            SignError::TooLong { .. } => Self::new(ExitCode::Usage, error.to_string())
                .hint("make several tokens, for fewer customers each"),
            error => Self::internal(error),
        }
    }
}
