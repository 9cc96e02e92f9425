//! The compact form of a quotation.
//!
//! Times count from when the quotation was accepted. An answer names a product by its place in the items,
//! unless it is packed apart from them. No field moves while the version stays: stores hold bytes of
//! earlier builds.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{FailureReason, Quotation, QuotationStatus};
use crate::model::{
    ConnectionId, ConnectionRef, Dialect, Generation, Item, PackedError, ProductId, Quantity,
    QuotationKey, RequestId, Timestamp, UserId, seal, unseal,
};
use crate::pricing::{Answer, AnswerLine, Currency, Money, Percentage};

/// The version of the form.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct PackedQuotation<'a> {
    /// Unless it is the one that the key ends with.
    request_id: Option<Cow<'a, RequestId>>,
    user: Cow<'a, UserId>,
    items: Cow<'a, [Item]>,
    /// One without an endpoint is none.
    connection: Cow<'a, ConnectionRef>,
    dialect: Dialect,
    accepted_at: Timestamp,
    deadline: i64,
    expires_at: i64,
    status: PackedStatus<'a>,
}

#[derive(Serialize, Deserialize)]
enum PackedStatus<'a> {
    Pending,
    Answered(PackedAnswer<'a>),
    Failed(Cow<'a, FailureReason>),
}

#[derive(Serialize, Deserialize)]
struct PackedAnswer<'a> {
    /// What the answer names and the items do not. Its places come after those of the items.
    more: Vec<(Cow<'a, ProductId>, Quantity)>,
    lines: Vec<PackedLine<'a>>,
    unavailable: Vec<usize>,
    total: Money,
    currency: Currency,
    priced_at: i64,
    validated_at: i64,
    stale: bool,
    generation: Cow<'a, Generation>,
    catalogue_version: u64,
    pricing_version: u32,
}

#[derive(Serialize, Deserialize)]
struct PackedLine<'a> {
    place: usize,
    name: Cow<'a, str>,
    list_price: Money,
    discount: Percentage,
    unit_price: Money,
    total: Money,
}

/// What an answer is packed beside: the items that it names by their places, and the time that its
/// times count from.
struct Beside<'a> {
    items: &'a [Item],
    time: Timestamp,
}

impl Beside<'_> {
    /// For an answer that is packed apart from its quotation.
    const NOTHING: Self = Self { items: &[], time: Timestamp::from_millis(0) };

    const fn since(&self, time: Timestamp) -> i64 {
        time.millis().wrapping_sub(self.time.millis())
    }

    const fn at(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.time.millis().wrapping_add(millis))
    }
}

impl Quotation {
    /// Everything but its key.
    ///
    /// # Errors
    /// [`PackedError`]; none is known that happens.
    pub fn pack(&self) -> Result<Vec<u8>, PackedError> {
        let beside = Beside { items: &self.items, time: self.accepted_at };
        let connection = match &self.connection {
            Some(connection) => Cow::Borrowed(connection),
            None => Cow::Owned(nowhere()?),
        };
        let is_in_key = self.request_id.as_str() == ending(&self.key);
        seal(
            VERSION,
            &PackedQuotation {
                request_id: (!is_in_key).then_some(Cow::Borrowed(&self.request_id)),
                user: Cow::Borrowed(&self.user),
                items: Cow::Borrowed(&self.items),
                connection,
                dialect: self.dialect,
                accepted_at: self.accepted_at,
                deadline: beside.since(self.deadline),
                expires_at: beside.since(self.expires_at),
                status: PackedStatus::of(&self.status, &beside),
            },
        )
    }

    /// The quotation with a key.
    ///
    /// # Errors
    /// [`PackedError`] when these are not the bytes of a quotation.
    pub fn unpack(key: QuotationKey, bytes: &[u8]) -> Result<Self, PackedError> {
        let packed: PackedQuotation<'_> = unseal(VERSION, bytes)?;
        let request_id = match packed.request_id {
            Some(id) => id.into_owned(),
            None => RequestId::stored(ending(&key))?,
        };
        let items = packed.items.into_owned();
        let beside = Beside { items: &items, time: packed.accepted_at };
        Ok(Self {
            key,
            request_id,
            user: packed.user.into_owned(),
            connection: Some(packed.connection.into_owned()).filter(|it| !it.endpoint.is_empty()),
            dialect: packed.dialect,
            accepted_at: packed.accepted_at,
            deadline: beside.at(packed.deadline),
            expires_at: beside.at(packed.expires_at),
            status: packed.status.read(&beside)?,
            items,
        })
    }
}

impl QuotationStatus {
    /// The status alone, for a store that does not have the quotation at hand when it is settled.
    ///
    /// # Errors
    /// [`PackedError`]; none is known that happens.
    pub fn pack(&self) -> Result<Vec<u8>, PackedError> {
        seal(VERSION, &PackedStatus::of(self, &Beside::NOTHING))
    }

    /// What [`Self::pack`] has written.
    ///
    /// # Errors
    /// [`PackedError`] when these are not the bytes of a status.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackedError> {
        unseal::<PackedStatus<'_>>(VERSION, bytes)?.read(&Beside::NOTHING)
    }
}

