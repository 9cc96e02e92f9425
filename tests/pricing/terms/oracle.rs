//! The pricing rules followed literally, in exact decimals: every row is looked at, and nothing is
//! prepared.

use std::collections::BTreeSet;

use rust_decimal::{Decimal, RoundingStrategy};

use super::world::{Asked, Kind, List, Outcome, Priced, Product, Row, Rule, Scope, World};

/// Returns what the asked product costs.
pub fn price(world: &World, asked: &Asked) -> Outcome {
    let Some(product) = world.products.get(&asked.product) else { return Outcome::Unavailable };
    let currency = world.currency_of(&asked.user);
    let view = View { world, product, currency: &currency, asked };
    if !is_sold(product, asked.quantity) {
        // Rows begin at a quantity and never end, so the largest quantity has a price if any has.
        if view.choose(MOST).is_none() {
            return Outcome::Unavailable;
        }
        let (below, above) = neighbours(product, asked.quantity);
        return Outcome::Invalid { below, above };
    }
    let Some(chosen) = view.choose(asked.quantity) else { return Outcome::Unavailable };
    let list_price = view.list_price();
    let discount = match (&chosen.row, list_price) {
        (Some((_, row)), _) if row.kind == Kind::Percentage => row.value,
        (_, Some(list_price)) => percent_off(list_price, chosen.price),
        (_, None) => Decimal::ZERO,
    };
    let decimals = decimals_of(&currency);
    Outcome::Priced(Priced {
        list_price,
        unit_price: chosen.price,
        discount,
        total: Some(world.rounded(chosen.price * asked.quantity, decimals))
            .filter(|total| *total <= Decimal::new(i64::MAX, decimals)),
        rule: chosen.row.map(|(list, row)| Rule {
            list: list.map(|list| list.id.clone()),
            scope: row.scope.clone(),
            kind: row.kind,
            min: row.min,
            until: list.and_then(|list| list.until),
        }),
        next_tier: view.next_tier(chosen.price),
        currency,
    })
}

/// The highest price and the highest amount that can be loaded, in units of unit prices.
pub const HIGHEST_UNITS: i64 = 1_000_000_000_000_000;

/// Returns how many decimals the amounts of a currency have.
pub fn decimals_of(currency: &str) -> u32 {
    match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    }
}

impl World {
    fn rounded(&self, exact: Decimal, decimals: u32) -> Decimal {
        let strategy = match self.half_up {
            true => RoundingStrategy::MidpointAwayFromZero,
            false => RoundingStrategy::MidpointNearestEven,
        };
        exact.round_dp_with_strategy(decimals, strategy)
    }
}

/// A product as one customer sees it.
struct View<'a> {
    world: &'a World,
    product: &'a Product,
    currency: &'a str,
    asked: &'a Asked,
}

struct Chosen<'a> {
    price: Decimal,
    /// The row that makes the price, with its list (`None` for the own list). `None` for the list price.
    row: Option<(Option<&'a List>, &'a Row)>,
}

impl<'a> View<'a> {
    fn list_price(&self) -> Option<Decimal> {
        self.product.prices.get(self.currency).copied()
    }

    /// Chooses the price. If the own list has a matching row, that row counts. Else the lowest finished
    /// price counts at the highest priority with a matching row; of equal prices, that of the smallest list
    /// id. Else it is the list price, if there is one.
    fn choose(&self, quantity: Decimal) -> Option<Chosen<'a>> {
        if let Some((price, row)) = self.price_of_rows(self.own_rows(), quantity) {
            return Some(Chosen { price, row: Some((None, row)) });
        }
        let mut offers = vec![];
        for list in self.world.lists.iter().filter(|list| self.is_in_force(list)) {
            if let Some((price, row)) = self.price_of_rows(list.rows.iter(), quantity) {
                offers.push((price, list, row));
            }
        }
        let highest = offers.iter().map(|(_, list, _)| list.priority).max();
        offers.retain(|(_, list, _)| Some(list.priority) == highest);
        let best = offers.into_iter().min_by_key(|(price, list, _)| (*price, list.id.clone()));
        match best {
            Some((price, list, row)) => Some(Chosen { price, row: Some((Some(list), row)) }),
            None => Some(Chosen { price: self.list_price()?, row: None }),
        }
    }

    /// Whether a list counts. It is given to the customer, to a group of theirs, or to everyone; it has no
    /// currency or theirs; and it is in force (`from` inclusive, `until` exclusive).
    fn is_in_force(&self, list: &List) -> bool {
        let customer = self.world.customer(&self.asked.user);
        let is_given = list.everyone
            || list.users.contains(&customer.user)
            || list.groups.iter().any(|group| customer.groups.contains(group));
        let is_in_currency = match &list.currency {
            Some(currency) => currency == self.currency,
            None => true,
        };
        let has_begun = list.from.is_none_or(|from| from <= self.asked.at);
        let has_ended = list.until.is_some_and(|until| until <= self.asked.at);
        is_given && is_in_currency && has_begun && !has_ended
    }

    /// Returns the customer's own rows. Prices and amounts keep the currency in which they were loaded.
    fn own_rows(&self) -> impl Iterator<Item = &'a Row> {
        let own = self.world.own.get(&self.asked.user);
        let is_in_currency = own.is_some_and(|own| own.currency == self.currency);
        let rows = own.into_iter().flat_map(|own| &own.rows);
        rows.filter(move |row| is_in_currency || row.kind == Kind::Percentage)
    }

    /// Returns a list's price: of the narrowest scope among its matching rows the one with the largest
    /// `min_quantity`.
    fn price_of_rows(
        &self,
        rows: impl Iterator<Item = &'a Row>,
        quantity: Decimal,
    ) -> Option<(Decimal, &'a Row)> {
        let matching = rows.filter(|row| self.is_for_product(row) && row.min <= quantity);
        let priced = matching.filter_map(|row| Some((self.finished(row)?, row)));
        priced.max_by_key(|(_, row)| (narrowness(&row.scope), row.min))
    }

    fn is_for_product(&self, row: &Row) -> bool {
        match &row.scope {
            Scope::All => true,
            Scope::Product(product) => *product == self.product.id,
            Scope::Category(category) => self
                .product
                .category
                .as_ref()
                .is_some_and(|own| own == category || own.starts_with(&format!("{category}/"))),
        }
    }

    /// Returns the finished price of a row. It is calculated from the list price, rounded once, then raised
    /// to the smaller of floor and list price; a stated price stands as it is. Percentages and amounts need
    /// a list price. No price is too high, though none above [`HIGHEST_UNITS`] can be loaded.
    fn finished(&self, row: &Row) -> Option<Decimal> {
        if row.kind == Kind::Price {
            return Some(row.value);
        }
        let list_price = self.list_price()?;
        let decimals = decimals_of(self.currency) + u32::from(self.world.unit_decimals);
        let calculated = match row.kind {
            Kind::Percentage => list_price * (Decimal::ONE - row.value / Decimal::ONE_HUNDRED),
            _ => (list_price - row.value).max(Decimal::ZERO),
        };
        let rounded = self.world.rounded(calculated, decimals);
        let floor = self.product.floors.get(self.currency);
        Some(floor.map_or(rounded, |floor| rounded.max((*floor).min(list_price))))
    }

    /// Returns the first larger quantity at which a row begins, or the next one that is sold, if a unit
    /// costs less there.
    fn next_tier(&self, unit_price: Decimal) -> Option<(Decimal, Decimal)> {
        let lists = self.world.lists.iter().filter(|list| self.is_in_force(list));
        let rows = lists.flat_map(|list| &list.rows).chain(self.own_rows());
        let rows = rows.filter(|row| self.is_for_product(row) && row.min > self.asked.quantity);
        let quantities: BTreeSet<Decimal> =
            rows.filter_map(|row| first_sold_from(self.product, row.min)).collect();
        let mut tiers = quantities
            .into_iter()
            .filter_map(|quantity| Some((quantity, self.choose(quantity)?.price)));
        tiers.find(|(_, price)| *price < unit_price)
    }
}

