//! Compares a customer's own list in the files with the stored one: which rows are lost if it is replaced,
//! and what the merged list is.

use std::collections::{BTreeMap, HashSet};

use super::comparison::Comparison;
use super::difference::Difference;
use super::mention::Mention;
use super::resolving::check_ladder;
use super::stored::StoredRows;
use super::{Amounts, Problem};
use crate::model::{ProductId, UserId};
use crate::ports::UserDiscounts;
use crate::pricing::{
    Discount, Discounts, Ladder, MinQuantity, OwnLadder, OwnLadders, PriceRule, Rate, Rung, Scope,
};

/// Rows of customers' stored lists that are not in the lists that replace them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LostRows {
    /// How many rows.
    pub rows: u64,
    /// The customers who lose rows.
    pub users: Mention,
}

impl Difference<'_> {
    /// Notes which rows a stored list loses when `given`, another list, replaces it.
    pub(super) fn replaces(
        &mut self,
        stored: &StoredRows<UserId, UserDiscounts>,
        given: &UserDiscounts,
    ) {
        let Some(found) = stored.found.get(&given.user) else { return };
        let kept = keys(given);
        let lost = rungs(found).filter(|row| !kept.contains(&key(*row))).count() as u64;
        if lost > 0 {
            self.lost.rows += lost;
            self.lost.users.add(|| given.user.to_string());
        }
    }
}

/// Returns all rows of a list.
fn rungs(list: &UserDiscounts) -> impl Iterator<Item = (&ProductId, Rung)> {
    let plain = list.discounts.as_slice().iter().map(|discount| {
        let rule = PriceRule::Percentage(Rate::from(discount.percentage));
        (&discount.product_id, Rung { min_quantity: MinQuantity::ZERO, rule })
    });
    let ladders = list
        .ladders
        .ladders
        .iter()
        .flat_map(|own| own.ladder.rungs().iter().map(|rung| (&own.product_id, *rung)));
    plain.chain(ladders)
}

const fn key((product, rung): (&ProductId, Rung)) -> (&ProductId, MinQuantity) {
    (product, rung.min_quantity)
}

fn keys(list: &UserDiscounts) -> HashSet<(&ProductId, MinQuantity)> {
    rungs(list).map(key).collect()
}

/// Merges the rows of `given` into the stored list. A row replaces one with the same product and minimum
/// quantity. Rows that the data removes are left out.
pub(super) fn merged(
    stored: &UserDiscounts,
    given: &UserDiscounts,
    comparison: &Comparison<'_>,
) -> UserDiscounts {
    let mut rows: BTreeMap<&ProductId, BTreeMap<MinQuantity, PriceRule>> = BTreeMap::new();
    let stays = |row: &(&ProductId, Rung)| !comparison.removed.has_own(&given.user, key(*row));
    for (product, rung) in rungs(stored).filter(stays).chain(rungs(given)) {
        rows.entry(product).or_default().insert(rung.min_quantity, rung.rule);
    }
    let currency = given.ladders.currency.or(stored.ladders.currency);
    let (mut discounts, mut ladders) = (vec![], vec![]);
    for (product_id, rungs) in rows {
        if let Some(discount) = plain_discount(product_id, &rungs) {
            discounts.push(discount);
            continue;
        }
        let rungs = rungs.into_iter().map(|(min_quantity, rule)| Rung { min_quantity, rule });
        // Each product has a row, and each quantity is there once, so a ladder is never refused.
        let ladder = Ladder::new(rungs.collect());
        ladders.extend(ladder.map(|ladder| OwnLadder { product_id: product_id.clone(), ladder }));
    }
    let mut rules = ladders.iter().flat_map(|own| own.ladder.rungs()).map(|rung| rung.rule);
    let is_absolute = rules.any(|rule| !rule.is_relative());
    UserDiscounts {
        user: given.user.clone(),
        // Each product is a key of the map, so none is there twice.
        discounts: Discounts::new(discounts).unwrap_or_default(),
        ladders: OwnLadders { currency: currency.filter(|_| is_absolute), ladders },
    }
}

/// A row of the data that does not fit the stored rows.
pub(super) struct Conflict {
    pub(super) product: ProductId,
    /// The quantity at which the product's rows do not fit together.
    pub(super) from: MinQuantity,
    pub(super) problem: Problem,
}

/// Returns the rows of `given` that do not fit `stored`. `merged` is both of them.
pub(super) fn conflicts(
    stored: &UserDiscounts,
    given: &UserDiscounts,
    merged: &UserDiscounts,
    comparison: &Comparison<'_>,
) -> Vec<Conflict> {
    let user = &given.user;
    if let (Some(old), Some(new)) = (stored.ladders.currency, given.ladders.currency)
        && old != new
        && let Some(kept) = absolute_that_stays(stored, given, comparison)
        && let Some((product, rung)) = rungs(given).find(|(_, rung)| !rung.rule.is_relative())
    {
        let (user, kept) = (user.clone(), kept.clone());
        let problem = Problem::OtherOwnCurrency { user, stored: old, product: kept };
        return vec![Conflict { product: product.clone(), from: rung.min_quantity, problem }];
    }
    let currency = merged.ladders.currency.unwrap_or(comparison.amounts.currency);
    let amounts = Amounts { currency, ..comparison.amounts };
    // A ladder that is wrong by itself was reported when it was read.
    let is_wrong = |own: &OwnLadder| own.ladder.check().is_err();
    let told: HashSet<&ProductId> = given
        .ladders
        .ladders
        .iter()
        .filter(|own| is_wrong(own))
        .map(|own| &own.product_id)
        .collect();
    let others = merged.ladders.ladders.iter().filter(|own| !told.contains(&own.product_id));
    let conflicts = others.filter_map(|OwnLadder { product_id, ladder }| {
        let whose = format!("the list of customer `{user}`, merged with what is stored,");
        let scope = Scope::Product(product_id.clone());
        let (from, problem) = check_ladder(ladder, whose, &scope, amounts).err()?;
        Some(Conflict { product: product_id.clone(), from, problem })
    });
    conflicts.collect()
}

/// Returns a product with a stored price or amount that is neither replaced nor removed.
fn absolute_that_stays<'a>(
    stored: &'a UserDiscounts,
    given: &UserDiscounts,
    comparison: &Comparison<'_>,
) -> Option<&'a ProductId> {
    let replaced = keys(given);
    let mut rows = rungs(stored).filter(|(_, rung)| !rung.rule.is_relative());
    let goes = |row| replaced.contains(&row) || comparison.removed.has_own(&given.user, row);
    let stays = rows.find(|row| !goes(key(*row)));
    stays.map(|(product, _)| product)
}

fn plain_discount(
    product_id: &ProductId,
    rungs: &BTreeMap<MinQuantity, PriceRule>,
) -> Option<Discount> {
    let rule = rungs.get(&MinQuantity::ZERO).filter(|_| rungs.len() == 1)?;
    let PriceRule::Percentage(rate) = rule else { return None };
    Some(Discount { product_id: product_id.clone(), percentage: rate.as_percentage()? })
}
