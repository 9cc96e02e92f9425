//! The table of active users.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;

use super::item::{self, FieldError, Item, item, millis, number, text};
use super::names::{DynamoTable, TTL};
use super::tables::{Tables, corrupt, rows, scan_segment};
use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, ActiveUsers, Cursor, Page, PortError, Segment};

fn key(user: &UserId) -> Item {
    item([("user_id", text(user.as_str()))])
}

fn read(item: &Item) -> Result<ActiveUser, PortError> {
    let row = || -> Result<ActiveUser, FieldError> {
        Ok(ActiveUser {
            user: item::read_as(item, "user_id", UserId::stored)?,
            expires_at: Timestamp::from_secs(item::read_number(item, TTL)?),
            first_seen: item::read_millis(item, "first_seen")?,
            last_seen: item::read_millis(item, "last_seen")?,
        })
    };
    row().map_err(|error| {
        let user = item::read_text(item, "user_id").unwrap_or("?");
        corrupt(format_args!("active customer `{user}`"), error)
    })
}

#[async_trait]
impl ActiveUsers for Tables {
    async fn active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        self.get(DynamoTable::ActiveUsers, key(user), false).await?.as_ref().map(read).transpose()
    }

    async fn record_visit(
        &self,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<ActiveUser>, PortError> {
        let call = self.client.update_item().table_name(self.name(DynamoTable::ActiveUsers));
        let answer = call
            .set_key(Some(key(user)))
            .update_expression(
                "SET #ttl = :ttl, last_seen = :now, first_seen = if_not_exists(first_seen, :now)",
            )
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":ttl", item::ttl(expires_at))
            .expression_attribute_values(":now", millis(now))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| self.call("UpdateItem", DynamoTable::ActiveUsers).failed(error))?;
        answer.attributes.filter(|old| !old.is_empty()).as_ref().map(read).transpose()
    }

    async fn remove_active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        let call = self.client.delete_item().table_name(self.name(DynamoTable::ActiveUsers));
        let call = call.set_key(Some(key(user))).return_values(ReturnValue::AllOld);
        let sent = call.send().await;
        let answer =
            sent.map_err(|error| self.call("DeleteItem", DynamoTable::ActiveUsers).failed(error))?;
        answer.attributes.filter(|old| !old.is_empty()).as_ref().map(read).transpose()
    }

    async fn list_active_users(
        &self,
        segment: Segment,
        now: Timestamp,
        from: Option<Cursor>,
    ) -> Result<Page<ActiveUser>, PortError> {
        let (index, count) = scan_segment(segment)?;
        let page = self.scan(DynamoTable::ActiveUsers, from, |scan| {
            scan.segment(index)
                .total_segments(count)
                // DynamoDB deletes expired items late, so they must be filtered out.
                .filter_expression("#ttl > :now")
                .expression_attribute_names("#ttl", TTL)
                .expression_attribute_values(":now", number(now.millis().div_euclid(1000)))
        });
        rows(page.await?, |item| read(item).map(Some))
    }
}
