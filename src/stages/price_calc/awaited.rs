//! Quotations that wait for a table. Each is published to the provider once the table is there.

use std::sync::Arc;

use super::PriceCalc;
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Cause, ProviderMessage};
use crate::ports::{Flip, NewTable};
use crate::stages::outcome::write_body;
use crate::stages::{Effect, Outcome, StageError};

/// Returns the message that publishes the quotation which waits for the table, if one does.
pub(super) fn awaiting(cause: &Cause) -> Result<Option<String>, StageError> {
    match cause {
        Cause::Quotation(request) => write_body(&ProviderMessage::Quote(request.clone())).map(Some),
        _ => Ok(None),
    }
}

/// Returns the same failure for every message of a batch.
pub(super) fn postponed(count: usize, error: StageError) -> Vec<Outcome> {
    let error = Arc::new(error);
    (0..count).map(|_| StageError::Shared(error.clone()).into()).collect()
}

impl Effect {
    /// Whether the waiting quotation is published to the provider. One that is too late is too, because this
    /// order may be all that is left of it, and its client must be told.
    pub(super) const fn is_ready(self) -> bool {
        matches!(self, Self::Calculated | Self::Validated | Self::Unneeded | Self::TooLate)
    }
}

impl PriceCalc {
    /// Makes a table visible to quotes. Returns `false` if another process has replaced the head meanwhile.
    /// Sets `awaiting` to `None` if the engine published the message with the table.
    pub(super) async fn flip(
        &self,
        table: NewTable<'_>,
        awaiting: &mut Option<String>,
    ) -> Result<bool, StageError> {
        let table = NewTable { awaited: awaiting.as_deref(), ..table };
        let flip = self.tables.put_table(table).await?;
        if flip == Flip::Published {
            *awaiting = None;
        }
        Ok(flip.is_done())
    }

    /// Publishes the quotations whose table is there now. Those that cannot be published come again.
    pub(super) async fn publish(&self, waiting: Vec<(usize, String)>, outcomes: &mut [Outcome]) {
        if waiting.is_empty() {
            return;
        }
        let (indexes, bodies): (Vec<usize>, Vec<String>) = waiting.into_iter().unzip();
        let account = Scope::new(Stage::PriceCalc, Reason::Quote);
        let published = account.of(self.topic.publish(&bodies)).await.map_err(StageError::from);
        match published {
            Ok(failed) => {
                for entry in failed {
                    outcomes[indexes[entry.index]] = StageError::from(entry.error).into();
                }
            }
            Err(error) => {
                for (index, outcome) in indexes.iter().zip(postponed(indexes.len(), error)) {
                    outcomes[*index] = outcome;
                }
            }
        }
    }
}
