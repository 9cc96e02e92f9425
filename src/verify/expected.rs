//! The price of a product for a customer at one quantity, recalculated from rows.

use std::collections::BTreeSet;

use super::arithmetic::finished;
use crate::model::Quantity;
use crate::pricing::{
    Considered, GivenList, Money, Percentage, QuantityRules, Rule, Scope, Subject, Unsold, explain,
};

/// The expected price of one piece.
pub(super) struct RecalculatedPrice {
    pub(super) list_price: Option<Money>,
    /// The price in units of unit prices; `None` if there is no price.
    pub(super) unit_price: Option<i128>,
    /// The rule that makes the price; `None` for the list price.
    pub(super) rule: Option<Rule>,
}

/// Calculates the price by looking at every row of some lists.
pub(super) fn expected(subject: &Subject<'_>, lists: &[GivenList<'_>]) -> RecalculatedPrice {
    let explanation = explain(subject, lists);
    let goods = subject.goods;
    let list_price = goods.list_price;
    let Some(winner) = explanation.winner() else {
        let unit_price = list_price.map(|price| i128::from(price.minor()));
        return RecalculatedPrice { list_price, unit_price, rule: None };
    };
    let unit_price = finished(winner.rule, list_price, goods.floor, goods.rounding);
    RecalculatedPrice { list_price, unit_price, rule: Some(rule_of(winner, lists)) }
}

/// Checks that a product is sold in the quantity. One without a price at any quantity counts as sold: it is
/// unavailable, and not in a wrong quantity.
pub(super) fn sold(
    quantities: QuantityRules,
    subject: &Subject<'_>,
    lists: &[GivenList<'_>],
) -> Result<(), Unsold> {
    quantities.check(subject.quantity).or_else(|unsold| {
        // Every row that counts at some quantity is there at the largest too, so that has a price if any has.
        let largest = Subject { quantity: Quantity::MAX, ..*subject };
        expected(&largest, lists).unit_price.map_or(Ok(()), |_| Err(unsold))
    })
}

fn rule_of(winner: &Considered, lists: &[GivenList<'_>]) -> Rule {
    let mut lists = lists.iter().filter_map(|given| given.list);
    let list = lists.find(|list| Some(&list.id) == winner.list.as_ref());
    Rule {
        list: winner.list.clone(),
        priority: winner.priority,
        scope: Some(winner.scope.clone()).filter(Scope::is_wide),
        kind: winner.rule.into(),
        min_quantity: winner.min_quantity,
        until: list.and_then(|list| list.until),
    }
}

impl RecalculatedPrice {
    /// Returns the discount off the list price, in millionths of a percent.
    pub(super) fn discount(&self) -> i128 {
        use crate::pricing::RuleKind::Percentage;
        match (&self.rule, self.list_price, self.unit_price) {
            (Some(Rule { kind: Percentage(rate), .. }), ..) => i128::from(rate.millionths()),
            (_, Some(list_price), Some(unit_price)) => percent_off(list_price, unit_price),
            _ => 0,
        }
    }

    /// Returns the discount if it is the customer's own on every quantity. Answers name no rule for such
    /// discounts.
    pub(super) fn plain_discount(&self) -> Option<Percentage> {
        use crate::pricing::{MinQuantity, RuleKind};
        match &self.rule {
            Some(Rule { list: None, kind: RuleKind::Percentage(rate), min_quantity, .. })
                if *min_quantity == MinQuantity::ZERO =>
            {
                rate.as_percentage()
            }
            _ => None,
        }
    }
}

/// Returns how much less than the list price a price is, in millionths of a percent, with halves rounded
/// to even. Returns 0 for a list price of zero, and at least the lowest value that a rate may show.
#[must_use]
pub fn percent_off(list_price: Money, unit_price: i128) -> i128 {
    use super::arithmetic::{WHOLE, rounded};
    let list_price = i128::from(list_price.minor());
    if list_price <= 0 {
        return 0;
    }
    let off = (list_price - unit_price) * WHOLE;
    // A surcharge is rounded as the discount of the same size.
    let millionths = off.signum() * rounded(off.abs(), list_price);
    millionths.max(i128::from(i32::MIN) * WHOLE)
}

/// Returns the quantities at which a price may change. Between them it stays the same.
pub(super) fn quantities_of(
    lists: &[GivenList<'_>],
    others: impl Iterator<Item = u64>,
) -> BTreeSet<Quantity> {
    let rungs = lists.iter().flat_map(|given| &given.rows).flat_map(|(_, ladder)| ladder.rungs());
    let thousandths = rungs.map(|rung| rung.min_quantity.thousandths()).chain(others);
    // The smallest quantity is one thousandth.
    let least = std::iter::once(1);
    least
        .chain(thousandths.map(|thousandths| thousandths.max(1)))
        .filter_map(|thousandths| Quantity::from_thousandths(thousandths.cast_signed()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Currency, Customer, Goods, Ladder, OwnLadder, PriceRule, Rate, Rung};

    #[test]
    fn a_surcharge_counts_where_its_price_is_above_what_can_be_loaded() {
        let rung = Rung {
            min_quantity: Default::default(),
            rule: PriceRule::Percentage("-5".parse().unwrap()),
        };
        let own = OwnLadder {
            product_id: "P".parse().unwrap(),
            ladder: Ladder::new(vec![rung]).unwrap(),
        };
        let customer = Customer::unknown("C".parse().unwrap());
        let subject = Subject {
            customer: &customer,
            currency: Currency::USD,
            product: &own.product_id,
            category: None,
            goods: Goods::plain(Money::MAX_PRICE),
            quantity: Quantity::ONE,
            at: crate::model::Timestamp::from_millis(0),
        };
        let expected = expected(&subject, &[GivenList::own(&own, None)]);
        assert_eq!(expected.unit_price, Some(1_050_000_000_000_000));
        assert_eq!(expected.discount(), -5_000_000);
        assert!(expected.rule.is_some_and(|rule| rule.list.is_none()));
    }

    #[test]
    fn a_percentage_off_has_six_places() {
        let off = |list, unit| percent_off(Money::from_minor(list), unit);
        assert_eq!(off(300, 200), 33_333_333);
        assert_eq!(off(200, 300), -50_000_000);
        assert_eq!(off(3, 5), -66_666_667);
        assert_eq!(off(0, 5), 0);
        for (list, unit) in [(300, 200), (3, 5), (7, 11), (1 << 40, 3), (1, 1_000_000_000_000_000)]
        {
            let rate = Rate::between(Money::from_minor(list), Money::from_minor(unit));
            assert_eq!(off(list, i128::from(unit)), i128::from(rate.millionths()), "{list} {unit}");
        }
    }
}
