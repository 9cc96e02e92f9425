//! The limits of the AWS services, so that nothing works on this engine that fails there.

use serde::Serialize;

use crate::ports::{
    MAX_BODY_BYTES, MAX_DELAY, MAX_PUSH_BYTES, Outgoing, PortError, Posting, Queue,
};

const MAX_ITEM_BYTES: usize = 400 * 1024;

fn check(what: &str, thing: &str, bytes: usize, max: usize) -> Result<(), PortError> {
    if bytes <= max {
        return Ok(());
    }
    let why = format!("the {thing} has {bytes} bytes, {max} are allowed");
    Err(PortError::rejected(what, why))
}

/// Refuses an item of more than 400 KB. The services count differently, but the length of its JSON is close.
pub(super) fn check_item(what: &str, item: &impl Serialize) -> Result<(), PortError> {
    let json = serde_json::to_vec(item)
        .map_err(|error| PortError::rejected(what, format!("it has no JSON: {error}")))?;
    check_item_bytes(what, json.len())
}

/// Refuses an item of more than 400 KB.
pub(super) fn check_item_bytes(what: &str, bytes: usize) -> Result<(), PortError> {
    check(what, "item", bytes, MAX_ITEM_BYTES)
}

/// Refuses a frame of more than 128 KB.
pub(super) fn check_frame(what: &str, frame: &[u8]) -> Result<(), PortError> {
    check(what, "frame", frame.len(), MAX_PUSH_BYTES)
}

/// Refuses a message that its queue does not accept.
pub(super) fn check_message(queue: Queue, message: &Outgoing) -> Result<(), PortError> {
    let what = format!("message to queue `{queue}`");
    check(&what, "body", message.body.len(), MAX_BODY_BYTES)?;
    match message.posting {
        Posting::Fifo { .. } if !queue.is_fifo() => {
            Err(PortError::rejected(what, "the queue has no groups"))
        }
        Posting::Standard { .. } if queue.is_fifo() => {
            Err(PortError::rejected(what, "the queue needs a group"))
        }
        Posting::Standard { delay } if delay > MAX_DELAY => {
            let (delay, max) = (delay.as_secs(), MAX_DELAY.as_secs());
            Err(PortError::rejected(what, format!("a delay of {delay} s, {max} s are allowed")))
        }
        Posting::Fifo { .. } | Posting::Standard { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::memory::{ManualClock, Memory};
    use crate::model::{Generation, ProductId, Timestamp, UserId};
    use crate::ports::testing::head;
    use crate::ports::{
        LoadId, Loads as _, NewTable, PriceTables as _, RowChange, SystemRandomness, UserDiscounts,
        parts_of,
    };
    use crate::pricing::{Discount, Discounts, Money, Percentage, Product};

    fn memory() -> Memory {
        Memory::new(Arc::new(ManualClock::new(Timestamp::from_secs(0))), Arc::new(SystemRandomness))
    }

    fn rejected(outcome: Result<(), PortError>) -> String {
        match outcome {
            Err(PortError::Rejected { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn an_item_over_400_kb_is_named_and_nothing_is_written() {
        let memory = memory();
        let product = |id: &str, bytes| {
            Product::new(ProductId::new(id).unwrap(), "x".repeat(bytes), Money::ZERO)
        };
        let products = [product("fits", MAX_ITEM_BYTES - 100), product("株", MAX_ITEM_BYTES)];
        let load = LoadId("load".to_owned());
        memory.begin_load(&load, Timestamp::default()).await.unwrap();
        let changes = products.map(RowChange::from);
        let written = memory.write_journal(&load, &changes).await.map(drop);
        assert_eq!(rejected(written), "product `株`");
        assert!(memory.list_journal(&load, None).await.unwrap().items.is_empty());
        assert!(memory.write_journal(&load, &changes[..1]).await.unwrap());

        let user = UserId::new("ann").unwrap();
        let discount = |n: usize| Discount {
            product_id: ProductId::new(format!("{n:064}")).unwrap(),
            percentage: Percentage::default(),
        };
        let discounts = Discounts::new((0..5000).map(discount).collect()).unwrap();
        let list = RowChange::from(UserDiscounts::new(user.clone(), discounts));
        let written = memory.write_journal(&load, &[list]).await.map(drop);
        assert_eq!(rejected(written), "discounts of customer `ann`");

        let parts = [vec![0; MAX_ITEM_BYTES].into(), vec![0; MAX_ITEM_BYTES + 1].into()];
        let generation = Generation::from_random([0; 16]);
        let at = Timestamp::default();
        let put = memory
            .put_table(NewTable::new(&user, &head(1, &generation, at), at).with_parts(&parts))
            .await
            .map(drop);
        assert_eq!(rejected(put), "part 1 of the price table of customer `ann`");
        assert_eq!(parts_of(&memory, &user, &generation, &[0]).await.unwrap(), [None]);
    }

    #[test]
    fn a_message_must_fit_its_queue() {
        let standard = |delay| Outgoing {
            body: "x".repeat(MAX_BODY_BYTES),
            posting: Posting::Standard { delay },
        };
        let longest = standard(MAX_DELAY);
        check_message(Queue::Provider, &longest).unwrap();
        assert!(check_message(Queue::Refresh, &longest).is_err());
        let too_late = standard(MAX_DELAY + Duration::from_millis(1));
        assert!(check_message(Queue::Provider, &too_late).is_err());
        let too_large = Outgoing { body: "x".repeat(MAX_BODY_BYTES + 1), ..longest };
        let error = check_message(Queue::Provider, &too_large).unwrap_err();
        assert!(matches!(error, PortError::Rejected { what, .. } if what.contains("`provider`")));
    }
}
