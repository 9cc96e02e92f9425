//! Shows every row that was considered for a price, and why it counts or not.

use super::output::{name, number, table};
use crate::data::Amounts;
use crate::pricing::{Considered, PriceRule, RowVerdict, Scope, Unsold};
use crate::verify::{WhyPrice, why};

/// Formats the rows in the order in which they were considered, then the list price.
pub(super) fn show(why: &WhyPrice, amounts: Amounts) -> String {
    let explanation = &why.explanation;
    let mut rows =
        table(["list", "priority", "for", "from quantity", "says", "makes", "counts", "because"]);
    for row in &explanation.rows {
        let list = row.list.as_ref().map_or_else(|| "own".into(), |list| name(list.as_str()));
        let priority = row.list.as_ref().map_or_else(String::new, |_| row.priority.to_string());
        let scope = match &row.scope {
            Scope::All => "all products".into(),
            Scope::Category(category) => name(category.to_string()),
            Scope::Product(_) => "the product".into(),
        };
        let price = row.price.map_or_else(String::new, |price| amounts.shown(price));
        let counts = if row.verdict == RowVerdict::Counts { "yes" } else { "no" };
        rows.add_row([
            list,
            number(priority),
            scope,
            number(row.min_quantity),
            row.rule.in_words(|amount| amounts.shown(amount)).into(),
            number(price),
            counts.into(),
            because(row, why, amounts).into(),
        ]);
    }
    if let Some(list_price) = explanation.list_price {
        let wins = explanation.winner().is_none();
        let because = if wins { "no row replaces it" } else { "a matching row replaces it" };
        let price = amounts.shown(list_price);
        rows.add_row([
            "list price".into(),
            number(""),
            "the product".into(),
            number("0"),
            price.clone().into(),
            number(price),
            (if wins { "yes" } else { "no" }).into(),
            because.into(),
        ]);
    }
    rows.to_string()
}

/// Returns why a row counts or not, and for the row that counts whether a floor raised its price.
fn because(row: &Considered, of: &WhyPrice, amounts: Amounts) -> String {
    let is_calculated = !matches!(row.rule, PriceRule::Price(_));
    match of.goods.floor.filter(|floor| is_calculated && row.price == Some(*floor)) {
        Some(floor) if row.verdict == RowVerdict::Counts => {
            format!("{}, at the floor {}", why(&row.verdict), amounts.shown(floor))
        }
        _ => why(&row.verdict),
    }
}

/// Returns the price, and notes that the rows do not contain.
pub(super) fn headline(why: &WhyPrice, amounts: Amounts) -> String {
    let price = match why.explanation.unit_price {
        Some(price) => format!("{} {}", amounts.shown(price), amounts.currency),
        None => format!("no price in {}", amounts.currency),
    };
    match &why.unsold {
        None => price,
        Some(Unsold { below, above }) => {
            let near: Vec<String> =
                [below, above].into_iter().flatten().map(ToString::to_string).collect();
            match near.is_empty() {
                true => format!("{price}, but it is not sold in this quantity"),
                false => format!(
                    "{price}, but it is not sold in this quantity; next to it are: {}",
                    near.join(", ")
                ),
            }
        }
    }
}
