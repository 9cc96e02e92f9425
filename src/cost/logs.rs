//! What functions log of each thing at INFO, as CloudWatch bills it: by what is taken in.
//!
//! Storage is left out: compressed, a month of it costs a hundredth of taking it in.

use super::{Events, Purpose};
use crate::meter::Stage;
use crate::meter::billing::{self, Line};

/// A line of a function, about: its fields, the spans of the invocation, the message and the user, and the
/// 26 bytes that CloudWatch counts for each.
pub const LOG_LINE_BYTES: f64 = 300.0;

/// The lines of so many events, where scheduled calculations come in batches of this size.
pub(super) fn lines(events: &Events, batch: usize) -> [(Purpose, Stage, f64); 8] {
    let answered_later = events.quotes - events.direct;
    [
        // One for each batch, and one for each table that has changed.
        (
            Purpose::KeepWarm,
            Stage::PriceCalc,
            events.refreshes / batch.max(1) as f64 + events.changed + events.bases + events.terms,
        ),
        // "answered at once", or "accepted"; and the visits that are written down.
        (Purpose::Quotes, Stage::QuotationHandler, events.quotes + events.touches),
        // "answered", of which one that was cold had its message twice.
        (Purpose::Quotes, Stage::QuotationProvider, (answered_later - events.cold).max(0.0)),
        (Purpose::Cold, Stage::QuotationProvider, 2.0 * events.cold),
        (Purpose::Cold, Stage::PriceCalc, events.cold),
        (Purpose::Cold, Stage::Subscribe, events.visits),
        (Purpose::Idle, Stage::Refresh, events.ticks),
        // What a process used, once a minute.
        (Purpose::Idle, Stage::Meter, events.reports),
    ]
}

/// What so many lines are billed as.
pub(super) fn billed(lines: f64) -> billing::Usage {
    let mut used = billing::Usage::default();
    used.add(Line::Logs, (lines * LOG_LINE_BYTES).round() as u128);
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_nothing_has_one_line_a_batch() {
        let events = Events { refreshes: 1000.0, changed: 3.0, ticks: 10.0, ..Events::default() };
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
        let events = Events { quotes: 10.0, direct: 8.0, cold: 2.0, ..Events::default() };
        let all: f64 = lines(&events, 1).into_iter().map(|(_, _, count)| count).sum();
        assert!((all - (8.0 + 2.0 * 4.0)).abs() < 1e-9, "{all}");
    }
}
