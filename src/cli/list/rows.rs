//! The rows of lists: in the form that `ocache load` reads, and for people.

use serde_json::{Map, Value, json};

use crate::cli::output::{name, number};
use crate::cli::stream::members;
use crate::cli::table::TableCell;
use crate::model::{ProductId, Quantity, Timestamp, UserId};
use crate::ports::{CatalogueHead, UserDiscounts};
use crate::pricing::{
    Currency, Customer, MinQuantity, Money, PriceList, PriceRule, Product, QuantityRules, Rate,
    Recipients,
};

pub(super) const PRODUCTS: [&str; 6] = ["product", "name", "price", "category", "floor", "sold in"];
pub(super) const CUSTOMERS: [&str; 3] = ["customer", "currency", "groups"];
pub(super) const PRICE_LISTS: [&str; 6] =
    ["price list", "priority", "currency", "from", "until", "given to"];
pub(super) const DISCOUNTS: [&str; 4] =
    ["customer", "product", "from quantity", "price or discount"];

/// Returns a JSON object without the members that have no value.
fn present(object: Value) -> Value {
    let mut members = members(object);
    members.retain(|_, value| !value.is_null());
    Value::Object(members)
}

fn shown(amount: Money, currency: Currency, head: &CatalogueHead) -> String {
    amount.shown_as_unit(currency, head.rounding.unit_decimals).to_string()
}

fn by_currency<'a>(
    amounts: impl IntoIterator<Item = (&'a Currency, &'a Money)>,
    head: &CatalogueHead,
) -> Option<Value> {
    let amounts = amounts.into_iter().map(|(currency, amount)| {
        (currency.code().to_owned(), Value::from(shown(*amount, *currency, head)))
    });
    let amounts: Map<_, _> = amounts.collect();
    (!amounts.is_empty()).then_some(Value::Object(amounts))
}

pub(super) fn product(product: &Product, head: &CatalogueHead) -> Value {
    let detail = product.detail.as_deref();
    let quantity = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.to_string());
    let QuantityRules { min, step, max } = product.quantities();
    present(json!({
        "id": product.id.as_str(),
        "name": product.name.as_str(),
        "price": product.price.map(|price| shown(price, head.currency, head)),
        "prices": detail.and_then(|detail| by_currency(&detail.prices, head)),
        "category": product.category().map(ToString::to_string),
        "floors": detail.and_then(|detail| by_currency(&detail.floors, head)),
        "min": quantity(min),
        "step": quantity(step),
        "max": quantity(max),
    }))
}

pub(super) fn product_cells(product: &Product, head: &CatalogueHead) -> Vec<TableCell> {
    let with_currency = |(currency, amount): (&Currency, &Money)| {
        format!("{} {currency}", shown(*amount, *currency, head))
    };
    let own = product.price.as_ref().map(|price| (&head.currency, price));
    let detail = product.detail.as_deref();
    let others = detail.into_iter().flat_map(|detail| &detail.prices);
    let prices: Vec<_> = own.into_iter().chain(others).map(with_currency).collect();
    let floors = detail.into_iter().flat_map(|detail| &detail.floors).map(with_currency);
    vec![
        name(product.id.as_str()),
        name(product.name.as_str()),
        number(prices.join(", ")),
        name(product.category().map_or_else(String::new, ToString::to_string)),
        number(floors.collect::<Vec<_>>().join(", ")),
        quantities(product.quantities()).into(),
    ]
}

/// Formats quantity rules, such as `min 2, step 2, max 100`.
fn quantities(QuantityRules { min, step, max }: QuantityRules) -> String {
    let rules = [("min", min), ("step", step), ("max", max)];
    let rules = rules.into_iter().filter_map(|(name, rule)| Some(format!("{name} {}", rule?)));
    rules.collect::<Vec<_>>().join(", ")
}

fn texts(ids: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    ids.into_iter().map(|id| id.to_string()).collect()
}

pub(super) fn customer(customer: &Customer) -> Value {
    present(json!({
        "user_id": customer.user.as_str(),
        "currency": customer.currency.map(|currency| currency.code()),
        "groups": texts(&customer.groups),
    }))
}

