//! The log volume of functions at INFO. CloudWatch bills the ingested bytes.
//!
//! Log storage is left out: compressed, a month of it costs a hundredth of the ingestion.

use super::{EventCounts, Purpose};
use crate::meter::Stage;
use crate::meter::billing::{self, Line};

/// The estimated bytes of a log line in a function: its fields, the spans of the invocation, the message, the
/// customer, and the 26 bytes that CloudWatch adds to each line.
pub const LOG_LINE_BYTES: f64 = 300.0;

/// Returns the log lines of these events. Scheduled calculations come in batches of this size.
pub(super) fn lines(events: &EventCounts, batch: usize) -> [(Purpose, Stage, f64); 8] {
    let answered_later = events.quotes - events.direct;
    [
        // One line for each batch, and one for each changed table.
        (
            Purpose::KeepWarm,
            Stage::PriceCalc,
            events.refreshes / batch.max(1) as f64 + events.changed + events.bases + events.terms,
        ),
        // "answered", "answered at once" or "accepted", and the visits that are written.
        (Purpose::Quotes, Stage::QuotationHandler, events.quotes + events.touches),
        // "answered". The message of a cold quote comes twice.
        (Purpose::Quotes, Stage::QuotationProvider, (answered_later - events.cold).max(0.0)),
        (Purpose::Cold, Stage::QuotationProvider, 2.0 * events.cold),
        (Purpose::Cold, Stage::PriceCalc, events.cold),
        (Purpose::Cold, Stage::Subscribe, events.visits),
        (Purpose::Idle, Stage::Refresh, events.ticks),
        // The usage of a process, once a minute.
        (Purpose::Idle, Stage::Meter, events.reports),
    ]
}

/// Returns the billed usage of log lines.
pub(super) fn billed(lines: f64) -> billing::BilledUsage {
    let mut used = billing::BilledUsage::default();
    used.add(Line::Logs, (lines * LOG_LINE_BYTES).round() as u128);
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_nothing_has_one_line_a_batch() {
        let events =
            EventCounts { refreshes: 1000.0, changed: 3.0, ticks: 10.0, ..EventCounts::default() };
        let of = |purpose| {
            let lines = lines(&events, 10).into_iter().filter(move |line| line.0 == purpose);
            lines.map(|(_, _, count)| count).sum::<f64>()
        };
        assert!((of(Purpose::KeepWarm) - 103.0).abs() < 1e-9);
        assert!((of(Purpose::Idle) - 10.0).abs() < 1e-9);
        assert!(of(Purpose::Quotes).abs() < 1e-9);
    }

    #[test]
    fn a_quote_has_a_line_and_a_cold_one_four() {
        let events = EventCounts { quotes: 10.0, direct: 8.0, cold: 2.0, ..EventCounts::default() };
        let all: f64 = lines(&events, 1).into_iter().map(|(_, _, count)| count).sum();
        assert!((all - (8.0 + 2.0 * 4.0)).abs() < 1e-9, "{all}");
    }
}
