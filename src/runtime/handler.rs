//! A stage as its consumer sees it, and how a panic of the stage is handled.

use std::collections::HashSet;
use std::slice;

use async_trait::async_trait;

use crate::ports::Received;
use crate::stages::price_calc::PriceCalc;
use crate::stages::quotation_provider::QuotationProvider;
use crate::stages::{Outcome, StageError};
use crate::supervisor::catch;

/// A stage that handles batches of messages.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles a batch. The outcomes are in the order of the batch.
    async fn handle(&self, batch: &[Received]) -> Vec<Outcome>;
}

#[async_trait]
impl Handler for PriceCalc {
    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        Self::handle(self, batch).await
    }
}

#[async_trait]
impl Handler for QuotationProvider {
    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        Self::handle(self, batch).await
    }
}

/// Has a stage handle a batch. A panic fails only the messages that cause it: after a panic the stage
/// gets all messages again, one at a time. Repeating finished ones is safe, as it is after a crash.
pub async fn handle(stage: &dyn Handler, batch: &[Received]) -> Vec<Outcome> {
    match catch(stage.handle(batch)).await {
        Ok(outcomes) => outcomes,
        Err(panic) if batch.len() == 1 => vec![StageError::from(panic).into()],
        Err(_) => handle_one_by_one(stage, batch).await,
    }
}

async fn handle_one_by_one(stage: &dyn Handler, batch: &[Received]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut failed_groups = HashSet::new();
    for message in batch {
        let outcome = if message.group.as_ref().is_some_and(|group| failed_groups.contains(group)) {
            // Messages of a group stay in order. If one comes again, those behind it come again too.
            StageError::Behind.into()
        } else {
            match catch(stage.handle(slice::from_ref(message))).await {
                Ok(outcomes) => outcomes.into_iter().next().unwrap_or(StageError::Behind.into()),
                Err(panic) => StageError::from(panic).into(),
            }
        };
        if !outcome.is_done() {
            failed_groups.extend(&message.group);
        }
        outcomes.push(outcome);
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::Timestamp;
    use crate::ports::Receipt;

    /// A stage that panics on every batch that contains a message `bad`.
    #[derive(Default)]
    struct Fragile {
        seen: Mutex<Vec<Vec<String>>>,
    }

    #[async_trait]
    impl Handler for Fragile {
        async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
            let bodies: Vec<String> = batch.iter().map(|message| message.body.clone()).collect();
            let is_bad = bodies.iter().any(|body| body == "bad");
            self.seen.lock().unwrap().push(bodies);
            assert!(!is_bad, "it is bad");
            batch.iter().map(|_| Outcome::Done).collect()
        }
    }

    fn message(group: Option<&str>, body: &str) -> Received {
        Received {
            id: body.to_owned(),
            receipt: Receipt(body.to_owned()),
            body: body.to_owned(),
            group: group.map(str::to_owned),
            receive_count: 1,
            sent_at: Timestamp::default(),
        }
    }

    fn shown(outcomes: &[Outcome]) -> Vec<String> {
        let shown = outcomes.iter().map(|outcome| match outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Again { error, .. } => crate::ports::Chain(error).to_string(),
        });
        shown.collect()
    }

    #[tokio::test]
    async fn a_panic_fails_its_own_message_and_what_follows_in_its_group() {
        let stage = Fragile::default();
        let (ann, bob) = (Some("ann"), Some("bob"));
        let batch = [
            message(ann, "1"),
            message(ann, "bad"),
            message(bob, "2"),
            message(ann, "3"),
            message(None, "4"),
        ];
        let outcomes = shown(&handle(&stage, &batch).await);
        assert_eq!(outcomes[0], "done");
        assert!(outcomes[1].starts_with("the stage panicked: it is bad"), "{outcomes:?}");
        assert_eq!(outcomes[2], "done");
        assert_eq!(outcomes[3], "an earlier order for this customer failed and must come first");
        assert_eq!(outcomes[4], "done");
        let seen = stage.seen.lock().unwrap();
        assert_eq!(seen.concat(), ["1", "bad", "2", "3", "4", "1", "bad", "2", "4"]);
    }

    #[tokio::test]
    async fn a_message_alone_is_not_handled_twice() {
        let stage = Fragile::default();
        let outcomes = handle(&stage, &[message(None, "bad")]).await;
        assert!(!outcomes[0].is_done());
        assert_eq!(stage.seen.lock().unwrap().len(), 1);
    }
}
