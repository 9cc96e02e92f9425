//! A user's whole table, product by product, for whoever shows or checks it. Quotes read less.

use thiserror::Error;

use super::{Own, PortError, Store, StoredBase, TableHead, parts_of};
use crate::model::{ProductId, UserId};
use crate::pricing::{BasePart, Entry, OwnRows, PackError};

/// One product of a user's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Which product.
    pub product: ProductId,
    /// What people call it.
    pub name: String,
    /// What it costs this user.
    pub entry: Entry,
}

/// Why a table cannot be read.
#[derive(Debug, Error)]
pub enum TableError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The base that it was priced against is not there.
    #[error("the base of version {version} is not there")]
    NoBase {
        /// Of which version.
        version: u64,
    },
    /// A part of that base is not there, or is not the one that its index means.
    #[error("part {number} of the base of version {version} is not there")]
    NoBasePart {
        /// Of which version.
        version: u64,
        /// Which part.
        number: u32,
    },
    /// Own rows are not there: the table was replaced while it was read.
    #[error("part {number} of {parts} is not there")]
    NoPart {
        /// Which part.
        number: usize,
        /// Of how many.
        parts: usize,
    },
    /// What is stored cannot be read.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// What is stored does not go together.
    #[error("{0}")]
    Contradiction(String),
}

/// Reads one table, a part of its base at a time.
pub struct TableReader<'a> {
    store: &'a dyn Store,
    version: u64,
    base: StoredBase,
    own: OwnRows,
}

impl<'a> TableReader<'a> {
    /// Begins to read the table of a head: its own rows and the index of its base.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn open(
        store: &'a dyn Store,
        user: &UserId,
        head: &TableHead,
    ) -> Result<Self, TableError> {
        let version = head.base_version;
        let base = store.base(version).await?;
        let base = match base {
            None if head.products > 0 => return Err(TableError::NoBase { version }),
            None => StoredBase::nothing(head.currency),
            Some(base) => base,
        };
        let own = own_rows(store, user, head).await?;
        if let Some(row) = own.as_slice().iter().find(|row| row.index >= base.index.products) {
            let (index, products) = (row.index, base.index.products);
            let what = format!("it has a row of product number {index}, of {products}");
            return Err(TableError::Contradiction(what));
        }
        Ok(Self { store, version, base, own })
    }

    /// How many products it has.
    #[must_use]
    pub const fn products(&self) -> u32 {
        self.base.index.products
    }

    /// The rows that only this user has.
    #[must_use]
    pub const fn own(&self) -> &OwnRows {
        &self.own
    }

    /// The parts of the base that have these products, or all of them.
    #[must_use]
    pub fn parts(&self, of: Option<&[ProductId]>) -> Vec<u32> {
        let Some(products) = of else { return (0..).take(self.base.index.parts.len()).collect() };
        let mut numbers: Vec<u32> =
            products.iter().filter_map(|product| self.base.index.part_of(product)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The products of some parts, in the order of their ids.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn rows(&self, numbers: &[u32]) -> Result<Vec<TableRow>, TableError> {
        let mut rows = vec![];
        let parts = self.store.base_parts(self.version, numbers).await?;
        for (&number, bytes) in numbers.iter().zip(parts) {
            let missing = || TableError::NoBasePart { version: self.version, number };
            let part = BasePart::decode(&bytes.ok_or_else(missing)?)?;
            let first = self.base.index.first_of(number).ok_or_else(missing)?;
            if !self.base.index.fits(number, &part) {
                return Err(missing());
            }
            for (index, product) in (first..).zip(part.iter()) {
                let id = ProductId::stored(product.id)
                    .map_err(|error| TableError::Contradiction(error.to_string()))?;
                let entry = self.own.entry(index, product.list_price).ok_or_else(|| {
                    TableError::Contradiction(format!("product `{id}` costs less than nothing"))
                })?;
                rows.push(TableRow { product: id, name: product.name.to_owned(), entry });
            }
        }
        Ok(rows)
    }
}

async fn own_rows(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
) -> Result<OwnRows, TableError> {
    let first = match &head.own {
        Own::Inline(rows) if rows.is_empty() => return Ok(OwnRows::default()),
        Own::Inline(rows) => return Ok(OwnRows::decode(rows)?),
        Own::Parts(first) => first,
    };
    let numbers: Vec<u32> = (0..).take(first.len()).collect();
    let parts = parts_of(store, user, &head.generation, &numbers).await?;
    let mut own = vec![];
    for (number, (part, first)) in parts.into_iter().zip(first).enumerate() {
        let part = part.ok_or(TableError::NoPart { number, parts: numbers.len() })?;
        let part = OwnRows::decode(&part)?;
        if part.as_slice().first().is_none_or(|row| row.index != *first) {
            let what = format!("part {number} does not begin with product number {first}");
            return Err(TableError::Contradiction(what));
        }
        own.extend_from_slice(part.as_slice());
    }
    OwnRows::new(own)
        .ok_or_else(|| TableError::Contradiction("its parts are not in their order".to_owned()))
}
