//! Writes down what a process has used, window by window.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tracing::{debug, info};

use super::counters::Meter;
use super::operation::Unit;
use super::rules::UNIT;
use super::scope::{Reason, Scope, Stage};
use super::usage::Usage;
use super::window::Window;
use crate::ports::{Chain, Clock, Ports, Randomness, UsageLog, UsageRecord};

/// Writes what its process has used in the present window, again and again in the same place, so
/// that writing it twice does no harm. A process that dies loses what it used since it last wrote.
pub struct Reporter {
    meter: Arc<Meter>,
    log: Arc<dyn UsageLog>,
    clock: Arc<dyn Clock>,
    process: String,
    reported: Mutex<Reported>,
}

/// How far the reports have come.
struct Reported {
    window: Window,
    /// The reading when the window began.
    at_begin: Usage,
    /// The last reading that was written down.
    last: Usage,
}

impl Reporter {
    /// For a process whose calls this meter counts.
    #[must_use]
    pub fn new(meter: Arc<Meter>, ports: &Ports) -> Self {
        let bits = Randomness::bits(&*ports.randomness);
        let process = format!("{:032x}", u128::from_be_bytes(bits));
        let window = Window::at(ports.clock.now());
        let reported = Reported { window, at_begin: Usage::default(), last: Usage::default() };
        let (log, clock) = (Arc::clone(&ports.usage), Arc::clone(&ports.clock));
        Self { meter, log, clock, process, reported: Mutex::new(reported) }
    }

    /// Reports every so often, for as long as it is polled.
    pub async fn run(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            self.report().await;
        }
    }

    /// Writes down what is new. What cannot be written is tried again with the next report: a meter
    /// must not be in the way of what it measures.
    pub async fn report(&self) {
        let mut reported = self.reported.lock().await;
        self.write_down(&mut reported).await;
        let window = Window::at(self.clock.now());
        if window != reported.window {
            reported.window = window;
            reported.at_begin = reported.last.clone();
        }
    }

    /// For processes that stand still between two pieces of work, such as functions: what was used
    /// in an earlier window is written down there before this one's work begins.
    pub async fn begin(&self) {
        if self.reported.lock().await.window != Window::at(self.clock.now()) {
            self.report().await;
        }
    }

    async fn write_down(&self, reported: &mut Reported) {
        // What writing costs is written down with the next report. It is no reason for one.
        let reading = self.meter.usage();
        if reading.without(Stage::Meter) == reported.last.without(Stage::Meter) {
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
        match Scope::new(Stage::Meter, Reason::Scheduled).of(written).await {
            Ok(()) => reported.last = reading,
            Err(error) => debug!(error = %Chain(&error), "what was used was not written down"),
        }
    }

    /// Writes down the rest, and says in the log what it was in all.
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
