//! The roles of a worker process, and the consumers that each role runs.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};

use super::metrics::Metrics;
use super::{Consumer, Handler, Shutdown, UrgentGate, run_schedule};
use crate::ports::{Ports, ProcessRole, Queue};
use crate::stages::price_calc::PriceCalc;
use crate::stages::quotation_provider::QuotationProvider;
use crate::stages::{BaseMaker, Lookup, PolicyInForce};
use crate::supervisor::Supervisor;

/// How long receives of workers wait. Each receive is billed. SQS allows 20 s, but a worker that stops
/// must wait for the receive that is under way.
pub const LONG_POLL: Duration = Duration::from_secs(5);
/// How long receives wait in a process that ends with its first answer.
pub const SHORT_POLL: Duration = Duration::from_secs(1);

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Orders a calculation for every active user at every tick.
    Refresh,
    /// Calculates price tables, urgent ones first.
    PriceCalc,
    /// Answers quotations.
    QuotationProvider,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Refresh, Self::PriceCalc, Self::QuotationProvider];

    /// Returns the role as the presence record names it.
    #[must_use]
    pub const fn announced(self) -> ProcessRole {
        match self {
            Self::Refresh => ProcessRole::Refresh,
            Self::PriceCalc => ProcessRole::PriceCalc,
            Self::QuotationProvider => ProcessRole::QuotationProvider,
        }
    }
}

/// How many messages of each queue one worker has in hand at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Slots for scheduled calculations.
    pub refresh: usize,
    /// Slots for urgent calculations. Scheduled ones never take these.
    pub urgent: usize,
    /// Slots for quotations to answer.
    pub provider: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self { refresh: 20, urgent: 20, provider: 100 }
    }
}

/// The stages of a worker process on one engine.
pub struct Worker {
    /// The ports of the engine.
    pub ports: Ports,
    /// The tables and bases that this process keeps in memory.
    pub lookup: Arc<Lookup>,
    /// The policy in force.
    pub policy: PolicyInForce,
    /// How many messages may be in hand.
    pub slots: Slots,
    /// How long one receive waits: [`LONG_POLL`] or [`SHORT_POLL`].
    pub poll_wait: Duration,
    /// The counters of this process.
    pub metrics: Metrics,
    /// Learns of a consumer or schedule that dies.
    pub supervisor: Supervisor,
}

/// The name of a task, under which its death is reported, and the task.
type RoleTask = (&'static str, BoxFuture<'static, ()>);

impl Worker {
    /// Runs roles concurrently until the shutdown begins, then drains them.
    pub async fn run(&self, roles: &[Role], shutdown: &Shutdown) {
        let tasks: Vec<RoleTask> =
            roles.iter().flat_map(|role| self.tasks(*role, shutdown)).collect();
        // Each consumer is a task of its own, so that the work of one never keeps another from receiving.
        join_all(tasks.into_iter().map(|(part, task)| self.supervisor.spawn(part, task))).await;
    }

    fn tasks(&self, role: Role, shutdown: &Shutdown) -> Vec<RoleTask> {
        let Self { ports, policy, slots, .. } = self;
        self.metrics.keeps(self.lookup.bases());
        match role {
            Role::Refresh => {
                let segments = std::thread::available_parallelism().map_or(2, usize::from);
                let schedule = run_schedule(
                    ports.clone(),
                    policy.clone(),
                    u32::try_from(segments).unwrap_or(2),
                    self.metrics.clone(),
                    shutdown.clone(),
                );
                vec![("the schedule", Box::pin(schedule))]
            }
            Role::PriceCalc => {
                let bases = BaseMaker::new(ports, self.lookup.bases().clone());
                let stage = PriceCalc::new(ports, Arc::new(bases), policy.clone());
                let stage = Arc::new(stage.observed_by(Arc::new(self.metrics.clone())));
                self.metrics.calculates_here();
                let gate = UrgentGate::default();
                [(Queue::Quotation, slots.urgent), (Queue::Refresh, slots.refresh)]
                    .map(|(queue, slots)| {
                        self.consume(queue, slots, stage.clone(), &gate, shutdown)
                    })
                    .into()
            }
            Role::QuotationProvider => {
                let stage = QuotationProvider::new(ports, self.lookup.clone());
                let stage = Arc::new(stage.observed_by(Arc::new(self.metrics.clone())));
                let gate = UrgentGate::default();
                vec![self.consume(Queue::Provider, slots.provider, stage, &gate, shutdown)]
            }
        }
    }

    fn consume(
        &self,
        queue: Queue,
        slots: usize,
        handler: Arc<dyn Handler>,
        gate: &UrgentGate,
        shutdown: &Shutdown,
    ) -> RoleTask {
        let queues = self.ports.queues.clone();
        let randomness = self.ports.randomness.clone();
        let consumer = Consumer {
            queue,
            queues,
            handler,
            slots,
            poll_wait: self.poll_wait,
            gate: gate.clone(),
            randomness,
            metrics: self.metrics.clone(),
            supervisor: self.supervisor.clone(),
        };
        (Consumer::part(queue), Box::pin(consumer.run(shutdown.clone())))
    }
}
