//! The table of products, and the item in it that is the catalogue's head.

use std::time::Duration;

use async_trait::async_trait;

use super::head::{self, VERSION};
use super::item::{self, FieldError, Item, item, number, text};
use super::loaded::{Loaded, RowSet};
use super::names::DynamoTable;
use super::tables::{Tables, corrupt};
use crate::model::ProductId;
use crate::ports::{
    AtHead, CatalogueHead, CatalogueStore, Cursor, Page, PortError, RecordKey, Segment,
};
use crate::pricing::{Money, Product};

/// The attribute for properties that few products have, as JSON.
const DETAIL: &str = "detail";

impl Loaded for Product {
    type Id = ProductId;
    const TABLE: DynamoTable = DynamoTable::Products;

    fn record_key(id: &ProductId) -> RecordKey {
        RecordKey::Product(id.clone())
    }

    fn read(item: &Item) -> Result<Self, PortError> {
        let product = || -> Result<Product, FieldError> {
            let price = item.get("price").map(|_| item::read_number(item, "price"));
            let detail = item.get(DETAIL).map(|_| item::read_json(item, DETAIL));
            Ok(Product {
                id: item::read_as(item, "product_id", ProductId::stored)?,
                name: item::read_text(item, "name")?.to_owned(),
                price: price.transpose()?.map(Money::from_minor),
                detail: detail.transpose()?,
            })
        };
        product().map_err(|error| {
            let id = item::read_text(item, "product_id").unwrap_or("?");
            corrupt(format_args!("product `{id}`"), error)
        })
    }

    fn write(&self, version: u64) -> Result<Item, PortError> {
        let mut item = item([
            ("product_id", text(self.id.as_str())),
            ("name", text(&self.name)),
            (VERSION, number(version)),
        ]);
        if let Some(price) = self.price {
            // The price is in units of the head's currency, so the number alone is exact.
            item.insert("price".to_owned(), number(price.minor()));
        }
        if let Some(detail) = &self.detail {
            let what = format!("the detail of product `{}`", self.id);
            item.insert(DETAIL.to_owned(), item::json(&what, detail)?);
        }
        Ok(item)
    }
}

/// How long a process keeps the head. So a quote may see a load up to a second late.
const HEAD_KEPT_FOR: Duration = Duration::from_secs(1);
/// How many segments of the catalogue are read in parallel. A page takes a tenth of a second, so with more
/// segments pages would wait for the processor.
const PRODUCT_SEGMENTS: u32 = 8;

#[async_trait]
impl CatalogueStore for Tables {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        match self.head_item().await? {
            Some(item) => head::read(&item),
            None => Ok(None),
        }
    }

    fn head_kept_for(&self) -> Duration {
        HEAD_KEPT_FOR
    }

    async fn products(
        &self,
        products: &[ProductId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Product>>, PortError> {
        self.rows_at(products, at).await
    }

    async fn list_products(
        &self,
        at: &CatalogueHead,
        segment: Segment,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Product>>, PortError> {
        let rows = if segment == Segment::ALL { RowSet::All } else { RowSet::Segment(segment) };
        self.list_at(rows, at, from, Product::read, |product| product).await
    }

    fn product_segments(&self) -> u32 {
        PRODUCT_SEGMENTS
    }
}
