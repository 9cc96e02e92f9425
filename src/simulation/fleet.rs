//! The processes of a run: gateways and workers that are killed, drained, and started again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join;
use tokio::time::sleep;

use super::FaultKind;
use super::process::{Process, ProcessKind};
use super::unreliable;
use super::world::World;
use crate::model::{ConnectionId, ConnectionRef};
use crate::ports::{Ports, Randomness};
use crate::runtime::{LONG_POLL, Role, Shutdown, Worker, run_schedule};
use crate::stages::Lookup;
use crate::stages::quotation_handler::QuotationHandler;

/// The roles of the workers. Together they cover every role.
const ROLES: [&[Role]; 3] = [
    &[Role::Refresh, Role::PriceCalc, Role::QuotationProvider],
    &[Role::PriceCalc, Role::QuotationProvider],
    &[Role::Refresh, Role::PriceCalc],
];

/// A gateway, and the connections of its clients.
pub(super) struct Gateway {
    pub(super) process: Arc<Process>,
    pub(super) ports: Ports,
    pub(super) handler: QuotationHandler,
    connections: Mutex<Vec<ConnectionRef>>,
}

/// All processes that are running.
pub(super) struct Fleet {
    world: Arc<World>,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    started: u64,
    gateways: Vec<Arc<Gateway>>,
    workers: Vec<(Arc<Process>, Shutdown)>,
}

