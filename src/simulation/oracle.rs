//! The oracle: recalculates prices in the simplest possible way, from inputs that are known to have
//! existed.

use std::cmp::Reverse;

use super::loaded::Loaded;
use crate::model::{Item, ProductId, Quantity, Timestamp, UserId};
use crate::pricing::{
    Ladder, Money, PriceList, PriceRule, Product, Rounding, Rung, Scope, UnitRounding,
};
use crate::protocol::{LineFrame, QuotationFrame};
use crate::verify::arithmetic::{finished, line_total_by};
use crate::verify::percent_off;

/// The price of one piece of a product for a user.
pub(super) struct Cost<'a> {
    list_price: Option<Money>,
    pub(super) unit: i128,
    /// The row that makes the price, with its list, or `None` if it is the user's own; `None` for the
    /// list price.
    row: Option<(Rung, Option<&'a PriceList>)>,
}

/// Returns the price of a product at an instant; `None` if there is none.
pub(super) fn cost<'a>(
    loaded: &'a Loaded,
    user: &UserId,
    product: &Product,
    quantity: Quantity,
    at: Timestamp,
) -> Option<Cost<'a>> {
    let currency = loaded.currency_of(user);
    let list_price = loaded.list_price(product, currency);
    let finish = |rung: Rung| {
        let floor = product.floor_in(currency);
        Some((rung, finished(rung.rule, list_price, floor, Rounding::HalfEven)?))
    };
    let counts = |rung: &Rung, is_in_currency: bool| {
        let is_possible = match rung.rule {
            PriceRule::Price(_) => is_in_currency,
            PriceRule::Percentage(_) => list_price.is_some(),
            PriceRule::Amount(_) => is_in_currency && list_price.is_some(),
        };
        is_possible && rung.min_quantity.holds_at(quantity)
    };
    let (own, own_currency) = loaded.own_rungs(user, &product.id);
    let is_own = own_currency.is_none_or(|own| own == currency);
    let own = own.into_iter().filter(|rung| counts(rung, is_own));
    if let Some((rung, unit)) = own.max_by_key(|rung| rung.min_quantity).and_then(finish) {
        return Some(Cost { list_price, unit, row: Some((rung, None)) });
    }
    let lists = loaded.lists_of(user).filter(|list| list.is_for(currency) && is_in_force(list, at));
    let prices = lists.filter_map(|list| {
        let rows = loaded.rows_of(&list.id);
        let rungs = rows.filter_map(|(scope, ladder)| Some((narrowness(scope, product)?, ladder)));
        let rungs = rungs.flat_map(|(narrow, ladder): (usize, &Ladder)| {
            ladder.rungs().iter().map(move |rung| (narrow, *rung))
        });
        let rungs = rungs.filter(|(_, rung)| counts(rung, true));
        let (_, rung) = rungs.max_by_key(|(narrow, rung)| (*narrow, rung.min_quantity))?;
        let (rung, unit) = finish(rung)?;
        Some((list, rung, unit))
    });
    let best = prices.min_by_key(|(list, _, unit)| (Reverse(list.priority), *unit, &list.id));
    match best {
        Some((list, rung, unit)) => Some(Cost { list_price, unit, row: Some((rung, Some(list))) }),
        None => Some(Cost { list_price, unit: list_price?.minor().into(), row: None }),
    }
}

fn is_in_force(list: &PriceList, at: Timestamp) -> bool {
    let has_begun = list.from.is_none_or(|from| from <= at);
    has_begun && list.until.is_none_or(|until| at < until)
}

/// Returns how narrow a scope is that includes the product; `None` if it does not include it.
fn narrowness(scope: &Scope, product: &Product) -> Option<usize> {
    match scope {
        Scope::All => Some(0),
        Scope::Product(id) => (*id == product.id).then_some(usize::MAX),
        Scope::Category(wide) => {
            let steps = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
            let (wide, own) = (steps(wide.as_str()), steps(product.category()?.as_str()));
            own.starts_with(&wide).then_some(wide.len())
        }
    }
}

