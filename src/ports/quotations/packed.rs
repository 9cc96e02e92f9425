//! The packed form of a quotation.
//!
//! Times are relative to the time when the quotation was accepted. An answer names a product by its index in
//! the items, unless the answer is packed alone. No field may move within a version, because stores hold
//! bytes of earlier builds. The previous version can still be read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{FailureReason, Quotation, QuotationStatus};
use crate::model::{
    ConnectionId, ConnectionRef, Dialect, Item, PackedError, QuotationKey, RequestId, Timestamp,
    UserId, seal, sealed_bytes, unseal,
};

mod answer;
mod earlier;

use answer::PackedAnswer;
use earlier::{EARLIER_VERSION, EarlierAnswer};

/// The version of this form.
const VERSION: u8 = 2;
/// The version of the form of a target.
const TARGET_VERSION: u8 = 1;

/// A packed quotation; `A` is the form of its answer.
#[derive(Serialize, Deserialize)]
struct PackedQuotation<'a, A> {
    /// `None` if the key ends with this id.
    request_id: Option<Cow<'a, RequestId>>,
    user: Cow<'a, UserId>,
    items: Cow<'a, [Item]>,
    /// If the endpoint is empty, the quotation has no connection.
    connection: Cow<'a, ConnectionRef>,
    dialect: Dialect,
    accepted_at: Timestamp,
    deadline: i64,
    expires_at: i64,
    status: PackedStatus<'a, A>,
}

#[derive(Serialize, Deserialize)]
enum PackedStatus<'a, A> {
    Pending,
    Answered(A),
    Failed(Cow<'a, FailureReason>),
}

/// The context of a packed answer: the items that it refers to by index, and the time that its times are
/// relative to.
struct Beside<'a> {
    items: &'a [Item],
    time: Timestamp,
}

impl Beside<'_> {
    /// The context of an answer that is packed alone.
    const NOTHING: Self = Self { items: &[], time: Timestamp::from_millis(0) };

    const fn since(&self, time: Timestamp) -> i64 {
        time.millis().wrapping_sub(self.time.millis())
    }

    const fn at(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.time.millis().wrapping_add(millis))
    }
}

impl Quotation {
    /// Packs everything but the key.
    ///
    /// # Errors
    /// [`PackedError`]; no quotation is known that causes one.
    pub fn pack(&self) -> Result<Vec<u8>, PackedError> {
        seal(VERSION, &self.fields()?)
    }

    /// Returns the length of what [`Self::pack`] returns.
    ///
    /// # Errors
    /// The same as [`Self::pack`].
    pub fn packed_bytes(&self) -> Result<usize, PackedError> {
        sealed_bytes(&self.fields()?)
    }

    fn fields(&self) -> Result<PackedQuotation<'_, PackedAnswer<'_>>, PackedError> {
        let beside = Beside { items: &self.items, time: self.accepted_at };
        let connection = match &self.connection {
            Some(connection) => Cow::Borrowed(connection),
            None => Cow::Owned(nowhere()?),
        };
        let is_in_key = self.request_id.as_str() == ending(&self.key);
        Ok(PackedQuotation {
            request_id: (!is_in_key).then_some(Cow::Borrowed(&self.request_id)),
            user: Cow::Borrowed(&self.user),
            items: Cow::Borrowed(&self.items),
            connection,
            dialect: self.dialect,
            accepted_at: self.accepted_at,
            deadline: beside.since(self.deadline),
            expires_at: beside.since(self.expires_at),
            status: PackedStatus::of(&self.status, &beside),
        })
    }

    /// Unpacks a quotation, and gives it this key.
    ///
    /// # Errors
    /// [`PackedError`] if the bytes are not a packed quotation.
    pub fn unpack(key: QuotationKey, bytes: &[u8]) -> Result<Self, PackedError> {
        match is_earlier(bytes) {
            true => {
                unseal::<PackedQuotation<'_, EarlierAnswer<'_>>>(EARLIER_VERSION, bytes)?.read(key)
            }
            false => unseal::<PackedQuotation<'_, PackedAnswer<'_>>>(VERSION, bytes)?.read(key),
        }
    }
}

