//! The table of quotations.
//!
//! A quotation is packed into one attribute, with attributes beside it for what conditions need. The
//! current destination of its answer and its outcome are attributes of their own, so that nothing is read
//! to write them.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::conditions::{Conditional, conditional};
use super::item::{self, FieldError, Item, blob, item, millis, number, text};
use super::names::{DynamoTable, TTL};
use super::tables::{Tables, WRITTEN_BY, corrupt, rows, was_written_by};
use crate::model::{
    ConnectionRef, Dialect, PackedError, QuotationKey, RequestId, Timestamp, UserId,
};
use crate::ports::{
    Created, Cursor, Page, PortError, Quotation, QuotationStatus, Quotations, Settlement, Topic,
    Verdict, pack_target, publish, unpack_target,
};

/// The `status` of a quotation that is not settled. A verdict has the condition that it is still this.
const PENDING: &str = "pending";

fn key(key: &QuotationKey) -> Item {
    item([("request_id", text(key.as_str()))])
}

const fn status_word(status: &QuotationStatus) -> &'static str {
    match status {
        QuotationStatus::Pending => PENDING,
        QuotationStatus::Answered(_) => "answered",
        QuotationStatus::Failed(_) => "failed",
    }
}

pub(super) fn write(quotation: &Quotation) -> Result<Item, PortError> {
    let mut item = item([
        ("request_id", text(quotation.key.as_str())),
        ("packed", packed(&quotation.key, quotation.pack())?),
        (TTL, item::ttl(quotation.expires_at)),
        ("status", text(status_word(&quotation.status))),
    ]);
    if quotation.status == QuotationStatus::Pending {
        item.insert("deadline".to_owned(), millis(quotation.deadline));
    }
    Ok(item)
}

fn packed(
    key: &QuotationKey,
    bytes: Result<Vec<u8>, PackedError>,
) -> Result<AttributeValue, PortError> {
    let named = |error: PackedError| PortError::rejected(name(key), error.to_string());
    bytes.map(blob).map_err(named)
}

fn packed_bytes(item: &Item) -> usize {
    let packed = item.get("packed").and_then(|value| value.as_b().ok());
    packed.map_or(0, |bytes| bytes.as_ref().len())
}

fn name(key: &QuotationKey) -> String {
    format!("quotation `{key}`")
}

fn read(key: &QuotationKey, item: &Item) -> Result<Quotation, PortError> {
    let quotation = || -> Result<Quotation, FieldError> {
        let mut quotation = match item.contains_key("packed") {
            true => {
                item::read_packed(item, "packed", |bytes| Quotation::unpack(key.clone(), bytes))?
            }
            false => read_attributes(key, item)?,
        };
        if item.contains_key("redirected") {
            let (to, dialect) = item::read_packed(item, "redirected", unpack_target)?;
            (quotation.connection, quotation.dialect) = (Some(to), dialect);
        }
        if item.get("outcome").is_some_and(AttributeValue::is_b) {
            quotation.status = item::read_packed(item, "outcome", QuotationStatus::unpack)?;
        }
        Ok(quotation)
    };
    quotation().map_err(|error| corrupt(name(key), error))
}

/// Reads an item that version 0.1.0 wrote, which packed nothing.
fn read_attributes(key: &QuotationKey, item: &Item) -> Result<Quotation, FieldError> {
    let is_settled_since = item.get("outcome").is_some_and(AttributeValue::is_b);
    Ok(Quotation {
        key: key.clone(),
        request_id: item::read_as(item, "client_request_id", RequestId::stored)?,
        user: item::read_as(item, "user_id", UserId::stored)?,
        items: item::read_json(item, "lines")?,
        connection: item::read_json(item, "connection")?,
        dialect: item::read_json(item, "dialect")?,
        accepted_at: item::read_millis(item, "accepted_at")?,
        deadline: item::read_millis(item, "deadline")?,
        expires_at: item::read_millis(item, "expires_at")?,
        status: match is_settled_since {
            true => QuotationStatus::Pending,
            false => item::read_json(item, "outcome")?,
        },
    })
}

/// Reads the key of an item that was not read by its key.
fn key_of(item: &Item) -> Result<QuotationKey, FieldError> {
    item::read_as(item, "request_id", QuotationKey::stored)
}

#[async_trait]
impl Quotations for Tables {
    async fn create_quotation(
        &self,
        quotation: &Quotation,
        topic: &dyn Topic,
        body: &str,
    ) -> Result<Created, PortError> {
        let created = self.create(quotation).await?;
        if created.is_new() {
            publish(topic, body).await?;
        }
        Ok(created)
    }

