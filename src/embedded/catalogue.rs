//! The table of products, and the head of everything that loads bring.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::journal_rows::{Kind, Overlay, listed};
use super::rows::{currency, id};
use crate::model::ProductId;
use crate::ports::{
    AtHead, CatalogueHead, CatalogueStore, Cursor, LoadId, Page, PortError, Record,
};
use crate::pricing::{Money, Product};

/// How many products a page has.
const PAGE: usize = 4000;

const HEAD: &str = "
    SELECT version, base_version, currency, load
    FROM catalogue_head LEFT JOIN journal ON journal.id = catalogue_head.unfolded";
const IS_HALF_LOADED: &str = "SELECT 1 FROM catalogue_head WHERE half_loaded";
pub(super) const GET: &str = "SELECT id, name, price FROM product WHERE id = ?1";
pub(super) const LIST: &str =
    "SELECT id, name, price FROM product WHERE id > ?1 ORDER BY id LIMIT ?2";

#[async_trait]
impl CatalogueStore for Embedded {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        self.look(1, head).await
    }

    fn head_kept_for(&self) -> Duration {
        Duration::ZERO
    }

    async fn products(
        &self,
        products: &[ProductId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Product>>, PortError> {
        let (products, version) = (products.to_vec(), at.version);
        self.look(products.len(), move |connection| {
            let Some(overlay) = Overlay::at(connection, version)? else {
                return Ok(AtHead::Moved);
            };
            let mut statement = connection.prepare_cached(GET)?;
            let mut found = Vec::with_capacity(products.len());
            for id in &products {
                match overlay.over(Kind::Product, id.as_str())? {
                    Some(change) => found.extend(change.and_then(as_product)),
                    None => {
                        let row = statement.query_row([id.as_str()], |row| Ok(product(row)));
                        found.extend(row.optional()?.transpose()?);
                    }
                }
            }
            Ok(AtHead::Read(found))
        })
        .await
    }

    async fn list_products(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Product>>, PortError> {
        let version = at.version;
        self.read(move |connection| {
            let Some(overlay) = Overlay::at(connection, version)? else {
                return Ok(AtHead::Moved);
            };
            let rows = |after: &str| {
                let mut statement = connection.prepare_cached(LIST)?;
                let mut rows = statement.query(params![after, PAGE])?;
                let mut products = vec![];
                while let Some(row) = rows.next()? {
                    products.push(product(row)?);
                }
                Ok(products)
            };
            listed(&overlay, Kind::Product, from.as_ref(), PAGE, rows, as_product, key_of)
                .map(AtHead::Read)
        })
        .await
    }
}

impl Embedded {
    /// Whether products and discounts are of two loads: an earlier release left one half done, and no
    /// load has come into force since.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be read.
    pub async fn is_half_loaded(&self) -> Result<bool, PortError> {
        self.look(1, |connection| {
            let mut statement = connection.prepare_cached(IS_HALF_LOADED)?;
            Ok(statement.exists([])?)
        })
        .await
    }
}

pub(super) fn head(connection: &Connection) -> Result<Option<CatalogueHead>, Failure> {
    let mut statement = connection.prepare_cached(HEAD)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(CatalogueHead {
        version: row.get(0)?,
        base_version: row.get(1)?,
        currency: currency(row, 2, "the currency of the catalogue")?,
        unfolded: row.get::<_, Option<String>>(3)?.map(LoadId),
    }))
}

fn key_of(product: &Product) -> &str {
    product.id.as_str()
}

fn as_product(record: Record) -> Option<Product> {
    match record {
        Record::Product(product) => Some(product),
        Record::Discounts(_) => None,
    }
}

fn product(row: &Row<'_>) -> Result<Product, Failure> {
    Ok(Product {
        id: id(row, 0, "a product", ProductId::stored)?,
        name: row.get(1)?,
        price: Money::from_minor(row.get(2)?),
    })
}
