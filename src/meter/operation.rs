//! The operations that are counted, and the units in which AWS bills them.

use serde::{Deserialize, Serialize};

use crate::ports::Queue;

/// The resource that an operation acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// The table of active users.
    ActiveUsers,
    /// The table of products.
    Products,
    /// The table of discounts.
    Discounts,
    /// The table of customers.
    Customers,
    /// The table of price lists and their rows.
    PriceLists,
    /// The table of the journals of loads.
    Journal,
    /// The table of price tables.
    PricesByUser,
    /// The table of quotations.
    Quotations,
    /// The table that meters write to.
    Meter,
    /// The queue of scheduled calculations.
    RefreshQueue,
    /// The queue of urgent calculations.
    QuotationQueue,
    /// The queue of quotations to answer.
    ProviderQueue,
    /// The Quotations Topic.
    Topic,
    /// The gateway of the websockets.
    Gateway,
    /// A Lambda function.
    Function,
}

/// An action on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Items of a table are read by their keys.
    Read,
    /// A table is read page by page.
    Scan,
    /// Items of a table are written or deleted.
    Write,
    /// Messages are sent.
    Send,
    /// Messages are received.
    Receive,
    /// A receive finds no messages.
    Poll,
    /// Messages are deleted.
    Delete,
    /// Messages are hidden for longer, or shown again.
    Hide,
    /// The attributes of a queue are read.
    Inspect,
    /// Messages are published.
    Publish,
    /// A frame is received from a client.
    FrameIn,
    /// A frame is sent to a client.
    FrameOut,
    /// A function runs.
    Run,
}

/// A unit that AWS bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// DynamoDB's read request unit.
    ReadUnit,
    /// DynamoDB's write request unit.
    WriteUnit,
    /// A request of SQS or SNS.
    Request,
    /// A message of API Gateway.
    Message,
    /// A GB-millisecond: a thousandth of Lambda's GB-second.
    GbMillisecond,
}

/// An action that exists for a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    resource: Resource,
    action: Action,
}

const TABLES: [Resource; 9] = [
    Resource::ActiveUsers,
    Resource::Products,
    Resource::Discounts,
    Resource::Customers,
    Resource::PriceLists,
    Resource::Journal,
    Resource::PricesByUser,
    Resource::Quotations,
    Resource::Meter,
];
const QUEUES: [Resource; 3] =
    [Resource::RefreshQueue, Resource::QuotationQueue, Resource::ProviderQueue];
const TABLE_ACTIONS: [Action; 3] = [Action::Read, Action::Scan, Action::Write];
const QUEUE_ACTIONS: [Action; 6] =
    [Action::Send, Action::Receive, Action::Poll, Action::Delete, Action::Hide, Action::Inspect];
const OTHERS: [Operation; 4] = [
    Operation { resource: Resource::Topic, action: Action::Publish },
    Operation { resource: Resource::Gateway, action: Action::FrameIn },
    Operation { resource: Resource::Gateway, action: Action::FrameOut },
    Operation { resource: Resource::Function, action: Action::Run },
];

impl Operation {
    /// The number of operations.
    pub const COUNT: usize =
        TABLES.len() * TABLE_ACTIONS.len() + QUEUES.len() * QUEUE_ACTIONS.len() + OTHERS.len();

    /// Publishes messages.
    pub const PUBLISH: Self = OTHERS[0];
    /// Receives a frame from a client.
    pub const FRAME_IN: Self = OTHERS[1];
    /// Sends a frame to a client.
    pub const FRAME_OUT: Self = OTHERS[2];
    /// Runs a function.
    pub const RUN: Self = OTHERS[3];

    /// All operations, in the order of their indexes.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |resources: &'static [Resource], actions: &'static [Action]| {
            resources.iter().flat_map(move |&resource| {
                actions.iter().map(move |&action| Self { resource, action })
            })
        };
        of(&TABLES, &TABLE_ACTIONS).chain(of(&QUEUES, &QUEUE_ACTIONS)).chain(OTHERS)
    }

    /// Returns an action on a resource, if it exists for that resource.
    #[must_use]
    pub fn new(resource: Resource, action: Action) -> Option<Self> {
        let operation = Self { resource, action };
        (operation.index() < Self::COUNT).then_some(operation)
    }

    /// Reads items by their keys.
    #[must_use]
    pub const fn read(table: Resource) -> Self {
        Self { resource: table, action: Action::Read }
    }

    /// Reads a table page by page.
    #[must_use]
    pub const fn scan(table: Resource) -> Self {
        Self { resource: table, action: Action::Scan }
    }

    /// Writes or deletes items.
    #[must_use]
    pub const fn write(table: Resource) -> Self {
        Self { resource: table, action: Action::Write }
    }

    /// Returns an action on a queue.
    #[must_use]
    pub const fn queue(queue: Queue, action: Action) -> Self {
        let resource = match queue {
            Queue::Refresh => Resource::RefreshQueue,
            Queue::Quotation => Resource::QuotationQueue,
            Queue::Provider => Resource::ProviderQueue,
        };
        Self { resource, action }
    }

    /// The resource it acts on.
    #[must_use]
    pub const fn resource(self) -> Resource {
        self.resource
    }

    /// The action.
    #[must_use]
    pub const fn action(self) -> Action {
        self.action
    }

    /// The unit that AWS bills for it.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self.action {
            Action::Read | Action::Scan => Unit::ReadUnit,
            Action::Write => Unit::WriteUnit,
            Action::FrameIn | Action::FrameOut => Unit::Message,
            Action::Run => Unit::GbMillisecond,
            _ => Unit::Request,
        }
    }

    /// Its index among all operations; [`Self::COUNT`] if the action does not exist for the resource.
    pub(super) const fn index(self) -> usize {
        const TABLES_END: usize = TABLES.len() * TABLE_ACTIONS.len();
        const QUEUES_END: usize = TABLES_END + QUEUES.len() * QUEUE_ACTIONS.len();
        let (resource, action) = (self.resource as usize, self.action as usize);
        let first_queue = Resource::RefreshQueue as usize;
        let first_sent = Action::Send as usize;
        match (self.resource, self.action) {
            (Resource::Topic, Action::Publish) => QUEUES_END,
            (Resource::Gateway, Action::FrameIn) => QUEUES_END + 1,
            (Resource::Gateway, Action::FrameOut) => QUEUES_END + 2,
            (Resource::Function, Action::Run) => QUEUES_END + 3,
            _ if resource < first_queue && action < first_sent => {
                resource * TABLE_ACTIONS.len() + action
            }
            _ if first_queue <= resource
                && resource < first_queue + QUEUES.len()
                && first_sent <= action
                && action < first_sent + QUEUE_ACTIONS.len() =>
            {
                TABLES_END + (resource - first_queue) * QUEUE_ACTIONS.len() + action - first_sent
            }
            _ => Self::COUNT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_place() {
        let all: Vec<_> = Operation::all().collect();
        assert_eq!(all.len(), Operation::COUNT);
        for (index, operation) in all.into_iter().enumerate() {
            assert_eq!(operation.index(), index, "{operation:?}");
            assert_eq!(Operation::new(operation.resource, operation.action), Some(operation));
        }
        assert_eq!(Operation::new(Resource::Topic, Action::Read), None);
        assert_eq!(Operation::new(Resource::Products, Action::Send), None);
    }
}
