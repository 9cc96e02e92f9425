//! What the engines store as JSON and read back: heads of tables and catalogues, marks, quotations
//! and how they were settled; and the messages of the queues. The first byte says which.
//!
//! What is accepted is written as a text that reads the same, and everything that is done with it on
//! the way to an answer can be done.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use ocache::model::{
    Calculation, ConnectionRef, Dialect, ProductId, ProviderMessage, QuotationKey, Timestamp,
};
use ocache::ports::{
    CatalogueHead, FailureReason, Quotation, QuotationStatus, RowChange, TableHead,
};
use ocache::protocol::{render_accepted, render_quotation};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let now = Timestamp::from_secs(1_800_000_000);
    match kind % 8 {
        0 => {
            let Some(head) = read::<TableHead>(text) else { return };
            let _ = (head.is_usable(now), head.is_fresh(now), head.usable_until.to_string());
            let product = head.parts.first().cloned().or_else(|| ProductId::new("P1").ok());
            let _ = product.and_then(|product| head.part_of(&product));
        }
        1 => {
            let _ = read::<CatalogueHead>(text);
        }
        2 => {
            if let Some(change) = read::<RowChange>(text) {
                let _ = change.key();
            }
        }
        3 => {
            let Some(quotation) = read::<Quotation>(text) else { return };
            render(quotation, now);
        }
        4 => {
            let _ = read::<QuotationStatus>(text);
        }
        5 => {
            let _ = read::<(ConnectionRef, Dialect)>(text);
            let _ = read::<FailureReason>(text);
        }
        6 => {
            let Some(order) = read::<Calculation>(text) else { return };
            let _ = (order.group(), order.deduplication(), order.cause.is_overtaken(now));
        }
        _ => {
            let Some(message) = read::<ProviderMessage>(text) else { return };
            if let ProviderMessage::Quote(request) = message {
                let _ = QuotationKey::new(&request.user, &request.request_id);
                let _ = request.deadline.since(now);
            }
        }
    }
});

fn read<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let again = serde_json::to_string(&value).expect("what was read can be written");
    assert_eq!(serde_json::from_str::<T>(&again).expect("and read again"), value);
    Some(value)
}

fn render(mut quotation: Quotation, now: Timestamp) {
    for dialect in [Dialect::Current, Dialect::Original] {
        quotation.dialect = dialect;
        let text = render_quotation(&quotation, now).expect("a quotation renders");
        serde_json::from_str::<serde_json::Value>(&text).expect("as JSON");
        render_accepted(&quotation.request_id, dialect).expect("an acknowledgement renders");
    }
}
