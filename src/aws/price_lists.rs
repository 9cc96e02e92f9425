//! The tables of customers, and of price lists with their rows.
//!
//! All lists are under one partition key, so that they can be listed without their rows. The rows of each
//! list are under its id.

use async_trait::async_trait;

use super::head::VERSION;
use super::item::{self, FieldError, Item, blob, item, number, text};
use super::loaded::{LIST_ID, LISTS, Loaded, RowSet, SCOPE_ID, list_place};
use super::names::DynamoTable;
use super::tables::{Tables, corrupt, cursor_of, start_key};
use crate::model::{PriceListId, UserId};
use crate::ports::{
    AtHead, CatalogueHead, Cursor, CustomerStore, Page, PortError, PriceListStore, RecordKey,
};
use crate::pricing::{Customer, Ladder, ListPrices, PriceList, Scope};

const CUSTOMER: &str = "customer";
const PRICE_LIST: &str = "price_list";
const LADDER: &str = "ladder";

impl Loaded for Customer {
    type Id = UserId;
    const TABLE: DynamoTable = DynamoTable::Customers;

    fn record_key(id: &UserId) -> RecordKey {
        RecordKey::Customer(id.clone())
    }

    fn read(item: &Item) -> Result<Self, PortError> {
        item::read_json(item, CUSTOMER).map_err(|error| {
            let user = item::read_text(item, "user_id").unwrap_or("?");
            corrupt(format_args!("customer `{user}`"), error)
        })
    }

    fn write(&self, version: u64) -> Result<Item, PortError> {
        let customer = item::json(&format!("customer `{}`", self.user), self)?;
        Ok(item([
            ("user_id", text(self.user.as_str())),
            (CUSTOMER, customer),
            (VERSION, number(version)),
        ]))
    }
}

impl Loaded for PriceList {
    type Id = PriceListId;
    const TABLE: DynamoTable = DynamoTable::PriceLists;

    fn record_key(id: &PriceListId) -> RecordKey {
        RecordKey::PriceList(id.clone())
    }

    fn stored_key(row: &Item) -> Result<String, PortError> {
        let id = item::read_text(row, SCOPE_ID).map(str::to_owned);
        id.map_err(|error| corrupt("a price list", error))
    }

    fn read(item: &Item) -> Result<Self, PortError> {
        item::read_json(item, PRICE_LIST).map_err(|error| {
            let list = item::read_text(item, SCOPE_ID).unwrap_or("?");
            corrupt(format_args!("price list `{list}`"), error)
        })
    }

    fn write(&self, version: u64) -> Result<Item, PortError> {
        let mut item = list_place(LISTS, self.id.as_str());
        let list = item::json(&format!("price list `{}`", self.id), self)?;
        item.insert(PRICE_LIST.to_owned(), list);
        item.insert(VERSION.to_owned(), number(version));
        Ok(item)
    }
}

impl Loaded for ListPrices {
    type Id = (PriceListId, Scope);
    const TABLE: DynamoTable = DynamoTable::PriceLists;

    fn record_key((list, scope): &(PriceListId, Scope)) -> RecordKey {
        RecordKey::Prices(list.clone(), scope.clone())
    }

    fn read(item: &Item) -> Result<Self, PortError> {
        let prices = || -> Result<Self, FieldError> {
            Ok(Self {
                list: item::read_as(item, LIST_ID, PriceListId::stored)?,
                scope: item::read_as(item, SCOPE_ID, |scope| Scope::from_key(&scope))?,
                ladder: item::read_packed(item, LADDER, Ladder::unpack)?,
            })
        };
        prices().map_err(|error| {
            let [list, scope] = [LIST_ID, SCOPE_ID].map(|name| item::read_text(item, name));
            let (list, scope) = (list.unwrap_or("?"), scope.unwrap_or("?"));
            corrupt(format_args!("prices of list `{list}` for `{scope}`"), error)
        })
    }

    fn write(&self, version: u64) -> Result<Item, PortError> {
        let ladder = self.ladder.pack().map_err(|error| {
            let key = RecordKey::Prices(self.list.clone(), self.scope.clone());
            PortError::rejected(key.to_string(), error.to_string())
        })?;
        let mut item = list_place(self.list.as_str(), &self.scope.key());
        item.insert(LADDER.to_owned(), blob(ladder));
        item.insert(VERSION.to_owned(), number(version));
        Ok(item)
    }
}

impl Tables {
    /// Returns a page of the items under a partition key of the table of price lists.
    pub(super) async fn query_lists(
        &self,
        partition: &str,
        from: Option<Cursor>,
    ) -> Result<Page<Item>, PortError> {
        let start = from.map(|cursor| start_key(&cursor)).transpose()?;
        let query = self.client.query().table_name(self.name(DynamoTable::PriceLists));
        let query = query
            .consistent_read(true)
            .key_condition_expression(format!("{LIST_ID} = :list"))
            .expression_attribute_values(":list", text(partition))
            .set_exclusive_start_key(start);
        let (items, next) = self.query(DynamoTable::PriceLists, query).await?;
        Ok(Page { items, next: next.map(|key| cursor_of(&key)).transpose()? })
    }
}

#[async_trait]
impl CustomerStore for Tables {
    async fn customers(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<Customer>>, PortError> {
        self.rows_at(users, at).await
    }

    async fn list_customers(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Customer>>, PortError> {
        self.list_at(RowSet::All, at, from, Customer::read, |customer| customer).await
    }
}

#[async_trait]
impl PriceListStore for Tables {
    async fn price_lists(
        &self,
        lists: &[PriceListId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<PriceList>>, PortError> {
        self.rows_at(lists, at).await
    }

    async fn list_price_lists(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<PriceList>>, PortError> {
        self.list_at(RowSet::Lists, at, from, PriceList::read, |list| list).await
    }

    async fn prices(
        &self,
        rows: &[(PriceListId, Scope)],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<ListPrices>>, PortError> {
        self.rows_at(rows, at).await
    }

    async fn list_prices(
        &self,
        list: &PriceListId,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<ListPrices>>, PortError> {
        self.list_at(RowSet::Of(list), at, from, ListPrices::read, |prices| prices).await
    }
}
