//! What the lists of a customer make of a product together, at every quantity.

use super::super::Money;
use super::steps::RuleRef;
use super::{Ladder, MinQuantity, PriceList, Rounding, Rules, Scope, Step};

/// What the prices of a product are calculated off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goods {
    /// Its list price, if it has one in the customer's currency.
    pub list_price: Option<Money>,
    /// What a calculated price is not to be below.
    pub floor: Option<Money>,
    /// How calculated prices are rounded.
    pub rounding: Rounding,
}

/// The rows of a list for one of the scopes that a product is in.
#[derive(Clone, Copy, Debug)]
pub struct ScopedLadder<'a> {
    /// The scope; `None` for the product alone.
    pub scope: Option<&'a Scope>,
    /// Its rows.
    pub ladder: &'a Ladder,
}

/// The steps of one list: at each quantity its narrowest scope that has a row, and of that the row
/// with the largest `min_quantity`. `list` is `None` for a customer's own. The scopes come narrowest
/// first. Rows that do not hold for these goods are passed over, and with `absolute` false also prices
/// and amounts, which hold only in the currency of the list.
pub fn steps_of_list(
    goods: Goods,
    list: Option<&PriceList>,
    scopes: &[ScopedLadder<'_>],
    absolute: bool,
    rules: &mut Rules,
) -> Vec<Step> {
    let mut steps = vec![];
    // The narrowest scope first: what a wider one says counts only below the first row of each
    // narrower one.
    let mut below: Option<MinQuantity> = None;
    for scoped in scopes {
        let rungs = scoped.ladder.rungs().iter().filter(|rung| {
            (absolute || rung.rule.is_relative())
                && below.is_none_or(|first| rung.min_quantity < first)
        });
        let mut first = None;
        for rung in rungs {
            let price = rung.rule.finish(goods.list_price, goods.floor, goods.rounding);
            let Some(price) = price else { continue };
            first.get_or_insert(rung.min_quantity);
            let rule = rules.number_of(RuleRef {
                list: list.map(|list| &list.id),
                priority: list.map_or(0, |list| list.priority),
                scope: scoped.scope,
                kind: rung.rule.into(),
                min_quantity: rung.min_quantity,
                until: list.and_then(|list| list.until),
            });
            steps.push(Step { from: rung.min_quantity, price, rule });
        }
        if let Some(first) = first {
            below = Some(below.map_or(first, |below: MinQuantity| below.min(first)));
        }
        if below == Some(MinQuantity::ZERO) {
            break;
        }
    }
    steps.sort_by_key(|step| step.from);
    steps
}

/// The steps of several lists together: at each quantity the own list first, else of the largest
/// priority the lowest price, of equal ones that of the smallest list id.
///
/// What comes out may be one of the inputs of another call: the choice is the greatest in an order, so
/// it does not matter in which groups it is made.
#[must_use]
pub fn compose(lists: &[&[Step]], rules: &Rules) -> Vec<Step> {
    match lists {
        [] => return vec![],
        [only] => return only.to_vec(),
        _ => {}
    }
    let mut quantities: Vec<MinQuantity> =
        lists.iter().flat_map(|steps| steps.iter().map(|step| step.from)).collect();
    quantities.sort_unstable();
    quantities.dedup();
    let mut next = vec![0; lists.len()];
    let mut composed: Vec<Step> = Vec::with_capacity(quantities.len());
    for quantity in quantities {
        let mut best: Option<&Step> = None;
        for (steps, next) in lists.iter().zip(&mut next) {
            if steps.get(*next).is_some_and(|step| step.from == quantity) {
                *next += 1;
            }
            let Some(step) = next.checked_sub(1).map(|at| &steps[at]) else { continue };
            if best.is_none_or(|best| counts_before(step, best, rules)) {
                best = Some(step);
            }
        }
        let Some(best) = best else { continue };
        let is_new =
            composed.last().is_none_or(|last| (last.price, last.rule) != (best.price, best.rule));
        if is_new {
            composed.push(Step { from: quantity, ..*best });
        }
    }
    composed
}

fn counts_before(step: &Step, other: &Step, rules: &Rules) -> bool {
    match (rules.get(step.rule), rules.get(other.rule)) {
        (Some(rule), Some(other_rule)) => rule.compare(step.price, other_rule, other.price).is_gt(),
        _ => false,
    }
}
