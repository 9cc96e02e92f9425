//! The table of products and its head.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::engine::Memory;
use super::limits::check_item;
use super::paging::page;
use crate::model::{ProductId, Timestamp};
use crate::ports::{
    BeginLoad, CatalogueHead, CatalogueStore, Cursor, LoadId, LoadMark, Page, PortError,
};
use crate::pricing::Product;

#[derive(Default)]
pub(super) struct CatalogueTables {
    head: Option<CatalogueHead>,
    products: BTreeMap<ProductId, Product>,
}

impl CatalogueTables {
    /// The head, if it carries the mark of this load.
    fn head_of(&mut self, load: &LoadId) -> Option<&mut CatalogueHead> {
        self.head.as_mut().filter(|head| head.loading.as_ref().is_some_and(|mark| mark.id == *load))
    }
}

#[async_trait]
impl CatalogueStore for Memory {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        Ok(self.state().catalogue.head.clone())
    }

    async fn begin_load(
        &self,
        mark: &LoadMark,
        expected: Option<u64>,
        now: Timestamp,
    ) -> Result<BeginLoad, PortError> {
        let head = &mut self.state().catalogue.head;
        if head.as_ref().map(|head| head.version) != expected {
            return Ok(BeginLoad::Conflict);
        }
        let first = CatalogueHead { version: 0, currency: mark.currency, loading: None };
        let head = head.get_or_insert(first);
        if head.loading.as_ref().is_some_and(|other| other.deadline > now) {
            return Ok(BeginLoad::Conflict);
        }
        head.loading = Some(mark.clone());
        Ok(BeginLoad::Begun)
    }

    async fn extend_load(&self, mark: &LoadMark) -> Result<bool, PortError> {
        let mut state = self.state();
        let head = state.catalogue.head_of(&mark.id);
        Ok(head.map(|head| head.loading = Some(mark.clone())).is_some())
    }

    async fn finish_load(&self, load: &LoadId) -> Result<Option<u64>, PortError> {
        let mut state = self.state();
        Ok(state.catalogue.head_of(load).map(|head| {
            head.currency = head.loading.take().map_or(head.currency, |mark| mark.currency);
            head.version += 1;
            head.version
        }))
    }

    async fn put_products(&self, products: &[Product]) -> Result<(), PortError> {
        for product in products {
            check_item(&format!("product `{}`", product.id), product)?;
        }
        let rows = products.iter().map(|product| (product.id.clone(), product.clone()));
        self.state().catalogue.products.extend(rows);
        Ok(())
    }

    async fn delete_products(&self, products: &[ProductId]) -> Result<(), PortError> {
        let table = &mut self.state().catalogue.products;
        for product in products {
            table.remove(product);
        }
        Ok(())
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<Product>, PortError> {
        let table = &self.state().catalogue.products;
        Ok(products.iter().filter_map(|product| table.get(product).cloned()).collect())
    }

    async fn list_products(&self, from: Option<Cursor>) -> Result<Page<Product>, PortError> {
        Ok(page(&self.state().catalogue.products, from.as_ref(), |_, row| Some(row.clone())))
    }
}
