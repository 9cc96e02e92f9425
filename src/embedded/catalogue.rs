//! The table of products.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Row;

use super::engine::Embedded;
use super::failure::Failure;
use super::head::head;
use super::loaded::{Keys, LoadedTable, keys};
use super::rows::{from_json, id};
use crate::model::ProductId;
use crate::ports::{
    AtHead, CatalogueHead, CatalogueStore, Cursor, OfRecord, Page, PortError, RecordKind, Segment,
};
use crate::pricing::{Money, Product};

pub(super) const GET: &str = "SELECT id, name, price, detail FROM product WHERE id = ?1";
pub(super) const LIST: &str = "
    SELECT id, name, price, detail FROM product WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3";

static PRODUCTS: LoadedTable<Product> = LoadedTable {
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
    /// Whether products and discounts are of two loads, because an earlier release left a load half done,
    /// and no load has come into force since.
    ///
    /// # Errors
    /// [`PortError`] if the store cannot be read.
    pub async fn is_half_loaded(&self) -> Result<bool, PortError> {
        self.look_once(|connection| {
            let mut statement = connection.prepare_cached(IS_HALF_LOADED)?;
            Ok(statement.exists([])?)
        })
        .await
    }
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
