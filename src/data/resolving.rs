//! Parses amounts that were kept as text, once their currency is known.

use std::collections::HashMap;

use super::collect::Errors;
use super::comparison::Comparison;
use super::error::Problem;
use super::given::{Amounts, FilePlace, GivenOwn, GivenRule, GivenRung};
use super::stored::{Halt, still};
use crate::model::{PriceListId, ProductId, UserId};
use crate::ports::UserDiscounts;
use crate::pricing::{
    Currency, Customer, Discount, Discounts, Ladder, LadderError, MinQuantity, Money, OwnLadder,
    OwnLadders, PriceRule, Rung, Scope,
};

/// Returns the lists of some customers with their amounts parsed. Lists with errors are left out.
pub(super) async fn resolve_own(
    given: &[GivenOwn],
    customers: &HashMap<&UserId, &Customer>,
    comparison: &Comparison<'_>,
    errors: &mut Errors,
) -> Result<Vec<UserDiscounts>, Halt> {
    let at = comparison.at;
    let is_absolute = |list: &&GivenOwn| list.rows.iter().any(|(_, rung)| rung.rule.is_absolute());
    let users = given.iter().filter(is_absolute).map(|list| &list.user);
    // A record that this load deletes has no say: the customer's amounts are in the currency that counts afterwards.
    let is_stored = |user: &&UserId| !customers.contains_key(user) && comparison.keeps(user);
    let users: Vec<UserId> = users.filter(is_stored).cloned().collect();
    let stored = still(at.store.customers(&users, at.head).await?)?;
    let stored: HashMap<&UserId, &Customer> =
        stored.iter().map(|customer| (&customer.user, customer)).collect();
    let mut lists = Vec::with_capacity(given.len());
    for list in given {
        let customer = customers.get(&list.user).or_else(|| stored.get(&list.user));
        let currency = comparison.currency_of(customer.copied());
        lists.extend(own_list(list, currency, comparison, errors));
    }
    Ok(lists)
}

fn own_list(
    given: &GivenOwn,
    currency: Currency,
    comparison: &Comparison<'_>,
    errors: &mut Errors,
) -> Option<UserDiscounts> {
    let amounts = Amounts { currency, ..comparison.amounts };
    let (mut discounts, mut ladders) = (vec![], vec![]);
    let mut is_absolute = false;
    for rows in given.rows.chunk_by(|(a, _), (b, _)| a == b) {
        let product_id = &rows[0].0;
        if let Some(discount) = plain_discount(rows) {
            discounts.push(discount);
            continue;
        }
        is_absolute |= rows.iter().any(|(_, rung)| rung.rule.is_absolute());
        let rungs = rows.iter().map(|(_, rung)| rung);
        let ladder = match resolve_rungs(rungs, amounts) {
            Ok(rungs) => Ladder::new(rungs).ok()?,
            Err((place, problem)) => {
                comparison.fault(errors, place, problem);
                continue;
            }
        };
        let scope = Scope::Product(product_id.clone());
        let whose = format!("the list of customer `{}`", given.user);
        if let Err((at, problem)) = check_ladder(&ladder, whose, &scope, amounts) {
            let row = rows.iter().find(|(_, rung)| rung.min_quantity == at);
            let place = row.map_or_else(FilePlace::default, |(_, rung)| rung.place);
            comparison.fault(errors, place, problem);
        }
        ladders.push(OwnLadder { product_id: product_id.clone(), ladder });
    }
    let currency = is_absolute.then_some(currency);
    Some(UserDiscounts {
        user: given.user.clone(),
        discounts: Discounts::new(discounts).ok()?,
        ladders: OwnLadders { currency, ladders },
    })
}

/// Returns the rows of a product as a discount on every quantity, if they are one.
fn plain_discount(rows: &[(ProductId, GivenRung)]) -> Option<Discount> {
    let [(product_id, rung)] = rows else { return None };
    rung.rule.as_discount(product_id, rung.min_quantity)
}

/// Returns the rungs with their amounts parsed, or the error of the first that cannot be parsed.
pub(super) fn resolve_rungs<'g>(
    rungs: impl Iterator<Item = &'g GivenRung>,
    amounts: Amounts,
) -> Result<Vec<Rung>, (FilePlace, Problem)> {
    let read = |text: &str| Money::parse_amount(text, amounts.currency, amounts.unit_decimals);
    rungs
        .map(|rung| {
            let rule = match &rung.rule {
                GivenRule::Percentage(rate) => Ok(PriceRule::Percentage(*rate)),
                GivenRule::Price(text) => read(text).map(PriceRule::Price).map_err(Problem::Price),
                GivenRule::Amount(text) => read(text)
                    .map(PriceRule::Amount)
                    .map_err(|error| Problem::in_field("amount", error.into())),
            };
            let rule = rule.map_err(|problem| (rung.place, problem))?;
            Ok(Rung { min_quantity: rung.min_quantity, rule })
        })
        .collect()
}

/// Returns the rungs of a list without a currency, or the error of the first that needs one.
pub(super) fn resolve_relative(
    rungs: &[GivenRung],
    list: &PriceListId,
) -> Result<Vec<Rung>, (FilePlace, Problem)> {
    let needs = |field, text: &str, place| {
        (place, Problem::NoCurrency { field, text: text.to_owned(), list: list.clone() })
    };
    rungs
        .iter()
        .map(|rung| match &rung.rule {
            GivenRule::Percentage(rate) => {
                let rule = PriceRule::Percentage(*rate);
                Ok(Rung { min_quantity: rung.min_quantity, rule })
            }
            GivenRule::Price(text) => Err(needs("price", text, rung.place)),
            GivenRule::Amount(text) => Err(needs("amount", text, rung.place)),
        })
        .collect()
}

/// Checks that a ladder does not rise and is not too long. The error has the quantity at which it does or is.
pub(super) fn check_ladder(
    ladder: &Ladder,
    whose: String,
    scope: &Scope,
    amounts: Amounts,
) -> Result<(), (MinQuantity, Problem)> {
    let scope = || Box::new(scope.clone());
    let show = |rule: PriceRule| rule.in_words(|amount| amounts.shown(amount));
    match ladder.check() {
        Err(LadderError::Rises { at, from, to }) => {
            let (from, to) = (show(from.0), show(to.0));
            Err((at, Problem::Rises { whose, scope: scope(), at, from, to }))
        }
        Err(LadderError::TooLong { at }) => {
            Err((at, Problem::TooManyRungs { whose, scope: scope() }))
        }
        // Neither can be the error of a ladder that exists.
        Ok(()) | Err(LadderError::Empty | LadderError::Repeated(_)) => Ok(()),
    }
}
