//! The measured figures, for people and for programs.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::output::{number, table};
use crate::load_generator::{Tally, Times};
use crate::meter::rules::UNIT;
use crate::meter::{Unit, Usage};

/// The quantiles that are shown, with their names.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
/// Returns times as JSON; null if there are none.
fn to_json(times: &Times) -> Value {
    if times.is_empty() {
        return Value::Null;
    }
    let quantiles = QUANTILES.map(|(name, at)| (name.replace('.', "_"), times.millis(at)));
    quantiles.into_iter().map(|(name, millis)| (name, json!(millis))).collect()
}

/// What a phase has used.
#[derive(Clone, Copy, Debug, Serialize)]
struct Used {
    /// The calls of all services.
    calls: u64,
    read_units: f64,
    write_units: f64,
}

/// The figures of one phase.
pub(super) struct Figures {
    phase: &'static str,
    asked: u64,
    done: u64,
    begun: Instant,
    took: Duration,
    acknowledged: Times,
    answered: Times,
    /// The number of answers that were compared with their quotes; `None` for phases without answers.
    checked: Option<u64>,
    /// The first reason why a call failed, if it is known.
    complaint: Option<String>,
    /// What the phase has used, if it is known.
    pub(super) used: Option<Usage>,
}

impl Figures {
    pub(super) fn begin(phase: &'static str, asked: u64) -> Result<Self, Failure> {
        let times = || Times::new().map_err(Failure::internal);
        let (acknowledged, answered) = (times()?, times()?);
        let (begun, took) = (Instant::now(), Duration::ZERO);
        let (checked, complaint, used) = (None, None, None);
        Ok(Self {
            phase,
            asked,
            done: 0,
            begun,
            took,
            acknowledged,
            answered,
            checked,
            complaint,
            used,
        })
    }

    /// Returns the figures of quotes that were sent.
    pub(super) fn of_quotes(phase: &'static str, tally: Tally) -> Result<Self, Failure> {
        Ok(Self {
            done: tally.answered,
            took: tally.took,
            acknowledged: tally.until_accepted,
            answered: tally.until_answered,
            checked: Some(tally.checked),
            complaint: tally.complaint,
            ..Self::begin(phase, tally.asked)?
        })
    }

    /// Records how long a call took to be acknowledged.
    pub(super) fn acknowledged(&mut self, took: Duration) {
        self.acknowledged.add(took);
    }

    /// Records how long the result of a call took.
    pub(super) fn answered(&mut self, took: Duration) {
        self.answered.add(took);
    }

    /// Counts a call that succeeded.
    pub(super) fn done(&mut self) {
        self.done += 1;
        self.took = self.begun.elapsed();
    }

    /// Returns the calls and the units of both kinds that the phase has used, as AWS bills them.
    fn used(&self) -> Option<Used> {
        let used = self.used.as_ref()?;
        let units = |unit| used.total(|line| line.unit == unit).milliunits() as f64 / UNIT as f64;
        Some(Used {
            calls: used.total(|_| true).calls,
            read_units: units(Unit::ReadUnit),
            write_units: units(Unit::WriteUnit),
        })
    }

    fn per_sec(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64().max(1e-6)
    }
}

/// The figures of a whole run.
pub(super) struct Report {
    pub(super) engine: String,
    pub(super) gateway: String,
    pub(super) users: u32,
    pub(super) rate: Option<u32>,
    pub(super) phases: Vec<Figures>,
}

impl Report {
    /// Returns the number of calls that failed.
    pub(super) fn unanswered(&self) -> u64 {
        self.phases.iter().map(|phase| phase.asked - phase.done).sum()
    }

    /// Returns the first reason of these failures.
    pub(super) fn complaint(&self) -> Option<&str> {
        self.phases.iter().find_map(|phase| phase.complaint.as_deref())
    }

    pub(super) fn to_json(&self) -> Value {
        let phase = |phase: &Figures| {
            json!({
                "phase": phase.phase,
                "asked": phase.asked,
                "done": phase.done,
                "checked": phase.checked,
                "secs": phase.took.as_secs_f64(),
                "per_sec": phase.per_sec(),
                "acknowledged_ms": to_json(&phase.acknowledged),
                "answered_ms": to_json(&phase.answered),
                "used": phase.used(),
            })
        };
        json!({
            "engine": self.engine,
            "gateway": self.gateway,
            "users": self.users,
            "rate": self.rate,
            "phases": self.phases.iter().map(phase).collect::<Vec<_>>(),
        })
    }

    pub(super) fn to_table(&self) -> String {
        let times = ["", "done", "a second", "until", "p50", "p90", "p99", "p99.9"];
        let each = ["calls each", "read units", "write units"];
        let knows = self.phases.iter().any(|phase| phase.used.is_some());
        let mut table = table(times.into_iter().chain(each.into_iter().filter(|_| knows)));
        for phase in &self.phases {
            let mut used = phase.used().map_or_else(Vec::new, |used| {
                let each = [used.calls as f64, used.read_units, used.write_units];
                each.map(|count| number(format!("{:.2}", count / phase.done.max(1) as f64))).into()
            });
            let mut first = [
                phase.phase.into(),
                number(format!("{}/{}", phase.done, phase.asked)),
                number(format!("{:.0}", phase.per_sec())),
            ];
            for (until, times) in
                [("acknowledged", &phase.acknowledged), ("answered", &phase.answered)]
            {
                if times.is_empty() {
                    continue;
                }
                let times = QUANTILES.map(|(_, at)| number(show(times.millis(at))));
                let used = std::mem::take(&mut used);
                table.add_row(first.into_iter().chain([until.into()]).chain(times).chain(used));
                first = ["".into(), "".into(), "".into()];
            }
        }
        table.to_string()
    }
}

/// Formats milliseconds with three digits.
fn show(millis: f64) -> String {
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        10.0..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_times() {
        let mut figures = Figures::begin("warm quotes", 1001).unwrap();
        for millis in 1..=1000 {
            figures.answered(Duration::from_millis(millis));
            figures.done();
        }
        let report = Report {
            engine: "embedded".to_owned(),
            gateway: "ws://127.0.0.1:1".to_owned(),
            users: 1,
            rate: None,
            phases: vec![figures],
        };
        assert_eq!(report.unanswered(), 1);
        let json = report.to_json();
        let answered = &json["phases"][0]["answered_ms"];
        for (name, millis) in [("p50", 500.0), ("p90", 900.0), ("p99", 990.0), ("p99_9", 999.0)] {
            let close = (answered[name].as_f64().unwrap() - millis).abs() <= millis / 1000.0;
            assert!(close, "{name} of {answered}");
        }
        assert_eq!(json["phases"][0]["acknowledged_ms"], Value::Null);
        let text = report.to_table();
        assert!(text.contains("1000/1001") && text.contains("answered"), "{text}");
        assert!(!text.contains("acknowledged"), "{text}");
    }
}
