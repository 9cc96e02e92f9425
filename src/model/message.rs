//! What travels through the queues and the topic, and the ids that keep it in order and unrepeated.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::{Digest, DigestBuilder};
use super::{
    ConnectionId, Generation, ProductId, Quantity, QuotationKey, RequestId, Timestamp, UserId,
};

/// One line of a quote: a product and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which product.
    pub product: ProductId,
    /// How much of it.
    pub quantity: Quantity,
}

/// Where an answer is pushed: a connection, and the gateway that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectionRef {
    /// The base URL of the gateway's management API. It is checked against an allow-list before
    /// anything is sent to it.
    pub endpoint: String,
    /// The connection's id there.
    pub id: ConnectionId,
}

/// Which frames the client of a quotation speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The protocol of this version.
    #[default]
    Current,
    /// The protocol of the original proof of concept.
    Original,
}

/// A quotation on its way through the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotationRequest {
    /// Where the quotation is stored.
    pub key: QuotationKey,
    /// The id the client knows it by.
    pub request_id: RequestId,
    /// Who asks.
    pub user: UserId,
    /// For what.
    pub items: Vec<Item>,
    /// Until when an answer counts.
    pub deadline: Timestamp,
    /// How many calculations were asked for on its behalf.
    pub attempt: u32,
    /// The generation whose parts could not be read, if that is why a calculation is asked for:
    /// then a head that still names it is no reason to skip the calculation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Generation>,
}

/// What wakes the quotation provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProviderMessage {
    /// A quotation to answer.
    Quote(QuotationRequest),
    /// A quotation whose deadline has come: if it is still pending, it has failed.
    Deadline {
        /// Who asked.
        user: UserId,
        /// Where the quotation is stored.
        key: QuotationKey,
    },
}

/// An order to calculate one user's price table: the message of both calculation queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    /// Whose table.
    pub user: UserId,
    /// Why.
    pub cause: Cause,
}

/// Why a table is calculated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The schedule came round.
    Scheduled {
        /// `floor(due / interval)`, the same for every refresher of the same moment.
        tick: u64,
        /// When the tick was due.
        due: Timestamp,
        /// The time between two ticks, in milliseconds.
        interval_ms: u64,
        /// The user's expiry at the tick. While it has not passed, nobody need look again
        /// whether the user is still active.
        expires_at: Timestamp,
    },
    /// The user is new, or came back after expiring.
    Subscribe {
        /// The expiry this visit gave the user.
        expires_at: Timestamp,
    },
    /// A quote was answered from a table past its freshness. Nobody waits for the new one, so the
    /// order is not urgent.
    Stale {
        /// The version of the head that was stale. Not the generation, which an unchanged table
        /// keeps: the second time it is stale would look like a repetition of the first.
        version: u64,
    },
    /// A load changed the prices or the user's discounts. The order is not urgent either.
    Change {
        /// The catalogue version that the table must at least have.
        version: u64,
        /// The name of the load, if it changed the user's discounts: no version tells whether a
        /// table has those, so such an order is always done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        discounts: Option<String>,
    },
    /// A quote found no usable table, and waits for this one.
    Quotation(QuotationRequest),
}

impl Cause {
    /// Whether somebody may be waiting for the table: then its order goes ahead of all others.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        matches!(self, Self::Subscribe { .. } | Self::Quotation(_))
    }

    /// The word for logs and meters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Scheduled { .. } => "scheduled",
            Self::Subscribe { .. } => "subscribe",
            Self::Stale { .. } => "stale",
            Self::Change { .. } => "change",
            Self::Quotation(_) => "quotation",
        }
    }
}

impl Calculation {
    /// The messages of one user are kept in order, those of different users run in parallel.
    #[must_use]
    pub fn group(&self) -> GroupId {
        GroupId::of(&self.user)
    }

