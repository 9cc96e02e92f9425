//! Sends the quotes of a run, and shows its progress.

use std::sync::Arc;
use std::time::Duration;

use super::super::failure::{Failure, Result};
use super::super::output::Output;
use super::figures::PhaseFigures;
use super::guests::Guests;
use crate::load_generator::{Amount, LoadRun, QuoteMix, RequestNames, RunError, ServerKind};
use crate::model::{ProductId, RequestId, UserId};
use crate::runtime::client::Destination;
use crate::tokens::Token;

/// One of this many answers is compared with its quote.
const CHECK_EVERY: u64 = 16;

/// Where quotes are sent, and what they contain.
pub(super) struct Quotes<'a> {
    pub(super) gateway: &'a Destination,
    /// The token for the gateway, if it requires one.
    pub(super) token: Option<&'a Token>,
    pub(super) sockets: usize,
    pub(super) lines: usize,
    pub(super) products: &'a [ProductId],
    pub(super) patience: Duration,
    pub(super) output: &'a Output,
}

/// The customers and the number of quotes of one phase.
pub(super) struct QuotePhase {
    pub(super) phase: &'static str,
    pub(super) users: Vec<UserId>,
    pub(super) count: u32,
}

impl Quotes<'_> {
    /// Sends the quotes of a plan, and waits for their answers.
    pub(super) async fn run(
        &self,
        plan: QuotePhase,
        rate: Option<u32>,
        guests: &mut Guests,
    ) -> Result<PhaseFigures> {
        let names = RequestNames::Numbered(plan.phase.replace(' ', "-"));
        for (number, user) in (0..plan.count).zip(plan.users.iter().cycle()) {
            let name = names.name(number.into()).unwrap_or_default();
            let request_id = RequestId::new(name).map_err(Failure::internal)?;
            guests.quoted(user.clone(), request_id);
        }
        let bar = self.output.progress(plan.phase, plan.count.into());
        let shown = bar.clone();
        let run = LoadRun {
            mix: Arc::new(QuoteMix::new(&plan.users, self.products, self.lines)),
            names,
            amount: Amount::Quotes(plan.count.into()),
            sockets: self.sockets.min(plan.count as usize),
            rate,
            patience: self.patience,
            peer: ServerKind::Gateway,
            check_every: CHECK_EVERY,
            expected: None,
            on_end: Arc::new(move || shown.inc(1)),
        };
        let ended = run.go(self.gateway, self.token).await;
        bar.finish_and_clear();
        Ok(PhaseFigures::of_quotes(plan.phase, ended?))
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Client(error) => error.into(),
            RunError::Times(error) => Self::internal(error),
        }
    }
}
