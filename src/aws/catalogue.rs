//! The table of products, and the item in it that is the catalogue's head.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::batch::Write;
use super::conditions::{Conditional, conditional};
use super::errors::Call;
use super::item::{self, FieldError, Item, item, millis, number, text};
use super::names::Table;
use super::tables::{Tables, WRITTEN_BY, corrupt, rows, was_written_by};
use crate::model::{ProductId, Timestamp};
use crate::ports::{
    BeginLoad, CatalogueHead, CatalogueStore, Cursor, LoadId, LoadMark, Page, PortError,
};
use crate::pricing::{Currency, Money, Product};

/// No product has a control character in its id.
const HEAD: &str = "\u{1}catalogue";

fn key(product: &str) -> Item {
    item([("product_id", text(product))])
}

pub(super) fn write(product: &Product) -> Item {
    item([
        ("product_id", text(product.id.as_str())),
        ("name", text(&product.name)),
        // In minor units of the head's currency: the number alone is exact in any of them.
        ("price", number(product.price.minor())),
    ])
}

fn read(item: &Item) -> Result<Product, PortError> {
    let product = || -> Result<Product, FieldError> {
        Ok(Product {
            id: item::read_as(item, "product_id", ProductId::stored)?,
            name: item::read_text(item, "name")?.to_owned(),
            price: item::read_number(item, "price").map(Money::from_minor)?,
        })
    };
    product().map_err(|error| {
        let id = item::read_text(item, "product_id").unwrap_or("?");
        corrupt(format_args!("product `{id}`"), error)
    })
}

fn read_head(item: &Item) -> Result<CatalogueHead, PortError> {
    let head = || -> Result<CatalogueHead, FieldError> {
        let currency = item::read_as(item, "currency", Currency::try_from)?;
        let loading = match item.get("load_id") {
            None => None,
            Some(_) => Some(LoadMark {
                id: LoadId(item::read_text(item, "load_id")?.to_owned()),
                deadline: item::read_millis(item, "load_deadline")?,
                // The mark of an older version says nothing of it.
                currency: match item.get("load_currency") {
                    Some(_) => item::read_as(item, "load_currency", Currency::try_from)?,
                    None => currency,
                },
            }),
        };
        Ok(CatalogueHead { version: item::read_number(item, "version")?, currency, loading })
    };
    head().map_err(|error| corrupt("the head of the catalogue", error))
}

impl Tables {
    fn update_head(&self) -> UpdateItemFluentBuilder {
        let call = self.client.update_item().table_name(self.name(Table::Products));
        call.set_key(Some(key(HEAD)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn try_update(
        &self,
        call: UpdateItemFluentBuilder,
    ) -> Result<Conditional<UpdateItemOutput>, PortError> {
        let resource = self.resource(Table::Products);
        conditional(Call { action: "UpdateItem", resource: &resource }, call.send().await)
    }
}

#[async_trait]
impl CatalogueStore for Tables {
    async fn catalogue_head(&self) -> Result<Option<CatalogueHead>, PortError> {
        self.get(Table::Products, key(HEAD), true).await?.as_ref().map(read_head).transpose()
    }

    async fn begin_load(
        &self,
        mark: &LoadMark,
        expected: Option<u64>,
        now: Timestamp,
    ) -> Result<BeginLoad, PortError> {
        let call = self.update_head();
        let call = match expected {
            None => call
                .update_expression(
                    "SET version = :zero, currency = :currency, load_id = :id, \
                     load_deadline = :deadline, load_currency = :currency, written_by = :nonce",
                )
                .condition_expression("attribute_not_exists(product_id)")
                .expression_attribute_values(":zero", number(0)),
            Some(version) => call
                .update_expression(
                    "SET load_id = :id, load_deadline = :deadline, load_currency = :currency, \
                     written_by = :nonce",
                )
                .condition_expression(
                    "version = :version AND \
                     (attribute_not_exists(load_deadline) OR load_deadline <= :now)",
                )
                .expression_attribute_values(":version", number(version))
                .expression_attribute_values(":now", millis(now)),
        };
        let nonce = self.nonce();
        let call = call
            .expression_attribute_values(":id", text(&mark.id.0))
            .expression_attribute_values(":deadline", millis(mark.deadline))
            .expression_attribute_values(":currency", text(mark.currency.code()))
            .expression_attribute_values(":nonce", nonce.clone());
        Ok(match self.try_update(call).await? {
            Conditional::Done(_) => BeginLoad::Begun,
            Conditional::Refused(Some(head)) if was_written_by(&head, &nonce) => BeginLoad::Begun,
            Conditional::Refused(_) => BeginLoad::Conflict,
        })
    }

    async fn extend_load(&self, mark: &LoadMark) -> Result<bool, PortError> {
        let call = self
            .update_head()
            .update_expression("SET load_deadline = :deadline")
            .condition_expression("load_id = :id")
            .expression_attribute_values(":id", text(&mark.id.0))
            .expression_attribute_values(":deadline", millis(mark.deadline));
        Ok(matches!(self.try_update(call).await?, Conditional::Done(_)))
    }

    async fn finish_load(&self, load: &LoadId) -> Result<Option<u64>, PortError> {
        let nonce = self.nonce();
        let call = self
            .update_head()
            .update_expression(format!(
                "SET version = version + :one, {WRITTEN_BY} = :nonce, \
                 currency = if_not_exists(load_currency, currency) \
                 REMOVE load_id, load_deadline, load_currency"
            ))
            .condition_expression("load_id = :id")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":nonce", nonce.clone())
            .expression_attribute_values(":id", text(&load.0))
            .return_values(ReturnValue::AllNew);
        match self.try_update(call).await? {
            Conditional::Done(answer) => match answer.attributes {
                Some(head) => read_head(&head).map(|head| Some(head.version)),
                None => {
                    let resource = self.resource(Table::Products);
                    let call = Call { action: "UpdateItem", resource: &resource };
                    Err(call.incomplete("attributes"))
                }
            },
            Conditional::Refused(Some(head)) if was_written_by(&head, &nonce) => {
                read_head(&head).map(|head| Some(head.version))
            }
            Conditional::Refused(_) => Ok(None),
        }
    }

    async fn put_products(&self, products: &[Product]) -> Result<(), PortError> {
        let writes = products.iter().map(|product| Write::Put(write(product))).collect();
        self.write_all(Table::Products, writes).await
    }

    async fn delete_products(&self, products: &[ProductId]) -> Result<(), PortError> {
        let writes = products.iter().map(|product| Write::Delete(key(product.as_str()))).collect();
        self.write_all(Table::Products, writes).await
    }

    async fn products(&self, products: &[ProductId]) -> Result<Vec<Product>, PortError> {
        let keys = products.iter().map(|product| key(product.as_str())).collect();
        let items = self.read_all(Table::Products, keys, false).await?;
        items.iter().map(read).collect()
    }

    async fn list_products(&self, from: Option<Cursor>) -> Result<Page<Product>, PortError> {
        let page = self.scan(Table::Products, from, |scan| scan.consistent_read(true)).await?;
        rows(page, |item| {
            let is_head = item::read_text(item, "product_id").is_ok_and(|id| id == HEAD);
            if is_head { Ok(None) } else { read(item).map(Some) }
        })
    }
}
