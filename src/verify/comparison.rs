//! Compares a table with the loaded data. Both are read once, in the order of ids.

use std::cmp::Ordering;

use super::arithmetic::{finished, written};
use super::customer::CustomerInputs;
use super::expected::{RecalculatedPrice, expected, quantities_of};
use super::inputs::SharedInputs;
use super::list_prices::{Currencies, ListedProduct};
use super::packed::StoredStep;
use super::stored_table::{Ladders, OwnPrice, StoredTableRow};
use crate::model::{ProductId, Quantity, Timestamp};
use crate::ports::TableHead;
use crate::pricing::{GivenList, Goods, Money, Percentage, PriceRule, RuleKind, Subject};

/// A comparison under way.
pub(super) struct TableComparison<'a> {
    head: &'a TableHead,
    inputs: &'a SharedInputs,
    customer: &'a CustomerInputs,
    /// The periods of the head.
    periods: Vec<Period>,
    /// The number of products that the table had so far.
    products: u64,
    /// The index among the list prices that the next product of the table should have.
    next: usize,
    /// The first price that does not follow from the table's own figures.
    miscalculated: Option<String>,
    /// The first product of the table that does not exist.
    unknown: Option<String>,
    /// The first product that differs in the base.
    base_differs: Option<String>,
    /// The first product with another price.
    price_differs: Option<String>,
}

/// A period in which the same price lists are in force.
pub(super) struct Period {
    /// An instant in the period.
    pub(super) at: Timestamp,
    /// Whether the ladders of these terms were already compared with the same lists, for another
    /// customer.
    pub(super) knows_terms: bool,
}

/// A difference between a table and the loaded data.
pub(super) struct PriceDifference {
    pub(super) what: String,
    /// Whether the difference is in the part that all customers share.
    pub(super) is_of_base: bool,
}

/// The result of a comparison.
pub(super) struct Compared {
    /// Why the table cannot be right, whatever its inputs were.
    pub(super) contradiction: Option<String>,
    /// The first difference between the table and the loaded data.
    pub(super) difference: Option<PriceDifference>,
}

/// What a table stores about the price of a product.
enum StoredPrice<'a> {
    /// The list price.
    List,
    /// The list price less a discount on every quantity.
    Discount(OwnPrice),
    /// A price from each of these quantities on.
    Steps(&'a [StoredStep]),
}

impl<'a> StoredPrice<'a> {
    fn of(row: &'a StoredTableRow, ladders: &'a Ladders) -> Self {
        match (&ladders.own, row.own) {
            (Some(steps), _) => Self::Steps(steps),
            (None, Some(discount)) => Self::Discount(discount),
            (None, None) => Self::of_terms(ladders),
        }
    }

    fn of_terms(ladders: &'a Ladders) -> Self {
        ladders.terms.as_deref().map_or(Self::List, Self::Steps)
    }

    fn starts(&self) -> impl Iterator<Item = u64> {
        let steps = if let Self::Steps(steps) = self { *steps } else { &[] };
        steps.iter().map(|step| step.from.thousandths())
    }

    /// Compares the stored price with the expected one at a quantity. Returns the stored price if they
    /// differ.
    fn check(&self, quantity: Quantity, expected: &RecalculatedPrice) -> Result<(), Option<Money>> {
        let price = |price: Money| Some(i128::from(price.minor()));
        let at_list = || match expected.rule {
            None => Ok(()),
            Some(_) => Err(expected.list_price),
        };
        match self {
            Self::List => at_list(),
            Self::Discount(own) => {
                let is_right = expected.plain_discount() == Some(own.discount)
                    && expected.unit_price == price(own.price);
                if is_right { Ok(()) } else { Err(Some(own.price)) }
            }
            Self::Steps(steps) => {
                let after = steps.partition_point(|step| step.from.holds_at(quantity));
                let Some(step) = after.checked_sub(1).map(|at| &steps[at]) else {
                    return at_list();
                };
                let is_right = expected.rule.as_ref() == Some(&*step.rule)
                    && expected.unit_price == price(step.price);
                if is_right { Ok(()) } else { Err(Some(step.price)) }
            }
        }
    }
}

impl<'a> TableComparison<'a> {
    pub(super) fn new(
        head: &'a TableHead,
        inputs: &'a SharedInputs,
        customer: &'a CustomerInputs,
        periods: Vec<Period>,
    ) -> Self {
        Self {
            head,
            inputs,
            customer,
            periods,
            products: 0,
            next: 0,
            miscalculated: None,
            unknown: None,
            base_differs: None,
            price_differs: None,
        }
    }

