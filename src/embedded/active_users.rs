//! The table of active users.

use std::str::FromStr;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::rows::id;
use crate::model::{DigestBuilder, Timestamp, UserId};
use crate::ports::{ActiveUser, ActiveUsers, Cursor, Page, PortError, Segment};

/// The greatest number of users in a page.
const PAGE: usize = 1000;
/// Users are spread over this many buckets, so that a segment is a range of buckets.
const BUCKETS: u64 = 1 << 16;

pub(super) const GET: &str = "
    SELECT user, expires_at, first_seen, last_seen FROM active_user
    WHERE bucket = ?1 AND user = ?2";
const PUT: &str = "
    INSERT INTO active_user (bucket, user, expires_at, first_seen, last_seen)
    VALUES (?1, ?2, ?3, ?4, ?4)
    ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, last_seen = excluded.last_seen";
pub(super) const LIST: &str = "
    SELECT user, expires_at, first_seen, last_seen, bucket FROM active_user
    WHERE (bucket, user) > (?1, ?2) AND bucket < ?3 AND expires_at > ?4
    ORDER BY bucket, user LIMIT ?5";

#[async_trait]
impl ActiveUsers for Embedded {
    async fn active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        let user = user.clone();
        self.look_once(move |connection| get(connection, &user)).await
    }

    async fn record_visit(
        &self,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<ActiveUser>, PortError> {
        let user = user.clone();
        self.write(move |tx| {
            let before = get(tx, &user)?;
            let until = expires_at.secs_rounded_up();
            let values = params![bucket(&user), user.as_str(), until, now.millis()];
            tx.execute_often(PUT, values)?;
            Ok(before)
        })
        .await
    }

    async fn remove_active_user(&self, user: &UserId) -> Result<Option<ActiveUser>, PortError> {
        let user = user.clone();
        self.write(move |tx| {
            let before = get(tx, &user)?;
            tx.prepare_cached("DELETE FROM active_user WHERE bucket = ?1 AND user = ?2")?
                .execute(params![bucket(&user), user.as_str()])?;
            Ok(before)
        })
        .await
    }

    async fn list_active_users(
        &self,
        segment: Segment,
        now: Timestamp,
        from: Option<Cursor>,
    ) -> Result<Page<ActiveUser>, PortError> {
        let (start, end) = buckets(segment);
        let after = match from {
            None => ActiveUserPlace { bucket: start, user: String::new() },
            Some(cursor) => cursor.0.parse()?,
        };
        self.read(move |connection| list(connection, &after, end, now)).await
    }
}

/// The last user of a page. A cursor has the form `bucket:user`.
struct ActiveUserPlace {
    bucket: u64,
    user: String,
}

impl FromStr for ActiveUserPlace {
    type Err = PortError;
    fn from_str(text: &str) -> Result<Self, PortError> {
        text.split_once(':')
            .and_then(|(bucket, user)| {
                Some(Self { bucket: bucket.parse().ok()?, user: user.to_owned() })
            })
            .ok_or_else(|| PortError::rejected("a cursor", "it is not of the active customers"))
    }
}

/// Returns the range of buckets of a segment.
fn buckets(segment: Segment) -> (u64, u64) {
    let count = u64::from(segment.count.max(1));
    let start = u64::from(segment.index) * BUCKETS / count;
    let end = (u64::from(segment.index) + 1) * BUCKETS / count;
    (start, end)
}

fn bucket(user: &UserId) -> u64 {
    let digest = DigestBuilder::new("segment").part(user.as_str().as_bytes()).finish();
    let [first, second, ..] = digest.bytes();
    u64::from(u16::from_be_bytes([first, second]))
}

fn get(connection: &Connection, user: &UserId) -> Result<Option<ActiveUser>, Failure> {
    connection
        .prepare_cached(GET)?
        .query_row(params![bucket(user), user.as_str()], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

fn list(
    connection: &Connection,
    after: &ActiveUserPlace,
    end: u64,
    now: Timestamp,
) -> Result<Page<ActiveUser>, Failure> {
    // An expiry is stored in whole seconds, so one that lies after `now` is at least the next second.
    let expired = now.millis().div_euclid(1000);
    let mut statement = connection.prepare_cached(LIST)?;
    let mut rows = statement.query(params![after.bucket, after.user, end, expired, PAGE])?;
    let mut page = Page { items: vec![], next: None };
    while let Some(row) = rows.next()? {
        let user = read(row)?;
        if page.items.len() + 1 == PAGE {
            let bucket: u64 = row.get(4)?;
            page.next = Some(Cursor(format!("{bucket}:{}", user.user)));
        }
        page.items.push(user);
    }
    Ok(page)
}

fn read(row: &Row<'_>) -> Result<ActiveUser, Failure> {
    Ok(ActiveUser {
        user: id(row, 0, "an active customer", UserId::stored)?,
        expires_at: Timestamp::from_secs(row.get(1)?),
        first_seen: Timestamp::from_millis(row.get(2)?),
        last_seen: Timestamp::from_millis(row.get(3)?),
    })
}
