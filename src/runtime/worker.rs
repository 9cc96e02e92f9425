//! The roles a worker process can take, and the consumers each of them runs.

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

/// How long receives of workers wait. SQS allows 20 s, and bills each receive; but what is under way
/// has to be waited for when the worker stops.
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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Refresh, Self::PriceCalc, Self::QuotationProvider];

    /// As others are told of it.
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
    /// Scheduled calculations.
    pub refresh: usize,
    /// Urgent calculations. No scheduled one ever takes these.
    pub urgent: usize,
    /// Quotations to answer.
    pub provider: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self { refresh: 20, urgent: 20, provider: 100 }
    }
}

/// A worker process's stages on one engine.
pub struct Worker {
    /// The engine.
    pub ports: Ports,
    /// Of this process.
    pub lookup: Arc<Lookup>,
    /// The times to keep to.
    pub policy: PolicyInForce,
    /// How much to have in hand.
    pub slots: Slots,
    /// How long one receive waits: [`LONG_POLL`] or [`SHORT_POLL`].
    pub poll_wait: Duration,
    /// What is counted.
    pub metrics: Metrics,
    /// Hears of a consumer or schedule that dies.
    pub supervisor: Supervisor,
}

/// What a role runs as a task of its own, and what that is called when it dies.
type RoleTask = (&'static str, BoxFuture<'static, ()>);

impl Worker {
    /// Runs roles side by side until the shutdown begins, then drains them.
    pub async fn run(&self, roles: &[Role], shutdown: &Shutdown) {
        let tasks: Vec<RoleTask> =
            roles.iter().flat_map(|role| self.tasks(*role, shutdown)).collect();
        // Each in a task of its own, so that one's work never keeps another from receiving.
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
                let gate = UrgentGate::new();
                [(Queue::Quotation, slots.urgent), (Queue::Refresh, slots.refresh)]
                    .map(|(queue, slots)| {
                        self.consume(queue, slots, stage.clone(), &gate, shutdown)
                    })
                    .into()
            }
            Role::QuotationProvider => {
                let stage = QuotationProvider::new(ports, self.lookup.clone());
                let stage = Arc::new(stage.observed_by(Arc::new(self.metrics.clone())));
                let gate = UrgentGate::new();
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