    /// Compares the next product of the table.
    pub(super) fn add(&mut self, row: &StoredTableRow) {
        let id = &row.product;
        self.products += 1;
        self.calculate(row);
        while let Some(listed) = self.inputs.prices.at(self.next) {
            match listed.id.cmp(id.as_str()) {
                Ordering::Less => self.missing(listed.id),
                Ordering::Equal => {
                    self.next += 1;
                    return self.compare(row, &listed);
                }
                Ordering::Greater => break,
            }
        }
        self.unknown.get_or_insert_with(|| format!("product `{id}` does not exist"));
    }

    /// Compares what comes after the last product of the table.
    pub(super) fn finish(mut self) -> Compared {
        while let Some(listed) = self.inputs.prices.at(self.next) {
            self.missing(listed.id);
        }
        let (says, is) = (self.head.products, self.products);
        let miscounted =
            (says != is).then(|| format!("it has {is} products, and its head says {says}"));
        let of_base = self.rounding().or(self.unknown).or(self.base_differs);
        let of_base = of_base.map(|what| PriceDifference { what, is_of_base: true });
        let in_other = in_other_currency(self.head, self.inputs, self.customer);
        let differs = self.price_differs.map(|what| PriceDifference { what, is_of_base: false });
        Compared {
            contradiction: miscounted.or(self.miscalculated),
            difference: in_other.or(of_base).or(differs),
        }
    }

    fn rounding(&self) -> Option<String> {
        let (is, other) = (self.head.rounding, self.inputs.head.rounding);
        (is != other).then(|| {
            let shown = |it: crate::pricing::UnitRounding| {
                format!("{} with {} unit decimals", it.rounding, it.unit_decimals)
            };
            format!("it is rounded {}, the stack rounds {}", shown(is), shown(other))
        })
    }

    /// Checks that every calculated price follows from the list price in the table itself.
    fn calculate(&mut self, row: &StoredTableRow) {
        let follows = |rule: PriceRule, price: Money| {
            let Goods { list_price, floor, rounding } = row.goods;
            finished(rule, list_price, floor, rounding) == Some(i128::from(price.minor()))
        };
        let own = row.own.map(|own| (PriceRule::Percentage(own.discount.into()), own.price));
        let ladders = row.periods.iter().flat_map(|ladders| [&ladders.own, &ladders.terms]);
        let steps = ladders.flatten().flatten().filter_map(|step| match step.rule.kind {
            RuleKind::Percentage(rate) => Some((PriceRule::Percentage(rate), step.price)),
            _ => None,
        });
        let wrong = own.into_iter().chain(steps).find(|(rule, price)| !follows(*rule, *price));
        if let Some((PriceRule::Percentage(rate), price)) = wrong {
            let (id, list) = (&row.product, self.shown(row.goods.list_price));
            let unit = self.shown(Some(price));
            self.miscalculated.get_or_insert_with(|| {
                format!("product `{id}`: {list} less {rate} % is not {unit}")
            });
        }
    }

    fn missing(&mut self, listed: &str) {
        self.next += 1;
        self.base_differs.get_or_insert_with(|| format!("product `{listed}` is missing"));
    }

    fn compare(&mut self, row: &StoredTableRow, listed: &ListedProduct<'_>) {
        let of_catalogue = self.inputs.head.currency;
        let currencies = Currencies { of_customer: self.head.currency, of_catalogue };
        let goods = listed.goods(currencies, self.head.rounding.rounding);
        if let Some(what) = self.base_difference(row, listed, goods) {
            let id = &row.product;
            self.base_differs.get_or_insert_with(|| format!("product `{id}` {what}"));
            return;
        }
        if self.price_differs.is_some() {
            return;
        }
        let shared = self.customer.shared_rows(&row.product, listed.category());
        let own = self.customer.own_rows(&row.product, listed.category());
        self.price_differs = (0..self.periods.len()).find_map(|place| {
            let (period, ladders) = (&self.periods[place], row.periods.get(place)?);
            let terms = StoredPrice::of_terms(ladders);
            let is_stored = row.own.is_some() || ladders.own.is_some();
            let subject = self.subject(row, listed, goods, period.at);
            if !period.knows_terms {
                let what = self.price_difference(subject, &shared.lists(), &terms);
                if what.is_some() {
                    return what;
                }
            }
            if own.is_empty() && !is_stored {
                return None;
            }
            let all = own.lists().into_iter().chain(shared.lists()).collect::<Vec<_>>();
            self.price_difference(subject, &all, &StoredPrice::of(row, ladders))
        });
    }

