//! A table as it is stored, product by product: the base that its head names, and the rows in or beside
//! the head.

use super::VerifyError;
use super::packed::{BaseRow, OwnRow, base_rows, own_rows};
use crate::model::{ProductId, UserId};
use crate::ports::{Own, PortError, Store, StoredBase, TableHead, parts_of};
use crate::pricing::{Entry, Money, Percentage};

/// So many parts are read at once: 2 MB at most.
const PARTS_AT_ONCE: usize = 64;

/// One product of a user's table.
pub(super) struct TableRow {
    pub(super) product: ProductId,
    /// What the base calls it.
    pub(super) name: String,
    pub(super) entry: Entry,
}

/// Why a table cannot be shown.
enum Failure {
    Port(PortError),
    /// It is wrong: this is how.
    Wrong(String),
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

/// Shows every product of a table, in the order of their ids, a few parts at a time. Says what is wrong
/// with the first part that cannot be read.
pub(super) async fn read_rows(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    show: &mut (dyn FnMut(TableRow) + Send),
) -> Result<Result<(), String>, VerifyError> {
    match try_read_rows(store, user, head, show).await {
        Ok(()) => Ok(Ok(())),
        Err(Failure::Port(error)) => Err(error.into()),
        Err(Failure::Wrong(why)) => Ok(Err(why)),
    }
}

async fn try_read_rows(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    show: &mut (dyn FnMut(TableRow) + Send),
) -> Result<(), Failure> {
    let version = head.base_version;
    let base = match store.base(version).await? {
        None if head.products > 0 => {
            return Err(format!("the base of version {version} is not there").into());
        }
        None => StoredBase::nothing(head.currency),
        Some(base) => base,
    };
    let own = own_of(store, user, head).await?;
    let products = u64::from(base.index.products);
    if let Some(row) = own.iter().find(|row| row.index >= products) {
        let index = row.index;
        return Err(format!("it has a row of product number {index}, of {products}").into());
    }
    let mut table = Table { own: own.into_iter().peekable(), next: 0, last: None };
    let numbers: Vec<u32> = (0..).take(base.index.parts.len()).collect();
    for some in numbers.chunks(PARTS_AT_ONCE) {
        let parts = store.base_parts(version, some).await?;
        for (&number, bytes) in some.iter().zip(parts) {
            let named = || format!("part {number} of the base of version {version}");
            let bytes = bytes.ok_or_else(|| format!("{} is not there", named()))?;
            let rows = base_rows(&bytes)?;
            let begins = base.index.parts.get(number as usize).is_some_and(|start| {
                u64::from(start.index) == table.next
                    && rows.first().is_some_and(|row| row.id == start.product.as_str())
            });
            if !begins {
                return Err(format!("{} does not begin as its index says", named()).into());
            }
            for row in rows {
                show(table.row(row)?);
            }
        }
    }
    match table.next == products {
        true => Ok(()),
        false => {
            Err(format!("the base has {} products, its index says {products}", table.next).into())
        }
    }
}

/// A table of which the first products have been shown.
struct Table<I: Iterator<Item = OwnRow>> {
    own: std::iter::Peekable<I>,
    /// The index of the next product.
    next: u64,
    last: Option<ProductId>,
}

impl<I: Iterator<Item = OwnRow>> Table<I> {
    fn row(&mut self, base: BaseRow) -> Result<TableRow, String> {
        let BaseRow { id, name, price } = base;
        let product = ProductId::stored(id).map_err(|error| error.to_string())?;
        if self.last.as_ref().is_some_and(|last| *last >= product) {
            return Err(format!("product `{product}` is not in its order"));
        }
        let own = self.own.next_if(|row| row.index == self.next);
        let (discount, saving) = own.map_or((0, 0), |row| (row.discount, row.saving));
        let unit_price = price
            .checked_sub(saving)
            .ok_or_else(|| format!("product `{product}` costs less than nothing"))?;
        let discount = u32::try_from(discount).ok().and_then(Percentage::from_millionths);
        let discount = discount
            .ok_or_else(|| format!("product `{product}` has a discount of more than 100 %"))?;
        let money = |minor| i64::try_from(minor).map(Money::from_minor);
        let (Ok(list_price), Ok(unit_price)) = (money(price), money(unit_price)) else {
            return Err(format!("product `{product}` has a price that is out of range"));
        };
        self.next += 1;
        self.last = Some(product.clone());
        Ok(TableRow { product, name, entry: Entry { list_price, discount, unit_price } })
    }
}

async fn own_of(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
) -> Result<Vec<OwnRow>, Failure> {
    let first = match &head.own {
        Own::Inline(rows) if rows.is_empty() => return Ok(vec![]),
        Own::Inline(rows) => return Ok(own_rows(rows)?),
        Own::Parts(first) => first,
    };
    let numbers: Vec<u32> = (0..).take(first.len()).collect();
    let parts = parts_of(store, user, &head.generation, &numbers).await?;
    let mut own: Vec<OwnRow> = vec![];
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
