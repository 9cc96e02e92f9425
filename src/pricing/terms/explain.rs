//! Explains a price: every row that was considered, and why it won or lost.

use super::super::{Currency, Money, Rounding};
use super::{
    Category, Customer, Goods, Ladder, MinQuantity, OwnLadder, PriceList, PriceRule, Rung, Scope,
};
use crate::model::{PriceListId, ProductId, Quantity, Timestamp};

/// The price to explain.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The customer.
    pub customer: &'a Customer,
    /// The currency of the price.
    pub currency: Currency,
    /// The product.
    pub product: &'a ProductId,
    /// The category that the product is in.
    pub category: Option<&'a Category>,
    /// The data that its prices are calculated from.
    pub goods: Goods,
    /// The quantity.
    pub quantity: Quantity,
    /// The time for which the price is explained.
    pub at: Timestamp,
}

/// A list with those of its rows that may apply to the product. `list` is `None` for the customer's own list.
#[derive(Clone, Debug)]
pub struct GivenList<'a> {
    /// The list.
    pub list: Option<&'a PriceList>,
    /// The currency of the prices and amounts of the own list.
    pub own_currency: Option<Currency>,
    /// The rows by scope, in any order.
    pub rows: Vec<(Scope, &'a Ladder)>,
}

/// Whether a row decides the price, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowVerdict {
    /// It decides the price.
    Counts,
    /// The list is given to other customers.
    NotGiven,
    /// The list or the row is in another currency.
    OtherCurrency(Currency),
    /// The list begins later.
    NotBegun(Timestamp),
    /// The list has ended.
    Ended(Timestamp),
    /// There is no list price to calculate it from.
    NoListPrice,
    /// It needs a larger quantity.
    NeedsMore(MinQuantity),
    /// A narrower scope of the same list has a row.
    WiderScope,
    /// Another row of the same list and scope has a larger quantity.
    SmallerRung,
    /// The customer's own list has a row.
    OwnListFirst,
    /// A list with a larger priority has a row.
    LowerPriority,
    /// Another list of the same priority is cheaper.
    Dearer,
    /// Another list of the same priority has the same price and a smaller id.
    LaterId,
}

/// A row that was considered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// The list; `None` for the customer's own list.
    pub list: Option<PriceListId>,
    /// The priority of the list.
    pub priority: i32,
    /// The products that it applies to.
    pub scope: Scope,
    /// The quantity from which it applies.
    pub min_quantity: MinQuantity,
    /// The rule of the row.
    pub rule: PriceRule,
    /// The price that the rule gives; `None` if there is no list price.
    pub price: Option<Money>,
    /// Whether it decides the price, and if not, why.
    pub verdict: RowVerdict,
}

/// A price, and the rows that were considered for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The list price.
    pub list_price: Option<Money>,
    /// The price of one unit; `None` if there is none.
    pub unit_price: Option<Money>,
    /// All rows in the order in which they were considered: the own list first, then by priority, list id,
    /// scope and quantity.
    pub rows: Vec<Considered>,
}

impl Explanation {
    /// Returns the row that decides; `None` if the list price applies.
    #[must_use]
    pub fn winner(&self) -> Option<&Considered> {
        self.rows.iter().find(|row| row.verdict == RowVerdict::Counts)
    }
}

impl<'a> GivenList<'a> {
    /// The customer's own ladder for the product.
    #[must_use]
    pub fn own(ladder: &'a OwnLadder, currency: Option<Currency>) -> Self {
        let rows = vec![(Scope::Product(ladder.product_id.clone()), &ladder.ladder)];
        Self { list: None, own_currency: currency, rows }
    }

    /// Returns why none of its rows can apply, if that is so.
    fn refusal(&self, subject: &Subject<'_>) -> Option<RowVerdict> {
        let list = self.list?;
        if !list.recipients.include(subject.customer) {
            return Some(RowVerdict::NotGiven);
        }
        if let Some(currency) = list.currency.filter(|currency| *currency != subject.currency) {
            return Some(RowVerdict::OtherCurrency(currency));
        }
        if let Some(from) = list.from.filter(|from| subject.at < *from) {
            return Some(RowVerdict::NotBegun(from));
        }
        list.until.filter(|until| *until <= subject.at).map(RowVerdict::Ended)
    }
}