    async fn store_answered(&self, quotation: &Quotation) -> Result<Created, PortError> {
        self.create(quotation).await
    }

    async fn quotation(&self, id: &QuotationKey) -> Result<Option<Quotation>, PortError> {
        let item = self.get(DynamoTable::Quotations, key(id), true).await?;
        item.map(|item| read(id, &item)).transpose()
    }

    async fn redirect_quotation(
        &self,
        id: &QuotationKey,
        connection: &ConnectionRef,
        dialect: Dialect,
    ) -> Result<bool, PortError> {
        let call = self.client.update_item().table_name(self.name(DynamoTable::Quotations));
        let sent = call
            .set_key(Some(key(id)))
            .update_expression("SET redirected = :target")
            .condition_expression("attribute_exists(request_id)")
            .expression_attribute_values(":target", packed(id, pack_target(connection, dialect))?)
            .send()
            .await;
        let call = self.call("UpdateItem", DynamoTable::Quotations);
        Ok(matches!(conditional(&call, sent)?, Conditional::Done(_)))
    }

    async fn settle_quotation(
        &self,
        id: &QuotationKey,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<Settlement, PortError> {
        let (status, condition) = match verdict {
            Verdict::Answer(answer) => (
                QuotationStatus::Answered(answer.clone()),
                "#status = :pending AND deadline > :now",
            ),
            Verdict::Failure(reason) => {
                (QuotationStatus::Failed(reason.clone()), "#status = :pending")
            }
        };
        let nonce = self.nonce();
        let call = self.client.update_item().table_name(self.name(DynamoTable::Quotations));
        let call = call
            .set_key(Some(key(id)))
            .update_expression("SET #status = :status, outcome = :outcome, written_by = :nonce")
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(PENDING))
            .expression_attribute_values(":status", text(status_word(&status)))
            .expression_attribute_values(":outcome", packed(id, status.pack())?)
            .expression_attribute_values(":nonce", nonce.clone())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let call = match verdict {
            Verdict::Answer(_) => call.expression_attribute_values(":now", millis(now)),
            Verdict::Failure(_) => call,
        };
        let sent = call.send().await;
        let call = self.call("UpdateItem", DynamoTable::Quotations);
        match conditional(&call, sent)? {
            Conditional::Done(answer) => {
                let stored = answer.attributes.ok_or_else(|| call.incomplete("attributes"))?;
                Ok(Settlement::Settled(Box::new(read(id, &stored)?)))
            }
            Conditional::Refused(None) => Ok(Settlement::Missing),
            Conditional::Refused(Some(stored)) => {
                let quotation = Box::new(read(id, &stored)?);
                Ok(match was_written_by(&stored, &nonce) {
                    true => Settlement::Settled(quotation),
                    false => Settlement::Refused(quotation),
                })
            }
        }
    }

    async fn list_quotations(&self, from: Option<Cursor>) -> Result<Page<Quotation>, PortError> {
        let page = self.scan(DynamoTable::Quotations, from, |scan| scan);
        rows(page.await?, |item| {
            let key = key_of(item).map_err(|error| corrupt("a quotation", error))?;
            read(&key, item).map(Some)
        })
    }

    async fn delete_quotation(&self, id: &QuotationKey) -> Result<(), PortError> {
        self.delete(DynamoTable::Quotations, key(id)).await
    }
}

impl Tables {
    /// Stores a quotation, unless its key exists.
    async fn create(&self, quotation: &Quotation) -> Result<Created, PortError> {
        let nonce = self.nonce();
        let mut item = write(quotation)?;
        let new = Created::New { packed: packed_bytes(&item) };
        item.insert(WRITTEN_BY.to_owned(), nonce.clone());
        self.check_size(DynamoTable::Quotations, &item)?;
        let call = self.client.put_item().table_name(self.name(DynamoTable::Quotations));
        let sent = call
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(request_id) OR #ttl <= :now")
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":now", number(quotation.accepted_at.millis() / 1000))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let call = self.call("PutItem", DynamoTable::Quotations);
        match conditional(&call, sent)? {
            Conditional::Done(_) => Ok(new),
            Conditional::Refused(Some(stored)) if was_written_by(&stored, &nonce) => Ok(new),
            Conditional::Refused(Some(stored)) => {
                Ok(Created::Existing(Box::new(read(&quotation.key, &stored)?)))
            }
            Conditional::Refused(None) => Err(call.incomplete("item")),
        }
    }
}
