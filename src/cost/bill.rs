//! A bill: money by purpose, stage and line.

use crate::meter::billing::{self, Line, Usd, UsdPriceList};
use crate::meter::{Stage, Usage, billed};
use crate::model::named;

named! {
    /// A purpose that money is spent for, by its name in output.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Purpose {
        /// Keeping the tables of active customers warm.
        KeepWarm => "keep_warm",
        /// Answering quotes from warm tables.
        Quotes => "quotes",
        /// The extra cost of quotes without a warm table.
        Cold => "cold",
        /// Costs without any customers: ticks, polls, meters, open websockets.
        Idle => "idle",
        /// Stored data.
        Storage => "storage",
    }
}

/// A line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// The purpose, if it is known.
    pub purpose: Option<Purpose>,
    /// The stage that uses it; `None` for stored data and connection minutes.
    pub stage: Option<Stage>,
    /// The billed line.
    pub line: Line,
    /// The usage, in the parts of [`Line::parts`].
    pub parts: u128,
    /// The cost.
    pub usd: Usd,
}

/// A bill: lines that can be summed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// The lines. Each has some usage.
    pub lines: Vec<BillLine>,
}

impl Bill {
    /// Adds the metered usage of the stages.
    pub fn add_metered(&mut self, purpose: Option<Purpose>, used: &Usage, prices: &UsdPriceList) {
        for stage in Stage::ALL {
            let lines = used.lines().filter(|line| line.stage == stage);
            self.add(purpose, Some(stage), &billed(lines), prices);
        }
    }

    /// Adds the usage of a stage, or usage without a stage: stored data and connection minutes.
    pub fn add(
        &mut self,
        purpose: Option<Purpose>,
        stage: Option<Stage>,
        used: &billing::BilledUsage,
        prices: &UsdPriceList,
    ) {
        let lines = Line::ALL.into_iter().map(|line| BillLine {
            purpose,
            stage,
            line,
            parts: used.of(line),
            usd: prices.cost_of(line, used),
        });
        self.lines.extend(lines.filter(|line| line.parts > 0));
    }

    /// Returns the sum of the selected lines.
    pub fn sum(&self, is_meant: impl Fn(&BillLine) -> bool) -> Usd {
        self.lines.iter().filter(|line| is_meant(line)).map(|line| line.usd).sum()
    }

    /// Returns the sum of all lines.
    #[must_use]
    pub fn total(&self) -> Usd {
        self.sum(|_| true)
    }

    /// Returns the usage of the selected lines, in their parts.
    pub fn parts(&self, is_meant: impl Fn(&BillLine) -> bool) -> u128 {
        self.lines.iter().filter(|line| is_meant(line)).map(|line| line.parts).sum()
    }
}
