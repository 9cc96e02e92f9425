//! Who is asking, and why: it travels with the task, and costs no allocation.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use tokio::task_local;

use crate::ports::Queue;

/// What of the system makes a call.
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
    /// The meter itself, writing down what was used.
    Meter,
    /// A process that follows the settings of the stack.
    Settings,
    /// A process that says that it lives.
    Presence,
    /// Any other command.
    Command,
    /// Nobody has said.
    #[default]
    Unknown,
}

/// What a call is for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The schedule came round.
    Scheduled,
    /// A table is stale or its prices changed; or several reasons that are not the schedule share
    /// one call.
    Urgent,
    /// A user is new, or came back.
    FirstVisit,
    /// A user shows up.
    Visit,
    /// A client waits for a quotation.
    Quote,
    /// Products and discounts are loaded.
    Load,
    /// Somebody typed a command.
    Command,
    /// Nobody has said.
    #[default]
    Unknown,
}

impl Stage {
    /// All of them.
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

    /// The word for tables and logs.
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
    /// All of them.
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

    /// The word for tables and logs.
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

/// On whose account calls go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Who asks.
    pub stage: Stage,
    /// Why.
    pub reason: Reason,
}

task_local! {
    static CURRENT: Scope;
}

impl Scope {
    /// A stage with a reason.
    #[must_use]
    pub const fn new(stage: Stage, reason: Reason) -> Self {
        Self { stage, reason }
    }

    /// On which receiving and acknowledging the messages of a queue go. What their stage calls, it
    /// puts on accounts of its own.
    #[must_use]
    pub const fn receiving(queue: Queue) -> Self {
        match queue {
            Queue::Refresh => Self::new(Stage::PriceCalc, Reason::Scheduled),
            Queue::Quotation => Self::new(Stage::PriceCalc, Reason::Urgent),
            Queue::Provider => Self::new(Stage::QuotationProvider, Reason::Quote),
        }
    }

    /// That of the running task; unknown where none was set. A task that is spawned does not
    /// inherit it.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(|scope| *scope).unwrap_or_default()
    }

    /// Puts everything that a future calls on this account.
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