pub(super) fn customer_cells(customer: &Customer) -> Vec<TableCell> {
    vec![
        name(customer.user.as_str()),
        customer.currency.map_or_else(String::new, |currency| currency.to_string()).into(),
        name(texts(&customer.groups).join(", ")),
    ]
}

pub(super) fn price_list(list: &PriceList) -> Value {
    let Recipients { everyone, groups, users } = &list.recipients;
    present(json!({
        "price_list": list.id.as_str(),
        "priority": list.priority,
        "currency": list.currency.map(|currency| currency.code()),
        "from": list.from.map(|from| from.to_string()),
        "until": list.until.map(|until| until.to_string()),
        "everyone": *everyone,
        "groups": texts(groups),
        "users": texts(users),
    }))
}

pub(super) fn price_list_cells(list: &PriceList) -> Vec<TableCell> {
    let Recipients { everyone, groups, users } = &list.recipients;
    let groups = texts(groups).into_iter().map(|group| format!("group {group}"));
    let everyone = everyone.then(|| "everyone".to_owned());
    let given_to: Vec<_> = everyone.into_iter().chain(groups).chain(texts(users)).collect();
    let time = |time: Option<Timestamp>| {
        TableCell::from(time.map_or_else(String::new, |time| time.to_string()))
    };
    vec![
        name(list.id.as_str()),
        number(list.priority),
        list.currency.map_or_else(String::new, |currency| currency.to_string()).into(),
        time(list.from),
        time(list.until),
        name(given_to.join(", ")),
    ]
}

/// A row of a customer's own list.
pub(super) struct ListedOwnRow<'a> {
    user: &'a UserId,
    pub(super) product: &'a ProductId,
    min_quantity: MinQuantity,
    rule: PriceRule,
    /// The currency of prices and amounts.
    currency: Option<Currency>,
}

/// Returns all rows of a list.
pub(super) fn own_rows(list: &UserDiscounts) -> impl Iterator<Item = ListedOwnRow<'_>> {
    let UserDiscounts { user, discounts, ladders } = list;
    let plain = discounts.as_slice().iter().map(move |discount| ListedOwnRow {
        user,
        product: &discount.product_id,
        min_quantity: MinQuantity::ZERO,
        rule: PriceRule::Percentage(Rate::from(discount.percentage)),
        currency: None,
    });
    let of_ladders = ladders.ladders.iter().flat_map(move |own| {
        own.ladder.rungs().iter().map(move |rung| ListedOwnRow {
            user,
            product: &own.product_id,
            min_quantity: rung.min_quantity,
            rule: rung.rule,
            currency: ladders.currency,
        })
    });
    plain.chain(of_ladders)
}

impl ListedOwnRow<'_> {
    /// Returns the currency of its price or amount; a percentage has none.
    pub(super) fn stated_in(&self) -> Option<Currency> {
        self.currency.filter(|_| !self.rule.is_relative())
    }

    pub(super) fn data(&self, head: &CatalogueHead) -> Value {
        let (name, value) = match self.rule {
            PriceRule::Price(price) => ("price", self.shown(price, head)),
            PriceRule::Percentage(rate) => ("percentage", rate.to_string()),
            PriceRule::Amount(amount) => ("amount", self.shown(amount, head)),
        };
        json!({
            "user_id": self.user.as_str(),
            "product_id": self.product.as_str(),
            "min_quantity": self.min_quantity.to_string(),
            name: value,
        })
    }

    pub(super) fn cells(&self, head: &CatalogueHead) -> Vec<TableCell> {
        let currency = self.currency.unwrap_or(head.currency);
        let rule = self.rule.in_words(|amount| format!("{} {currency}", self.shown(amount, head)));
        vec![
            name(self.user.as_str()),
            name(self.product.as_str()),
            number(self.min_quantity),
            number(rule),
        ]
    }

    fn shown(&self, amount: Money, head: &CatalogueHead) -> String {
        shown(amount, self.currency.unwrap_or(head.currency), head)
    }
}
