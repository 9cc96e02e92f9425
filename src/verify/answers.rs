//! Checks an answer against itself, and against the loaded data if it was made from the same version.

use super::arithmetic::{WHOLE, line_total_by, rounded_by, written};
use super::customer::PointInputs;
use super::expected::{RecalculatedPrice, expected, percent_off, sold};
use super::inputs::SharedInputs;
use super::list_prices::Currencies;
use super::tables::CheckOutcome;
use super::{FindingKind, VerifyError};
use crate::model::{Item, ProductId, Quantity};
use crate::ports::{Quotation, Store};
use crate::pricing::{
    Answer, AnswerLine, PRICING_VERSION, Rounding, RuleKind, Subject, UnitRounding, Unsold,
};

/// Checks an answer. An answer from an older catalogue is checked only against itself, because its inputs
/// no longer exist.
pub(super) async fn check(
    store: &dyn Store,
    quotation: &Quotation,
    answer: &Answer,
    inputs: &SharedInputs,
) -> Result<CheckOutcome, VerifyError> {
    if answer.pricing_version != PRICING_VERSION {
        let version = answer.pricing_version;
        let what = format!("priced by rule version {version}, this ocache has {PRICING_VERSION}");
        return Ok(Some((FindingKind::OtherRules, what)));
    }
    let has_floors = inputs.prices.has_floors();
    let own_problem = is_complete(quotation, answer)
        .or_else(|| answer.lines.iter().find_map(|line| line_problem(answer, line, has_floors)))
        .or_else(|| total_problem(answer))
        .or_else(|| product_problem(answer, inputs));
    let what = match own_problem {
        Some(what) => Some(what),
        // Each catalogue version has exactly one state, so the rows must match.
        None if answer.catalogue_version == inputs.head.version => {
            row_problem(store, quotation, answer, inputs).await?
        }
        None => None,
    };
    Ok(what.map(|what| (FindingKind::Wrong, what)))
}

/// Checks that every requested product is in the answer in its order, or is reported as without a price
/// or as not sold in its quantity.
fn is_complete(quotation: &Quotation, answer: &Answer) -> Option<String> {
    let asked = quotation.items.iter().map(|item| (&item.product, item.quantity));
    let invalid: Vec<_> =
        answer.invalid.iter().map(|item| (&item.product, item.quantity)).collect();
    let is_priced = |item: &(&ProductId, Quantity)| {
        !answer.unavailable.contains(item.0) && !invalid.contains(item)
    };
    let priced: Vec<_> = asked.filter(is_priced).collect();
    let answered = answer.lines.iter().map(|line| (&line.product, line.quantity));
    let lines = answered.clone().count();
    let told = lines + answer.unavailable.len() + invalid.len();
    if answered.eq(priced.iter().copied()) && told == quotation.items.len() {
        return None;
    }
    Some(format!("it has {lines} lines, and not those that were asked for"))
}

/// Returns what is wrong with a line by its own figures, if anything is. An answer does not say how the
/// stack rounded, or whether a floor raised a price.
pub(super) fn line_problem(answer: &Answer, line: &AnswerLine, has_floors: bool) -> Option<String> {
    const ROUNDINGS: [Rounding; 2] = [Rounding::HalfEven, Rounding::HalfUp];
    let (product, decimals) = (&line.product, answer.currency.decimals());
    let unit_decimals = answer.unit_decimals;
    let unit = |units: i128| written(units, decimals + u32::from(unit_decimals), decimals);
    let is = i128::from(line.unit_price.minor());
    let less = i128::from(line.discount.millionths());
    let is_calculated =
        line.rule.as_ref().is_none_or(|rule| rule.kind == RuleKind::Percentage(line.discount));
    match line.list_price {
        Some(list_price) if is_calculated => {
            let list = i128::from(list_price.minor());
            let prices =
                ROUNDINGS.map(|rounding| rounded_by(list * (WHOLE - less), WHOLE, rounding));
            let is_raised = has_floors && is > prices[0] && is <= list;
            if !prices.contains(&is) && !is_raised {
                let (list, is, price) = (unit(list), unit(is), unit(prices[0]));
                let less = line.discount;
                return Some(format!(
                    "product `{product}`: {list} less {less} % is {price}, not {is}"
                ));
            }
        }
        Some(list_price) => {
            let off = percent_off(list_price, is);
            if off != less {
                let (list, off) = (unit(i128::from(list_price.minor())), written(off, 6, 0));
                let (is, less) = (unit(is), line.discount);
                return Some(format!(
                    "product `{product}`: {is} is {off} % less than {list}, not {less} %"
                ));
            }
        }
        None if less != 0 => {
            return Some(format!("product `{product}` has a discount off no list price"));
        }
        None => {}
    }
    let quantity = i128::from(line.quantity.thousandths());
    let totals = ROUNDINGS
        .map(|rounding| line_total_by(is, quantity, UnitRounding { unit_decimals, rounding }));
    let total = i128::from(line.total.minor());
    (!totals.contains(&total)).then(|| {
        let shown = |minor: i128| written(minor, decimals, decimals);
        let (quantity, unit) = (line.quantity, unit(is));
        let (is, total) = (shown(total), shown(totals[0]));
        format!("product `{product}`: {quantity} times {unit} is {total}, not {is}")
    })
}

