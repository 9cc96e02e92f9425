//! Price lists, their recipients and their changes. All of it follows from the seed.

use std::collections::BTreeSet;

use crate::data::{
    Dataset, Draws, FilePlace, GivenOwn, GivenPrices, GivenRule, GivenRung, ListSpec, tier_quantity,
};
use crate::model::{ProductId, UserId};
use crate::pricing::{
    Currency, Customer, MinQuantity, Percentage, PriceList, Rate, Recipients, Scope,
};

const LADDERS: u64 = 0x55;
const COMBINATIONS: u64 = 0x56;
/// A list has a ladder for one of this many products.
const PRODUCTS_A_LADDER: u64 = 10;
/// A load of prices of a list changes one of this many ladders of that list.
const LADDERS_A_CHANGE: u64 = 100;
/// How much more each rung of a ladder takes off than the one before, in millionths of a percent.
const MORE_OFF: i64 = 2_000_000;

/// What users share beside the products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsSpec {
    /// The number of lists, the number of rungs, and the currencies other than the catalogue's.
    pub lists: ListSpec,
    /// The currency of the catalogue.
    pub currency: Currency,
    /// The number of lists of each user.
    pub lists_per_user: u64,
    /// The number of different combinations of lists and currency.
    pub terms: u64,
}

impl TermsSpec {
    /// No lists, and US$ for everybody.
    pub const NONE: Self =
        Self { lists: ListSpec::NONE, currency: Currency::USD, lists_per_user: 0, terms: 1 };

    /// Returns the number of possible combinations.
    #[must_use]
    pub fn most_terms(&self) -> u64 {
        combinations(self.lists.lists, self.lists_per_user).saturating_mul(self.currencies())
    }

    /// Returns the number of currencies.
    #[must_use]
    pub const fn currencies(&self) -> u64 {
        1 + self.lists.currencies.len() as u64
    }

    /// Returns the number of products for which each list has a ladder.
    #[must_use]
    pub const fn ladders_per_list(&self, products: u64) -> u64 {
        if self.lists.lists == 0 { 0 } else { products.div_ceil(PRODUCTS_A_LADDER) }
    }

    /// Returns the lists of the terms at an index, and their currency.
    fn combination(&self, terms: u64) -> (Vec<u64>, Currency) {
        let place = terms % self.currencies();
        let other = place.checked_sub(1).and_then(|at| self.lists.currencies.get(at as usize));
        let wanted = self.terms.div_ceil(self.currencies()).max(1);
        // Spread the choices over all possible ones, so that every list has users.
        let step = (combinations(self.lists.lists, self.lists_per_user) / wanted).max(1);
        let rank = (terms / self.currencies()).saturating_mul(step);
        let lists = combination(rank, self.lists.lists, self.lists_per_user);
        (lists, other.copied().unwrap_or(self.currency))
    }
}

/// The price lists of some products for some users.
pub(super) struct DrawnLists<'a> {
    pub(super) spec: &'a TermsSpec,
    pub(super) seed: u64,
    pub(super) products: &'a [ProductId],
    pub(super) users: &'a [UserId],
}

impl DrawnLists<'_> {
    /// Returns the initial data.
    pub(super) fn first(&self) -> Dataset {
        if self.spec.lists.lists == 0 && self.spec.lists.currencies.is_empty() {
            return Dataset::default();
        }
        let lists = 0..self.spec.lists.lists;
        let ladders = 0..self.spec.ladders_per_list(self.products.len() as u64);
        Dataset {
            customers: (0..self.users.len()).filter_map(|row| self.customer(row)).collect(),
            lists: lists.clone().filter_map(|at| Some((list(at)?, FilePlace::default()))).collect(),
            prices: lists
                .flat_map(|list| ladders.clone().map(move |ladder| (list, ladder)))
                .filter_map(|(list, ladder)| self.prices(list, ladder, 0))
                .collect(),
            ..Dataset::default()
        }
    }

    /// Returns some other prices of one list, and the users of that list.
    pub(super) fn other_prices(&self, edition: u64) -> (Dataset, Vec<UserId>) {
        let mut draws = Draws::new(self.seed, COMBINATIONS, edition);
        let list = draws.below(self.spec.lists.lists);
        let ladders = self.spec.ladders_per_list(self.products.len() as u64);
        let changed = draws.distinct((ladders / LADDERS_A_CHANGE).max(1).min(ladders), ladders);
        let prices =
            changed.into_iter().filter_map(|ladder| self.prices(list, ladder, edition)).collect();
        let has_it = |row: &usize| self.terms_of(*row).0.contains(&list);
        let whose = (0..self.users.len()).filter(has_it).map(|row| self.users[row].clone());
        (Dataset { prices, ..Dataset::default() }, whose.collect())
    }

    fn terms_of(&self, row: usize) -> (Vec<u64>, Currency) {
        self.spec.combination(row as u64 % self.spec.terms.max(1))
    }

    fn customer(&self, row: usize) -> Option<Customer> {
        let (lists, currency) = self.terms_of(row);
        let groups = lists.into_iter().filter_map(|at| group(at).parse().ok()).collect();
        Some(Customer { user: self.users.get(row)?.clone(), currency: Some(currency), groups })
    }

    /// Returns the ladder at an index of a list. No two editions have the same.
    fn prices(&self, list: u64, ladder: u64, edition: u64) -> Option<GivenPrices> {
        let first = ladder * PRODUCTS_A_LADDER;
        let mut draws = Draws::new(self.seed ^ (list << 32), LADDERS, ladder);
        let left = self.products.len() as u64 - first;
        let product = first + draws.below(PRODUCTS_A_LADDER.min(left));
        let scope = Scope::Product(self.products.get(product as usize)?.clone());
        let off = 1_000_000 * (2 + draws.below(20)) + edition % 1_000_000;
        let rungs = ladder_of(self.spec.lists.tiers, off.cast_signed());
        Some(GivenPrices { list: list_id(list).parse().ok()?, scope, rungs })
    }
}

