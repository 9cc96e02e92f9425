//! What a seller has loaded, as plain values. Both the oracle and the module get it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    All,
    Category(String),
    Product(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Price,
    Percentage,
    Amount,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub scope: Scope,
    pub min: Decimal,
    pub kind: Kind,
    pub value: Decimal,
}

#[derive(Clone, Debug, Default)]
pub struct Product {
    pub id: String,
    pub prices: BTreeMap<String, Decimal>,
    pub floors: BTreeMap<String, Decimal>,
    pub category: Option<String>,
    pub min: Option<Decimal>,
    pub step: Option<Decimal>,
    pub max: Option<Decimal>,
}

#[derive(Clone, Debug, Default)]
pub struct Customer {
    pub user: String,
    pub currency: Option<String>,
    pub groups: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
pub struct List {
    pub id: String,
    pub priority: i32,
    pub currency: Option<String>,
    /// In milliseconds since the epoch.
    pub from: Option<i64>,
    pub until: Option<i64>,
    pub users: BTreeSet<String>,
    pub groups: BTreeSet<String>,
    pub everyone: bool,
    pub rows: Vec<Row>,
}

/// The own rows of one customer, with the currency that the customer had when they were loaded.
#[derive(Clone, Debug, Default)]
pub struct Own {
    pub currency: String,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Default)]
pub struct World {
    /// The currency of the stack.
    pub currency: String,
    pub unit_decimals: u8,
    pub half_up: bool,
    pub products: BTreeMap<String, Product>,
    pub customers: BTreeMap<String, Customer>,
    pub lists: Vec<List>,
    pub own: BTreeMap<String, Own>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub user: String,
    pub product: String,
    pub quantity: Decimal,
    /// In milliseconds since the epoch.
    pub at: i64,
}

/// What makes a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `None` for the customer's own list.
    pub list: Option<String>,
    pub scope: Scope,
    pub kind: Kind,
    pub min: Decimal,
    pub until: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    pub currency: String,
    pub list_price: Option<Decimal>,
    pub unit_price: Decimal,
    pub discount: Decimal,
    /// `None` if it is too large.
    pub total: Option<Decimal>,
    /// `None` for the list price.
    pub rule: Option<Rule>,
    /// The quantity from which on a unit costs less, and its price there.
    pub next_tier: Option<(Decimal, Decimal)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Unavailable,
    Invalid { below: Option<Decimal>, above: Option<Decimal> },
    Priced(Priced),
}

impl World {
    pub fn customer(&self, user: &str) -> Customer {
        let unknown = Customer { user: user.to_owned(), ..Customer::default() };
        self.customers.get(user).cloned().unwrap_or(unknown)
    }

    pub fn currency_of(&self, user: &str) -> String {
        self.customer(user).currency.unwrap_or_else(|| self.currency.clone())
    }

    /// Reads the world that a load of these records makes on a stack with these settings.
    pub fn read(load: &Value, settings: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut world = Self { currency: "USD".to_owned(), ..Self::default() };
        world.unit_decimals = settings["unit-decimals"].as_u64().unwrap_or(0).try_into().unwrap();
        world.half_up = settings["rounding"] == "half-up";
        for product in records(load, "products") {
            let id = text(&product["id"]).unwrap();
            let mut prices = amounts(&product["prices"]);
            prices.extend(decimal(&product["price"]).map(|price| (world.currency.clone(), price)));
            let mut floors = amounts(&product["floors"]);
            floors.extend(decimal(&product["floor"]).map(|floor| (world.currency.clone(), floor)));
            let category = text(&product["category"]);
            let [min, step, max] = ["min", "step", "max"].map(|name| decimal(&product[name]));
            let product = Product { id: id.clone(), prices, floors, category, min, step, max };
            world.products.insert(id, product);
        }
        for customer in records(load, "customers") {
            let user = text(&customer["user_id"]).unwrap();
            let groups = texts(&customer["groups"]);
            let currency = text(&customer["currency"]);
            world.customers.insert(user.clone(), Customer { user, currency, groups });
        }
        for list in records(load, "price_lists") {
            world.lists.push(List {
                id: text(&list["price_list"]).unwrap(),
                priority: list["priority"].as_i64().unwrap_or(0).try_into().unwrap(),
                currency: text(&list["currency"]),
                from: instant(&list["from"]),
                until: instant(&list["until"]),
                users: texts(&list["users"]),
                groups: texts(&list["groups"]),
                everyone: list["everyone"] == true,
                rows: vec![],
            });
        }
        for price in records(load, "prices") {
            let list = world.lists.iter_mut().find(|list| price["price_list"] == *list.id);
            list.unwrap().rows.push(row(price));
        }
        for own in records(load, "user_discounts") {
            let user = text(&own["user_id"]).unwrap();
            let currency = world.currency_of(&user);
            let rows = world.own.entry(user).or_insert(Own { currency, rows: vec![] });
            rows.rows.push(row(own));
        }
        world
    }
}

fn records<'a>(load: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    load[kind].as_array().into_iter().flatten()
}

fn row(price: &Value) -> Row {
    let scope = match (price["product_id"].as_str(), price["category"].as_str()) {
        (Some(product), _) => Scope::Product(product.to_owned()),
        (None, Some(category)) => Scope::Category(category.to_owned()),
        (None, None) => Scope::All,
    };
    let kinds =
        [("price", Kind::Price), ("percentage", Kind::Percentage), ("amount", Kind::Amount)];
    let mut found =
        kinds.into_iter().filter_map(|(name, kind)| Some((kind, decimal(&price[name])?)));
    let (kind, value) = found.next().unwrap();
    Row { scope, min: decimal(&price["min_quantity"]).unwrap_or_default(), kind, value }
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_str().map(|text| text.parse().unwrap())
}

fn amounts(value: &Value) -> BTreeMap<String, Decimal> {
    let amounts = value.as_object().into_iter().flatten();
    amounts.map(|(currency, amount)| (currency.clone(), decimal(amount).unwrap())).collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn instant(value: &Value) -> Option<i64> {
    value.as_str().map(|text| text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}
