//! Combines the lists of a customer: the price of a product at every quantity.

use super::super::{Money, Rounding};
use super::steps::RuleRef;
use super::{Ladder, MinQuantity, PriceList, Rules, Scope, Step};

/// The data that prices of a product are calculated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goods {
    /// Its list price, if it has one in the customer's currency.
    pub list_price: Option<Money>,
    /// The lowest calculated price.
    pub floor: Option<Money>,
    /// How calculated prices are rounded.
    pub rounding: Rounding,
}

/// The ladder of a list for one of a product's scopes.
#[derive(Clone, Copy, Debug)]
pub struct ScopedLadder<'a> {
    /// The scope; `None` for the product alone.
    pub scope: Option<&'a Scope>,
    /// Its rows.
    pub ladder: &'a Ladder,
}

/// Returns the steps of one list. At each quantity, the narrowest scope that has a row decides, and in it the
/// row with the largest `min_quantity`. `list` is `None` for the customer's own list. The scopes must be
/// sorted, the narrowest first. Rows that cannot give a price for these goods are skipped. If `absolute` is
/// false, so are prices and amounts, which are only valid in the currency of the list.
pub fn steps_of_list(
    goods: Goods,
    list: Option<&PriceList>,
    scopes: &[ScopedLadder<'_>],
    absolute: bool,
    rules: &mut Rules,
) -> Vec<Step> {
    let mut steps = vec![];
    // The scopes go from narrow to wide. So a row of a wider scope counts only below the first row of every
    // narrower scope.
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

/// Combines the steps of several lists. At each quantity the own list decides. Without one, the largest
/// priority decides, then the lowest price, then the smallest list id.
///
/// The result may be an input of another call: the best row is the greatest in a total order, so grouping
/// does not change it.
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
