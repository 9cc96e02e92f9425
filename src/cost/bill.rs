//! Money by purpose, stage and line.

use crate::meter::billing::{self, Line, PriceList, Usd};
use crate::meter::{Stage, Usage, billed};

/// What money is spent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Tables of active users are kept warm.
    KeepWarm,
    /// Quotes are answered: what a warm table leaves to do.
    Quotes,
    /// Tables are calculated because nobody had kept them warm.
    Cold,
    /// What is there while nobody comes: ticks, polls, meters, open websockets.
    Idle,
    /// What is stored.
    Storage,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::KeepWarm, Self::Quotes, Self::Cold, Self::Idle, Self::Storage];

    /// Its name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeepWarm => "keep_warm",
            Self::Quotes => "quotes",
            Self::Cold => "cold",
            Self::Idle => "idle",
            Self::Storage => "storage",
        }
    }
}

/// A line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// What it is spent for, where that is known.
    pub purpose: Option<Purpose>,
    /// Who spends it; nobody stores.
    pub stage: Option<Stage>,
    /// Of what.
    pub line: Line,
    /// How much, in the parts that [`Line::parts`] tells.
    pub parts: u128,
    /// The amount.
    pub usd: Usd,
}

/// Lines that add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// None is empty.
    pub lines: Vec<BillLine>,
}

impl Bill {
    /// Adds what the stages used.
    pub fn add_metered(&mut self, purpose: Option<Purpose>, used: &Usage, prices: &PriceList) {
        for stage in Stage::ALL {
            let lines = used.lines().filter(|line| line.stage == stage);
            self.add(purpose, Some(stage), &billed(lines), prices);
        }
    }

    /// Adds what a stage used, or what belongs to none: what is stored, and minutes of websockets.
    pub fn add(
        &mut self,
        purpose: Option<Purpose>,
        stage: Option<Stage>,
        used: &billing::Usage,
        prices: &PriceList,
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

    /// The sum of the lines that are meant.
    pub fn sum(&self, is_meant: impl Fn(&BillLine) -> bool) -> Usd {
        self.lines.iter().filter(|line| is_meant(line)).map(|line| line.usd).sum()
    }

    /// The sum of all.
    #[must_use]
    pub fn total(&self) -> Usd {
        self.sum(|_| true)
    }

    /// What was used of the lines that are meant, in their parts.
    pub fn parts(&self, is_meant: impl Fn(&BillLine) -> bool) -> u128 {
        self.lines.iter().filter(|line| is_meant(line)).map(|line| line.parts).sum()
    }
}