/// Returns how narrow a scope is: a product before a category, a deeper category before a wider one, all
/// products last.
fn narrowness(scope: &Scope) -> usize {
    match scope {
        Scope::All => 0,
        Scope::Category(category) => category.split('/').count(),
        Scope::Product(_) => usize::MAX,
    }
}

/// Returns by how many per cent a price is lower, to six places, half-even, without trailing zeros.
fn percent_off(list_price: Decimal, price: Decimal) -> Decimal {
    if list_price <= Decimal::ZERO {
        return Decimal::ZERO;
    }
    // Whole numbers, because a quotient of decimals would be rounded twice.
    let scale = list_price.scale().max(price.scale());
    let whole = |amount: Decimal| {
        let mut amount = amount;
        amount.rescale(scale);
        amount.mantissa()
    };
    let (list_price, price) = (whole(list_price), whole(price));
    let (off, by) = ((list_price - price) * 100_000_000, list_price);
    let (floor, rest) = (off.div_euclid(by), off.rem_euclid(by));
    let up = 2 * rest > by || (2 * rest == by && floor % 2 != 0);
    let furthest = i128::from(i32::MIN) * 100_000_000;
    Decimal::from_i128_with_scale((floor + i128::from(up)).max(furthest), 6)
}

const MOST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
const LEAST: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

fn is_sold(product: &Product, quantity: Decimal) -> bool {
    product.min.is_none_or(|min| quantity >= min)
        && product.max.is_none_or(|max| quantity <= max)
        && product.step.is_none_or(|step| (quantity % step).is_zero())
}

/// Returns the valid quantities next to one, found by trying: multiples of the step around it, and the
/// ends.
fn neighbours(product: &Product, quantity: Decimal) -> (Option<Decimal>, Option<Decimal>) {
    let step = product.step.unwrap_or(LEAST);
    let near = (quantity / step).floor() * step;
    let around = [near - step, near, near + step];
    let ends = [product.min, product.max, Some(step)];
    let candidates = around.into_iter().chain(ends.into_iter().flatten()).filter(|candidate| {
        *candidate > Decimal::ZERO && *candidate <= MOST && is_sold(product, *candidate)
    });
    let below = candidates.clone().filter(|candidate| *candidate < quantity).max();
    let above = candidates.filter(|candidate| *candidate > quantity).min();
    // Nothing is sold between 0 and the first multiple, nor above the last multiple below the maximum.
    (below.or_else(|| last_sold(product).filter(|last| *last < quantity)), above)
}

fn first_sold_from(product: &Product, from: Decimal) -> Option<Decimal> {
    let step = product.step.unwrap_or(LEAST);
    let from = from.max(product.min.unwrap_or(LEAST)).max(LEAST);
    let first = (from / step).ceil() * step;
    (first <= product.max.unwrap_or(MOST)).then_some(first)
}

fn last_sold(product: &Product) -> Option<Decimal> {
    let step = product.step.unwrap_or(LEAST);
    let last = (product.max.unwrap_or(MOST) / step).floor() * step;
    (last > Decimal::ZERO && product.min.is_none_or(|min| last >= min)).then_some(last)
}
