//! Compares the prices of some customers before and after a load.

use std::collections::{BTreeSet, HashMap};

use super::difference::Difference;
use super::effect::MovedPrice;
use super::given_lists::GivenLists;
use super::load_error::LoadError;
use super::planned::Planned;
use super::stored::{CHUNK, Halt, StoreAt, still};
use crate::model::{PriceListId, ProductId, UserId};
use crate::ports::{RecordKind, UserDiscounts};
use crate::pricing::{
    Currency, Customer, Goods, Ladder, MinQuantity, Money, PriceRule, Product, Rounding, Rules,
    Rung, Scope, ScopedLadder, Step, compose, steps_of_list,
};

/// The own lists of customers, before and after.
pub(super) type Owns = HashMap<UserId, (Option<UserDiscounts>, Option<UserDiscounts>)>;
/// Rows of price lists as they are stored.
pub(super) type LaddersByList = HashMap<PriceListId, HashMap<Scope, Ladder>>;

/// What decides prices before and after, apart from rows.
pub(super) struct Sides<'a> {
    pub(super) before: &'a GivenLists,
    pub(super) after: &'a GivenLists,
    /// The currency of the catalogue, before and after.
    pub(super) catalogue: (Currency, Currency),
    pub(super) rounding: Rounding,
}

/// What customers share, on one side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Terms {
    currency: Currency,
    /// The places of their lists in the lists of the side.
    lists: Vec<usize>,
}

/// Customers, grouped by equal terms before and after.
pub(super) struct Buyers<'u> {
    groups: Vec<((Terms, Terms), Vec<&'u UserId>)>,
    owns: &'u Owns,
}

/// One side of a comparison.
#[derive(Clone, Copy)]
struct Side<'a> {
    lists: &'a GivenLists,
    catalogue: Currency,
    rounding: Rounding,
    /// The changes to lay over the stored rows.
    over: Option<&'a Difference<'a>>,
}

/// What a product costs on one side, apart from own lists.
struct Priced {
    /// Whether the product exists. Without it, no row makes a price.
    exists: bool,
    goods: Goods,
    steps: Vec<Step>,
    rules: Rules,
}

