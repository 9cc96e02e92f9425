//! Reads a customer's whole table, product by product, to show or check it. Quotes read only parts of it.

use bytes::Bytes;
use thiserror::Error;

use super::{BaseName, OwnStorage, PortError, Store, StoredBase, TableHead, parts_of};
use crate::model::{ProductId, Quantity, Timestamp, UserId};
use crate::pricing::{
    BaseEntry, BasePart, LadderRows, OwnRows, PackError, PriceRow, ProductPrice, QuantityRules,
    Rule, Step,
};

/// One product of a customer's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// The id of the product.
    pub product: ProductId,
    /// The name of the product.
    pub name: String,
    /// The quantities in which it is sold.
    pub quantities: QuantityRules,
    /// The price for a quantity of one, or of the smallest quantity sold if that is more. `None` if it has no
    /// price.
    pub entry: Option<ProductPrice>,
    /// The ladder by quantity, if there is one. Below its first step the list price applies.
    pub ladder: Vec<(Step, Rule)>,
}

/// Why a table cannot be read.
#[derive(Debug, Error)]
pub enum TableError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A base that the table names is missing.
    #[error("base {name} is not there")]
    NoBase {
        /// The name of the base.
        name: BaseName,
    },
    /// A part of a base is missing, or does not match the index.
    #[error("part {number} of base {name} is not there")]
    NoBasePart {
        /// The name of the base.
        name: BaseName,
        /// The number of the part.
        number: u32,
    },
    /// A part of the own rows is missing, because the table was replaced while it was read.
    #[error("part {number} of {parts} is not there")]
    NoPart {
        /// The number of the part.
        number: usize,
        /// The number of all parts.
        parts: usize,
    },
    /// A stored part cannot be unpacked.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The stored parts contradict each other.
    #[error("{0}")]
    Contradiction(String),
}

/// Reads one table, one part of its base at a time.
pub struct TableReader<'a> {
    store: &'a dyn Store,
    name: BaseName,
    base: StoredBase,
    own: OwnRows,
    /// The ladders of each part.
    ladders: Vec<LadderRows>,
    terms: Option<(BaseName, StoredBase)>,
}

impl<'a> TableReader<'a> {
    /// Opens the table of a head as it is at `now`. Reads its own rows, and the indexes of its bases.
    ///
    /// # Errors
    /// [`TableError`] if something is missing or cannot be read.
    pub async fn open(
        store: &'a dyn Store,
        user: &UserId,
        head: &TableHead,
        now: Timestamp,
    ) -> Result<Self, TableError> {
        let name = head.base();
        let base = match store.base(&name).await? {
            None if head.products > 0 => return Err(TableError::NoBase { name }),
            None => StoredBase::nothing(head.currency),
            Some(base) => base,
        };
        let prices = head.prices_at(now);
        let terms = match head.base_of(prices) {
            None => None,
            Some(name) => {
                let base = store.base(&name).await?.ok_or(TableError::NoBase { name })?;
                Some((name, base))
            }
        };
        let mut own = vec![];
        for part in own_parts(store, user, head, &head.own, 0).await? {
            own.extend_from_slice(OwnRows::decode(&part)?.as_slice());
        }
        let own = OwnRows::new(own).ok_or_else(|| {
            TableError::Contradiction("its parts are not in their order".to_owned())
        })?;
        let ladders = own_parts(store, user, head, &prices.ladders, prices.first_part).await?;
        let ladders = ladders.iter().map(|part| LadderRows::decode(part));
        let ladders = ladders.collect::<Result<Vec<_>, _>>()?;
        let last = own.as_slice().last().map(|row| row.index);
        let last = last.max(ladders.iter().filter_map(LadderRows::last_index).max());
        if let Some(index) = last.filter(|index| *index >= base.index.products) {
            let products = base.index.products;
            let what = format!("it has a row of product number {index}, of {products}");
            return Err(TableError::Contradiction(what));
        }
        Ok(Self { store, name, base, own, ladders, terms })
    }

    /// The number of products.
    #[must_use]
    pub const fn products(&self) -> u32 {
        self.base.index.products
    }

    /// The discounts at every quantity that only this customer has.
    #[must_use]
    pub const fn own(&self) -> &OwnRows {
        &self.own
    }

