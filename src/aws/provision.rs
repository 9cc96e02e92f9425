//! Makes what a stack needs: first a plan, then its execution. Both can be repeated at any time.

use thiserror::Error;

use super::desired::{Desired, StackResource};
use super::engine::Aws;
use crate::ports::PortError;

/// Why a stack cannot be provisioned.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// A service failed or refused.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A table has another key. A key cannot be changed, so the table would have to be deleted.
    #[error("table `{table}` has the key {is}, not {should}")]
    KeysDiffer {
        /// The table's name.
        table: String,
        /// Its key attributes, with their types.
        is: String,
        /// The key attributes that it should have.
        should: String,
    },
    /// A table was not ready in time.
    #[error("table `{table}` is still {status} after {waited_secs} s")]
    NotReady {
        /// The table's name.
        table: String,
        /// The status that the service reports.
        status: String,
        /// How long was waited, in seconds.
        waited_secs: u64,
    },
}

/// How a resource, or one of its settings, differs from what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The resource does not exist.
    Missing,
    /// The resource exists with another setting.
    Differs {
        /// The setting, as the service calls it.
        attribute: String,
        /// The present value, or `None` if it is not set.
        is: Option<String>,
        /// The value that it should have.
        should: String,
    },
    /// The resource is as it should be.
    Unchanged,
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLine {
    /// The resource.
    pub resource: StackResource,
    /// How it differs from what it should be.
    pub drift: Drift,
}

impl PlanLine {
    pub(super) const fn new(resource: StackResource, drift: Drift) -> Self {
        Self { resource, drift }
    }

    /// Returns the lines for a resource that exists: its differences, or one line that says that there are
    /// none.
    pub(super) fn of_existing(resource: &StackResource, differences: Vec<Drift>) -> Vec<Self> {
        let drifts = if differences.is_empty() { vec![Drift::Unchanged] } else { differences };
        drifts.into_iter().map(|drift| Self::new(resource.clone(), drift)).collect()
    }
}

/// How a stack differs from what it should be, in the order in which things are made.
#[derive(Clone, Debug)]
pub struct ProvisionPlan {
    pub(super) desired: Desired,
    /// The lines of the plan, at least one for every resource.
    pub changes: Vec<PlanLine>,
}

impl ProvisionPlan {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.changes.iter().all(|change| change.drift == Drift::Unchanged)
    }
}

impl Aws {
    /// Compares the stack with what it should be. Changes nothing.
    ///
    /// # Errors
    /// [`ProvisionError`] if a service cannot be reached, or a table has another key.
    pub async fn plan(&self) -> Result<ProvisionPlan, ProvisionError> {
        let desired = Desired::new(&self.clients.names, &self.identity().await?);
        let mut changes = self.clients.plan_tables(&desired.tables).await?;
        changes.extend(self.clients.plan_queues(&desired.queues).await?);
        changes.extend(self.clients.plan_topic(&desired.topic).await?);
        Ok(ProvisionPlan { desired, changes })
    }

    /// Makes what is missing and, with `fix`, corrects what differs. Returns what was done. Returns when
    /// all tables are ready.
    ///
    /// # Errors
    /// [`ProvisionError`] at the first failure. Applying a new plan continues from there.
    pub async fn apply(
        &self,
        plan: &ProvisionPlan,
        fix: bool,
    ) -> Result<Vec<PlanLine>, ProvisionError> {
        let due: Vec<_> = plan
            .changes
            .iter()
            .filter(|change| match change.drift {
                Drift::Missing => true,
                Drift::Differs { .. } => fix,
                Drift::Unchanged => false,
            })
            .cloned()
            .collect();
        self.clients.apply_tables(&plan.desired.tables, &due).await?;
        self.clients.apply_queues(&plan.desired.queues, &due).await?;
        self.clients.apply_topic(&plan.desired.topic, &due).await?;
        Ok(due)
    }
}

/// Returns the resource, or `None` if it does not exist.
pub(super) fn if_there<T>(asked: Result<T, PortError>) -> Result<Option<T>, PortError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(PortError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