    /// The id under which a queue drops repetitions of this order.
    #[must_use]
    pub fn deduplication(&self) -> DeduplicationId {
        let id = DigestBuilder::new(self.cause.name()).part(self.user.as_str().as_bytes());
        let id = match &self.cause {
            Cause::Scheduled { tick, interval_ms, .. } => id.number(*tick).number(*interval_ms),
            Cause::Subscribe { expires_at } => id.number(expires_at.millis().cast_unsigned()),
            Cause::Stale { version } => id.number(*version),
            Cause::Change { version, discounts } => {
                id.number(*version).part(discounts.as_deref().unwrap_or_default().as_bytes())
            }
            Cause::Quotation(request) => {
                id.part(request.key.as_str().as_bytes()).number(u64::from(request.attempt))
            }
        };
        DeduplicationId(id.finish())
    }
}

impl Cause {
    /// Whether a scheduled order is so old that the next ones have overtaken it.
    #[must_use]
    pub fn is_overtaken(&self, now: Timestamp) -> bool {
        match self {
            Self::Scheduled { due, interval_ms, .. } => {
                now.since(*due) >= Duration::from_millis(interval_ms.saturating_mul(2))
            }
            _ => false,
        }
    }
}

/// The group of a FIFO message: the hash of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(Digest);

impl GroupId {
    /// The group of a user.
    #[must_use]
    pub fn of(user: &UserId) -> Self {
        Self(DigestBuilder::new("group").part(user.as_str().as_bytes()).finish())
    }
}

/// The deduplication id of a FIFO message. Always explicit: queues drop equal bodies for minutes,
/// and equal orders at different times are not the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeduplicationId(Digest);

impl DeduplicationId {
    /// An id nothing else has, for a message that must not be dropped: a redriven one.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(DigestBuilder::new("redrive").part(&bytes).finish())
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DeduplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduled(user: &str, tick: u64) -> Calculation {
        Calculation {
            user: UserId::new(user).unwrap(),
            cause: Cause::Scheduled {
                tick,
                due: Timestamp::from_secs(i64::try_from(tick).unwrap()),
                interval_ms: 1000,
                expires_at: Timestamp::default(),
            },
        }
    }

    #[test]
    fn two_refreshers_of_one_tick_make_one_message() {
        assert_eq!(scheduled("a", 7).deduplication(), scheduled("a", 7).deduplication());
        assert_ne!(scheduled("a", 7).deduplication(), scheduled("a", 8).deduplication());
        assert_ne!(scheduled("a", 7).deduplication(), scheduled("b", 7).deduplication());
    }

    #[test]
    fn each_attempt_for_a_request_is_a_message_of_its_own() {
        let user = UserId::new("a").unwrap();
        let request_id = RequestId::made(Timestamp::from_secs(1), [1; 16]);
        let order = |attempt| Calculation {
            user: user.clone(),
            cause: Cause::Quotation(QuotationRequest {
                key: QuotationKey::new(&user, &request_id),
                request_id: request_id.clone(),
                user: user.clone(),
                items: vec![],
                deadline: Timestamp::default(),
                attempt,
                unreadable: None,
            }),
        };
        assert_ne!(order(1).deduplication(), order(2).deduplication());
        assert_eq!(order(1).group(), scheduled("a", 1).group());
    }

    #[test]
    fn two_loads_of_a_users_discounts_are_two_orders() {
        let change = |version, discounts: Option<&str>| Calculation {
            user: UserId::new("a").unwrap(),
            cause: Cause::Change { version, discounts: discounts.map(str::to_owned) },
        };
        let ids = [change(1, None), change(1, Some("x")), change(1, Some("y")), change(2, None)]
            .map(|order| order.deduplication());
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 4);
        assert_eq!(change(1, Some("x")).deduplication(), ids[1]);
        // As it was written before loads had a name in it.
        let before = r#"{"kind":"change","version":1}"#;
        assert_eq!(serde_json::from_str::<Cause>(before).unwrap(), change(1, None).cause);
    }

    #[test]
    fn a_tick_is_overtaken_after_two_intervals() {
        let cause = scheduled("a", 10).cause;
        assert!(!cause.is_overtaken(Timestamp::from_millis(11_999)));
        assert!(cause.is_overtaken(Timestamp::from_millis(12_000)));
    }

    #[test]
    fn messages_survive_json() {
        let message = scheduled("José Núñez 株式会社", 3);
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Calculation>(&json).unwrap(), message);
    }
}
