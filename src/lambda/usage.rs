//! What a function uses: its calls, and its own time.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join;
use tokio::sync::Mutex;

use super::Function;
use super::presence::{FunctionPresence, REPORT_EVERY};
use crate::aws::Aws;
use crate::meter::rules::{gateway_messages, gb_milliseconds, queue_requests};
use crate::meter::{Action, Meter, Operation, Reporter, Scope, Used};
use crate::ports::{Ports, Queue, TickDone};
use crate::trace::Traces;

/// Set by Lambda: how much memory the function has, in MB.
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
/// The memory of a function for which none is configured.
const DEFAULT_MEMORY_MB: u64 = 128;

/// Returns how much memory this function has, in MB.
pub(super) fn memory_mb() -> u64 {
    let memory = std::env::var(MEMORY).ok().and_then(|memory| memory.parse().ok());
    memory.unwrap_or(DEFAULT_MEMORY_MB)
}

/// The meter of a function.
pub(super) struct FunctionMeter {
    meter: Arc<Meter>,
    reporter: Reporter,
    presence: Option<FunctionPresence>,
    memory_mb: u64,
    traces: Traces,
    reported_at: Mutex<Option<Instant>>,
}

impl FunctionMeter {
    /// Returns the meter of the function that this process is.
    pub(super) fn new(function: Function, aws: &Aws, ports: &Ports, traces: Traces) -> Self {
        Self {
            meter: Arc::clone(aws.meter()),
            reporter: Reporter::new(Arc::clone(aws.meter()), ports),
            presence: FunctionPresence::new(function, ports),
            memory_mb: memory_mb(),
            traces,
            reported_at: Mutex::new(None),
        }
    }

    /// Handles one event on an account, and sends reports that are due.
    pub(super) async fn run<F: Future>(&self, scope: Scope, work: F) -> F::Output {
        self.reporter.begin().await;
        let started = Instant::now();
        let answer = scope.of(work).await;
        let billed = gb_milliseconds(started.elapsed(), self.memory_mb);
        self.meter.count_for(scope, Operation::RUN, Used::derived(1, 1, 0, billed));
        let mut reported_at = self.reported_at.lock().await;
        if reported_at.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            *reported_at = Some(Instant::now());
            let announcing = async {
                if let Some(presence) = &self.presence {
                    presence.announce().await;
                }
            };
            join(self.reporter.report(), announcing).await;
        }
        // Between runs the process is halted, so traces are sent now.
        self.traces.flush().await;
        answer
    }

    /// Notes that the function has done a tick of the schedule.
    pub(super) fn ticked(&self, tick: TickDone) {
        if let Some(presence) = &self.presence {
            presence.ticked(tick);
        }
    }

    /// Counts a batch that Lambda has received for the function, and the deletion of its messages. Empty
    /// polls by Lambda are not visible here.
    pub(super) fn delivered(&self, scope: Scope, queue: Queue, messages: usize, bytes: usize) {
        let (items, bytes) = (messages as u64, bytes as u64);
        let received = Used::derived(1, items, bytes, queue_requests(bytes));
        self.meter.count_for(scope, Operation::queue(queue, Action::Receive), received);
        let deleted = Used::derived(1, items, 0, queue_requests(0));
        self.meter.count_for(scope, Operation::queue(queue, Action::Delete), deleted);
    }

    /// Counts a frame that came in with the function's event, or went out with its answer.
    pub(super) fn frame(&self, scope: Scope, operation: Operation, bytes: usize) {
        let bytes = bytes as u64;
        let used = Used::derived(1, 1, bytes, gateway_messages(bytes));
        self.meter.count_for(scope, operation, used);
    }
}
