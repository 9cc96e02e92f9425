//! The table of discounts: one list per user.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::rows::{from_json, parsed, to_json};
use crate::model::UserId;
use crate::ports::{Cursor, DiscountStore, Page, PortError, UserDiscounts};

/// How many users a page has.
const PAGE: usize = 1000;
/// The most lists written in one job.
const CHUNK: usize = 100;
/// Lists of more bytes than this, about 300 discounts, are read from their text away from the thread
/// that asks: each discount takes 1,400 instructions.
const LARGE: usize = 16 * 1024;

const PUT: &str = "
    INSERT INTO discounts (user, list) VALUES (?1, ?2)
    ON CONFLICT DO UPDATE SET list = excluded.list";
pub(super) const GET: &str = "SELECT list FROM discounts WHERE user = ?1";
pub(super) const LIST: &str = "SELECT user FROM discounts WHERE user > ?1 ORDER BY user LIMIT ?2";

#[async_trait]
impl DiscountStore for Embedded {
    async fn discounts(&self, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError> {
        let users = users.to_vec();
        let texts = self
            .look(users.len(), move |connection| {
                let mut statement = connection.prepare_cached(GET)?;
                let mut found = Vec::with_capacity(users.len());
                for user in &users {
                    let list: Option<String> =
                        statement.query_row([user.as_str()], |row| row.get(0)).optional()?;
                    found.extend(list.map(|list| (user.clone(), list)));
                }
                Ok(found)
            })
            .await?;
        match texts.iter().map(|(_, list)| list.len()).sum::<usize>() {
            0..=LARGE => parse(texts).map_err(|failure| self.port_error(failure)),
            _ => self.read(move |_| parse(texts)).await,
        }
    }

    async fn put_discounts(&self, lists: &[UserDiscounts]) -> Result<(), PortError> {
        for chunk in lists.chunks(CHUNK) {
            let mut texts = Vec::with_capacity(chunk.len());
            for UserDiscounts { user, discounts } in chunk {
                let text = to_json(discounts, || format!("the discounts of user `{user}`"))
                    .map_err(|failure| self.port_error(failure))?;
                texts.push((user.clone(), text));
            }
            self.write(move |tx| {
                let mut statement = tx.prepare_cached(PUT)?;
                for (user, text) in &texts {
                    statement.execute(params![user.as_str(), text])?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn delete_discounts(&self, users: &[UserId]) -> Result<(), PortError> {
        for chunk in users.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            self.write(move |tx| {
                let mut statement = tx.prepare_cached("DELETE FROM discounts WHERE user = ?1")?;
                for user in &chunk {
                    statement.execute([user.as_str()])?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn list_discounted_users(&self, from: Option<Cursor>) -> Result<Page<UserId>, PortError> {
        // No id is empty, so all come after the empty text.
        let after = from.map_or_else(String::new, |cursor| cursor.0);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query(params![after, PAGE])?;
            let mut items: Vec<UserId> = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(parsed(row, 0, "a user with discounts")?);
            }
            let last = items.last().filter(|_| items.len() == PAGE);
            let next = last.map(|user| Cursor(user.as_str().to_owned()));
            Ok(Page { items, next })
        })
        .await
    }
}

fn parse(texts: Vec<(UserId, String)>) -> Result<Vec<UserDiscounts>, Failure> {
    let parsed = texts.into_iter().map(|(user, list)| {
        let discounts = from_json(&list, || format!("the discounts of user `{user}`"))?;
        Ok(UserDiscounts { user, discounts })
    });
    parsed.collect()
}
