//! Counts the calls for price lists, their rows and customers.

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::ports::prelude::*;

layer!(
    #[over(inner.store)]
    impl CustomerStore for Metered {
        async fn customers(&self, users: _, at: _) -> _ {
            let found = self.inner.store.customers(users, at).await?;
            let rows = found.read().into_iter().flatten();
            let sizes = rows.map(|customer| sizes::customer(customer, at.version));
            self.read_many(Resource::Customers, users.len(), sizes);
            Ok(found)
        }

        async fn list_customers(&self, at: _, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_customers(at, from).await?;
            let rows = page.read().into_iter().flat_map(|page| &page.items);
            let sizes = rows.map(|customer| sizes::customer(customer, at.version));
            self.scanned(Resource::Customers, is_first, sizes, true);
            Ok(page)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl PriceListStore for Metered {
        async fn price_lists(&self, lists: _, at: _) -> _ {
            let found = self.inner.store.price_lists(lists, at).await?;
            let rows = found.read().into_iter().flatten();
            let sizes = rows.map(|list| sizes::price_list(list, at.version));
            self.read_many(Resource::PriceLists, lists.len(), sizes);
            Ok(found)
        }

        async fn list_price_lists(&self, at: _, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_price_lists(at, from).await?;
            let rows = page.read().into_iter().flat_map(|page| &page.items);
            let sizes = rows.map(|list| sizes::price_list(list, at.version));
            self.queried(Resource::PriceLists, is_first, sizes);
            Ok(page)
        }

        async fn prices(&self, rows: _, at: _) -> _ {
            let found = self.inner.store.prices(rows, at).await?;
            let there = found.read().into_iter().flatten();
            let sizes = there.map(|prices| sizes::list_prices(prices, at.version));
            self.read_many(Resource::PriceLists, rows.len(), sizes);
            Ok(found)
        }

        async fn list_prices(&self, list: _, at: _, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_prices(list, at, from).await?;
            let rows = page.read().into_iter().flat_map(|page| &page.items);
            let sizes = rows.map(|prices| sizes::list_prices(prices, at.version));
            self.queried(Resource::PriceLists, is_first, sizes);
            Ok(page)
        }
    }
);
