//! Price lists, their rows, and customers. All are read at a head, as products are.

use super::{AtHead, CatalogueHead, Cursor, Page, PortError, port};
use crate::model::{PriceListId, UserId};
use crate::pricing::{Customer, ListPrices, PriceList, Scope};

port!(
    /// The table of price lists and their rows.
    pub trait PriceListStore: Send + Sync {
        /// Returns those of the lists that exist, in any order. Any number may be requested.
        async fn price_lists(
            &self,
            lists: &[PriceListId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<PriceList>>, PortError>;

        /// Returns a page of all lists without their rows, in any order.
        async fn list_price_lists(
            &self,
            at: &CatalogueHead,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<PriceList>>, PortError>;

        /// Returns those of the rows that exist, in any order. Any number may be requested.
        async fn prices(
            &self,
            rows: &[(PriceListId, Scope)],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<ListPrices>>, PortError>;

        /// Returns a page of all rows of one list, in any order.
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
        /// Returns those of the customers who are stored, in any order. Any number may be requested.
        async fn customers(
            &self,
            users: &[UserId],
            at: &CatalogueHead,
        ) -> Result<AtHead<Vec<Customer>>, PortError>;

        /// Returns a page of all stored customers, in any order.
        async fn list_customers(
            &self,
            at: &CatalogueHead,
            from: Option<Cursor>,
        ) -> Result<AtHead<Page<Customer>>, PortError>;
    }
);