    fn subject<'b>(
        &'b self,
        row: &'b StoredTableRow,
        listed: &ListedProduct<'b>,
        goods: Goods,
        at: Timestamp,
    ) -> Subject<'b> {
        Subject {
            customer: &self.customer.customer,
            currency: self.head.currency,
            product: &row.product,
            category: listed.category(),
            goods,
            quantity: Quantity::ONE,
            at,
        }
    }

    fn base_difference(
        &self,
        row: &StoredTableRow,
        listed: &ListedProduct<'_>,
        goods: Goods,
    ) -> Option<String> {
        let (says, is) = (row.goods, goods);
        if says.list_price != is.list_price {
            let [is, says] = [is.list_price, says.list_price].map(|price| self.shown(price));
            return Some(format!("costs {is}, the table says {says}"));
        }
        if !listed.is_called(&row.name) {
            return Some(format!("has another name, the table says `{}`", row.name));
        }
        if says.floor != is.floor {
            let [is, says] = [is.floor, says.floor].map(|price| self.shown(price));
            return Some(format!("has the floor {is}, the table says {says}"));
        }
        if row.category.as_ref() != listed.category() {
            return Some("is in another category than the table says".to_owned());
        }
        (row.quantities != listed.quantities())
            .then(|| "is sold in other quantities than the table says".to_owned())
    }

    /// Returns the first difference at any quantity.
    fn price_difference(
        &self,
        subject: Subject<'_>,
        lists: &[GivenList<'_>],
        stored: &StoredPrice<'_>,
    ) -> Option<String> {
        if lists.is_empty() && matches!(stored, StoredPrice::List) {
            return None;
        }
        quantities_of(lists, stored.starts()).into_iter().find_map(|quantity| {
            let expected = expected(&Subject { quantity, ..subject }, lists);
            let says = stored.check(quantity, &expected).err()?;
            let id = subject.product;
            if let Some((is, says)) = discounts(&expected, stored) {
                let what =
                    format!("product `{id}` has a discount of {is} %, the table says {says} %");
                return Some(what);
            }
            Some(self.differs(id, quantity, &expected, says))
        })
    }

    fn differs(
        &self,
        id: &ProductId,
        quantity: Quantity,
        expected: &RecalculatedPrice,
        says: Option<Money>,
    ) -> String {
        let is = expected.unit_price.and_then(|price| i64::try_from(price).ok());
        let [is, says] = [is.map(Money::from_minor), says].map(|price| self.shown(price));
        let by = match expected.rule.as_ref().map(|rule| &rule.list) {
            None => "by its list price".to_owned(),
            Some(None) => "by the customer's own list".to_owned(),
            Some(Some(list)) => format!("by list `{list}`"),
        };
        let says = if is == says { "by another rule" } else { &says };
        format!("product `{id}` costs {is} from {quantity} on {by}, the table says {says}")
    }

    fn shown(&self, price: Option<Money>) -> String {
        let TableHead { currency, rounding, .. } = self.head;
        let shown =
            |price: Money| price.shown_as_unit(*currency, rounding.unit_decimals).to_string();
        price.map_or_else(|| "nothing".to_owned(), shown)
    }
}

/// Returns the expected and the stored discount, if each is on every quantity or zero.
fn discounts(
    expected: &RecalculatedPrice,
    stored: &StoredPrice<'_>,
) -> Option<(String, Percentage)> {
    let is = match &expected.rule {
        None => Percentage::default(),
        Some(_) => expected.plain_discount()?,
    };
    let says = match stored {
        StoredPrice::List => Percentage::default(),
        StoredPrice::Discount(own) => own.discount,
        StoredPrice::Steps(_) => return None,
    };
    Some((written(i128::from(is.millionths()), 6, 0), says))
}

fn in_other_currency(
    head: &TableHead,
    inputs: &SharedInputs,
    customer: &CustomerInputs,
) -> Option<PriceDifference> {
    let (is, own) = (head.currency, customer.customer.currency);
    let other = own.unwrap_or(inputs.head.currency);
    (is != other).then(|| {
        let is_of_base = own.is_none();
        let whose = if is_of_base { "the products are" } else { "the customer buys" };
        PriceDifference { what: format!("it is in {is}, {whose} in {other}"), is_of_base }
    })
}
