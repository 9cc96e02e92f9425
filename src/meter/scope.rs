//! Scopes: which stage makes a call, and why. The scope travels with the task and needs no allocation.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use tokio::task_local;

use crate::ports::Queue;

/// The part of ocache that makes a call.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Subscribe.
    Subscribe,
    /// Refresh.
    Refresh,
    /// Price calc.
    PriceCalc,
    /// Quotation handler.
    QuotationHandler,
    /// Quotation provider.
    QuotationProvider,
    /// The loading of products and discounts.
    Load,
    /// The meter itself, which writes usage.
    Meter,
    /// A process that reads the settings of the stack.
    Settings,
    /// A process that writes its presence record.
    Presence,
    /// Any other command.
    Command,
    /// The stage is unknown.
    #[default]
    Unknown,
}

/// The reason for a call.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The schedule.
    Scheduled,
    /// A stale table or changed prices; or several different reasons that share one call.
    Urgent,
    /// The visit of a new or expired customer.
    FirstVisit,
    /// A visit.
    Visit,
    /// A quotation that a client waits for.
    Quote,
    /// The loading of products and discounts.
    Load,
    /// A command that somebody typed.
    Command,
    /// The reason is unknown.
    #[default]
    Unknown,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 11] = [
        Self::Subscribe,
        Self::Refresh,
        Self::PriceCalc,
        Self::QuotationHandler,
        Self::QuotationProvider,
        Self::Load,
        Self::Meter,
        Self::Settings,
        Self::Presence,
        Self::Command,
        Self::Unknown,
    ];

    /// The name in tables and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Refresh => "refresh",
            Self::PriceCalc => "price_calc",
            Self::QuotationHandler => "quotation_handler",
            Self::QuotationProvider => "quotation_provider",
            Self::Load => "load",
            Self::Meter => "meter",
            Self::Settings => "settings",
            Self::Presence => "presence",
            Self::Command => "command",
            Self::Unknown => "unknown",
        }
    }
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::Scheduled,
        Self::Urgent,
        Self::FirstVisit,
        Self::Visit,
        Self::Quote,
        Self::Load,
        Self::Command,
        Self::Unknown,
    ];

    /// The name in tables and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Urgent => "urgent",
            Self::FirstVisit => "first_visit",
            Self::Visit => "visit",
            Self::Quote => "quote",
            Self::Load => "load",
            Self::Command => "command",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
