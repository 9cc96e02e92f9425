//! Every row that a price was looked for in, and why it won or lost.

use serde_json::{Map, Value, json};

use super::output::{number, table};
use super::stream::members;
use crate::pricing::{
    Considered, Currency, Money, PriceRule, Rate, Scope, UnitRounding, Unsold, Verdict,
};
use crate::verify::WhyPrice;

/// How amounts are shown.
#[derive(Clone, Copy)]
pub(super) struct Amounts {
    pub(super) currency: Currency,
    pub(super) rounding: UnitRounding,
}

impl Amounts {
    pub(super) fn unit(self, price: Money) -> String {
        price.shown_as_unit(self.currency, self.rounding.unit_decimals).to_string()
    }
}

/// What is to be told of a price, for programs.
pub(super) fn reasons(why: &WhyPrice, amounts: Amounts) -> Map<String, Value> {
    let explanation = &why.explanation;
    let mut data = Map::new();
    let mut add = |name: &str, price: Option<Money>| {
        if let Some(price) = price {
            data.insert(name.to_owned(), amounts.unit(price).into());
        }
    };
    add("list_price", explanation.list_price);
    add("floor", why.goods.floor);
    add("unit_price", explanation.unit_price);
    if let Some(unsold) = &why.unsold {
        data.insert("invalid".to_owned(), neighbours(unsold));
    }
    let rows = explanation.rows.iter().map(|row| Value::Object(json_row(row, amounts)));
    data.insert("rows".to_owned(), rows.collect());
    data
}

fn neighbours(Unsold { below, above }: &Unsold) -> Value {
    let quantities = [("below", below), ("above", above)];
    let there = quantities.into_iter().filter_map(|(name, quantity)| {
        Some((name.to_owned(), Value::from(quantity.as_ref()?.to_string())))
    });
    Value::Object(there.collect())
}

fn json_row(row: &Considered, amounts: Amounts) -> Map<String, Value> {
    let (kind, value) = match row.rule {
        PriceRule::Price(price) => ("price", amounts.unit(price)),
        PriceRule::Percentage(rate) => ("percentage", rate.to_string()),
        PriceRule::Amount(amount) => ("amount", amounts.unit(amount)),
    };
    let scope = match &row.scope {
        Scope::All => json!("all"),
        Scope::Category(category) => json!({ "category": category.as_str() }),
        Scope::Product(_) => json!("product"),
    };
    let mut data = members(json!({
        "scope": scope,
        "kind": kind,
        "value": value,
        "min_quantity": row.min_quantity.to_string(),
        "counts": row.verdict == Verdict::Counts,
        "why": why(&row.verdict),
    }));
    match &row.list {
        Some(list) => {
            data.insert("list".to_owned(), list.as_str().into());
            data.insert("priority".to_owned(), row.priority.into());
        }
        None => {
            data.insert("own".to_owned(), true.into());
        }
    }
    if let Some(price) = row.price {
        data.insert("unit_price".to_owned(), amounts.unit(price).into());
    }
    data
}

/// The rows for people, in the order in which they were looked at, and the list price after them.
pub(super) fn show(why: &WhyPrice, amounts: Amounts) -> String {
    let explanation = &why.explanation;
    let mut rows =
        table(["list", "priority", "for", "from quantity", "says", "makes", "counts", "because"]);
    for row in &explanation.rows {
        let list = row.list.as_ref().map_or("own", |list| list.as_str());
        let priority = row.list.as_ref().map_or_else(String::new, |_| row.priority.to_string());
        let scope = match &row.scope {
            Scope::All => "all products".to_owned(),
            Scope::Category(category) => category.to_string(),
            Scope::Product(_) => "the product".to_owned(),
        };
        let price = row.price.map_or_else(String::new, |price| amounts.unit(price));
        let counts = if row.verdict == Verdict::Counts { "yes" } else { "no" };
        rows.add_row([
            list.into(),
            number(priority),
            scope.into(),
            number(row.min_quantity),
            says(row.rule, amounts).into(),
            number(price),
            counts.into(),
            because(row, why, amounts).into(),
        ]);
    }
    if let Some(list_price) = explanation.list_price {
        let wins = explanation.winner().is_none();
        let because = if wins { "no row counts" } else { "a row counts" };
        let price = amounts.unit(list_price);
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

fn says(rule: PriceRule, amounts: Amounts) -> String {
    match rule {
        PriceRule::Price(price) => amounts.unit(price),
        PriceRule::Amount(amount) => format!("{} off", amounts.unit(amount)),
        PriceRule::Percentage(rate) if rate < Rate::ZERO => {
            format!("{} % on top", rate.to_string().trim_start_matches('-'))
        }
        PriceRule::Percentage(rate) => format!("{rate} % off"),
    }
}

/// Why a row won or lost; of the one that won also whether a floor raised it.
fn because(row: &Considered, of: &WhyPrice, amounts: Amounts) -> String {
    let is_calculated = !matches!(row.rule, PriceRule::Price(_));
    match of.goods.floor.filter(|floor| is_calculated && row.price == Some(*floor)) {
        Some(floor) if row.verdict == Verdict::Counts => {
            format!("{}, at the floor {}", why(&row.verdict), amounts.unit(floor))
        }
        _ => why(&row.verdict),
    }
}

fn why(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Counts => "no other row comes before it".to_owned(),
        Verdict::NotGiven => "the list is given to others".to_owned(),
        Verdict::OtherCurrency(currency) => format!("it is in {currency}"),
        Verdict::NotBegun(from) => format!("the list begins at {from}"),
        Verdict::Ended(until) => format!("the list has ended at {until}"),
        Verdict::NoListPrice => "there is no list price to calculate it off".to_owned(),
        Verdict::NeedsMore(min_quantity) => format!("it needs a quantity of {min_quantity}"),
        Verdict::WiderScope => "a row of the list is for fewer products".to_owned(),
        Verdict::SmallerRung => "a row of the list is for a larger quantity".to_owned(),
        Verdict::OwnListFirst => "the customer's own list has a row".to_owned(),
        Verdict::LowerPriority => "a list of a higher priority has a row".to_owned(),
        Verdict::Dearer => "a list of the same priority is cheaper".to_owned(),
        Verdict::LaterId => {
            "a list of the same priority is as cheap, and its id is smaller".to_owned()
        }
    }
}

/// What the price is, and what is to be known beside the rows.
pub(super) fn headline(why: &WhyPrice, amounts: Amounts) -> String {
    let price = match why.explanation.unit_price {
        Some(price) => format!("{} {}", amounts.unit(price), amounts.currency),
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