/// Returns what is wrong with the grand total, if anything is.
pub(super) fn total_problem(answer: &Answer) -> Option<String> {
    let sum: i128 = answer.lines.iter().map(|line| i128::from(line.total.minor())).sum();
    let is = i128::from(answer.total.minor());
    let decimals = answer.currency.decimals();
    let shown = |minor| written(minor, decimals, decimals);
    (is != sum).then(|| format!("the lines are {} together, not {}", shown(sum), shown(is)))
}

fn product_problem(answer: &Answer, inputs: &SharedInputs) -> Option<String> {
    // If a load has changed a product since then, the products cannot be compared.
    if answer.catalogue_version < inputs.head.base_version {
        return None;
    }
    let goods = |id: &ProductId| {
        let listed = inputs.prices.get(id)?;
        Some(listed.goods(currencies(answer, inputs), Rounding::HalfEven))
    };
    let has_price = |id: &&ProductId| goods(id).is_some_and(|goods| goods.list_price.is_some());
    if let Some(id) = answer.unavailable.iter().find(has_price) {
        return Some(format!("product `{id}` has a price, the answer says it has none"));
    }
    answer.lines.iter().find_map(|line| {
        let id = &line.product;
        let is = goods(id);
        (is.map(|goods| goods.list_price) != Some(line.list_price)).then(|| {
            let says = line.list_price.map_or_else(
                || "nothing".to_owned(),
                |price| price.shown_as_unit(answer.currency, answer.unit_decimals).to_string(),
            );
            format!(
                "product `{id}` does not cost {says} in catalogue version {}",
                inputs.head.version
            )
        })
    })
}

const fn currencies(answer: &Answer, inputs: &SharedInputs) -> Currencies {
    Currencies { of_customer: answer.currency, of_catalogue: inputs.head.currency }
}

/// Compares an answer of the current version with the price rows. Returns what is wrong, if anything is.
async fn row_problem(
    store: &dyn Store,
    quotation: &Quotation,
    answer: &Answer,
    inputs: &SharedInputs,
) -> Result<Option<String>, VerifyError> {
    let listed = |item: &Item| inputs.prices.get(&item.product);
    let scopes: Vec<_> = quotation
        .items
        .iter()
        .filter_map(|item| Some((&item.product, listed(item)?.category())))
        .collect();
    let given = PointInputs::read(store, &quotation.user, &scopes, inputs).await?;
    let currency = given.customer.currency.unwrap_or(inputs.head.currency);
    if currency != answer.currency {
        let is = answer.currency;
        return Ok(Some(format!("it is in {is}, the customer buys in {currency}")));
    }
    let rounding = inputs.head.rounding;
    for item in &quotation.items {
        let expected = listed(item).map(|listed| {
            let rows = given.rows_of(&item.product, listed.category());
            let lists = rows.lists();
            let subject = Subject {
                customer: &given.customer,
                currency,
                product: &item.product,
                category: listed.category(),
                goods: listed.goods(currencies(answer, inputs), rounding.rounding),
                quantity: item.quantity,
                at: answer.answered_at,
            };
            let sold = sold(listed.quantities(), &subject, &lists);
            (expected(&subject, &lists), sold)
        });
        let problem = item_problem(answer, item, expected.as_ref(), rounding);
        if let Some(what) = problem {
            let product = &item.product;
            return Ok(Some(format!("product `{product}` {what}")));
        }
    }
    Ok(None)
}

/// Returns how an answer differs from the expected price of an item, if it does.
fn item_problem(
    answer: &Answer,
    item: &Item,
    expected: Option<&(RecalculatedPrice, Result<(), Unsold>)>,
    rounding: UnitRounding,
) -> Option<String> {
    let line = answer.lines.iter().find(|line| line.product == item.product);
    let invalid = answer.invalid.iter().find(|invalid| invalid.product == item.product);
    if let Some((_, Err(unsold))) = expected {
        let says = invalid.map(|invalid| (invalid.below, invalid.above));
        return (says != Some((unsold.below, unsold.above)))
            .then(|| format!("is not sold in a quantity of {}", item.quantity));
    }
    let priced = expected.and_then(|(expected, _)| Some((expected, expected.unit_price?)));
    let Some((expected, unit_price)) = priced else {
        let is_right = line.is_none() && invalid.is_none();
        return (!is_right).then(|| "has no price, the answer says it has one".to_owned());
    };
    let Some(line) = line else {
        return Some(match invalid {
            Some(_) => format!("is sold in a quantity of {}", item.quantity),
            None => "has a price, the answer says it has none".to_owned(),
        });
    };
    let shown = |units: i128| {
        let decimals = answer.currency.decimals();
        written(units, decimals + u32::from(answer.unit_decimals), decimals)
    };
    if unit_price != i128::from(line.unit_price.minor()) {
        let (is, says) = (shown(unit_price), shown(i128::from(line.unit_price.minor())));
        return Some(format!("costs {is} at this quantity, the answer says {says}"));
    }
    let total = line_total_by(unit_price, i128::from(line.quantity.thousandths()), rounding);
    if total != i128::from(line.total.minor()) {
        return Some(format!(
            "is rounded otherwise by the stack, which rounds {}",
            rounding.rounding
        ));
    }
    if expected.discount() != i128::from(line.discount.millionths()) {
        let (is, says) = (written(expected.discount(), 6, 0), line.discount);
        return Some(format!("has a discount of {is} %, the answer says {says} %"));
    }
    // An answer names no rule for a discount on every quantity.
    let is_plain = line.rule.is_none() && expected.plain_discount().is_some();
    (!is_plain && line.rule.as_deref() != expected.rule.as_ref())
        .then(|| "has its price by another rule than the answer says".to_owned())
}
