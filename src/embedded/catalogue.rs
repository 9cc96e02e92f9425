//! The table of products, and the head of everything that loads bring.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::engine::Embedded;
use super::failure::{Failure, Text};
use super::loaded::{Keys, Table, keys};
use super::rows::{currency, from_json, id};
use crate::model::ProductId;
use crate::ports::{
    AtHead, CatalogueHead, CatalogueStore, Cursor, LoadId, OfRecord, Page, PortError, RecordKind,
    Segment,
};
use crate::pricing::{Money, Product, UnitRounding};

const HEAD: &str = "
    SELECT version, base_version, lists_version, shared_version, has_customers, currency,
        unit_decimals, rounding, load
    FROM catalogue_head LEFT JOIN journal ON journal.id = catalogue_head.unfolded";
const PUT_HEAD: &str = "
    INSERT INTO catalogue_head (id, version, base_version, lists_version, shared_version,
        has_customers, currency, unit_decimals, rounding, unfolded)
    VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT DO UPDATE SET version = excluded.version, base_version = excluded.base_version,
        lists_version = excluded.lists_version, shared_version = excluded.shared_version,
        has_customers = excluded.has_customers, currency = excluded.currency,
        unit_decimals = excluded.unit_decimals, rounding = excluded.rounding,
        unfolded = excluded.unfolded, half_loaded = 0";
pub(super) const GET: &str = "SELECT id, name, price, detail FROM product WHERE id = ?1";
pub(super) const LIST: &str = "
    SELECT id, name, price, detail FROM product WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3";

static PRODUCTS: Table<Product> = Table {
    kind: RecordKind::Product,
    get: GET,
    list: LIST,
    page: 4000,
    row: product,
    of: Product::of,
};
const IS_HALF_LOADED: &str = "SELECT 1 FROM catalogue_head WHERE half_loaded";

#[async_trait]
impl CatalogueStore for Embedded {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        self.look_once(head).await
    }

    fn head_kept_for(&self) -> Duration {
        Duration::ZERO
    }

    async fn products(
        &self,
        products: &[ProductId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Product>>, PortError> {
        self.rows_at(&PRODUCTS, keys(products), at).await
    }

    async fn list_products(
        &self,
        at: &CatalogueHead,
        segment: Segment,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Product>>, PortError> {
        Ok(self.page_at(&PRODUCTS, Keys::all(from), at).await?.within(segment))
    }

    fn product_segments(&self) -> u32 {
        1
    }
}

impl Embedded {
    /// Whether products and discounts are of two loads: an earlier release left one half done, and no
    /// load has come into force since.
    ///
    /// # Errors
    /// [`PortError`] when the store cannot be read.
    pub async fn is_half_loaded(&self) -> Result<bool, PortError> {
        self.look_once(|connection| {
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
        lists_version: row.get(2)?,
        shared_version: row.get(3)?,
        has_customers: row.get(4)?,
        currency: currency(row, 5, "the currency of the catalogue")?,
        rounding: rounding(row)?,
        unfolded: row.get::<_, Option<String>>(8)?.map(LoadId),
    }))
}

fn rounding(row: &Row<'_>) -> Result<UnitRounding, Failure> {
    let text: String = row.get(7)?;
    let rounding = text.parse();
    let rounding = rounding
        .map_err(|error| Failure::unreadable("the rounding of the catalogue", Text(error)))?;
    Ok(UnitRounding { unit_decimals: row.get(6)?, rounding })
}

/// Writes the head, with the number of the journal that is not folded.
pub(super) fn put_head(
    connection: &Connection,
    head: &CatalogueHead,
    journal: i64,
) -> Result<(), Failure> {
    let UnitRounding { unit_decimals, rounding } = head.rounding;
    let values = params![
        head.version,
        head.base_version,
        head.lists_version,
        head.shared_version,
        head.has_customers,
        head.currency.code(),
        unit_decimals,
        rounding.to_string(),
        journal,
    ];
    connection.prepare_cached(PUT_HEAD)?.execute(values)?;
    Ok(())
}

fn product(row: &Row<'_>) -> Result<Product, Failure> {
    let id = id(row, 0, "a product", ProductId::stored)?;
    let detail: Option<String> = row.get(3)?;
    let detail = detail.map(|json| from_json(&json, || format!("the detail of product `{id}`")));
    Ok(Product {
        name: row.get(1)?,
        price: row.get::<_, Option<i64>>(2)?.map(Money::from_minor),
        detail: detail.transpose()?,
        id,
    })
}
