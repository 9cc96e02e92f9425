//! Making what a stack needs: first a plan, then its execution. Both can be repeated at any time.

use thiserror::Error;

use super::desired::{Desired, Resource};
use super::engine::Aws;
use crate::ports::PortError;

/// Why a stack cannot be provisioned.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// A service failed or refused.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A table has another key. That cannot be changed; the table would have to go.
    #[error("table `{table}` has the key {is}, not {should}")]
    KeysDiffer {
        /// The table's name.
        table: String,
        /// Its key attributes, with their types.
        is: String,
        /// What they should be.
        should: String,
    },
    /// A table was not ready within the time that was allowed for it.
    #[error("table `{table}` is still {status} after {waited_secs} s")]
    NotReady {
        /// The table's name.
        table: String,
        /// What the service says it is.
        status: String,
        /// How long was waited, in seconds.
        waited_secs: u64,
    },
}

/// What has to be done to one resource, or to one setting of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not there.
    Create,
    /// It is there, with another setting.
    Differs {
        /// Which setting, as the service calls it.
        attribute: String,
        /// What it is; `None`: not set.
        is: Option<String>,
        /// What it should be.
        should: String,
    },
    /// It is as it should be.
    Unchanged,
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub resource: Resource,
    /// What is to be done to it.
    pub action: Action,
}

impl Change {
    pub(super) const fn new(resource: Resource, action: Action) -> Self {
        Self { resource, action }
    }

    /// A resource that exists: its differences, or one line that there are none.
    pub(super) fn of_existing(resource: &Resource, differences: Vec<Action>) -> Vec<Self> {
        let actions = if differences.is_empty() { vec![Action::Unchanged] } else { differences };
        actions.into_iter().map(|action| Self::new(resource.clone(), action)).collect()
    }
}

/// How a stack differs from what it should be, in the order in which things are made.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) desired: Desired,
    /// At least one line for every resource.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Whether everything is there as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::Unchanged)
    }
}

impl Aws {
    /// Compares what there is with what there should be. Changes nothing.
    ///
    /// # Errors
    /// [`ProvisionError`] when a service cannot be asked, or a table has another key.
    pub async fn plan(&self) -> Result<Plan, ProvisionError> {
        let desired = Desired::new(&self.clients.names, &self.identity().await?);
        let mut changes = self.clients.plan_tables(&desired.tables).await?;
        changes.extend(self.clients.plan_queues(&desired.queues).await?);
        changes.extend(self.clients.plan_topic(&desired.topic).await?);
        Ok(Plan { desired, changes })
    }

    /// Makes what is missing and, with `fix`, sets what differs. Returns what was done. Ends when
    /// all tables are ready.
    ///
    /// # Errors
    /// [`ProvisionError`] at the first thing that fails; applying a new plan goes on from there.
    pub async fn apply(&self, plan: &Plan, fix: bool) -> Result<Vec<Change>, ProvisionError> {
        let due: Vec<_> = plan
            .changes
            .iter()
            .filter(|change| match change.action {
                Action::Create => true,
                Action::Differs { .. } => fix,
                Action::Unchanged => false,
            })
            .cloned()
            .collect();
        self.clients.apply_tables(&plan.desired.tables, &due).await?;
        self.clients.apply_queues(&plan.desired.queues, &due).await?;
        self.clients.apply_topic(&plan.desired.topic, &due).await?;
        Ok(due)
    }
}

/// What was asked for, or `None` when it does not exist.
pub(super) fn if_there<T>(asked: Result<T, PortError>) -> Result<Option<T>, PortError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(PortError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
