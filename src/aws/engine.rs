//! The engine as a whole.

use std::sync::Arc;

use super::backoff::Backoff;
use super::client::AwsClients;
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

/// A stack on AWS: every port, and functions that make and remove the resources of a stack. Clones are
/// handles of the same engine.
#[derive(Clone)]
pub struct Aws {
    pub(super) clients: AwsClients,
    tables: Arc<Tables>,
    queues: Arc<WorkQueues>,
    patient_queues: Arc<PatientQueues>,
    topic: Arc<QuotationsTopic>,
    randomness: Arc<dyn Randomness>,
}

impl Aws {
    /// Makes the clients. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`ConnectError`] if a required setting is missing or wrong.
    pub async fn connect(
        settings: &AwsSettings,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, ConnectError> {
        let clients = AwsClients::connect(settings).await?;
        let timeouts =
            Timeouts { attempt: settings.attempt_timeout, operation: settings.operation_timeout };
        Ok(Self::new(clients, timeouts, Backoff::default(), randomness))
    }

    pub(super) fn new(
        clients: AwsClients,
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

    /// Returns all ports. The caller chooses the connections: [`Self::connections`], or those of a gateway
    /// in this process.
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

    /// Returns the meter, which counts every billed call of this engine.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.clients.meter
    }

    /// Returns the tables.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.tables) as _
    }

    /// Whether products and discounts are of two loads, because an earlier release left a load half done,
    /// and no load has come into force since.
    ///
    /// # Errors
    /// [`PortError`] if the table of products cannot be read.
    pub async fn is_half_loaded(&self) -> Result<bool, PortError> {
        self.tables.is_half_loaded().await
    }

    /// Returns the queues.
    #[must_use]
    pub fn queues(&self) -> Arc<dyn Queues> {
        Arc::clone(&self.patient_queues) as _
    }

    /// Returns the dead letters.
    #[must_use]
    pub fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        Arc::clone(&self.queues) as _
    }

    /// Returns the topic.
    #[must_use]
    pub fn topic(&self) -> Arc<dyn Topic> {
        Arc::clone(&self.topic) as _
    }

    /// Returns the connections of the management APIs at these base URLs. A push to any other endpoint is
    /// rejected.
    #[must_use]
    pub fn connections(&self, allowed: &[String]) -> Arc<dyn Connections> {
        Arc::new(ManagementApis::new(&self.clients, allowed))
    }

    /// Waits for receives that were cancelled, so that none of their messages stays hidden. This takes at
    /// most as long as they were told to wait.
    pub async fn close(&self) {
        self.patient_queues.close().await;
    }

    /// Returns the region for which requests are signed.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.clients.region
    }

    /// Returns the endpoint, if it is not AWS's own.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.clients.endpoint.as_deref()
    }

    /// Asks AWS for the caller's identity, and adds where the caller is connected.
    ///
    /// # Errors
    /// [`PortError`] if the service cannot be reached, or refuses.
    pub async fn identity(&self) -> Result<Identity, PortError> {
        self.clients.identity().await
    }
}
