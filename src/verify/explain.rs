//! Explains a past answer line by line, from nothing but what was stored with it.

use super::answers::{line_problem, total_problem};
use super::arithmetic::{PIECE, exact_unit_price, written};
use crate::pricing::{Answer, AnswerLine, Money, PRICING_VERSION, Rate, RuleKind};

/// A recalculated answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The lines of the answer.
    pub lines: Vec<ExplainedLine>,
    /// What is wrong with the grand total, if anything is.
    pub problem: Option<String>,
    /// The version of the pricing rules that made the answer.
    pub pricing_version: u32,
    /// Whether this ocache has those rules. Without them nothing can be called wrong.
    pub knows_rules: bool,
}

/// A recalculated line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedLine {
    /// The product.
    pub product: String,
    /// The list price of one, if there is one.
    pub list_price: Option<String>,
    /// The rule that makes the unit price from the list price.
    pub rule: String,
    /// The result of the rule before rounding.
    pub exact_unit_price: String,
    /// The unit price in the answer.
    pub unit_price: String,
    /// The quantity.
    pub quantity: String,
    /// Unit price times quantity before rounding.
    pub exact_total: String,
    /// The total in the answer.
    pub total: String,
    /// What is wrong with the line, if anything is.
    pub problem: Option<String>,
}

impl Explained {
    /// Whether anything is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.problem.is_some() || self.lines.iter().any(|line| line.problem.is_some())
    }
}

/// Explains an answer. If a product may have a floor, a price may be higher than its rule makes it.
#[must_use]
pub fn explain(answer: &Answer, may_have_floors: bool) -> Explained {
    let knows_rules = answer.pricing_version == PRICING_VERSION;
    let lines = answer.lines.iter().map(|line| {
        let problem = line_problem(answer, line, may_have_floors).filter(|_| knows_rules);
        explain_line(answer, line, problem)
    });
    Explained {
        lines: lines.collect(),
        problem: total_problem(answer).filter(|_| knows_rules),
        pricing_version: answer.pricing_version,
        knows_rules,
    }
}

fn explain_line(answer: &Answer, line: &AnswerLine, problem: Option<String>) -> ExplainedLine {
    let decimals = answer.currency.decimals();
    let beyond = u32::from(answer.unit_decimals);
    let unit =
        |price: Money| price.shown_as_unit(answer.currency, answer.unit_decimals).to_string();
    let kind = line.rule.as_ref().map(|rule| rule.kind);
    let unit_price = unit(line.unit_price);
    let exact = match (kind, line.list_price) {
        (None | Some(RuleKind::Percentage(_)), Some(list_price)) => {
            let less = i128::from(line.discount.millionths());
            // A whole is 10^8 units of the discount.
            let exact = exact_unit_price(list_price.minor(), less);
            written(exact, decimals + beyond + 8, decimals)
        }
        // A stated price, and a list price less an amount, are exact.
        _ => unit_price.clone(),
    };
    let exact_total = i128::from(line.unit_price.minor()) * i128::from(line.quantity.thousandths());
    ExplainedLine {
        product: line.product.to_string(),
        list_price: line.list_price.map(unit),
        rule: rule_in_words(line),
        exact_unit_price: exact,
        unit_price,
        quantity: line.quantity.to_string(),
        // A piece is 10^3 units of the quantity.
        exact_total: written(exact_total, decimals + beyond + PIECE.ilog10(), decimals),
        total: line.total.format(answer.currency),
        problem,
    }
}

fn rule_in_words(line: &AnswerLine) -> String {
    let Some(rule) = &line.rule else {
        return match line.discount.millionths() {
            0 => "list price".to_owned(),
            _ => format!("list price less {} %", line.discount),
        };
    };
    let what = match rule.kind {
        RuleKind::Price => "stated price".to_owned(),
        RuleKind::Amount => "list price less an amount".to_owned(),
        RuleKind::Percentage(rate) if rate < Rate::ZERO => {
            format!("list price and {}", rate.in_words())
        }
        RuleKind::Percentage(rate) => format!("list price less {rate} %"),
    };
    match &rule.list {
        Some(list) => format!("{what}, of list {list}"),
        None => format!("{what}, of the customer's own"),
    }
}
