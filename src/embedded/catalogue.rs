//! The table of products and its head.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::rows::{currency, id};
use crate::model::{ProductId, Timestamp};
use crate::ports::{
    BeginLoad, CatalogueHead, CatalogueStore, Cursor, LoadId, LoadMark, Page, PortError,
};
use crate::pricing::{Money, Product};

/// How many products a page has.
const PAGE: usize = 4000;
/// The most products written in one job.
const CHUNK: usize = 500;

const HEAD: &str = "
    SELECT version, currency, load_id, load_deadline, coalesce(load_currency, currency)
    FROM catalogue_head";
const FIRST_MARK: &str = "
    INSERT INTO catalogue_head (id, version, load_id, load_deadline, currency, load_currency)
    VALUES (1, 0, ?1, ?2, ?3, ?3) ON CONFLICT DO NOTHING";
const MARK: &str = "
    UPDATE catalogue_head SET load_id = ?1, load_deadline = ?2, load_currency = ?3
    WHERE version = ?4 AND (load_id IS NULL OR load_deadline <= ?5)";
const EXTEND: &str = "UPDATE catalogue_head SET load_deadline = ?2 WHERE load_id = ?1";
const FINISH: &str = "
    UPDATE catalogue_head SET load_id = NULL, load_deadline = NULL, load_currency = NULL,
        version = version + 1, currency = coalesce(load_currency, currency)
    WHERE load_id = ?1 RETURNING version";
const PUT: &str = "
    INSERT INTO product (id, name, price) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET name = excluded.name, price = excluded.price";
pub(super) const GET: &str = "SELECT id, name, price FROM product WHERE id = ?1";
pub(super) const LIST: &str =
    "SELECT id, name, price FROM product WHERE id > ?1 ORDER BY id LIMIT ?2";

#[async_trait]
impl CatalogueStore for Embedded {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        self.look(1, head).await
    }

    async fn begin_load(
        &self,
        mark: &LoadMark,
        expected: Option<u64>,
        now: Timestamp,
    ) -> Result<BeginLoad, PortError> {
        let mark = mark.clone();
        self.write(move |tx| {
            let (id, deadline) = (&mark.id.0, mark.deadline.millis());
            let currency = mark.currency.code();
            let begun = match expected {
                None => tx.prepare_cached(FIRST_MARK)?.execute(params![id, deadline, currency])?,
                Some(version) => {
                    let of = params![id, deadline, currency, version, now.millis()];
                    tx.prepare_cached(MARK)?.execute(of)?
                }
            };
            Ok(if begun > 0 { BeginLoad::Begun } else { BeginLoad::Conflict })
        })
        .await
    }

    async fn extend_load(&self, mark: &LoadMark) -> Result<bool, PortError> {
        let mark = mark.clone();
        self.write(move |tx| {
            let deadline = mark.deadline.millis();
            Ok(tx.prepare_cached(EXTEND)?.execute(params![mark.id.0, deadline])? > 0)
        })
        .await
    }

    async fn finish_load(&self, load: &LoadId) -> Result<Option<u64>, PortError> {
        let load = load.clone();
        self.write(move |tx| {
            Ok(tx.prepare_cached(FINISH)?.query_row([&load.0], |row| row.get(0)).optional()?)
        })
        .await
    }

    async fn put_products(&self, products: &[Product]) -> Result<(), PortError> {
        for chunk in products.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            self.write(move |tx| {
                let mut statement = tx.prepare_cached(PUT)?;
                for product in &chunk {
                    let price = product.price.minor();
                    statement.execute(params![product.id.as_str(), product.name, price])?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn delete_products(&self, products: &[ProductId]) -> Result<(), PortError> {
        for chunk in products.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            self.write(move |tx| {
                let mut statement = tx.prepare_cached("DELETE FROM product WHERE id = ?1")?;
                for product in &chunk {
                    statement.execute([product.as_str()])?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<Product>, PortError> {
        let products = products.to_vec();
        self.look(products.len(), move |connection| {
            let mut statement = connection.prepare_cached(GET)?;
            let mut found = Vec::with_capacity(products.len());
            for id in &products {
                let row = statement.query_row([id.as_str()], |row| Ok(product(row))).optional()?;
                found.extend(row.transpose()?);
            }
            Ok(found)
        })
        .await
    }

    async fn list_products(&self, from: Option<Cursor>) -> Result<Page<Product>, PortError> {
        // No id is empty, so all come after the empty text.
        let after = from.map_or_else(String::new, |cursor| cursor.0);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query(params![after, PAGE])?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(product(row)?);
            }
            let last = items.last().filter(|_| items.len() == PAGE);
            let next = last.map(|product: &Product| Cursor(product.id.as_str().to_owned()));
            Ok(Page { items, next })
        })
        .await
    }
}

fn head(connection: &Connection) -> Result<Option<CatalogueHead>, Failure> {
    let mut statement = connection.prepare_cached(HEAD)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let load: Option<(String, i64)> = row.get::<_, Option<String>>(2)?.zip(row.get(3)?);
    let load_currency = currency(row, 4, "the currency of a load")?;
    Ok(Some(CatalogueHead {
        version: row.get(0)?,
        currency: currency(row, 1, "the currency of the catalogue")?,
        loading: load.map(|(id, deadline)| LoadMark {
            id: LoadId(id),
            deadline: Timestamp::from_millis(deadline),
            currency: load_currency,
        }),
    }))
}

fn product(row: &Row<'_>) -> Result<Product, Failure> {
    Ok(Product {
        id: id(row, 0, "a product", ProductId::stored)?,
        name: row.get(1)?,
        price: Money::from_minor(row.get(2)?),
    })
}
