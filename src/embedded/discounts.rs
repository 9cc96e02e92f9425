//! The table of discounts: one list per user.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::journal_rows::{Kind, Overlay, listed};
use super::rows::{from_json, id};
use crate::model::UserId;
use crate::ports::{
    AtHead, CatalogueHead, Cursor, DiscountStore, Page, PortError, Record, UserDiscounts,
};

/// How many users a page has.
const PAGE: usize = 1000;
/// Lists of more bytes than this, about 300 discounts, are read from their text away from the thread
/// that asks: each discount takes 1,400 instructions.
const LARGE: usize = 16 * 1024;

pub(super) const GET: &str = "SELECT list FROM discounts WHERE user = ?1";
pub(super) const LIST: &str = "SELECT user FROM discounts WHERE user > ?1 ORDER BY user LIMIT ?2";

#[async_trait]
impl DiscountStore for Embedded {
    async fn discounts(
        &self,
        users: &[UserId],
        at: &CatalogueHead,
    ) -> Result<AtHead<Vec<UserDiscounts>>, PortError> {
        let (users, version) = (users.to_vec(), at.version);
        let found = self
            .look(users.len(), move |connection| {
                let Some(overlay) = Overlay::at(connection, version)? else {
                    return Ok(AtHead::Moved);
                };
                let mut statement = connection.prepare_cached(GET)?;
                let mut found = Vec::with_capacity(users.len());
                for user in &users {
                    if let Some(change) = overlay.over(Kind::Discounts, user.as_str())? {
                        found.extend(change.and_then(as_discounts).map(Found::Changed));
                        continue;
                    }
                    let list: Option<String> =
                        statement.query_row([user.as_str()], |row| row.get(0)).optional()?;
                    found.extend(list.map(|list| Found::Text(user.clone(), list)));
                }
                Ok(AtHead::Read(found))
            })
            .await?;
        let AtHead::Read(found) = found else { return Ok(AtHead::Moved) };
        let lists = match found.iter().map(Found::bytes).sum::<usize>() {
            0..=LARGE => parse(found).map_err(|failure| self.port_error(failure)),
            _ => self.read(move |_| parse(found)).await,
        };
        lists.map(AtHead::Read)
    }

    async fn list_discounted_users(
        &self,
        at: &CatalogueHead,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<UserId>>, PortError> {
        let version = at.version;
        self.read(move |connection| {
            let Some(overlay) = Overlay::at(connection, version)? else {
                return Ok(AtHead::Moved);
            };
            let rows = |after: &str| {
                let mut statement = connection.prepare_cached(LIST)?;
                let mut rows = statement.query(params![after, PAGE])?;
                let mut users: Vec<UserId> = vec![];
                while let Some(row) = rows.next()? {
                    users.push(id(row, 0, "a user with discounts", UserId::stored)?);
                }
                Ok(users)
            };
            let user = |record| as_discounts(record).map(|list| list.user);
            let from = from.as_ref();
            listed(&overlay, Kind::Discounts, from, PAGE, rows, user, UserId::as_str)
                .map(AtHead::Read)
        })
        .await
    }
}

/// A user's discounts: from the journal of a load, or the text of a row.
enum Found {
    Changed(UserDiscounts),
    Text(UserId, String),
}

impl Found {
    /// How many bytes are yet to be parsed.
    const fn bytes(&self) -> usize {
        match self {
            Self::Changed(_) => 0,
            Self::Text(_, list) => list.len(),
        }
    }
}

fn parse(found: Vec<Found>) -> Result<Vec<UserDiscounts>, Failure> {
    let parsed = found.into_iter().map(|found| match found {
        Found::Changed(list) => Ok(list),
        Found::Text(user, list) => {
            let discounts = from_json(&list, || format!("the discounts of user `{user}`"))?;
            Ok(UserDiscounts { user, discounts })
        }
    });
    parsed.collect()
}

fn as_discounts(record: Record) -> Option<UserDiscounts> {
    match record {
        Record::Discounts(list) => Some(list),
        Record::Product(_) => None,
    }
}
