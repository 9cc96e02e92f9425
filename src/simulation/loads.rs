//! Loads that change prices, discounts and price lists.

use std::sync::Arc;
use std::time::Duration;

use super::fleet::Fleet;
use super::price_lists::{some_detail, some_ladders, some_terms};
use super::process::ProcessKind;
use super::world::World;
use crate::data::{Dataset, LoadOptions, load};
use crate::model::UserId;
use crate::ports::{Store, UserDiscounts};
use crate::pricing::{Currency, Discount, Discounts, Money, Percentage, Product};
use crate::stages::change;

/// Loads some data in a process of its own, which may be killed during the load.
pub(super) async fn load_some(world: Arc<World>, fleet: Arc<Fleet>, data: Dataset, prune: bool) {
    let process = fleet.new_process(ProcessKind::Loader);
    let ports = fleet.ports(&process);
    let options = LoadOptions { currency: Currency::USD, prune, merge: false };
    let (store, clock) = (&*ports.store, &*ports.clock);
    // Sometimes a load is taken for dead while it continues; it may be this one.
    let impatient = world.chance.one_in(4).then(|| world.chance.millis(1, 2_000));
    tokio::select! {
        biased;
        () = process.killed() => {}
        () = async {
            let loading = load(store, clock, &*ports.randomness, &data, options, &|_| ());
            let (done, ()) = tokio::join!(loading, drop_some_journal(&world, store, impatient));
            world.tell(&process.name, || format!("{:?}", done.as_ref().map(|report| report.version)));
            let Ok(report) = done else { return };
            let ordered = change::order(store, &*ports.queues, &report.change, clock.now()).await;
            world.tell(&process.name, || format!("orders tables again: {ordered:?}"));
        } => {}
    }
}

/// After a while, drops a random journal, as if its load were dead.
async fn drop_some_journal(world: &World, store: &dyn Store, after: Option<Duration>) {
    let Some(after) = after else { return };
    tokio::time::sleep(after).await;
    let Ok(journals) = store.journals().await else { return };
    if !journals.is_empty() {
        let journal = &journals[world.chance.index(journals.len())];
        let _ = store.drop_journal(&journal.load).await;
    }
}

/// Makes up other prices for some products, and other discounts for some users.
pub(super) fn some_data(world: &World, everything: bool) -> Dataset {
    let (chance, plan) = (&world.chance, &world.plan);
    let mut products = vec![];
    if everything || chance.one_in(2) {
        let every = if everything { 1 } else { chance.pick([1, 2, 5]) };
        for id in plan.products.iter().filter(|_| chance.one_in(every)) {
            let price = Money::from_minor(chance.pick([1, 3, 99, 12_345, 1_000_000]));
            let price = price.checked_add(Money::from_minor(chance.between(0, 900).cast_signed()));
            let name = format!("name {} of {id}", chance.below(1_000));
            let product = Product::new(id.clone(), name, price.unwrap_or_default());
            products.push(product.with_detail(some_detail(world)));
        }
    }
    let mut data = Dataset { products, ..some_terms(world) };
    let is_readable = |user: &&UserId| plan.poisoned.as_ref() != Some(user);
    for user in plan.users.iter().filter(is_readable).filter(|_| chance.one_in(2)) {
        add_own(world, user, &mut data);
    }
    data
}

fn add_own(world: &World, user: &UserId, data: &mut Dataset) {
    match !world.plan.lists.is_empty() && world.chance.one_in(3) {
        true => data.own.push(some_ladders(world, user)),
        false => data.discounts.push(UserDiscounts::new(user.clone(), some_discounts(world))),
    }
}

/// Makes up other discounts or ladders for one user.
pub(super) fn some_discounts_of(world: &World, user: &UserId) -> Dataset {
    let mut data = Dataset::default();
    if world.plan.poisoned.as_ref() != Some(user) {
        add_own(world, user, &mut data);
    }
    data
}

fn some_discounts(world: &World) -> Discounts {
    let chance = &world.chance;
    let list = world.plan.products.iter().take(40).filter(|_| chance.one_in(3));
    let list = list.filter_map(|product| {
        let millionths = chance.pick([0, 50_000_000, 100_000_000, 12_500_000, 33_333_333]);
        // Add a random part, so that no two lists are equal.
        let millionths = u32::try_from(millionths / 2 + chance.below(50_000_000)).ok()?;
        let percentage = Percentage::from_millionths(millionths)?;
        Some(Discount { product_id: product.clone(), percentage })
    });
    Discounts::new(list.collect()).unwrap_or_default()
}
