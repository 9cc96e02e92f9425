//! Random sellers: few products, customers and lists, so that rows meet as often as possible.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rust_decimal::Decimal;

use super::oracle::{HIGHEST_UNITS, decimals_of};
use super::world::{Asked, Customer, Kind, List, Own, Product, Row, Scope, World};

const USER: &str = "C";
const PRODUCT: &str = "P";
const CURRENCIES: [&str; 4] = ["USD", "EUR", "JPY", "KWD"];
const CATEGORIES: [&str; 5] = ["a", "a/b", "a/b/c", "ab", "a/c"];
const GROUPS: [&str; 3] = ["gold", "north", "web"];
const NOW: i64 = 1_800_000_000_000;

struct Drawing {
    random: StdRng,
    unit_decimals: u8,
}

/// Returns the world of a seed, and what is asked of it.
pub fn drawn(seed: u64) -> (World, Asked) {
    let mut random = StdRng::seed_from_u64(seed);
    let unit_decimals = if random.random_bool(0.5) { 0 } else { random.random_range(1..=4) };
    let half_up = random.random_bool(0.3);
    let mut drawing = Drawing { random, unit_decimals };
    let currency = drawing.one_of(&["USD", "USD", "JPY", "EUR"]).to_owned();
    let product = drawing.product();
    let step = product.step;
    let customer = drawing.customer();
    let mine = customer.currency.clone().unwrap_or_else(|| currency.clone());
    let lists = (0..drawing.random.random_range(0..=6_usize)).map(|n| drawing.list(n, &mine));
    let lists = lists.collect();
    let mut own = BTreeMap::new();
    if drawing.random.random_bool(0.4) {
        own.insert(USER.to_owned(), drawing.own(&mine));
    }
    let quantity = drawing.asked_quantity(step);
    let asked = Asked { user: USER.into(), product: PRODUCT.into(), quantity, at: NOW };
    let products = [(PRODUCT.to_owned(), product)].into();
    let customers = match customer.currency.is_none() && customer.groups.is_empty() {
        true => BTreeMap::new(),
        false => [(USER.to_owned(), customer)].into(),
    };
    (World { currency, unit_decimals, half_up, products, customers, lists, own }, asked)
}