/// Whether an answer, as it was shown, matches these inputs at an instant. `asked` are the requested
/// items.
pub(super) fn agrees(
    shown: &QuotationFrame,
    asked: &[Item],
    loaded: &Loaded,
    user: &UserId,
    at: Timestamp,
) -> bool {
    let lines = shown.lines.iter();
    let totals: Option<Vec<i128>> = lines.map(|line| line_total(line, loaded, user, at)).collect();
    let Some(totals) = totals else { return false };
    let none_is_known = shown.unavailable.iter().all(|id| {
        let mut items = asked.iter().filter(|item| item.product.as_str() == id);
        items.any(|item| {
            let product = loaded.products.get(&item.product);
            product.is_none_or(|product| cost(loaded, user, product, item.quantity, at).is_none())
        })
    });
    let total = shown.total.as_deref().and_then(|total| digits(total, 2));
    let is_currency = shown.currency.as_deref() == Some(loaded.currency_of(user).code());
    none_is_known && is_currency && total == Some(totals.iter().sum())
}

/// Returns the total of a line, if its name, its rule and all its figures are right.
fn line_total(line: &LineFrame, loaded: &Loaded, user: &UserId, at: Timestamp) -> Option<i128> {
    let product = loaded.products.get(&line.product.parse::<ProductId>().ok()?)?;
    let quantity: Quantity = line.quantity.parse().ok()?;
    let cost = cost(loaded, user, product, quantity, at)?;
    let total = line_total_by(cost.unit, quantity.thousandths().into(), UnitRounding::PLAIN);
    let list_price = cost.list_price.map(|price| i128::from(price.minor()));
    let right = line.name == product.name
        && line.list_price.as_deref().map(|price| digits(price, 2)) == list_price.map(Some)
        && digits(&line.discount_percent, 6) == Some(cost.discount())
        && digits(&line.unit_price, 2) == Some(cost.unit)
        && digits(&line.total, 2) == Some(total)
        && cost.is_told_by(line);
    right.then_some(total)
}

impl Cost<'_> {
    /// Returns the discount off the list price, in millionths of a percent.
    fn discount(&self) -> i128 {
        match (self.row, self.list_price) {
            (Some((Rung { rule: PriceRule::Percentage(rate), .. }, _)), _) => {
                rate.millionths().into()
            }
            (_, Some(list_price)) => percent_off(list_price, self.unit),
            (_, None) => 0,
        }
    }

    /// Whether a line names the row. A line names no rule for a user's own discount on every quantity.
    fn is_told_by(&self, line: &LineFrame) -> bool {
        let Some((rung, list)) = self.row else { return line.rule.is_none() };
        match &line.rule {
            None => {
                let is_relative = matches!(rung.rule, PriceRule::Percentage(_));
                list.is_none() && is_relative && rung.min_quantity.thousandths() == 0
            }
            Some(rule) => {
                let until = list.and_then(|list| list.until).map(|until| until.to_string());
                rule.list.as_deref() == list.map(|list| list.id.as_str())
                    && rule.own == list.is_none()
                    && rule.min_quantity == rung.min_quantity.to_string()
                    && rule.until == until
            }
        }
    }
}

