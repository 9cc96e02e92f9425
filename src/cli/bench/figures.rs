//! The measured figures, for people and for programs.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::super::failure::{Failure, Result};
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
struct PhaseUse {
    /// The calls of all services.
    calls: u64,
    read_units: f64,
    write_units: f64,
}

/// The figures of one phase.
pub(super) struct PhaseFigures {
    phase: &'static str,
    tally: Tally,
    /// Whether answers were compared with their quotes. Only phases of quotes have answers.
    is_checked: bool,
    /// What the phase has used, if it is known.
    pub(super) used: Option<Usage>,
}

impl PhaseFigures {
    pub(super) fn begin(phase: &'static str, asked: u64) -> Result<Self> {
        let mut tally = Tally::begin().map_err(Failure::internal)?;
        tally.asked = asked;
        Ok(Self { phase, tally, is_checked: false, used: None })
    }

    /// Returns the figures of quotes that were sent.
    pub(super) const fn of_quotes(phase: &'static str, tally: Tally) -> Self {
        Self { phase, tally, is_checked: true, used: None }
    }

    /// Counts a call that succeeded when it was acknowledged.
    pub(super) fn acknowledged(&mut self, took: Duration) {
        self.tally.until_accepted.add(took);
        self.tally.count();
    }

    /// Counts a call that succeeded when its result was there.
    pub(super) fn answered(&mut self, took: Duration) {
        self.tally.answered(took);
    }

    /// Returns the calls and the units of both kinds that the phase has used, as AWS bills them.
    fn used(&self) -> Option<PhaseUse> {
        let used = self.used.as_ref()?;
        let units = |unit| used.total(|line| line.unit == unit).milliunits() as f64 / UNIT as f64;
        Some(PhaseUse {
            calls: used.total(|_| true).calls,
            read_units: units(Unit::ReadUnit),
            write_units: units(Unit::WriteUnit),
        })
    }
}

/// The figures of a whole run.
pub(super) struct BenchReport {
    pub(super) engine: String,
    pub(super) gateway: String,
    pub(super) users: u32,
    pub(super) rate: Option<u32>,
    pub(super) phases: Vec<PhaseFigures>,
}

impl BenchReport {
    /// Returns the number of calls that failed.
    pub(super) fn unanswered(&self) -> u64 {
        self.phases.iter().map(|phase| phase.tally.asked - phase.tally.answered).sum()
    }

    /// Returns the first reason of these failures.
    pub(super) fn complaint(&self) -> Option<&str> {
        self.phases.iter().find_map(|phase| phase.tally.complaint.as_deref())
    }

    pub(super) fn to_json(&self) -> Value {
        let phase = |phase: &PhaseFigures| {
            let tally = &phase.tally;
            json!({
                "phase": phase.phase,
                "asked": tally.asked,
                "done": tally.answered,
                "checked": phase.is_checked.then_some(tally.checked),
                "secs": tally.took.as_secs_f64(),
                "per_sec": tally.per_sec(),
                "acknowledged_ms": to_json(&tally.until_accepted),
                "answered_ms": to_json(&tally.until_answered),
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
            let tally = &phase.tally;
            let mut used = phase.used().map_or_else(Vec::new, |used| {
                let each = [used.calls as f64, used.read_units, used.write_units];
                each.map(|count| number(format!("{:.2}", count / tally.answered.max(1) as f64)))
                    .into()
            });
            let mut first = [
                phase.phase.into(),
                number(format!("{}/{}", tally.answered, tally.asked)),
                number(format!("{:.0}", tally.per_sec())),
            ];
            for (until, times) in
                [("acknowledged", &tally.until_accepted), ("answered", &tally.until_answered)]
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
        let mut figures = PhaseFigures::begin("warm quotes", 1001).unwrap();
        for millis in 1..=1000 {
            figures.answered(Duration::from_millis(millis));
        }
        let report = BenchReport {
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
