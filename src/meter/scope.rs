//! Scopes: which stage makes a call, and why. The scope travels with the task and needs no allocation.

use std::future::Future;

use serde::{Deserialize, Serialize};
use tokio::task_local;

use crate::model::named;
use crate::ports::Queue;

named! {
    /// The part of ocache that makes a call, by its name in tables and logs.
    #[derive(
        Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
    )]
    #[serde(rename_all = "snake_case")]
    pub enum Stage {
        /// Subscribe.
        Subscribe => "subscribe",
        /// Refresh.
        Refresh => "refresh",
        /// Price calc.
        PriceCalc => "price_calc",
        /// Quotation handler.
        QuotationHandler => "quotation_handler",
        /// Quotation provider.
        QuotationProvider => "quotation_provider",
        /// The loading of products and discounts.
        Load => "load",
        /// The meter itself, which writes usage.
        Meter => "meter",
        /// A process that reads the settings of the stack.
        Settings => "settings",
        /// A process that writes its presence record.
        Presence => "presence",
        /// Any other command.
        Command => "command",
        /// The stage is unknown.
        #[default]
        Unknown => "unknown",
    }
}

named! {
    /// The reason for a call, by its name in tables and logs.
    #[derive(
        Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
    )]
    #[serde(rename_all = "snake_case")]
    pub enum Reason {
        /// The schedule.
        Scheduled => "scheduled",
        /// A stale table or changed prices; or several different reasons that share one call.
        Urgent => "urgent",
        /// The visit of a new or expired customer.
        FirstVisit => "first_visit",
        /// A visit.
        Visit => "visit",
        /// A quotation that a client waits for.
        Quote => "quote",
        /// The loading of products and discounts.
        Load => "load",
        /// A command that somebody typed.
        Command => "command",
        /// The reason is unknown.
        #[default]
        Unknown => "unknown",
    }
}

/// The stage and reason under which calls are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The stage that calls.
    pub stage: Stage,
    /// The reason for the call.
    pub reason: Reason,
}

task_local! {
    static CURRENT: Scope;
}

impl Scope {
    /// Creates a scope from a stage and a reason.
    #[must_use]
    pub const fn new(stage: Stage, reason: Reason) -> Self {
        Self { stage, reason }
    }

    /// Returns the scope for receiving and acknowledging the messages of a queue. The calls that a stage
    /// makes for a message have their own scopes.
    #[must_use]
    pub const fn receiving(queue: Queue) -> Self {
        match queue {
            Queue::Refresh => Self::new(Stage::PriceCalc, Reason::Scheduled),
            Queue::Quotation => Self::new(Stage::PriceCalc, Reason::Urgent),
            Queue::Provider => Self::new(Stage::QuotationProvider, Reason::Quote),
        }
    }

    /// Returns the scope of the running task, or the unknown scope. A spawned task does not inherit it.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(|scope| *scope).unwrap_or_default()
    }

    /// Counts all calls of a future under this scope.
    pub fn of<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_innermost_scope_counts() {
        let outer = Scope::new(Stage::PriceCalc, Reason::Scheduled);
        let inner = Scope::new(Stage::PriceCalc, Reason::Quote);
        let seen = outer.of(async {
            let before = Scope::current();
            let within = inner.of(async { Scope::current() }).await;
            (before, within, Scope::current())
        });
        assert_eq!(seen.await, (outer, inner, outer));
        assert_eq!(Scope::current(), Scope::default());
    }
}