    /// Returns the parts of the base that may have these products, or all parts.
    #[must_use]
    pub fn parts(&self, of: Option<&[ProductId]>) -> Vec<u32> {
        let Some(products) = of else { return (0..).take(self.base.index.parts.len()).collect() };
        let mut numbers: Vec<u32> =
            products.iter().filter_map(|product| self.base.index.part_of(product)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Returns the products of some parts, sorted by id if the parts are in order.
    ///
    /// # Errors
    /// [`TableError`] if something is missing or cannot be read.
    pub async fn rows(&self, numbers: &[u32]) -> Result<Vec<TableRow>, TableError> {
        let mut rows = vec![];
        let parts = self.store.base_parts(&self.name, numbers).await?;
        for (&number, bytes) in numbers.iter().zip(parts) {
            let missing = || TableError::NoBasePart { name: self.name, number };
            let part = BasePart::decode(&bytes.ok_or_else(missing)?)?;
            let first = self.base.index.first_of(number).ok_or_else(missing)?;
            if !self.base.index.fits(number, &part) {
                return Err(missing());
            }
            let last = first + (part.len() as u32).saturating_sub(1);
            let terms = self.terms_between(first, last).await?;
            for (index, product) in (first..).zip(part.iter()) {
                rows.push(self.row(index, &product, &terms)?);
            }
        }
        Ok(rows)
    }

    fn row(
        &self,
        index: u32,
        product: &BaseEntry<'_>,
        terms: &[LadderRows],
    ) -> Result<TableRow, TableError> {
        let id = ProductId::stored(product.id)
            .map_err(|error| TableError::Contradiction(error.to_string()))?;
        let quantity = product.quantities.first_from(Quantity::ONE.into()).unwrap_or(Quantity::ONE);
        let discount = || Ok::<_, TableError>(self.own.find(index));
        let row = PriceRow::first(ladder_of(&self.ladders, index), discount, || {
            Ok(ladder_of(terms, index))
        })?;
        let damaged = || {
            TableError::Contradiction(format!(
                "product `{id}` costs less than nothing, or has no rule"
            ))
        };
        let entry = row.entry(product, quantity).ok_or_else(damaged)?;
        let ladder = match row {
            PriceRow::Ladder { steps, rules } => steps
                .iter()
                .map(|step| Some((*step, rules.get(step.rule as usize)?.clone())))
                .collect::<Option<_>>()
                .ok_or_else(damaged)?,
            PriceRow::Discount(_) | PriceRow::ListPrice => vec![],
        };
        let (name, quantities) = (product.name.to_owned(), product.quantities);
        Ok(TableRow { product: id, name, quantities, entry, ladder })
    }

    /// Returns the rows of the terms for the products between two indexes.
    async fn terms_between(&self, first: u32, last: u32) -> Result<Vec<LadderRows>, TableError> {
        let Some((name, base)) = &self.terms else { return Ok(vec![]) };
        let Some(end) = base.index.part_at(last) else { return Ok(vec![]) };
        let numbers: Vec<u32> = (base.index.part_at(first).unwrap_or(0)..=end).collect();
        let parts = self.store.base_parts(name, &numbers).await?;
        let parts = numbers.iter().zip(parts).map(|(&number, bytes)| {
            let missing = || TableError::NoBasePart { name: *name, number };
            let part = LadderRows::decode(&bytes.ok_or_else(missing)?)?;
            if base.index.fits_ladders(number, &part) { Ok(part) } else { Err(missing()) }
        });
        parts.collect()
    }
}

/// Returns the ladder of the product with this index, if one of the parts has it.
fn ladder_of(parts: &[LadderRows], index: u32) -> Option<PriceRow<'_>> {
    parts.iter().find_map(|rows| PriceRow::of(rows, index))
}

/// Reads the parts of some own rows, numbered from `first_part`; none if there are no rows.
async fn own_parts(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    own: &OwnStorage,
    first_part: u32,
) -> Result<Vec<Bytes>, TableError> {
    let first = match own {
        OwnStorage::Inline(rows) if rows.is_empty() => return Ok(vec![]),
        OwnStorage::Inline(rows) => return Ok(vec![rows.clone()]),
        OwnStorage::Parts(first) => first,
    };
    let numbers: Vec<u32> = (first_part..).take(first.len()).collect();
    let parts = parts_of(store, user, &head.generation, &numbers).await?;
    let named = parts.into_iter().enumerate();
    named
        .map(|(number, part)| part.ok_or(TableError::NoPart { number, parts: numbers.len() }))
        .collect()
}
