//! Reads a stored table product by product: the bases that its head names, and the own rows in the head
//! or beside it.

use super::error::{TableFailure, VerifyError};
use super::packed::{BaseRow, StoredOwnRow, StoredStep, base_rows, own_rows};
use super::stored_ladders::StoredLadders;
use crate::model::{ProductId, Quantity, UserId};
use crate::ports::{OwnStorage, Store, StoredBase, TableHead, parts_of};
use crate::pricing::{Category, Goods, Money, Percentage, QuantityRules};

/// The number of parts that are read at once, 2 MB at most.
const PARTS_AT_ONCE: usize = 64;

/// One product of a customer's table.
pub(super) struct StoredTableRow {
    pub(super) product: ProductId,
    /// The name in the base.
    pub(super) name: String,
    /// The inputs for calculated prices, from the base.
    pub(super) goods: Goods,
    pub(super) quantities: QuantityRules,
    pub(super) category: Option<Category>,
    /// A discount on every quantity that only this customer has.
    pub(super) own: Option<OwnPrice>,
    /// The ladders until the next time a price list begins or ends and, if those are prepared already,
    /// from then on.
    pub(super) periods: Vec<Ladders>,
}

/// The result of a customer's own discount for a product.
#[derive(Clone, Copy)]
pub(super) struct OwnPrice {
    pub(super) discount: Percentage,
    pub(super) price: Money,
}

/// The steps of a product while the same price lists are in force.
#[derive(Default)]
pub(super) struct Ladders {
    /// The steps that only this customer has.
    pub(super) own: Option<Vec<StoredStep>>,
    /// The steps of the terms, which the customer shares with others.
    pub(super) terms: Option<Vec<StoredStep>>,
}

/// Shows every product of a table in the order of ids, a few parts at a time. The inner error says what
/// is wrong with the first part that cannot be read.
pub(super) async fn read_rows(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    show: &mut (dyn FnMut(StoredTableRow) + Send),
) -> Result<Result<(), String>, VerifyError> {
    match try_read_rows(store, user, head, show).await {
        Ok(()) => Ok(Ok(())),
        Err(TableFailure::Port(error)) => Err(error.into()),
        Err(TableFailure::Wrong(why)) => Ok(Err(why)),
    }
}

async fn try_read_rows(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    show: &mut (dyn FnMut(StoredTableRow) + Send),
) -> Result<(), TableFailure> {
    let name = head.base();
    let base = match store.base(&name).await? {
        None if head.products > 0 => return Err(format!("the base {name} is not there").into()),
        None => StoredBase::nothing(head.currency),
        Some(base) => base,
    };
    let own = own_of(store, user, head).await?;
    let products = u64::from(base.index.products);
    if let Some(row) = own.iter().find(|row| row.index >= products) {
        let index = row.index;
        return Err(format!("it has a row of product number {index}, of {products}").into());
    }
    let mut ladders = vec![];
    for prices in head.periods() {
        let own = (&prices.ladders, prices.first_part);
        let own = StoredLadders::of_customer(store, user, head, own);
        let terms = match head.base_of(prices) {
            Some(name) => Some(StoredLadders::of_terms(store, name).await?),
            None => None,
        };
        ladders.push((own, terms));
    }
    let mut table =
        TableCursor { head, own: own.into_iter().peekable(), ladders, next: 0, last: None };
    let numbers: Vec<u32> = (0..).take(base.index.parts.len()).collect();
    for some in numbers.chunks(PARTS_AT_ONCE) {
        let parts = store.base_parts(&name, some).await?;
        for (&number, bytes) in some.iter().zip(parts) {
            let named = || format!("part {number} of the base {name}");
            let bytes = bytes.ok_or_else(|| format!("{} is not there", named()))?;
            let rows = base_rows(&bytes)?;
            let begins = base.index.parts.get(number as usize).is_some_and(|start| {
                u64::from(start.index) == table.next
                    && rows.first().is_some_and(|row| row.id == start.product.as_str())
            });
            if !begins {
                return Err(format!("{} does not begin as its index says", named()).into());
            }
            table.read_ladders(rows.len() as u64).await?;
            for row in rows {
                show(table.row(row)?);
            }
        }
    }
    if table.next != products {
        let shown = table.next;
        let what = format!("the base has {shown} products, its index says {products}");
        return Err(what.into());
    }
    for (own, terms) in table.ladders {
        own.end(products).await?;
        if let Some(terms) = terms {
            terms.end(products).await?;
        }
    }
    Ok(())
}