/// Returns a user's own list, with these percentages as the first rungs of its ladders.
pub(super) fn own_ladders(
    user: UserId,
    tiers: u64,
    mut percentages: Vec<(ProductId, Percentage)>,
) -> GivenOwn {
    percentages.sort_by(|(a, _), (b, _)| a.cmp(b));
    let rows = percentages.into_iter().flat_map(|(product, percentage)| {
        let rungs = ladder_of(tiers, i64::from(percentage.millionths()));
        rungs.into_iter().map(move |rung| (product.clone(), rung))
    });
    GivenOwn { user, rows: rows.collect() }
}

/// Returns `tiers` rungs. The first one takes `first` millionths of a percent off.
fn ladder_of(tiers: u64, first: i64) -> Vec<GivenRung> {
    let rung = |tier: u64| {
        let off = Rate::try_from(first + MORE_OFF * tier.cast_signed()).ok()?;
        let min_quantity = MinQuantity::from_thousandths(1000 * tier_quantity(tier))?;
        let rule = GivenRule::Percentage(off);
        Some(GivenRung { min_quantity, rule, place: FilePlace::default() })
    };
    (0..tiers.max(1)).filter_map(rung).collect()
}

fn list_id(list: u64) -> String {
    format!("list-{list:05}")
}

fn group(list: u64) -> String {
    format!("group-{list:05}")
}

/// Returns the list at an index, which is for a group of its own and in every currency.
fn list(at: u64) -> Option<PriceList> {
    let groups = BTreeSet::from([group(at).parse().ok()?]);
    Some(PriceList {
        id: list_id(at).parse().ok()?,
        priority: (at % 3) as i32,
        currency: None,
        from: None,
        until: None,
        recipients: Recipients { groups, ..Recipients::default() },
        is_wide: false,
        revision: 0,
    })
}

/// Returns in how many ways `choose` of `of` can be chosen; the largest number if there are more.
fn combinations(of: u64, choose: u64) -> u64 {
    if choose > of {
        return 0;
    }
    let mut ways: u128 = 1;
    for step in 0..choose.min(of - choose) {
        ways = match ways.checked_mul(u128::from(of - step)) {
            Some(product) => product / u128::from(step + 1),
            None => return u64::MAX,
        };
    }
    u64::try_from(ways).unwrap_or(u64::MAX)
}

/// Returns the choice of a rank, in the order of their first numbers.
fn combination(mut rank: u64, of: u64, choose: u64) -> Vec<u64> {
    let mut chosen = vec![];
    let mut next = 0;
    while (chosen.len() as u64) < choose && next < of {
        let with_next = combinations(of - next - 1, choose - chosen.len() as u64 - 1);
        match rank.checked_sub(with_next) {
            None => chosen.push(next),
            Some(rest) => rank = rest,
        }
        next += 1;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(lists: u64, lists_per_user: u64, terms: u64, currencies: &[&str]) -> TermsSpec {
        let currencies = currencies.iter().map(|code| code.parse().unwrap()).collect();
        let lists = ListSpec { lists, tiers: 3, currencies };
        TermsSpec { lists, currency: Currency::USD, lists_per_user, terms }
    }

    #[test]
    fn there_are_as_many_terms_as_were_asked_for() {
        for (spec, most) in [
            (spec(5, 2, 20, &["EUR"]), 20),
            (spec(7, 7, 1, &[]), 1),
            (spec(50, 4, 125, &[]), 230_300),
            (spec(200, 25, 15_000, &["EUR", "JPY"]), u64::MAX),
            (spec(0, 0, 2, &["EUR"]), 2),
        ] {
            assert_eq!(spec.most_terms(), most);
            let terms: BTreeSet<_> = (0..spec.terms)
                .map(|at| spec.combination(at))
                .map(|(lists, currency)| (lists, currency.code().to_owned()))
                .collect();
            assert_eq!(terms.len() as u64, spec.terms, "{spec:?}");
            let sizes: BTreeSet<usize> = terms.iter().map(|(lists, _)| lists.len()).collect();
            assert_eq!(sizes, BTreeSet::from([spec.lists_per_user as usize]));
        }
        assert_eq!(spec(3, 4, 1, &[]).most_terms(), 0);
    }

    #[test]
    fn a_change_is_of_one_list_and_touches_those_who_have_it() {
        let spec = spec(4, 1, 4, &[]);
        let products: Vec<ProductId> = (0..35).map(|n| format!("P{n}").parse().unwrap()).collect();
        let users: Vec<UserId> = (0..8).map(|n| format!("u{n}").parse().unwrap()).collect();
        let lists = DrawnLists { spec: &spec, seed: 7, products: &products, users: &users };
        let first = lists.first();
        assert_eq!((first.customers.len(), first.lists.len(), first.prices.len()), (8, 4, 16));
        assert!(first.prices.iter().all(|prices| prices.rungs.len() == 3));
        for edition in 1..20 {
            let (data, whose) = lists.other_prices(edition);
            let [prices] = data.prices.as_slice() else { panic!("{data:?}") };
            assert!(!first.prices.contains(prices));
            let group = prices.list.as_str().replace("list", "group");
            let has_it =
                |customer: &&Customer| customer.groups.iter().any(|one| one.as_str() == group);
            let of_list: Vec<_> =
                first.customers.iter().filter(has_it).map(|one| one.user.clone()).collect();
            assert_eq!((whose.len(), &whose), (2, &of_list));
        }
    }
}
