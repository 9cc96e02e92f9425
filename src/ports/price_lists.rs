//! Price lists, their rows, and the customers that they are given to. All are read at a head, as products
//! are.

use super::{AtHead, CatalogueHead, Cursor, Page, PortError, port};
use crate::model::{PriceListId, UserId};
use crate::pricing::{Customer, ListPrices, PriceList, Scope};

port!(
    /// The table of price lists and their rows.
    pub trait PriceListStore: Send + Sync {
        /// Those of the lists that exist, in any order. Any number may be asked for.
        async fn price_lists(
            &self,
            lists: &[PriceListId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<PriceList>>, PortError>;

        /// All lists without their rows, page by page. No order is promised.
        async fn list_price_lists(
            &self,
            at: &CatalogueHead,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<PriceList>>, PortError>;

        /// Those of the rows that exist, in any order. Any number may be asked for.
        async fn prices(
            &self,
            rows: &[(PriceListId, Scope)],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<ListPrices>>, PortError>;

        /// All rows of one list, page by page. No order is promised.
        async fn list_prices(
            &self,
            list: &PriceListId,
            at: &CatalogueHead,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<ListPrices>>, PortError>;
    }
);

port!(
    /// The table of customers.
    pub trait CustomerStore: Send + Sync {
        /// Those of the customers of whom something is known, in any order. Any number may be asked for.
        async fn customers(
            &self,
            users: &[UserId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<Customer>>, PortError>;

        /// All customers of whom something is known, page by page. No order is promised.
        async fn list_customers(
            &self,
            at: &CatalogueHead,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<Customer>>, PortError>;
    }
);