/// Considers every row of some lists, and finds the one that decides the price.
#[must_use]
pub fn explain(subject: &Subject<'_>, lists: &[GivenList<'_>]) -> Explanation {
    let mut lists: Vec<&GivenList<'_>> = lists.iter().collect();
    lists.sort_by_key(|given| {
        let list = given.list;
        (list.is_some(), list.map(|list| (-i64::from(list.priority), &list.id)))
    });
    let mut rows: Vec<Considered> = vec![];
    // The index of the best row so far.
    let mut best: Option<usize> = None;
    for given in lists {
        let candidate = consider_list(subject, given, &mut rows);
        best = match (best, candidate) {
            (best, None) => best,
            (None, Some(candidate)) => Some(candidate),
            (Some(best), Some(candidate)) => Some(fight(&mut rows, best, candidate)),
        };
    }
    if let Some(best) = best {
        rows[best].verdict = RowVerdict::Counts;
    }
    let list_price = subject.goods.list_price;
    let unit_price = best.and_then(|best| rows[best].price).or(list_price);
    Explanation { list_price, unit_price, rows }
}

/// Adds the rows of a list that apply to the product. Returns the index of the one that stands for the list.
fn consider_list(
    subject: &Subject<'_>,
    given: &GivenList<'_>,
    rows: &mut Vec<Considered>,
) -> Option<usize> {
    let refusal = given.refusal(subject);
    let mut scopes: Vec<&(Scope, &Ladder)> = given
        .rows
        .iter()
        .filter(|(scope, _)| scope.includes(subject.product, subject.category))
        .collect();
    scopes.sort_by_key(|(scope, _)| std::cmp::Reverse(scope.narrowness()));
    let mut winner: Option<usize> = None;
    for (scope, ladder) in scopes {
        let is_wider = winner.is_some();
        // The largest quantity comes first, so the first row that applies decides.
        for rung in ladder.rungs().iter().rev() {
            let verdict = refusal
                .clone()
                .unwrap_or_else(|| consider_rung(subject, given, rung, is_wider, winner.is_some()));
            if verdict == RowVerdict::Counts {
                winner = Some(rows.len());
            }
            let price = rung.rule.finish(
                subject.goods.list_price,
                subject.goods.floor,
                subject.goods.rounding,
            );
            rows.push(Considered {
                list: given.list.map(|list| list.id.clone()),
                priority: given.list.map_or(0, |list| list.priority),
                scope: scope.clone(),
                min_quantity: rung.min_quantity,
                rule: rung.rule,
                price,
                verdict,
            });
        }
    }
    winner
}

fn consider_rung(
    subject: &Subject<'_>,
    given: &GivenList<'_>,
    rung: &Rung,
    is_wider: bool,
    has_winner: bool,
) -> RowVerdict {
    if given.list.is_none()
        && !rung.rule.is_relative()
        && let Some(currency) = given.own_currency.filter(|own| *own != subject.currency)
    {
        return RowVerdict::OtherCurrency(currency);
    }
    let Goods { list_price, floor, rounding } = subject.goods;
    if rung.rule.finish(list_price, floor, rounding).is_none() {
        return RowVerdict::NoListPrice;
    }
    if !rung.min_quantity.holds_at(subject.quantity) {
        return RowVerdict::NeedsMore(rung.min_quantity);
    }
    match (is_wider, has_winner) {
        (true, _) => RowVerdict::WiderScope,
        (false, true) => RowVerdict::SmallerRung,
        (false, false) => RowVerdict::Counts,
    }
}

/// Compares the rows that stand for two lists. Returns the index of the winner, and sets the verdict of the
/// loser. The list of `best` was considered earlier, so its priority is at least as large; if they are equal,
/// its id is smaller.
fn fight(rows: &mut [Considered], best: usize, candidate: usize) -> usize {
    let (first, second) = (&rows[best], &rows[candidate]);
    let (loser, verdict) = if first.list.is_none() {
        (candidate, RowVerdict::OwnListFirst)
    } else if second.priority < first.priority {
        (candidate, RowVerdict::LowerPriority)
    } else if second.price < first.price {
        (best, RowVerdict::Dearer)
    } else if second.price > first.price {
        (candidate, RowVerdict::Dearer)
    } else {
        (candidate, RowVerdict::LaterId)
    };
    rows[loser].verdict = verdict;
    if loser == best { candidate } else { best }
}

impl Goods {
    /// Creates goods without a floor, rounded half-even.
    #[must_use]
    pub const fn plain(list_price: Money) -> Self {
        Self { list_price: Some(list_price), floor: None, rounding: Rounding::HalfEven }
    }
}
