//! The table of products and its head, counted.

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::ports::prelude::*;

impl Metered {
    /// The head was updated, or not. It is always smaller than a KB.
    fn updated_head(&self, done: bool) {
        match done {
            true => self.wrote_one(Resource::Products, 0),
            false => self.refused_one(Resource::Products, 0),
        }
    }
}

layer!(
    #[over(inner.store)]
    impl CatalogueStore for Metered {
        async fn catalogue_head(&self) -> _ {
            let head = self.inner.store.catalogue_head().await?;
            self.read_one(Resource::Products, head.as_ref().map(sizes::catalogue_head), true);
            Ok(head)
        }

        async fn begin_load(&self, mark: _, expected: _, now: _) -> _ {
            let begun = self.inner.store.begin_load(mark, expected, now).await?;
            self.updated_head(begun == BeginLoad::Begun);
            Ok(begun)
        }

        async fn extend_load(&self, mark: _) -> _ {
            let extended = self.inner.store.extend_load(mark).await?;
            self.updated_head(extended);
            Ok(extended)
        }

        async fn finish_load(&self, load: _) -> _ {
            let version = self.inner.store.finish_load(load).await?;
            self.updated_head(version.is_some());
            Ok(version)
        }

        async fn put_products(&self, products: _) -> _ {
            self.inner.store.put_products(products).await?;
            self.wrote_many(Resource::Products, products.iter().map(sizes::product));
            Ok(())
        }

        async fn delete_products(&self, products: _) -> _ {
            self.inner.store.delete_products(products).await?;
            self.wrote_many(Resource::Products, products.iter().map(|_| 0));
            Ok(())
        }

        async fn products(&self, products: _) -> _ {
            let found = self.inner.store.products(products).await?;
            self.read_many(
                Resource::Products,
                products.len(),
                found.iter().map(sizes::product),
                false,
            );
            Ok(found)
        }

        async fn list_products(&self, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_products(from).await?;
            self.scanned(Resource::Products, is_first, page.items.iter().map(sizes::product), true);
            Ok(page)
        }
    }
);