/// A table whose first products have been shown.
struct TableCursor<'a, I: Iterator<Item = StoredOwnRow>> {
    head: &'a TableHead,
    own: std::iter::Peekable<I>,
    /// The ladders of each period.
    ladders: Vec<(StoredLadders<'a>, Option<StoredLadders<'a>>)>,
    /// The index of the next product.
    next: u64,
    last: Option<ProductId>,
}

impl<I: Iterator<Item = StoredOwnRow>> TableCursor<'_, I> {
    /// Reads the ladders of the next `count` products.
    async fn read_ladders(&mut self, count: u64) -> Result<(), TableFailure> {
        let end = self.next + count;
        for (own, terms) in &mut self.ladders {
            own.read_before(end).await?;
            if let Some(terms) = terms {
                terms.read_before(end).await?;
            }
        }
        Ok(())
    }

    fn row(&mut self, base: BaseRow) -> Result<StoredTableRow, String> {
        let BaseRow { id, name, price, floor, quantities, category } = base;
        let product = ProductId::stored(id).map_err(|error| error.to_string())?;
        if self.last.as_ref().is_some_and(|last| *last >= product) {
            return Err(format!("product `{product}` is not in its order"));
        }
        let index = self.next;
        let own = match (self.own.next_if(|row| row.index == index), price) {
            (None, _) => None,
            (Some(row), Some(price)) => Some(own_price(&product, &row, price)?),
            (Some(_), None) => {
                return Err(format!("product `{product}` has a discount, and no list price"));
            }
        };
        let periods = self.ladders.iter_mut().map(|(own, terms)| Ladders {
            own: own.take(index),
            terms: terms.as_mut().and_then(|terms| terms.take(index)),
        });
        let periods = periods.collect();
        let money = |units: Option<u64>| units.map(|units| in_range(&product, units)).transpose();
        let rounding = self.head.rounding.rounding;
        let goods = Goods { list_price: money(price)?, floor: money(floor)?, rounding };
        let quantities = quantity_rules(quantities)
            .ok_or_else(|| format!("product `{product}` is sold in quantities that are none"))?;
        let category = category.map(|path| path.parse()).transpose();
        let category =
            category.map_err(|_| format!("product `{product}` has an invalid category"))?;
        self.next += 1;
        self.last = Some(product.clone());
        Ok(StoredTableRow { product, name, goods, quantities, category, own, periods })
    }
}

fn own_price(product: &ProductId, row: &StoredOwnRow, list_price: u64) -> Result<OwnPrice, String> {
    let price = list_price
        .checked_sub(row.saving)
        .ok_or_else(|| format!("product `{product}` costs less than nothing"))?;
    let discount = u32::try_from(row.discount).ok().and_then(Percentage::from_millionths);
    let discount =
        discount.ok_or_else(|| format!("product `{product}` has a discount of more than 100 %"))?;
    Ok(OwnPrice { discount, price: in_range(product, price)? })
}

fn in_range(product: &ProductId, units: u64) -> Result<Money, String> {
    let money = i64::try_from(units).map(Money::from_minor);
    money.map_err(|_| format!("product `{product}` has a price that is out of range"))
}

fn quantity_rules([min, step, max]: [u64; 3]) -> Option<QuantityRules> {
    let quantity = |thousandths: u64| match i64::try_from(thousandths) {
        Ok(0) => Some(None),
        Ok(thousandths) => Quantity::from_thousandths(thousandths).map(Some),
        Err(_) => None,
    };
    QuantityRules::new(quantity(min)?, quantity(step)?, quantity(max)?).ok()
}

async fn own_of(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
) -> Result<Vec<StoredOwnRow>, TableFailure> {
    let first = match &head.own {
        OwnStorage::Inline(rows) if rows.is_empty() => return Ok(vec![]),
        OwnStorage::Inline(rows) => return Ok(own_rows(rows)?),
        OwnStorage::Parts(first) => first,
    };
    let numbers: Vec<u32> = (0..).take(first.len()).collect();
    let parts = parts_of(store, user, &head.generation, &numbers).await?;
    let mut own: Vec<StoredOwnRow> = vec![];
    for (number, (part, first)) in parts.into_iter().zip(first).enumerate() {
        let part =
            part.ok_or_else(|| format!("part {number} of {} is not there", numbers.len()))?;
        let rows = own_rows(&part)?;
        if rows.first().is_none_or(|row| row.index != u64::from(*first)) {
            let what = format!("part {number} does not begin with product number {first}");
            return Err(what.into());
        }
        own.extend(rows);
    }
    match own.is_sorted_by(|a, b| a.index < b.index) {
        true => Ok(own),
        false => Err("its parts are not in their order".to_owned().into()),
    }
}
