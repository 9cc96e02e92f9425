//! The messages in the queues and the topic, with the ids for their order and deduplication.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::{Digest, DigestBuilder};
use super::{
    ConnectionId, Generation, ProductId, Quantity, QuotationKey, RequestId, Timestamp, UserId,
};

/// One line of a quote: a product and its quantity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The product.
    pub product: ProductId,
    /// The quantity.
    pub quantity: Quantity,
}

/// The target of a push: a connection, and the gateway that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectionRef {
    /// The base URL of the gateway's management API. It is checked against an allow-list before anything is
    /// sent.
    pub endpoint: String,
    /// The id of the connection at that gateway.
    pub id: ConnectionId,
}

/// The protocol that the client of a quotation uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The protocol of this version.
    #[default]
    Current,
    /// The protocol of the original proof of concept.
    Original,
}

/// A quotation as it is published to the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotationRequest {
    /// The key under which the quotation is stored.
    pub key: QuotationKey,
    /// The id that the client knows.
    pub request_id: RequestId,
    /// The customer.
    pub user: UserId,
    /// The items asked for.
    pub items: Vec<Item>,
    /// The time by which it must be answered.
    pub deadline: Timestamp,
    /// How many calculations were ordered for it.
    pub attempt: u32,
    /// The generation whose parts could not be read, if that is why a calculation is ordered. The calculation
    /// is then done even if the head still names this generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Generation>,
}

/// A message for the quotation provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProviderMessage {
    /// A quotation to answer.
    Quote(QuotationRequest),
    /// A quotation whose deadline has passed. If it is still pending, it fails.
    Deadline {
        /// The customer.
        user: UserId,
        /// The key under which the quotation is stored.
        key: QuotationKey,
    },
}

/// An order to calculate one customer's price table. It is the message of both calculation queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    /// The customer.
    pub user: UserId,
    /// Why the table is calculated.
    pub cause: Cause,
}

/// Why a table is calculated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The schedule ordered it.
    Scheduled {
        /// `floor(due / interval)`, which is the same for all refreshers.
        tick: u64,
        /// When the tick was due.
        due: Timestamp,
        /// The time between two ticks, in milliseconds.
        interval_ms: u64,
        /// The customer's expiry at the tick. Before this time, the customer's row need not be read again.
        expires_at: Timestamp,
    },
    /// The customer is new, or was expired and has returned.
    Subscribe {
        /// The expiry that this visit has set.
        expires_at: Timestamp,
    },
    /// A quote was answered from a stale table. Nobody waits for the new table, so the order is not urgent.
    Stale {
        /// The version of the stale head. The generation would not do, because an unchanged table keeps it: a
        /// later order would be dropped as a duplicate.
        version: u64,
    },
    /// A load changed prices or the customer's discounts. The order is not urgent.
    Change {
        /// The version of the catalogue that the table must have at least.
        version: u64,
        /// The name of the load, if it changed the customer's discounts. It is part of the deduplication id,
        /// so that two loads of discounts are two orders.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        discounts: Option<String>,
    },
    /// A quote found no usable table and waits for this one.
    Quotation(QuotationRequest),
}

impl Cause {
    /// Whether somebody may wait for the table. Its order then goes ahead of all others.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        matches!(self, Self::Subscribe { .. } | Self::Quotation(_))
    }

    /// The name in logs and meters.
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

    /// Whether a scheduled order is so old that the next ones have been sent since.
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

impl Calculation {
    /// Returns the group of the message: those of one customer stay in order, those of different customers
    /// run in parallel.
    #[must_use]
    pub fn group(&self) -> GroupId {
        GroupId::of(&self.user)
    }

    /// Returns the id by which a queue drops duplicates of this order.
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

/// The group of a FIFO message: a hash of its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(Digest);

impl GroupId {
    /// Returns the group of a customer.
    #[must_use]
    pub fn of(user: &UserId) -> Self {
        Self(DigestBuilder::new("group").part(user.as_str().as_bytes()).finish())
    }
}

/// The deduplication id of a FIFO message. It is always explicit. Queues would otherwise drop equal bodies
/// for minutes, but equal orders at different times are not duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeduplicationId(Digest);

impl DeduplicationId {
    /// Creates a unique id, for a message that must not be dropped because it is redriven.
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
        // The form before orders had the name of a load.
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
