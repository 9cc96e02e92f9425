//! One answer against itself, and against the products while they are those it was made from.

use super::Kind;
use super::arithmetic::{line_total, unit_price, written};
use super::inputs::Inputs;
use super::tables::Verdict;
use crate::model::{ProductId, Quantity};
use crate::ports::Quotation;
use crate::pricing::{Answer, AnswerLine, PRICING_VERSION};

/// Checks an answer. One of an older catalogue is checked by its own list prices: those that it
/// was made from are no longer there.
pub(super) fn check(quotation: &Quotation, answer: &Answer, inputs: &Inputs) -> Verdict {
    if answer.pricing_version != PRICING_VERSION {
        let version = answer.pricing_version;
        let what = format!("priced by rule version {version}, this ocache has {PRICING_VERSION}");
        return Some((Kind::OtherRules, what));
    }
    let what = is_complete(quotation, answer)
        .or_else(|| answer.lines.iter().find_map(|line| line_problem(answer, line)))
        .or_else(|| total_problem(answer))
        .or_else(|| product_problem(answer, inputs))?;
    Some((Kind::Wrong, what))
}

/// Every product that was asked for is in the answer, in its order, or is said to have no price.
fn is_complete(quotation: &Quotation, answer: &Answer) -> Option<String> {
    let asked = quotation.items.iter().map(|item| (&item.product, item.quantity));
    let is_priced = |(product, _): &(&ProductId, Quantity)| !answer.unavailable.contains(product);
    let priced: Vec<_> = asked.filter(is_priced).collect();
    let answered = answer.lines.iter().map(|line| (&line.product, line.quantity));
    let lines = answered.clone().count();
    if answered.eq(priced.iter().copied()) {
        return None;
    }
    Some(format!("it has {lines} lines, and not those that were asked for"))
}

/// What is wrong with a line, if anything is.
pub(super) fn line_problem(answer: &Answer, line: &AnswerLine) -> Option<String> {
    let (product, decimals) = (&line.product, answer.currency.decimals());
    let shown = |minor: i128| written(minor, decimals, decimals);
    let unit = unit_price(line.list_price.minor(), i128::from(line.discount.millionths()));
    let is = i128::from(line.unit_price.minor());
    if is != unit {
        let list = line.list_price.format(answer.currency);
        let (less, is, unit) = (line.discount, shown(is), shown(unit));
        return Some(format!("product `{product}`: {list} less {less} % is {unit}, not {is}"));
    }
    let total = line_total(unit, i128::from(line.quantity.thousandths()));
    let is = i128::from(line.total.minor());
    (is != total).then(|| {
        let (quantity, unit) = (line.quantity, shown(unit));
        let (is, total) = (shown(is), shown(total));
        format!("product `{product}`: {quantity} times {unit} is {total}, not {is}")
    })
}

/// What is wrong with the grand total, if anything is.
pub(super) fn total_problem(answer: &Answer) -> Option<String> {
    let sum: i128 = answer.lines.iter().map(|line| i128::from(line.total.minor())).sum();
    let is = i128::from(answer.total.minor());
    let decimals = answer.currency.decimals();
    let shown = |minor| written(minor, decimals, decimals);
    (is != sum).then(|| format!("the lines are {} together, not {}", shown(sum), shown(is)))
}

fn product_problem(answer: &Answer, inputs: &Inputs) -> Option<String> {
    // Since then no load has changed a product.
    if answer.catalogue_version < inputs.head.base_version {
        return None;
    }
    if let Some(id) = answer.unavailable.iter().find(|id| inputs.prices.get(id).is_some()) {
        return Some(format!("product `{id}` has a price, the answer says it has none"));
    }
    answer.lines.iter().find_map(|line| {
        let id = &line.product;
        let is = inputs.prices.get(id);
        (is != Some(line.list_price.minor())).then(|| {
            let says = line.list_price.format(answer.currency);
            format!(
                "product `{id}` does not cost {says} in catalogue version {}",
                inputs.head.version
            )
        })
    })
}
