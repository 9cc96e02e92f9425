//! Loads that change price lists, their rows, and their recipients.

use std::collections::BTreeSet;
use std::time::Duration;

use super::world::World;
use crate::data::{Dataset, FilePlace, GivenOwn, GivenPrices, GivenRule, GivenRung};
use crate::model::{CustomerGroup, Timestamp, UserId};
use crate::ports::Clock;
use crate::pricing::{
    Currency, Customer, MinQuantity, Money, PriceList, ProductDetail, Rate, Recipients, Scope,
};

const GROUPS: [&str; 3] = ["gold", "silver", "north"];
const CATEGORIES: [&str; 3] = ["tools", "tools/drills", "tiles"];
/// The quantities at which rungs begin.
const MIN_QUANTITIES: [&str; 4] = ["0", "1", "2", "12"];
/// The longest time from now until a list begins or ends, in seconds.
const MOST_SECS: u64 = 300;

/// Makes up customers, price lists and their rows; nothing in runs without price lists.
pub(super) fn some_terms(world: &World) -> Dataset {
    let (chance, plan) = (&world.chance, &world.plan);
    if plan.lists.is_empty() {
        return Dataset::default();
    }
    let customers = plan.users.iter().filter(|_| chance.one_in(3));
    let customers = customers.map(|user| customer(world, user)).collect();
    let mut data = Dataset { customers, ..Dataset::default() };
    for id in plan.lists.iter().filter(|_| chance.one_in(2)) {
        let currency = chance.pick([None, Some(Currency::USD), Some(euro())]);
        let (from, until) = window(world);
        let recipients = recipients(world);
        let priority = chance.pick([0, 0, 1]);
        // A load determines both of these itself.
        let (is_wide, revision) = (false, 0);
        let id = id.clone();
        let list = PriceList { id, priority, currency, from, until, recipients, is_wide, revision };
        // A list without rows in the load keeps its stored rows, if they are valid in its currency.
        if chance.one_in(3) {
            data.lists.push((list, FilePlace::default()));
            continue;
        }
        let scopes: BTreeSet<Scope> = (0..=chance.below(3)).filter_map(|_| scope(world)).collect();
        data.prices.extend(scopes.into_iter().map(|scope| {
            let rungs = ladder(world, currency.is_some());
            GivenPrices { list: list.id.clone(), scope, rungs }
        }));
        data.lists.push((list, FilePlace::default()));
    }
    data
}

/// Makes up a user's own list with ladders.
pub(super) fn some_ladders(world: &World, user: &UserId) -> GivenOwn {
    let products = world.plan.products.iter().take(20).filter(|_| world.chance.one_in(3));
    let rows = products
        .flat_map(|product| ladder(world, true).into_iter().map(|rung| (product.clone(), rung)));
    GivenOwn { user: user.clone(), rows: rows.collect() }
}

/// Makes up the details that a product may have beside its price.
pub(super) fn some_detail(world: &World) -> ProductDetail {
    let chance = &world.chance;
    if world.plan.lists.is_empty() {
        return ProductDetail::default();
    }
    let money = |most: u64| Money::from_minor(chance.between(1, most).cast_signed());
    ProductDetail {
        prices: (!chance.one_in(3)).then(|| (euro(), money(90_000))).into_iter().collect(),
        floors: chance.one_in(4).then(|| (Currency::USD, money(9_000))).into_iter().collect(),
        category: chance.one_in(2).then(|| chance.pick(CATEGORIES).parse().ok()).flatten(),
        ..ProductDetail::default()
    }
}

fn euro() -> Currency {
    "EUR".parse().unwrap_or(Currency::USD)
}

fn customer(world: &World, user: &UserId) -> Customer {
    let chance = &world.chance;
    let currency = chance.pick([None, None, Some(Currency::USD), Some(euro())]);
    Customer { user: user.clone(), currency, groups: groups(world) }
}

fn groups(world: &World) -> BTreeSet<CustomerGroup> {
    let groups = GROUPS.into_iter().filter(|_| world.chance.one_in(2));
    groups.filter_map(|group| group.parse().ok()).collect()
}

/// Draws some of the groups, some of the users, or everybody.
fn recipients(world: &World) -> Recipients {
    let chance = &world.chance;
    match chance.below(4) {
        0 => Recipients { everyone: true, ..Recipients::default() },
        1 => {
            let users = world.plan.users.iter().filter(|_| chance.one_in(2)).cloned().collect();
            Recipients { users, ..Recipients::default() }
        }
        _ => Recipients { groups: groups(world), ..Recipients::default() },
    }
}

/// Draws when a list begins and ends: mostly soon. With wrong clocks, lists have no window, because a
/// worker prices for the time of its own clock and would use a list that has not begun or has ended.
fn window(world: &World) -> (Option<Timestamp>, Option<Timestamp>) {
    let chance = &world.chance;
    if !world.plan.most_skew.is_zero() {
        return (None, None);
    }
    let now = world.clock.now();
    let soon = || chance.millis(1, MOST_SECS * 1_000);
    let begin = match chance.below(3) {
        0 => None,
        1 => Some(now.minus(soon())),
        _ => Some(now.plus(soon())),
    };
    let end =
        chance.one_in(2).then(|| begin.unwrap_or(now).plus(soon() + Duration::from_millis(1)));
    (begin, end)
}

fn scope(world: &World) -> Option<Scope> {
    let (chance, products) = (&world.chance, &world.plan.products);
    match chance.below(5) {
        0 => Some(Scope::All),
        1 => chance.pick(CATEGORIES).parse().ok().map(Scope::Category),
        _ => products.get(chance.index(products.len())).cloned().map(Scope::Product),
    }
}

/// Makes up rungs of one kind whose prices do not rise.
fn ladder(world: &World, has_currency: bool) -> Vec<GivenRung> {
    let chance = &world.chance;
    let kind = if has_currency { chance.below(3) } else { 0 };
    let mut cents = chance.between(50, 100_000);
    let mut off = 1_000_000 * chance.between(0, 40) + chance.below(1_000_000);
    let first = chance.index(MIN_QUANTITIES.len());
    let rungs = MIN_QUANTITIES.iter().skip(first).filter_map(|min_quantity| {
        let min_quantity: MinQuantity = min_quantity.parse().ok()?;
        let amount = format!("{}.{:02}", cents / 100, cents % 100).into_boxed_str();
        let rule = match kind {
            0 => GivenRule::Percentage(Rate::try_from(off.cast_signed()).ok()?),
            1 => GivenRule::Price(amount),
            _ => GivenRule::Amount(amount),
        };
        off += 1_000_000 * chance.below(10);
        // Prices fall, and amounts off rise.
        cents = if kind == 1 { cents - cents / 10 } else { cents + cents / 10 };
        Some(GivenRung { min_quantity, rule, place: FilePlace::default() })
    });
    rungs.collect()
}
