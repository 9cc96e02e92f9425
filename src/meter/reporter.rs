//! Writes the usage of a process, window by window.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::{debug, info};

use super::counters::Meter;
use super::operation::Unit;
use super::rules::UNIT;
use super::scope::{Reason, Scope, Stage};
use super::usage::Usage;
use super::window::Window;
use crate::ports::{Chain, Clock, Ports, Randomness, UsageLog, UsageRecord};

/// How long a report may take. What is not written in time is written with the next report.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes what its process has used in the current window, repeatedly and to the same place, so that writing
/// twice is harmless. A process that dies loses its usage since the last write.
pub struct Reporter {
    meter: Arc<Meter>,
    log: Arc<dyn UsageLog>,
    clock: Arc<dyn Clock>,
    process: String,
    reported: Mutex<Reported>,
}

/// The state of the reports.
struct Reported {
    window: Window,
    /// The reading at the start of the window.
    at_begin: Usage,
    /// The last reading that was written.
    last: Usage,
}

impl Reporter {
    /// Creates a reporter for a process whose calls this meter counts.
    #[must_use]
    pub fn new(meter: Arc<Meter>, ports: &Ports) -> Self {
        let bits = Randomness::bits(&*ports.randomness);
        let process = format!("{:032x}", u128::from_be_bytes(bits));
        let window = Window::at(ports.clock.now());
        let reported = Reported { window, at_begin: Usage::default(), last: Usage::default() };
        let (log, clock) = (Arc::clone(&ports.usage), Arc::clone(&ports.clock));
        Self { meter, log, clock, process, reported: Mutex::new(reported) }
    }

    /// Reports at this interval, until the future is dropped.
    pub async fn run(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            self.report().await;
        }
    }

    /// Writes what is new. A failed write is not an error and is repeated with the next report, because the
    /// meter must not disturb the work that it measures.
    pub async fn report(&self) {
        let mut reported = self.reported.lock().await;
        self.write_down(&mut reported).await;
        let window = Window::at(self.clock.now());
        if window != reported.window {
            reported.window = window;
            reported.at_begin = reported.last.clone();
        }
    }

    /// Writes the usage of earlier windows before new work begins. For processes that are suspended between
    /// two pieces of work, such as functions.
    pub async fn begin(&self) {
        if self.reported.lock().await.window != Window::at(self.clock.now()) {
            self.report().await;
        }
    }

    async fn write_down(&self, reported: &mut Reported) {
        let reading = self.meter.usage();
        if consumed(&reading) == consumed(&reported.last) {
            return;
        }
        let used = reading.since(&reported.at_begin);
        let written = async {
            let record = UsageRecord {
                window: reported.window.number(),
                process: self.process.clone(),
                body: used.to_bytes()?,
                expires_at: self.clock.now().plus(Window::RETENTION),
            };
            self.log.record_usage(&record).await
        };
        let written = Scope::new(Stage::Meter, Reason::Scheduled).of(written);
        match timeout(PATIENCE, written).await {
            Ok(Ok(())) => reported.last = reading,
            Ok(Err(error)) => debug!(error = %Chain(&error), "what was used was not written down"),
            Err(_) => debug!("writing down what was used takes too long"),
        }
    }

    /// Writes the rest, and logs the total usage.
    pub async fn finish(&self) {
        self.report().await;
        let usage = self.meter.usage();
        let units = |unit| usage.total(|line| line.unit == unit).milliunits().div_ceil(UNIT);
        info!(
            calls = usage.total(|_| true).calls,
            read_units = units(Unit::ReadUnit),
            write_units = units(Unit::WriteUnit),
            requests = units(Unit::Request),
            "used"
        );
    }
}

/// Returns the units that justify a report. Failed calls have none, because the same failure would also
/// prevent the report. The units of reports themselves do not count.
fn consumed(reading: &Usage) -> u64 {
    reading.total(|line| line.stage != Stage::Meter).milliunits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::meter::{Operation, Resource, Used};
    use crate::model::Timestamp;
    use crate::ports::SystemRandomness;

    const READ: Operation = Operation::read(Resource::Products);

    struct Process {
        ports: Ports,
        meter: Arc<Meter>,
        reporter: Reporter,
        first: u64,
    }

    fn process() -> Process {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(3_000)));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let meter = Arc::new(Meter::new());
        let reporter = Reporter::new(Arc::clone(&meter), &ports);
        Process { first: Window::at(ports.clock.now()).number(), ports, meter, reporter }
    }

    impl Process {
        fn read(&self) {
            self.meter.count(READ, Used::derived(1, 1, 100, 500));
        }

        /// Returns the calls that were written for a window, counted from the first one.
        async fn calls(&self, window: u64) -> u64 {
            let records = self.ports.usage.usage_records(&[self.first + window]).await.unwrap();
            assert!(records.len() <= 1, "a process has one record in a window");
            let usage = records.iter().map(|record| Usage::from_bytes(&record.body).unwrap());
            usage.map(|usage| usage.total(|_| true).calls).sum()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_has_what_was_used_in_it() {
        let process = process();
        process.reporter.report().await;
        assert_eq!(process.calls(0).await, 0);
        process.read();
        process.reporter.report().await;
        process.read();
        process.reporter.report().await;
        process.reporter.report().await;
        assert_eq!(process.calls(0).await, 2);
        tokio::time::advance(Window::LENGTH).await;
        process.reporter.report().await;
        process.read();
        process.reporter.report().await;
        assert_eq!([process.calls(0).await, process.calls(1).await], [2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_function_used_before_it_stood_still_stays_in_its_window() {
        let process = process();
        process.read();
        tokio::time::advance(Window::LENGTH * 3).await;
        process.reporter.begin().await;
        process.read();
        process.reporter.report().await;
        assert_eq!([process.calls(0).await, process.calls(3).await], [1, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_fail_are_no_reason_for_a_report() {
        let process = process();
        process.meter.count(READ, Used::derived(1, 0, 0, 0));
        process.reporter.report().await;
        assert_eq!(process.calls(0).await, 0);
        process.read();
        process.reporter.finish().await;
        assert_eq!(process.calls(0).await, 2);
    }
}