impl<'u> Buyers<'u> {
    pub(super) fn group(
        users: &'u [UserId],
        customers: &HashMap<UserId, (Customer, Customer)>,
        owns: &'u Owns,
        sides: &Sides<'_>,
    ) -> Self {
        let terms = |lists: &GivenLists, customer: &Customer, catalogue| {
            let currency = customer.currency.unwrap_or(catalogue);
            Terms { currency, lists: lists.of(customer, currency) }
        };
        let mut groups: HashMap<(Terms, Terms), Vec<&'u UserId>> = HashMap::new();
        for user in users {
            let Some((before, after)) = customers.get(user) else { continue };
            let before = terms(sides.before, before, sides.catalogue.0);
            let after = terms(sides.after, after, sides.catalogue.1);
            groups.entry((before, after)).or_default().push(user);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        // Sorted, so that every run has the same order.
        groups.sort_by(|(_, a), (_, b)| a.first().cmp(&b.first()));
        Self { groups, owns }
    }

    /// Returns every list that any of the customers has.
    pub(super) fn lists<'l>(&self, sides: &Sides<'l>) -> BTreeSet<&'l PriceListId> {
        let groups = self.groups.iter().map(|(terms, _)| terms);
        groups
            .flat_map(|(before, after)| {
                let before = before.lists.iter().map(|list| &sides.before.get(*list).id);
                before.chain(after.lists.iter().map(|list| &sides.after.get(*list).id))
            })
            .collect()
    }

    /// Whether any customer's currency, lists, or priorities of lists change.
    pub(super) fn change_terms(&self, sides: &Sides<'_>) -> bool {
        self.groups.iter().any(|((before, after), _)| {
            let key = |lists: &GivenLists, place: &usize| {
                let list = lists.get(*place);
                (list.id.clone(), list.priority, list.currency)
            };
            let keys = |lists: &GivenLists, terms: &Terms| -> BTreeSet<_> {
                terms.lists.iter().map(|place| key(lists, place)).collect()
            };
            before.currency != after.currency
                || keys(sides.before, before) != keys(sides.after, after)
        })
    }

    /// Reads the stored rows of the customers' lists for some products.
    pub(super) async fn rows(
        &self,
        products: &[(Option<Product>, Option<Product>)],
        sides: &Sides<'_>,
        at: StoreAt<'_>,
    ) -> Result<LaddersByList, Halt> {
        let products = products.iter().flat_map(|(before, after)| before.iter().chain(after));
        let scopes: BTreeSet<Scope> = products.flat_map(scopes_of).collect();
        let mut rows = LaddersByList::new();
        let lists = self.lists(sides);
        let mut keys: Vec<(PriceListId, Scope)> = lists
            .into_iter()
            .flat_map(|list| scopes.iter().map(|scope| (list.clone(), scope.clone())))
            .collect();
        keys.sort_unstable();
        for keys in keys.chunks(CHUNK) {
            for prices in still(at.store.prices(keys, at.head).await?)? {
                rows.entry(prices.list).or_default().insert(prices.scope, prices.ladder);
            }
        }
        Ok(rows)
    }

    /// Reports every price of a product that differs.
    pub(super) fn compare(
        &self,
        (before, after): &(Option<Product>, Option<Product>),
        sides: &Sides<'_>,
        rows: &LaddersByList,
        difference: &Difference<'_>,
        moved: &mut dyn FnMut(&MovedPrice) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        let Some(id) = before.as_ref().or(after.as_ref()).map(|product| &product.id) else {
            return Ok(());
        };
        let (was, is) = sides.each(difference);
        for ((terms_before, terms_after), users) in &self.groups {
            let was = was.price(before.as_ref(), terms_before, rows);
            let is = is.price(after.as_ref(), terms_after, rows);
            let currencies = (terms_before.currency, terms_after.currency);
            let common = differing(&was, &is, (&was.steps, &is.steps), currencies);
            for user in users {
                let (own_before, own_after) = match self.owns.get(*user) {
                    Some((before, after)) => (
                        before.as_ref().and_then(|list| own_ladder(list, id)),
                        after.as_ref().and_then(|list| own_ladder(list, id)),
                    ),
                    None => (None, None),
                };
                let own = (own_before.is_some() || own_after.is_some()).then(|| {
                    let before = was.with_own(own_before.as_ref(), currencies.0);
                    let after = is.with_own(own_after.as_ref(), currencies.1);
                    differing(&was, &is, (&before, &after), currencies)
                });
                for differs in own.as_ref().unwrap_or(&common) {
                    let Differs { min_quantity, before, after, floor, currency } = *differs;
                    let (customer, product) = ((*user).clone(), id.clone());
                    moved(&MovedPrice {
                        customer,
                        product,
                        min_quantity,
                        before,
                        after,
                        floor,
                        currency,
                    })?;
                }
            }
        }
        Ok(())
    }
}

impl Sides<'_> {
    fn each<'a>(&'a self, difference: &'a Difference<'a>) -> (Side<'a>, Side<'a>) {
        let Sides { before, after, catalogue, rounding } = *self;
        (
            Side { lists: before, catalogue: catalogue.0, rounding, over: None },
            Side { lists: after, catalogue: catalogue.1, rounding, over: Some(difference) },
        )
    }
}

impl Side<'_> {
    /// Prices a product for customers with the same terms. If the product does not exist, it has no price.
    fn price(&self, product: Option<&Product>, terms: &Terms, rows: &LaddersByList) -> Priced {
        let list_price = product.and_then(|it| it.price_in(terms.currency, self.catalogue));
        let floor = product.and_then(|product| product.floor_in(terms.currency));
        let goods = Goods { list_price, floor, rounding: self.rounding };
        let mut rules = Rules::default();
        let scopes: Vec<Scope> = product.map(|it| scopes_of(it).collect()).unwrap_or_default();
        let of_lists: Vec<Vec<Step>> = terms
            .lists
            .iter()
            .map(|place| {
                let list = self.lists.get(*place);
                let scoped = scopes.iter().filter_map(|scope| {
                    let ladder = self.ladder(&list.id, scope, rows)?;
                    let scope = scope.is_wide().then_some(scope);
                    Some(ScopedLadder { scope, ladder })
                });
                let scoped: Vec<ScopedLadder<'_>> = scoped.collect();
                steps_of_list(goods, Some(list), &scoped, true, &mut rules)
            })
            .filter(|steps| !steps.is_empty())
            .collect();
        let of_lists: Vec<&[Step]> = of_lists.iter().map(Vec::as_slice).collect();
        let steps = compose(&of_lists, &rules);
        Priced { exists: product.is_some(), goods, steps, rules }
    }

    fn ladder<'r>(
        &'r self,
        list: &PriceListId,
        scope: &Scope,
        rows: &'r LaddersByList,
    ) -> Option<&'r Ladder> {
        let over = self
            .over
            .and_then(|difference| difference.find(RecordKind::Prices, list.as_str(), Some(scope)));
        match over {
            Some(Planned::Prices(prices)) => Some(&prices.ladder),
            Some(_) => None,
            None => rows.get(list)?.get(scope),
        }
    }
}

