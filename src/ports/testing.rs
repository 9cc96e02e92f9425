//! Values for unit tests.

use serde::Serialize;

use super::{Outgoing, OwnStorage, Posting, Prices, Receipt, Received, TableHead};
use crate::model::{
    DeduplicationId, DigestBuilder, Generation, GroupId, PriceListId, Timestamp, UserId,
};
use crate::pricing::{
    Currency, Ladder, ListPrices, MinQuantity, Money, PriceList, PriceRule, Recipients, Rung,
    Scope, UnitRounding,
};

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
        own: OwnStorage::NONE,
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

/// Returns the row of a price list that gives every product this price.
pub(crate) fn one_price(list: &PriceListId, price: Money) -> ListPrices {
    let rung = Rung { min_quantity: MinQuantity::ZERO, rule: PriceRule::Price(price) };
    let ladder = Ladder::new(vec![rung]).unwrap();
    ListPrices { list: list.clone(), scope: Scope::All, ladder }
}

/// Returns a message in the group of a customer. It is a duplicate of others with the same id.
pub(crate) fn fifo(user: &str, body: &str, id: [u8; 16]) -> Outgoing {
    let group = GroupId::of(&UserId::new(user).unwrap());
    let deduplication = DeduplicationId::from_random(id);
    Outgoing { body: body.to_owned(), posting: Posting::Fifo { group, deduplication } }
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
