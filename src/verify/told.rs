//! Explains prices as JSON, the same for the command and for the page.

use serde_json::{Map, Value, json};

use super::{Reasons, WhyPrice};
use crate::data::Amounts;
use crate::model::{Item, UserId};
use crate::pricing::{Considered, Money, PriceRule, RowVerdict, Scope, Unsold};

/// Returns the explanation of a customer's prices. Products that do not exist are left out.
#[must_use]
pub fn reasons_json(user: &UserId, found: &Reasons) -> Value {
    let products = found.items.iter().filter_map(|(item, why)| {
        let Item { product, quantity } = item;
        let why = why.as_ref()?;
        let mut told = price_json(why, found.amounts());
        told.insert("product".to_owned(), product.as_str().into());
        told.insert("name".to_owned(), why.name.as_str().into());
        told.insert("quantity".to_owned(), quantity.to_string().into());
        Some(Value::Object(told))
    });
    json!({
        "user": user.as_str(),
        "currency": found.currency.code(),
        "catalogue_version": found.catalogue_version,
        "at": found.at.to_string(),
        "products": products.collect::<Vec<_>>(),
    })
}

/// Returns the explanation of one price.
#[must_use]
pub fn price_json(why: &WhyPrice, amounts: Amounts) -> Map<String, Value> {
    let explanation = &why.explanation;
    let mut data = Map::new();
    let mut add = |name: &str, price: Option<Money>| {
        if let Some(price) = price {
            data.insert(name.to_owned(), amounts.shown(price).into());
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
        PriceRule::Price(price) => ("price", amounts.shown(price)),
        PriceRule::Percentage(rate) => ("percentage", rate.to_string()),
        PriceRule::Amount(amount) => ("amount", amounts.shown(amount)),
    };
    let scope = match &row.scope {
        Scope::All => json!("all"),
        Scope::Category(category) => json!({ "category": category.as_str() }),
        Scope::Product(_) => json!("product"),
    };
    let mut data = Map::new();
    let mut add = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    add("scope", scope);
    add("kind", kind.into());
    add("value", value.into());
    add("min_quantity", row.min_quantity.to_string().into());
    add("counts", (row.verdict == RowVerdict::Counts).into());
    add("why", why(&row.verdict).into());
    match &row.list {
        Some(list) => {
            add("list", list.as_str().into());
            add("priority", row.priority.into());
        }
        None => add("own", true.into()),
    }
    if let Some(price) = row.price {
        add("unit_price", amounts.shown(price).into());
    }
    data
}

/// Says in a few words why a row counts or not.
#[must_use]
pub fn why(verdict: &RowVerdict) -> String {
    match verdict {
        RowVerdict::Counts => "no other row comes before it".to_owned(),
        RowVerdict::NotGiven => "the list is given to others".to_owned(),
        RowVerdict::OtherCurrency(currency) => format!("it is in {currency}"),
        RowVerdict::NotBegun(from) => format!("the list begins at {from}"),
        RowVerdict::Ended(until) => format!("the list has ended at {until}"),
        RowVerdict::NoListPrice => "there is no list price to calculate it off".to_owned(),
        RowVerdict::NeedsMore(min_quantity) => format!("it needs a quantity of {min_quantity}"),
        RowVerdict::WiderScope => "a row of the list is for fewer products".to_owned(),
        RowVerdict::SmallerRung => "a row of the list is for a larger quantity".to_owned(),
        RowVerdict::OwnListFirst => "the customer's own list has a row".to_owned(),
        RowVerdict::LowerPriority => "a list of a higher priority has a row".to_owned(),
        RowVerdict::Dearer => "a list of the same priority is cheaper".to_owned(),
        RowVerdict::LaterId => {
            "a list of the same priority is as cheap, and its id is smaller".to_owned()
        }
    }
}