impl Priced {
    /// Returns the steps of a customer who also has own rows.
    fn with_own(&self, own: Option<&OwnRungs>, currency: Currency) -> Vec<Step> {
        let Some(own) = own.filter(|_| self.exists) else { return self.steps.clone() };
        let mut rules = self.rules.clone();
        let scoped = [ScopedLadder { scope: None, ladder: &own.ladder }];
        let absolute = own.currency == Some(currency);
        let own = steps_of_list(self.goods, None, &scoped, absolute, &mut rules);
        compose(&[&own, &self.steps], &rules)
    }
}

/// The rows of a customer's own list for one product.
struct OwnRungs {
    ladder: Ladder,
    currency: Option<Currency>,
}

fn own_ladder(list: &UserDiscounts, product: &ProductId) -> Option<OwnRungs> {
    if let Some(ladder) = list.ladders.of(product) {
        return Some(OwnRungs { ladder: ladder.clone(), currency: list.ladders.currency });
    }
    let discounts = list.discounts.as_slice();
    let place = discounts.binary_search_by(|discount| discount.product_id.cmp(product)).ok()?;
    let rule = PriceRule::Percentage(discounts[place].percentage.into());
    let ladder = Ladder::new(vec![Rung { min_quantity: MinQuantity::ZERO, rule }]).ok()?;
    Some(OwnRungs { ladder, currency: None })
}

/// Returns the scopes that a product is in, the narrowest first.
fn scopes_of(product: &Product) -> impl Iterator<Item = Scope> {
    let categories = product.category().into_iter().flat_map(|category| {
        category.chain().filter_map(|path| path.parse().ok()).map(Scope::Category)
    });
    std::iter::once(Scope::Product(product.id.clone()))
        .chain(categories)
        .chain(std::iter::once(Scope::All))
}

/// A price that differs, without its customer.
#[derive(Clone, Copy)]
struct Differs {
    min_quantity: MinQuantity,
    before: Option<Money>,
    after: Option<Money>,
    floor: Option<Money>,
    currency: Currency,
}

/// Returns the prices that differ, at each quantity at which either side has a step.
fn differing(
    was: &Priced,
    is: &Priced,
    (before, after): (&[Step], &[Step]),
    currencies: (Currency, Currency),
) -> Vec<Differs> {
    let mut quantities: Vec<MinQuantity> =
        before.iter().chain(after).map(|step| step.from).collect();
    quantities.push(MinQuantity::ZERO);
    quantities.sort_unstable();
    quantities.dedup();
    let mut differing = vec![];
    for min_quantity in quantities {
        let before = price_from(before, min_quantity).or(was.goods.list_price);
        let after = price_from(after, min_quantity).or(is.goods.list_price);
        let floor = is.goods.floor;
        let mut add = |before: Option<Money>, after: Option<Money>, floor, currency| {
            if before != after {
                differing.push(Differs { min_quantity, before, after, floor, currency });
            }
        };
        if currencies.0 == currencies.1 {
            add(before, after, floor, currencies.1);
        } else {
            // Amounts of two currencies are not compared: the old price disappears, and the new one is new.
            add(before, None, None, currencies.0);
            add(None, after, floor, currencies.1);
        }
    }
    differing
}

/// Returns the price at a quantity.
fn price_from(steps: &[Step], from: MinQuantity) -> Option<Money> {
    let after = steps.partition_point(|step| step.from <= from);
    after.checked_sub(1).map(|place| steps[place].price)
}