/// Parses a decimal as a number of `10^-decimals`.
fn digits(text: &str, decimals: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > decimals {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ports::{Record, RowChange, UserDiscounts};
    use crate::pricing::{ListPrices, Product};

    #[test]
    fn decimals_are_read_whole() {
        assert_eq!(digits("12.5", 3), Some(12_500));
        assert_eq!(digits("7", 0), Some(7));
        assert_eq!(digits("-33.333333", 6), Some(-33_333_333));
        assert_eq!(digits("1.234", 2), None);
        assert_eq!(digits("x", 2), None);
    }

    fn loaded(records: Vec<Record>) -> Loaded {
        let mut loaded = Loaded::default();
        records.into_iter().for_each(|record| loaded.apply(&RowChange::Put(record)));
        loaded
    }

    fn product(id: &str, name: &str) -> Record {
        let price = Money::from_minor(50_000);
        Record::Product(Product::new(id.parse().unwrap(), name.into(), price))
    }

    fn ten_off() -> Record {
        let discounts =
            serde_json::from_value(json!([{"product_id": "P1", "percentage": 10_000_000}]));
        Record::Discounts(UserDiscounts::new("ann".parse().unwrap(), discounts.unwrap()))
    }

    fn list(id: &str, priority: i32, until: i64) -> Record {
        let list = json!({"id": id, "priority": priority, "until": until,
            "recipients": {"everyone": true}});
        Record::PriceList(serde_json::from_value(list).unwrap())
    }

    fn price(list: &str, scope: Scope, minor: i64) -> Record {
        let rule = PriceRule::Price(Money::from_minor(minor));
        let ladder = Ladder::new(vec![Rung { min_quantity: "2".parse().unwrap(), rule }]).unwrap();
        Record::Prices(ListPrices { list: list.parse().unwrap(), scope, ladder })
    }

    fn line() -> LineFrame {
        LineFrame {
            product: "P1".into(),
            name: "One".into(),
            quantity: "2".into(),
            list_price: Some("500.00".into()),
            discount_percent: "10".into(),
            unit_price: "450.00".into(),
            total: "900.00".into(),
            rule: None,
            next_tier: None,
        }
    }

    fn is_right(line: &LineFrame, total: &str, records: Vec<Record>) -> bool {
        let item = |product: &str| Item {
            product: product.parse().unwrap(),
            quantity: "2".parse().unwrap(),
        };
        let frame = QuotationFrame {
            lines: vec![line.clone()],
            unavailable: vec!["P9".into()],
            total: Some(total.into()),
            currency: Some("USD".into()),
            ..QuotationFrame::default()
        };
        let user = "ann".parse().unwrap();
        let asked = [item("P1"), item("P9")];
        agrees(&frame, &asked, &loaded(records), &user, Timestamp::from_millis(1_000))
    }

    #[test]
    fn one_wrong_figure_is_seen() {
        assert!(is_right(&line(), "900.00", vec![product("P1", "One"), ten_off()]));
        assert!(!is_right(&line(), "900.00", vec![product("P1", "Other"), ten_off()]));
        assert!(!is_right(&line(), "900.01", vec![product("P1", "One"), ten_off()]));
        assert!(!is_right(&line(), "900.00", vec![product("P2", "One"), ten_off()]));
        assert!(!is_right(&line(), "900.00", vec![product("P1", "One")]));
        let known = vec![product("P1", "One"), product("P9", "Nine"), ten_off()];
        assert!(!is_right(&line(), "900.00", known));
        let wrong = LineFrame { unit_price: "450.01".into(), ..line() };
        assert!(!is_right(&wrong, "900.00", vec![product("P1", "One"), ten_off()]));
    }

    #[test]
    fn the_higher_list_counts_until_it_ends_and_the_own_one_before_it() {
        let at = |millis: i64, more: Vec<Record>| {
            let mut records = vec![product("P1", "One"), list("A", 0, 9_000), list("B", 1, 1_000)];
            records.push(price("A", Scope::Product("P1".parse().unwrap()), 40_000));
            records.push(price("B", Scope::All, 45_000));
            records.extend(more);
            let loaded = loaded(records);
            let (user, product) = ("ann".parse().unwrap(), loaded.products.values().next());
            let of = |quantity: &str| {
                let quantity = quantity.parse().unwrap();
                let at = Timestamp::from_millis(millis);
                cost(&loaded, &user, product.unwrap(), quantity, at).unwrap().unit
            };
            (of("1"), of("2"))
        };
        assert_eq!(at(999, vec![]), (50_000, 45_000));
        assert_eq!(at(1_000, vec![]), (50_000, 40_000));
        assert_eq!(at(9_000, vec![]), (50_000, 50_000));
        assert_eq!(at(999, vec![ten_off()]), (45_000, 45_000));
    }
}
