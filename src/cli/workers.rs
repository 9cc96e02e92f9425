//! Whether somebody works for those who wait.

use super::engine::{Engine, Kind};
use crate::ports::{PortError, ProcessRecord, ProcessRole, living_processes};

/// The processes of a stack that live.
pub(super) struct Workers {
    /// Those that have said so.
    pub(super) living: Vec<ProcessRecord>,
    /// Whether functions do what no process does. They say nothing while there is nothing for them to do.
    has_functions: bool,
}

impl Workers {
    pub(super) async fn look(engine: &Engine) -> Result<Self, PortError> {
        let ports = engine.ports(None);
        let living = living_processes(&*ports.presence, &*ports.clock).await?;
        let has_functions = match engine.kind() {
            Kind::Embedded(_) => false,
            #[cfg(feature = "aws")]
            Kind::Aws(aws) => has_functions(aws).await,
        };
        Ok(Self { living, has_functions })
    }

    /// Those of some roles that nobody has.
    pub(super) fn missing(&self, roles: &[ProcessRole]) -> Vec<ProcessRole> {
        let is_done = |role: &ProcessRole| self.living.iter().any(|it| it.roles.contains(role));
        let missing = roles.iter().copied().filter(|role| !self.has_functions && !is_done(role));
        missing.collect()
    }
}

/// Whether functions are deployed: the schedule is, which wakes one of them. Who may not ask is not told
/// that nobody works.
#[cfg(feature = "aws")]
async fn has_functions(aws: &crate::aws::Aws) -> bool {
    !matches!(aws.deployed_schedule().await, Ok(None))
}

/// The words for some roles.
pub(super) fn names(roles: &[ProcessRole]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

/// What starts somebody who does all work of a stack.
pub(super) fn start_one(as_flags: &str) -> String {
    format!(
        "start one with `ocache worker all{as_flags}`, or run everything with `ocache up{as_flags}`"
    )
}
