//! The keys of tokens, in Secrets Manager.
//!
//! Parameter Store would be enough and is free, but all callers of an account share 40 reads a second
//! there, and many authorizers may have a cold start at once.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;

use super::engine::Aws;
use super::errors::Call;
use crate::ports::{KeySource, PortError, TokenKeys};
use crate::tokens::KeyRing;

const DESCRIPTION: &str = "ocache: the keys that tokens are signed with";
/// The id of a secret's first version. Secrets Manager accepts an id once. So if two processes make the
/// first keys at the same time, only one succeeds.
const FIRST_VERSION: &str = "ocache-first-version-of-token-keys";

/// The secret of one stack.
struct KeysSecret {
    client: Client,
    name: String,
}

impl Aws {
    /// Returns the keys of the stack's tokens.
    #[must_use]
    pub fn token_keys(&self) -> Arc<dyn TokenKeys> {
        let client = Client::new(&self.clients.config);
        Arc::new(KeysSecret { client, name: self.clients.names.token_keys() })
    }
}

impl KeysSecret {
    fn call(&self, action: &'static str) -> Call {
        Call::of(action, self.place())
    }

    fn document(&self, keys: &KeyRing) -> Result<String, PortError> {
        keys.to_document().map_err(|error| PortError::rejected(self.place(), error.to_string()))
    }
}

#[async_trait]
impl KeySource<KeyRing> for KeysSecret {
    fn place(&self) -> String {
        format!("secret `{}`", self.name)
    }

    async fn read(&self) -> Result<Option<KeyRing>, PortError> {
        let answer = self.client.get_secret_value().secret_id(&self.name).send().await;
        let call = self.call("GetSecretValue");
        match answer {
            // A local AWS answers like this for a secret without a value. AWS itself reports that it is not
            // found.
            Ok(secret) if secret.secret_string.is_none() && secret.secret_binary.is_none() => {
                Ok(None)
            }
            Ok(secret) => {
                let document = secret.secret_string.ok_or_else(|| call.incomplete("text"))?;
                let keys = KeyRing::parse(&document);
                keys.map(Some).map_err(|error| PortError::corrupt(self.place(), error))
            }
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(call.failed(error)),
        }
    }
}

#[async_trait]
impl TokenKeys for KeysSecret {
    async fn create(&self, keys: &KeyRing) -> Result<bool, PortError> {
        let (name, document) = (&self.name, self.document(keys)?);
        let create = self.client.create_secret().name(name).description(DESCRIPTION);
        let create = create.client_request_token(FIRST_VERSION);
        let answer = create.secret_string(&document).send().await;
        let created = match answer {
            Ok(_) => true,
            Err(error) if error.code() == Some("ResourceExistsException") => false,
            Err(error) => return Err(self.call("CreateSecret").failed(error)),
        };
        if created || self.read().await?.is_some() {
            return Ok(created);
        }
        // Terraform has made a secret without a value.
        let put = self.client.put_secret_value().secret_id(name);
        let put = put.client_request_token(FIRST_VERSION).secret_string(document);
        let answer = put.send().await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(false),
            Err(error) => Err(self.call("PutSecretValue").failed(error)),
        }
    }

    async fn replace(&self, keys: &KeyRing) -> Result<(), PortError> {
        let document = self.document(keys)?;
        let put = self.client.put_secret_value().secret_id(&self.name).secret_string(document);
        let answer = put.send().await;
        answer.map(drop).map_err(|error| self.call("PutSecretValue").failed(error))
    }
}