impl Fleet {
    /// Starts the processes of a world's plan.
    pub(super) fn start(world: &Arc<World>) -> Arc<Self> {
        let fleet = Arc::new(Self { world: world.clone(), members: Mutex::default() });
        for place in 0..world.plan.gateways {
            let gateway = fleet.new_gateway();
            fleet.members().gateways.push(gateway);
            tokio::spawn(fleet.clone().keep_gateway(place));
        }
        for place in 0..world.plan.workers {
            let worker = fleet.new_worker();
            fleet.members().workers.push(worker);
            tokio::spawn(fleet.clone().keep_worker(place));
        }
        fleet
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a process with a clock of its own.
    pub(super) fn new_process(&self, kind: ProcessKind) -> Arc<Process> {
        let number = {
            let mut members = self.members();
            members.started += 1;
            members.started
        };
        let name = format!("{kind:?} {number}").to_lowercase();
        let skew_ms = self.skew_ms();
        self.world.tell(&name, || format!("starts, {} s off", skew_ms / 1000));
        Process::new(name, self.world.clock.clone(), skew_ms)
    }

    fn skew_ms(&self) -> i64 {
        let most = i64::try_from(self.world.plan.most_skew.as_millis()).unwrap_or(0);
        if most == 0 || !self.world.is_faulty() {
            return 0;
        }
        self.world.count_fault(FaultKind::ClockSkewed);
        let chance = &self.world.chance;
        let some = i64::try_from(chance.below(most.unsigned_abs())).unwrap_or(0);
        chance.pick([0, most, -most, some, -some])
    }

    /// Returns the ports of a process.
    pub(super) fn ports(&self, process: &Arc<Process>) -> Ports {
        let ports = unreliable::ports(&self.world, process);
        match self.world.bug {
            Some(bug) => bug.plant(ports),
            None => ports,
        }
    }

    fn new_gateway(&self) -> Arc<Gateway> {
        let process = self.new_process(ProcessKind::Gateway);
        let ports = self.ports(&process);
        let plan = &self.world.plan;
        let handler = QuotationHandler::new(&ports, Lookup::new(&ports), plan.policy.clone());
        let handler = if plan.watched { handler.watched() } else { handler };
        Arc::new(Gateway { process, ports, handler, connections: Mutex::default() })
    }

    fn new_worker(&self) -> (Arc<Process>, Shutdown) {
        (self.new_process(ProcessKind::Worker), Shutdown::new())
    }

    /// Replaces the gateway at an index whenever it is killed. Its connections die with it.
    async fn keep_gateway(self: Arc<Self>, place: usize) {
        loop {
            let Some(gateway) = self.members().gateways.get(place).cloned() else { return };
            gateway.process.killed().await;
            for connection in gateway.connections().drain(..) {
                self.world.close(&connection);
            }
            self.pause_before_start().await;
            let next = self.new_gateway();
            if let Some(member) = self.members().gateways.get_mut(place) {
                *member = next;
            }
        }
    }

    /// Runs the worker at an index, and replaces it whenever it was killed or has drained.
    async fn keep_worker(self: Arc<Self>, place: usize) {
        let roles = ROLES[place % ROLES.len()];
        loop {
            let Some((process, shutdown)) = self.members().workers.get(place).cloned() else {
                return;
            };
            process.while_alive(self.work(&process, roles, &shutdown)).await;
            // The rest of a killed worker has no effect, but must not run for ever.
            shutdown.begin();
            self.pause_before_start().await;
            let next = self.new_worker();
            if let Some(member) = self.members().workers.get_mut(place) {
                *member = next;
            }
        }
    }

    async fn work(&self, process: &Arc<Process>, roles: &[Role], shutdown: &Shutdown) {
        let ports = self.ports(process);
        let plan = &self.world.plan;
        let worker = Worker {
            ports: ports.clone(),
            lookup: Lookup::new(&ports),
            policy: plan.policy.clone().into(),
            slots: plan.slots,
            poll_wait: LONG_POLL,
            metrics: self.world.metrics.clone(),
            supervisor: self.world.supervisor.clone(),
        };
        let (timed, queued): (Vec<Role>, Vec<Role>) =
            roles.iter().partition(|role| **role == Role::Refresh);
        let schedule = async {
            if !timed.is_empty() {
                // Use as many segments as the plan says, independently of this machine.
                let policy = plan.policy.clone().into();
                let metrics = self.world.metrics.clone();
                run_schedule(ports, policy, plan.segments, metrics, shutdown.clone()).await;
            }
        };
        join(schedule, worker.run(&queued, shutdown)).await;
    }

    async fn pause_before_start(&self) {
        sleep(self.world.chance.millis(1, 15_000)).await;
    }

    /// Returns a random gateway that is alive.
    pub(super) fn gateway(&self) -> Option<Arc<Gateway>> {
        let members = self.members();
        let alive: Vec<_> =
            members.gateways.iter().filter(|gateway| !gateway.process.is_dead()).collect();
        let chosen = alive.get(self.world.chance.index(alive.len()))?;
        Some(Arc::clone(chosen))
    }

    /// Drains a worker, which is then replaced.
    pub(super) fn drain_one(&self) {
        let members = self.members();
        if let Some((process, shutdown)) =
            members.workers.get(self.world.chance.index(members.workers.len()))
        {
            self.world.count_fault(FaultKind::Drained);
            self.world.tell(&process.name, || "drains".to_owned());
            shutdown.begin();
        }
    }

    /// Sets every clock right.
    pub(super) fn set_clocks_right(&self) {
        let members = self.members();
        members.gateways.iter().for_each(|gateway| gateway.process.clock.set_right());
        members.workers.iter().for_each(|(process, _)| process.clock.set_right());
    }
}

impl Gateway {
    /// Starts a gateway for one purpose, apart from the fleet.
    pub(super) fn apart(fleet: &Fleet) -> Arc<Self> {
        fleet.new_gateway()
    }

    fn connections(&self) -> MutexGuard<'_, Vec<ConnectionRef>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection.
    pub(super) fn connect(&self, world: &World) -> ConnectionRef {
        let id = ConnectionId::from_random(world.chance.bits());
        let connection = ConnectionRef { endpoint: self.process.name.clone(), id };
        self.connections().push(connection.clone());
        connection
    }
}

/// The time for recovery of everything that was under way when the faults stopped: a message's
/// visibility, its backoff, the breaker's pause, a dead loader's mark.
pub(super) const RECOVERY: Duration = Duration::from_secs(240);
