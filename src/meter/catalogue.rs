//! Counts the calls for products, discounts and the catalogue's head.
//!
//! Reads of the journal, which a reader lays over the rows until it is folded, are not seen here and not
//! counted.

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::ports::prelude::*;

impl Metered {
    pub(super) fn read_catalogue_head(&self, head: Option<&CatalogueHead>) {
        self.read_one(Resource::Products, head.map(sizes::catalogue_head), true);
    }
}

layer!(
    #[over(inner.store)]
    impl CatalogueStore for Metered {
        async fn catalogue_head(&self) -> _ {
            let head = self.inner.store.catalogue_head().await?;
            self.read_catalogue_head(head.as_ref());
            Ok(head)
        }

        async fn products(&self, products: _, at: _) -> _ {
            let found = self.inner.store.products(products, at).await?;
            let rows = found.read().into_iter().flatten();
            let sizes = rows.map(|product| sizes::product(product, at.version));
            self.read_many(Resource::Products, products.len(), sizes);
            Ok(found)
        }

        async fn list_products(&self, at: _, segment: _, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_products(at, segment, from).await?;
            let rows = page.read().into_iter().flat_map(|page| &page.items);
            // The head is an item of the same table, so it is in one of its segments.
            let has_head = is_first && segment.index == 0 && at.version > 0;
            let head = has_head.then(|| sizes::catalogue_head(at));
            let sizes = rows.map(|product| sizes::product(product, at.version)).chain(head);
            self.scanned(Resource::Products, is_first, sizes, true);
            Ok(page)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl DiscountStore for Metered {
        async fn discounts(&self, users: _, at: _) -> _ {
            let found = self.inner.store.discounts(users, at).await?;
            let rows = found.read().into_iter().flatten();
            let sizes = rows.map(|list| sizes::discounts(list, at.version));
            self.read_many(Resource::Discounts, users.len(), sizes);
            Ok(found)
        }

        async fn list_discounted_users(&self, at: _, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_discounted_users(at, from).await?;
            // The discounts are read and billed too, but their sizes are not known here.
            let rows = page.read().into_iter().flat_map(|page| &page.items);
            let sizes = rows.map(|user| sizes::discounted_user(user, at.version));
            self.scanned(Resource::Discounts, is_first, sizes, true);
            Ok(page)
        }
    }
);
