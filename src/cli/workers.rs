//! Checks whether processes run the roles that waiting work needs.

use super::engine::{Engine, EngineKind};
use crate::ports::{PortError, ProcessRecord, ProcessRole, living_processes};

/// The processes of a stack that are alive.
pub(super) struct Workers {
    /// The processes that announced themselves.
    pub(super) living: Vec<ProcessRecord>,
    /// Whether deployed functions run the roles. Functions announce nothing while they have no work.
    has_functions: bool,
}

impl Workers {
    pub(super) async fn look(engine: &Engine) -> Result<Self, PortError> {
        let ports = engine.ports(None);
        let living = living_processes(&*ports.presence, &*ports.clock).await?;
        let has_functions = match engine.kind() {
            EngineKind::Embedded(_) => false,
            #[cfg(feature = "aws")]
            EngineKind::Aws(aws) => has_functions(aws).await,
        };
        Ok(Self { living, has_functions })
    }

    /// Returns the given roles that nobody runs.
    pub(super) fn missing(&self, roles: &[ProcessRole]) -> Vec<ProcessRole> {
        let is_done = |role: &ProcessRole| self.living.iter().any(|it| it.roles.contains(role));
        let missing = roles.iter().copied().filter(|role| !self.has_functions && !is_done(role));
        missing.collect()
    }
}

/// Whether functions are deployed, which the schedule that wakes one of them shows. If the caller may not
/// ask, they count as deployed, so that nobody is told wrongly that no process works.
#[cfg(feature = "aws")]
async fn has_functions(aws: &crate::aws::Aws) -> bool {
    !matches!(aws.deployed_schedule().await, Ok(None))
}

/// Returns the names of roles.
pub(super) fn names(roles: &[ProcessRole]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

/// Returns the roles of a process and its machine.
pub(super) fn in_words(process: &ProcessRecord) -> String {
    format!("{} on {}", names(&process.roles), process.machine)
}

/// Returns a hint that starts a process with all roles.
pub(super) fn start_one(as_flags: &str) -> String {
    format!(
        "start one with `ocache worker all{as_flags}`, or run everything with `ocache up{as_flags}`"
    )
}
