//! Where the keys of tokens are, by what was typed.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::Backend;
use super::failure::{ExitCode, Failure};
use super::output::Output;
use super::settings::Settings;
use crate::embedded::KeysFile;
use crate::ports::{Randomness as _, SystemClock, SystemRandomness, TokenKeys};
use crate::runtime::TokenCheck;
use crate::runtime::gateway::{KeysPlace, Tokens};
use crate::tokens::{Key, KeyRing, SignError};

/// The keys of one place.
pub(super) struct KeysFound {
    /// The place.
    pub(super) keys: Arc<dyn TokenKeys>,
    /// How others of this machine find it.
    pub(super) place: KeysPlace,
    /// Whether it may be filled without being told to: the data folder's file, and no other.
    is_ours: bool,
}

impl KeysFound {
    /// The file that was named; else the one of the data folder or, on AWS, the stack's secret.
    pub(super) async fn find(settings: &Settings, file: Option<PathBuf>) -> Result<Self, Failure> {
        match (file, settings.backend) {
            (Some(file), _) => {
                // Others find it from wherever they were started.
                let file = std::path::absolute(file).map_err(Failure::internal)?;
                Ok(Self::in_file(KeysFile::new(file), false))
            }
            (None, Backend::Embedded) => {
                Ok(Self::in_file(KeysFile::of_folder(&settings.data_dir), true))
            }
            (None, Backend::Aws) => Self::in_stack(settings).await,
        }
    }

    fn in_file(file: KeysFile, is_ours: bool) -> Self {
        let place = KeysPlace::File(file.path().to_owned());
        Self { keys: Arc::new(file), place, is_ours }
    }

    #[cfg(feature = "aws")]
    async fn in_stack(settings: &Settings) -> Result<Self, Failure> {
        let aws = super::engine::connect_aws(&settings.aws).await?;
        Ok(Self { keys: aws.token_keys(), place: KeysPlace::Stack, is_ours: false })
    }

    #[cfg(not(feature = "aws"))]
    async fn in_stack(_: &Settings) -> Result<Self, Failure> {
        Err(Failure::new(ExitCode::Usage, "this ocache was built without its AWS engine")
            .hint("say where the keys are with --keys FILE"))
    }

    /// The keys. Those of the data folder are made if there are none.
    pub(super) async fn read(&self, output: &Output) -> Result<KeyRing, Failure> {
        if let Some(keys) = self.keys.read().await? {
            return Ok(keys);
        }
        if self.is_ours && self.keys.create(&KeyRing::new(new_key()?)).await? {
            output.note(&format!("made a key to sign tokens with, in {}", self.keys.place()));
        }
        self.keys.read().await?.ok_or_else(|| self.missing())
    }

    /// That there are none.
    pub(super) fn missing(&self) -> Failure {
        let hint = match &self.place {
            KeysPlace::File(file) => {
                format!("`ocache keys rotate --keys {}` makes them", file.display())
            }
            KeysPlace::Stack => {
                "`ocache keys rotate`, with the same --stack and --region, makes them".to_owned()
            }
        };
        let message = format!("there are no keys in {}", self.keys.place());
        Failure::new(ExitCode::NotFound, message).hint(hint)
    }

    /// What a gateway that wants tokens checks them with.
    pub(super) fn tokens(&self) -> Tokens {
        let check = TokenCheck::new(self.keys.clone(), Arc::new(SystemClock));
        Tokens { check: Arc::new(check), keys: self.place.clone() }
    }
}

/// A key that nobody can guess.
pub(super) fn new_key() -> Result<Key, Failure> {
    let bits = || SystemRandomness.bits();
    Key::from_random(bits(), [bits(), bits()]).map_err(Failure::internal)
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        match error {
            SignError::TooLong { .. } => Self::new(ExitCode::Usage, error.to_string())
                .hint("make several tokens, for fewer clients each"),
            error => Self::internal(error),
        }
    }
}
