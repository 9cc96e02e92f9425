//! The engine as a whole.

use std::sync::Arc;

use super::backoff::Backoff;
use super::client::Clients;
use super::connections::ManagementApis;
use super::identity::Identity;
use super::polls::PatientQueues;
use super::queue_client::{Timeouts, WorkQueues};
use super::settings::{AwsSettings, ConnectError};
use super::tables::Tables;
use super::topic::QuotationsTopic;
use crate::meter::Meter;
use crate::ports::{
    Clock, Connections, DeadLetters, PortError, Ports, Queues, Randomness, Store, Topic,
};

/// A stack on AWS: every port, and the means to make and remove what they need. Clones are handles
/// of the same engine.
#[derive(Clone)]
pub struct Aws {
    pub(super) clients: Clients,
    tables: Arc<Tables>,
    queues: Arc<WorkQueues>,
    patient_queues: Arc<PatientQueues>,
    topic: Arc<QuotationsTopic>,
    randomness: Arc<dyn Randomness>,
}

impl Aws {
    /// Makes the clients; nothing is sent before the first call.
    ///
    /// # Errors
    /// [`ConnectError`] when something that has to be set is not.
    pub async fn connect(
        settings: &AwsSettings,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, ConnectError> {
        let clients = Clients::connect(settings).await?;
        let timeouts =
            Timeouts { attempt: settings.attempt_timeout, operation: settings.operation_timeout };
        Ok(Self::new(clients, timeouts, Backoff::default(), randomness))
    }

    pub(super) fn new(
        clients: Clients,
        timeouts: Timeouts,
        backoff: Backoff,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        let tables = Tables {
            client: clients.dynamodb.clone(),
            names: clients.names.clone(),
            randomness: Arc::clone(&randomness),
            backoff,
            known_names: Arc::default(),
            known_settings: Arc::default(),
        };
        let queues = WorkQueues::new(&clients, timeouts, Arc::clone(&randomness), backoff);
        let topic = QuotationsTopic::new(clients.clone(), Arc::clone(&randomness), backoff);
        let queues = Arc::new(queues);
        Self {
            clients,
            tables: Arc::new(tables),
            patient_queues: Arc::new(PatientQueues::new(Arc::clone(&queues))),
            queues,
            topic: Arc::new(topic),
            randomness,
        }
    }

    /// All ports, with connections that the caller chose: [`Self::connections`], or those of a
    /// gateway in this process.
    #[must_use]
    pub fn ports(&self, clock: Arc<dyn Clock>, connections: Arc<dyn Connections>) -> Ports {
        Ports {
            store: self.store(),
            queues: self.queues(),
            dead_letters: self.dead_letters(),
            topic: self.topic(),
            connections,
            usage: Arc::clone(&self.tables) as _,
            presence: Arc::clone(&self.tables) as _,
            clock,
            randomness: Arc::clone(&self.randomness),
        }
    }

    /// What counts every call of this engine that is billed.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.clients.meter
    }

    /// The tables.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.tables) as _
    }

    /// Whether products and discounts are of two loads: an earlier release left one half done, and no
    /// load has come into force since.
    ///
    /// # Errors
    /// [`PortError`] when the table of products cannot be read.
    pub async fn is_half_loaded(&self) -> Result<bool, PortError> {
        self.tables.is_half_loaded().await
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> Arc<dyn Queues> {
        Arc::clone(&self.patient_queues) as _
    }

    /// The messages that were given up.
    #[must_use]
    pub fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        Arc::clone(&self.queues) as _
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> Arc<dyn Topic> {
        Arc::clone(&self.topic) as _
    }

    /// The management APIs of these base URLs; a push to any other endpoint is rejected.
    #[must_use]
    pub fn connections(&self, allowed: &[String]) -> Arc<dyn Connections> {
        Arc::new(ManagementApis::new(&self.clients, allowed))
    }

    /// Waits for receives that were given up, so that no message of theirs stays hidden. That takes
    /// as long as they were told to wait.
    pub async fn close(&self) {
        self.patient_queues.close().await;
    }

    /// The region that requests are signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.clients.region
    }

    /// The endpoint, if it is not that of AWS.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.clients.endpoint.as_deref()
    }

    /// Asks who we are, and says where.
    ///
    /// # Errors
    /// [`PortError`] when the service cannot be asked, or refuses.
    pub async fn identity(&self) -> Result<Identity, PortError> {
        self.clients.identity().await
    }
}
