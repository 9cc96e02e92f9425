//! Values for unit tests.

use serde::Serialize;

use super::{Own, Prices, Receipt, Received, TableHead};
use crate::model::{DigestBuilder, Generation, Timestamp};
use crate::pricing::{Currency, PriceList, Recipients, UnitRounding};

/// Returns the head of an empty table.
pub(crate) fn head(version: u64, generation: &Generation, now: Timestamp) -> TableHead {
    TableHead {
        version,
        generation: generation.clone(),
        fingerprint: DigestBuilder::new("test").finish(),
        pricing_version: 1,
        catalogue_version: 1,
        base_version: 1,
        currency: Currency::USD,
        products: 0,
        rounding: UnitRounding::PLAIN,
        own: Own::NONE,
        prices: Prices::LIST,
        next: vec![],
        valid_until: None,
        parts_expire_at: now,
        priced_at: now,
        validated_at: now,
        fresh_until: now,
        usable_until: now,
    }
}

/// Returns a price list that has no currency of its own and is always in force.
pub(crate) fn price_list(id: &str, recipients: Recipients) -> PriceList {
    PriceList {
        id: id.parse().unwrap(),
        priority: 0,
        currency: None,
        from: None,
        until: None,
        recipients,
        is_wide: true,
        revision: 1,
    }
}

/// Returns a message with this content that is received for the first time.
pub(crate) fn received(id: &str, content: &impl Serialize, sent_at: Timestamp) -> Received {
    Received {
        id: id.to_owned(),
        body: serde_json::to_string(content).unwrap(),
        receipt: Receipt(id.to_owned()),
        group: None,
        receive_count: 1,
        sent_at,
    }
}
