//! One past answer, line by line, from nothing but what was stored with it.

use super::answers::{line_problem, total_problem};
use super::arithmetic::{PIECE, exact_unit_price, written};
use crate::pricing::{Answer, PRICING_VERSION};

/// An answer, worked out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its lines.
    pub lines: Vec<ExplainedLine>,
    /// What is wrong with the grand total, if anything is.
    pub problem: Option<String>,
    /// The version of the rules that it is by.
    pub pricing_version: u32,
    /// Whether this ocache has those rules: without them nothing can be said to be wrong.
    pub knows_rules: bool,
}

/// A line, worked out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedLine {
    /// Which product.
    pub product: String,
    /// The price of one before the discount.
    pub list_price: String,
    /// The rule by which it becomes the price of one.
    pub rule: String,
    /// What the rule gives before rounding.
    pub exact_unit_price: String,
    /// What the answer says.
    pub unit_price: String,
    /// How many.
    pub quantity: String,
    /// Price times quantity before rounding.
    pub exact_total: String,
    /// What the answer says.
    pub total: String,
    /// What is wrong with it, if anything is.
    pub problem: Option<String>,
}

impl Explained {
    /// Whether anything is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.problem.is_some() || self.lines.iter().any(|line| line.problem.is_some())
    }
}

/// Explains an answer.
#[must_use]
pub fn explain(answer: &Answer) -> Explained {
    let decimals = answer.currency.decimals();
    let knows_rules = answer.pricing_version == PRICING_VERSION;
    let lines = answer.lines.iter().map(|line| {
        let less = i128::from(line.discount.millionths());
        let exact = exact_unit_price(line.list_price.minor(), less);
        let exact_total =
            i128::from(line.unit_price.minor()) * i128::from(line.quantity.thousandths());
        ExplainedLine {
            product: line.product.to_string(),
            list_price: line.list_price.format(answer.currency),
            rule: match less {
                0 => "list price".to_owned(),
                _ => format!("list price less {} %", line.discount),
            },
            // A whole is 10^8, a piece 10^3.
            exact_unit_price: written(exact, decimals + 8, decimals),
            unit_price: line.unit_price.format(answer.currency),
            quantity: line.quantity.to_string(),
            exact_total: written(exact_total, decimals + PIECE.ilog10(), decimals),
            total: line.total.format(answer.currency),
            problem: line_problem(answer, line).filter(|_| knows_rules),
        }
    });
    Explained {
        lines: lines.collect(),
        problem: total_problem(answer).filter(|_| knows_rules),
        pricing_version: answer.pricing_version,
        knows_rules,
    }
}
