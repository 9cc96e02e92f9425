//! The names of all resources: `{stack}` and a suffix.

use std::sync::Arc;

use crate::meter::Resource;
use crate::model::{is_stack, named};
use crate::ports::Queue;

named! {
    /// The tables of the system, by the suffixes of their names.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum DynamoTable {
        ActiveUsers => "active-users",
        Products => "products",
        Discounts => "discounts",
        Customers => "customers",
        PriceLists => "price-lists",
        Journal => "journal",
        PricesByUser => "prices-by-user",
        Quotations => "quotations",
        Meter => "meter",
    }
}

impl DynamoTable {
    /// Returns the table's name in the meter.
    pub(super) const fn metered(self) -> Resource {
        match self {
            Self::ActiveUsers => Resource::ActiveUsers,
            Self::Products => Resource::Products,
            Self::Discounts => Resource::Discounts,
            Self::Customers => Resource::Customers,
            Self::PriceLists => Resource::PriceLists,
            Self::Journal => Resource::Journal,
            Self::PricesByUser => Resource::PricesByUser,
            Self::Quotations => Resource::Quotations,
            Self::Meter => Resource::Meter,
        }
    }

    /// Returns the attributes of the table's key: the partition key, then the sort key. All are strings.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::ActiveUsers | Self::Discounts | Self::Customers => &["user_id"],
            Self::Products => &["product_id"],
            Self::PriceLists => &["list_id", "scope_id"],
            Self::Journal => &["load_id", "first"],
            Self::PricesByUser => &["user_id", "part"],
            Self::Quotations => &["request_id"],
            Self::Meter => &["window", "process"],
        }
    }

    /// Whether items of the table expire. Journals do not; a load or a tick drops them when they are no
    /// longer needed.
    pub(super) const fn expires(self) -> bool {
        !matches!(self, Self::Journal)
    }
}

/// The attribute by which items expire, in every table that has expiring items.
pub(super) const TTL: &str = "ttl";

/// A queue, or its queue of dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mailbox {
    Live(Queue),
    Dead(Queue),
}

impl Mailbox {
    /// Returns the place of this mailbox among all mailboxes.
    pub(super) const fn index(self) -> usize {
        let place = match self.queue() {
            Queue::Refresh => 0,
            Queue::Quotation => 1,
            Queue::Provider => 2,
        };
        match self {
            Self::Live(_) => place,
            Self::Dead(_) => place + Queue::ALL.len(),
        }
    }

    /// Returns the queue itself, or the queue whose dead letters these are.
    pub(super) const fn queue(self) -> Queue {
        match self {
            Self::Live(queue) | Self::Dead(queue) => queue,
        }
    }
}

/// All names of one stack.
#[derive(Clone, Debug)]
pub(super) struct Names(Arc<str>);

impl Names {
    /// Returns the names of a stack, or `None` if its name cannot be part of a resource's name.
    pub(super) fn new(stack: &str) -> Option<Self> {
        is_stack(stack).then(|| Self(stack.into()))
    }

    pub(super) fn table(&self, table: DynamoTable) -> String {
        format!("{}-{}", self.0, table.name())
    }

    pub(super) fn queue(&self, queue: Mailbox) -> String {
        let (queue, dead) = match queue {
            Mailbox::Live(queue) => (queue, ""),
            Mailbox::Dead(queue) => (queue, "-dlq"),
        };
        let fifo = if queue.is_fifo() { ".fifo" } else { "" };
        format!("{}-{}{dead}{fifo}", self.0, queue.name())
    }

    /// Returns the name of the alarm for the dead letters of a queue.
    pub(super) fn dead_letter_alarm(&self, queue: Queue) -> String {
        format!("{}-dead-letters-{}", self.0, queue.name())
    }

    /// Returns the table of this stack with a name.
    pub(super) fn table_of(&self, name: &str) -> Option<DynamoTable> {
        let suffix = self.suffix_of(name)?;
        DynamoTable::ALL.into_iter().find(|table| table.name() == suffix)
    }

    /// Returns the queue of this stack with a name. The name may also be that of its queue of dead letters.
    pub(super) fn queue_of(&self, name: &str) -> Option<Queue> {
        let suffix = self.suffix_of(name)?;
        let suffix = suffix.strip_suffix(".fifo").unwrap_or(suffix);
        let suffix = suffix.strip_suffix("-dlq").unwrap_or(suffix);
        Queue::ALL.into_iter().find(|queue| queue.name() == suffix)
    }

    fn suffix_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&*self.0)?.strip_prefix('-')
    }

    pub(super) fn topic(&self) -> String {
        format!("{}-quotations", self.0)
    }

    /// Returns the name of the schedule that refreshes the stack, where it is deployed.
    pub(super) fn schedule(&self) -> String {
        format!("{}-refresh", self.0)
    }

    /// Returns the name of the secret with the keys of tokens, if any were made.
    pub(super) fn token_keys(&self) -> String {
        format!("{}/token-keys", self.0)
    }

    /// Returns the name of the websocket API, where it is deployed.
    pub(super) fn websocket_api(&self) -> String {
        format!("{}-websocket", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MAX_STACK_BYTES;

    #[test]
    fn names_are_those_of_the_design_and_fit() {
        let names = Names::new("organic-cache").unwrap();
        assert_eq!(names.queue(Mailbox::Live(Queue::Refresh)), "organic-cache-refresh.fifo");
        assert_eq!(
            names.queue(Mailbox::Dead(Queue::Quotation)),
            "organic-cache-quotation-dlq.fifo"
        );
        assert_eq!(names.queue(Mailbox::Dead(Queue::Provider)), "organic-cache-provider-dlq");
        assert_eq!(names.table(DynamoTable::PricesByUser), "organic-cache-prices-by-user");
        assert_eq!(names.topic(), "organic-cache-quotations");
        for table in DynamoTable::ALL {
            assert_eq!(names.table_of(&names.table(table)), Some(table));
        }
        for queue in Queue::ALL {
            assert_eq!(names.queue_of(&names.queue(Mailbox::Live(queue))), Some(queue));
            assert_eq!(names.queue_of(&names.queue(Mailbox::Dead(queue))), Some(queue));
        }
        assert_eq!(names.table_of("other-products"), None);
        let longest = Names::new(&"s".repeat(MAX_STACK_BYTES)).unwrap();
        assert!(longest.queue(Mailbox::Dead(Queue::Quotation)).len() <= 80);
        assert!(Names::new("").is_none());
        assert!(Names::new("a.b").is_none());
        assert!(Names::new(&"s".repeat(MAX_STACK_BYTES + 1)).is_none());
    }
}
