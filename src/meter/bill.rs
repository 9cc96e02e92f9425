//! Turns metered usage into the lines of a bill.

use super::operation::{Resource, Unit};
use super::usage::UsageLine;
use crate::meter::billing::{BilledUsage, Line};

/// Returns the bill for these lines of a reading, for functions on arm64. Stored data and the time that
/// websockets are open are not included, because the meter does not see them.
pub fn billed(lines: impl IntoIterator<Item = UsageLine>) -> BilledUsage {
    let mut thousandths = BilledUsage::default();
    let mut bill = BilledUsage::default();
    for line in lines {
        let milliunits = line.used.milliunits();
        match line.unit {
            Unit::ReadUnit => thousandths.add(Line::ReadUnits, milliunits),
            Unit::WriteUnit => thousandths.add(Line::WriteUnits, milliunits),
            Unit::Request => thousandths.add(requests_to(line.resource), milliunits),
            Unit::Message => thousandths.add(Line::WebsocketMessages, milliunits),
            Unit::GbMillisecond => {
                thousandths.add(Line::Arm64, milliunits);
                bill.add(Line::Invocations, line.used.calls);
            }
        }
    }
    for line in Line::ALL {
        let parts = match line {
            // A thousandth of a thousandth of a GB-second.
            Line::Arm64 => rounded(thousandths.of(line) * line.parts(), 1_000_000),
            _ => rounded(thousandths.of(line) * line.parts(), 1_000),
        };
        bill.add(line, parts);
    }
    bill
}

/// Rounds to the nearest, because a forecast has fractions, and rounding down would lose them.
const fn rounded(parts: u128, of: u128) -> u128 {
    (parts + of / 2) / of
}

const fn requests_to(resource: Resource) -> Line {
    match resource {
        Resource::RefreshQueue | Resource::QuotationQueue => Line::FifoRequests,
        Resource::Topic => Line::TopicRequests,
        _ => Line::StandardRequests,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::meter::rules::gb_milliseconds;
    use crate::meter::{Action, Meter, Operation, Used};
    use crate::ports::Queue;

    #[test]
    fn each_unit_has_its_line() {
        let meter = Meter::new();
        let run = gb_milliseconds(Duration::from_millis(100), 512);
        for (operation, milliunits) in [
            (Operation::read(Resource::Products), 2_500),
            (Operation::write(Resource::Quotations), 3_000),
            (Operation::queue(Queue::Quotation, Action::Send), 4_000),
            (Operation::queue(Queue::Provider, Action::Receive), 5_000),
            (Operation::PUBLISH, 6_000),
            (Operation::FRAME_IN, 7_000),
            (Operation::RUN, run),
        ] {
            meter.count(operation, Used::derived(2, 1, 0, milliunits));
        }
        let bill = billed(meter.usage().lines());
        let is = [
            (Line::WriteUnits, 3),
            (Line::ReadUnits, 5),
            (Line::Storage, 0),
            (Line::FifoRequests, 4),
            (Line::StandardRequests, 5),
            (Line::TopicRequests, 6),
            (Line::Invocations, 2),
            (Line::Arm64, 512 * 100),
            (Line::X86, 0),
            (Line::WebsocketMessages, 7),
            (Line::WebsocketMinutes, 0),
            (Line::Logs, 0),
        ];
        assert_eq!(is, Line::ALL.map(|line| (line, bill.of(line))));
    }

    #[test]
    fn a_fraction_of_a_unit_is_billed_to_the_nearest() {
        let meter = Meter::new();
        meter.count(Operation::write(Resource::PricesByUser), Used::derived(1, 1, 0, 2_829));
        meter.count(Operation::read(Resource::PricesByUser), Used::derived(1, 1, 0, 1_200));
        let bill = billed(meter.usage().lines());
        assert_eq!([Line::WriteUnits, Line::ReadUnits].map(|line| bill.of(line)), [3, 2]);
    }
}