impl QuotationStatus {
    /// Packs the status alone, for a store that does not have the rest of the quotation when it is settled.
    ///
    /// # Errors
    /// [`PackedError`]; no status is known that causes one.
    pub fn pack(&self) -> Result<Vec<u8>, PackedError> {
        seal(VERSION, &PackedStatus::of(self, &Beside::NOTHING))
    }

    /// Unpacks what [`Self::pack`] has returned.
    ///
    /// # Errors
    /// [`PackedError`] if the bytes are not a packed status.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackedError> {
        let beside = &Beside::NOTHING;
        match is_earlier(bytes) {
            true => {
                unseal::<PackedStatus<'_, EarlierAnswer<'_>>>(EARLIER_VERSION, bytes)?.read(beside)
            }
            false => unseal::<PackedStatus<'_, PackedAnswer<'_>>>(VERSION, bytes)?.read(beside),
        }
    }
}

fn is_earlier(bytes: &[u8]) -> bool {
    bytes.first() == Some(&EARLIER_VERSION)
}

/// Packs the target of an answer: its connection and dialect.
///
/// # Errors
/// [`PackedError`]; no target is known that causes one.
pub fn pack_target(connection: &ConnectionRef, dialect: Dialect) -> Result<Vec<u8>, PackedError> {
    seal(TARGET_VERSION, &(connection, dialect))
}

/// Unpacks what [`pack_target`] has returned.
///
/// # Errors
/// [`PackedError`] if the bytes are not a packed target.
pub fn unpack_target(bytes: &[u8]) -> Result<(ConnectionRef, Dialect), PackedError> {
    unseal(TARGET_VERSION, bytes)
}

/// Returns the value that stands for no connection. No gateway has an empty endpoint.
fn nowhere() -> Result<ConnectionRef, PackedError> {
    Ok(ConnectionRef { endpoint: String::new(), id: ConnectionId::stored("-")? })
}

/// Returns the id that a key contains: the whole key, or the text after the scope.
fn ending(key: &QuotationKey) -> &str {
    key.as_str().split_once('/').map_or(key.as_str(), |(_, id)| id)
}

impl<'a> PackedStatus<'a, PackedAnswer<'a>> {
    fn of(status: &'a QuotationStatus, beside: &Beside<'a>) -> Self {
        match status {
            QuotationStatus::Pending => Self::Pending,
            QuotationStatus::Answered(answer) => Self::Answered(PackedAnswer::of(answer, beside)),
            QuotationStatus::Failed(reason) => Self::Failed(Cow::Borrowed(reason)),
        }
    }
}

impl<'a, A: Into<PackedAnswer<'a>>> PackedStatus<'a, A> {
    fn read(self, beside: &Beside<'_>) -> Result<QuotationStatus, PackedError> {
        Ok(match self {
            Self::Pending => QuotationStatus::Pending,
            Self::Answered(answer) => {
                QuotationStatus::Answered(Box::new(answer.into().read(beside)?))
            }
            Self::Failed(reason) => QuotationStatus::Failed(reason.into_owned()),
        })
    }
}

impl<'a, A: Into<PackedAnswer<'a>>> PackedQuotation<'a, A> {
    fn read(self, key: QuotationKey) -> Result<Quotation, PackedError> {
        let request_id = match self.request_id {
            Some(id) => id.into_owned(),
            None => RequestId::stored(ending(&key))?,
        };
        let items = self.items.into_owned();
        let beside = Beside { items: &items, time: self.accepted_at };
        Ok(Quotation {
            key,
            request_id,
            user: self.user.into_owned(),
            connection: Some(self.connection.into_owned()).filter(|it| !it.endpoint.is_empty()),
            dialect: self.dialect,
            accepted_at: self.accepted_at,
            deadline: beside.at(self.deadline),
            expires_at: beside.at(self.expires_at),
            status: self.status.read(&beside)?,
            items,
        })
    }
}

#[cfg(test)]
mod tests;