/// Where an answer goes, and how it is written there.
///
/// # Errors
/// [`PackedError`]; none is known that happens.
pub fn pack_target(connection: &ConnectionRef, dialect: Dialect) -> Result<Vec<u8>, PackedError> {
    seal(VERSION, &(connection, dialect))
}

/// What [`pack_target`] has written.
///
/// # Errors
/// [`PackedError`] when these are not the bytes of a target.
pub fn unpack_target(bytes: &[u8]) -> Result<(ConnectionRef, Dialect), PackedError> {
    unseal(VERSION, bytes)
}

/// What stands for no connection. No gateway has an empty endpoint.
fn nowhere() -> Result<ConnectionRef, PackedError> {
    Ok(ConnectionRef { endpoint: String::new(), id: ConnectionId::stored("-")? })
}

/// What a key says of the id: all of it, or what follows the scope.
fn ending(key: &QuotationKey) -> &str {
    key.as_str().split_once('/').map_or(key.as_str(), |(_, id)| id)
}

impl<'a> PackedStatus<'a> {
    fn of(status: &'a QuotationStatus, beside: &Beside<'a>) -> Self {
        match status {
            QuotationStatus::Pending => Self::Pending,
            QuotationStatus::Answered(answer) => Self::Answered(PackedAnswer::of(answer, beside)),
            QuotationStatus::Failed(reason) => Self::Failed(Cow::Borrowed(reason)),
        }
    }

    fn read(self, beside: &Beside<'_>) -> Result<QuotationStatus, PackedError> {
        Ok(match self {
            Self::Pending => QuotationStatus::Pending,
            Self::Answered(answer) => QuotationStatus::Answered(Box::new(answer.read(beside)?)),
            Self::Failed(reason) => QuotationStatus::Failed(reason.into_owned()),
        })
    }
}

impl<'a> PackedAnswer<'a> {
    fn of(answer: &'a Answer, beside: &Beside<'a>) -> Self {
        let mut places = Places { items: beside.items, more: vec![], next: 0 };
        let lines = answer.lines.iter().map(|line| PackedLine {
            place: places.of(&line.product, Some(line.quantity)),
            name: Cow::Borrowed(&line.name),
            list_price: line.list_price,
            discount: line.discount,
            unit_price: line.unit_price,
            total: line.total,
        });
        let lines = lines.collect();
        // Lines and unavailable products are each in the order of the items.
        places.next = 0;
        let unavailable = answer.unavailable.iter().map(|product| places.of(product, None));
        Self {
            lines,
            unavailable: unavailable.collect(),
            more: places.more,
            total: answer.total,
            currency: answer.currency,
            priced_at: beside.since(answer.priced_at),
            validated_at: beside.since(answer.validated_at),
            stale: answer.stale,
            generation: Cow::Borrowed(&answer.generation),
            catalogue_version: answer.catalogue_version,
            pricing_version: answer.pricing_version,
        }
    }

    fn read(self, beside: &Beside<'_>) -> Result<Answer, PackedError> {
        let item = |place: usize| match place.checked_sub(beside.items.len()) {
            None => Ok((beside.items[place].product.clone(), beside.items[place].quantity)),
            Some(place) => match self.more.get(place) {
                Some((product, quantity)) => Ok((product.clone().into_owned(), *quantity)),
                None => Err(PackedError::Damaged("its answer is of an item that is not there")),
            },
        };
        let lines = self.lines.into_iter().map(|line| {
            let (product, quantity) = item(line.place)?;
            Ok(AnswerLine {
                product,
                name: line.name.into_owned(),
                quantity,
                list_price: line.list_price,
                discount: line.discount,
                unit_price: line.unit_price,
                total: line.total,
            })
        });
        let lines = lines.collect::<Result<_, PackedError>>()?;
        let unavailable = self.unavailable.into_iter().map(|place| Ok(item(place)?.0));
        Ok(Answer {
            lines,
            unavailable: unavailable.collect::<Result<_, PackedError>>()?,
            total: self.total,
            currency: self.currency,
            priced_at: beside.at(self.priced_at),
            validated_at: beside.at(self.validated_at),
            stale: self.stale,
            generation: self.generation.into_owned(),
            catalogue_version: self.catalogue_version,
            pricing_version: self.pricing_version,
        })
    }
}

/// Finds the places of products.
struct Places<'a> {
    items: &'a [Item],
    more: Vec<(Cow<'a, ProductId>, Quantity)>,
    /// After the last place found: products come in the order of the items, so it is mostly the next.
    next: usize,
}

impl<'a> Places<'a> {
    /// The place of an item with this product and, if that matters, this quantity.
    fn of(&mut self, product: &'a ProductId, quantity: Option<Quantity>) -> usize {
        let is_meant = |item: &Item| {
            item.product == *product && quantity.is_none_or(|quantity| quantity == item.quantity)
        };
        let later = self.items[self.next..].iter().position(is_meant).map(|at| self.next + at);
        if let Some(place) = later.or_else(|| self.items.iter().position(is_meant)) {
            self.next = place + 1;
            return place;
        }
        self.more.push((Cow::Borrowed(product), quantity.unwrap_or(Quantity::ONE)));
        self.items.len() + self.more.len() - 1
    }
}

#[cfg(test)]
mod tests;