impl Drawing {
    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.random.random_range(0..all.len())]
    }

    fn some_of(&mut self, all: &[&str], chance: f64) -> BTreeSet<String> {
        let some = all.iter().filter(|_| self.random.random_bool(chance));
        some.map(|text| (*text).to_owned()).collect()
    }

    /// Draws an amount: small ones that coincide, those whose percentages are halves, and sometimes the
    /// largest, which surcharges raise above all that can be loaded.
    fn amount(&mut self, currency: &str) -> Decimal {
        let decimals = decimals_of(currency) + u32::from(self.unit_decimals);
        let most = HIGHEST_UNITS;
        let units = match self.random.random_range(0..22) {
            0..8 => self.random.random_range(0..=12),
            8..14 => self.random.random_range(0..=40) * 25,
            14..18 => self.random.random_range(0..=100_000),
            18..20 => self.random.random_range(0..=most),
            _ => most - self.random.random_range(0..=3),
        };
        Decimal::new(units, decimals)
    }

    fn percentage(&mut self) -> Decimal {
        match self.random.random_range(0..10) {
            0..5 => Decimal::from(self.random.random_range(0..=20) * 5),
            5..7 => Decimal::new(self.random.random_range(0..=100_000_000), 6),
            7..9 => Decimal::from(-self.random.random_range(0..=20) * 5),
            _ => Decimal::new(-self.random.random_range(0..=1_000_000_000), 6),
        }
    }

    /// Draws a minimum quantity that many rows have.
    fn min_quantity(&mut self) -> Decimal {
        let mins = ["0", "0", "0.001", "0.5", "1", "2", "5", "10", "10.001", "100", "1000000000"];
        self.one_of(&mins).parse().unwrap()
    }

    fn asked_quantity(&mut self, step: Option<Decimal>) -> Decimal {
        let near = self.min_quantity();
        let thousandth = Decimal::new(1, 3);
        let quantity = match self.random.random_range(0..4) {
            0 => near - thousandth,
            1 => near + thousandth,
            2 => near,
            _ => Decimal::new(self.random.random_range(1..=20_000), 3),
        };
        let quantity = match step {
            Some(step) if self.random.random_bool(0.6) => (quantity / step).ceil() * step,
            _ => quantity,
        };
        quantity.clamp(thousandth, Decimal::from(1_000_000_000))
    }

    fn product(&mut self) -> Product {
        let amounts = |drawing: &mut Self, chance| -> BTreeMap<String, Decimal> {
            let currencies = drawing.some_of(&CURRENCIES, chance).into_iter();
            currencies.map(|of| (of.clone(), drawing.amount(&of))).collect()
        };
        let prices = amounts(self, 0.75);
        let floors = amounts(self, 0.3);
        let category = self.random.random_bool(0.7).then(|| self.one_of(&CATEGORIES).to_owned());
        let step = self.random.random_bool(0.2).then(|| self.one_of(&["0.1", "0.5", "1", "12"]));
        let step: Option<Decimal> = step.map(|text| text.parse().unwrap());
        let multiple = |drawing: &mut Self, from: i64, to: i64| {
            let times = Decimal::from(drawing.random.random_range(from..=to));
            drawing.random.random_bool(0.2).then(|| times * step.unwrap_or(Decimal::ONE))
        };
        let (min, max) = (multiple(self, 1, 10), multiple(self, 10, 100));
        Product { id: PRODUCT.into(), prices, floors, category, min, step, max }
    }

    fn customer(&mut self) -> Customer {
        let currency = self.random.random_bool(0.4).then(|| self.one_of(&CURRENCIES).to_owned());
        Customer { user: USER.into(), currency, groups: self.some_of(&GROUPS, 0.5) }
    }

    /// Draws a list. Most are given to the customer, in force, and in the customer's currency.
    fn list(&mut self, number: usize, mine: &str) -> List {
        let currency = match self.random.random_range(0..10) {
            0..6 => Some(mine.to_owned()),
            6..8 => Some(self.one_of(&CURRENCIES).to_owned()),
            _ => None,
        };
        let near = |drawing: &mut Self| NOW + drawing.one_of_edges();
        let from = self.random.random_bool(0.3).then(|| near(self));
        let until = self.random.random_bool(0.3).then(|| near(self));
        let until = until.filter(|until| from.is_none_or(|from| from < *until));
        let rows = self.rows(currency.as_deref(), 8);
        List {
            id: format!("L{number}"),
            priority: self.random.random_range(-1..=1),
            currency,
            from,
            until,
            users: self.some_of(&[USER, "D"], 0.4),
            groups: self.some_of(&GROUPS, 0.3),
            everyone: self.random.random_bool(0.3),
            rows,
        }
    }

    fn one_of_edges(&mut self) -> i64 {
        let edges = [-86_400_000, -1, 0, 1, 86_400_000];
        edges[self.random.random_range(0..edges.len())]
    }

    /// Draws rows with different keys. Without a currency there are only percentages.
    fn rows(&mut self, currency: Option<&str>, most: usize) -> Vec<Row> {
        let mut rows: Vec<Row> = vec![];
        for _ in 0..self.random.random_range(0..=most) {
            let scope = match self.random.random_range(0..10) {
                0..5 => Scope::Product(PRODUCT.to_owned()),
                5 => Scope::Product("Q".to_owned()),
                6..9 => Scope::Category(self.one_of(&CATEGORIES).to_owned()),
                _ => Scope::All,
            };
            rows.extend(self.row(scope, currency));
        }
        rows.sort_by(|a, b| (&a.scope, a.min).cmp(&(&b.scope, b.min)));
        rows.dedup_by(|a, b| (&a.scope, a.min) == (&b.scope, b.min));
        rows
    }

    fn row(&mut self, scope: Scope, currency: Option<&str>) -> Option<Row> {
        let kind = match (self.random.random_range(0..3), currency) {
            (0, Some(_)) => Kind::Price,
            (1, Some(_)) => Kind::Amount,
            _ => Kind::Percentage,
        };
        let value = match (kind, currency) {
            (Kind::Percentage, _) => self.percentage(),
            (_, currency) => self.amount(currency?),
        };
        Some(Row { scope, min: self.min_quantity(), kind, value })
    }

    /// Draws own rows: half of the time a discount on every quantity, else a ladder, perhaps in another
    /// currency.
    fn own(&mut self, mine: &str) -> Own {
        let product = || Scope::Product(PRODUCT.to_owned());
        if self.random.random_bool(0.5) {
            let value = self.percentage().abs().min(Decimal::ONE_HUNDRED);
            let plain = Row { scope: product(), min: Decimal::ZERO, kind: Kind::Percentage, value };
            return Own { currency: mine.to_owned(), rows: vec![plain] };
        }
        let currency = match self.random.random_bool(0.8) {
            true => mine,
            false => self.one_of(&CURRENCIES),
        };
        let rows = self.rows(Some(currency), 5).into_iter();
        let rows = rows.filter(|row| row.scope == product()).collect();
        Own { currency: currency.to_owned(), rows }
    }
}
