//! The form of answers before price lists existed. It is read, but no longer written.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::answer::{PackedAnswer, PackedLine};
use crate::model::{Generation, ProductId, Quantity};
use crate::pricing::{Currency, Money, Percentage};

pub(super) const EARLIER_VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct EarlierAnswer<'a> {
    more: Vec<(Cow<'a, ProductId>, Quantity)>,
    lines: Vec<EarlierLine<'a>>,
    unavailable: Vec<usize>,
    total: Money,
    currency: Currency,
    priced_at: i64,
    validated_at: i64,
    stale: bool,
    generation: Cow<'a, Generation>,
    catalogue_version: u64,
    pricing_version: u32,
}

#[derive(Serialize, Deserialize)]
struct EarlierLine<'a> {
    place: usize,
    name: Cow<'a, str>,
    list_price: Money,
    discount: Percentage,
    unit_price: Money,
    total: Money,
}

impl<'a> From<EarlierAnswer<'a>> for PackedAnswer<'a> {
    fn from(earlier: EarlierAnswer<'a>) -> Self {
        Self {
            more: earlier.more,
            rules: vec![],
            lines: earlier.lines.into_iter().map(PackedLine::from).collect(),
            unavailable: earlier.unavailable,
            invalid: vec![],
            total: earlier.total,
            currency: earlier.currency,
            unit_decimals: 0,
            priced_at: earlier.priced_at,
            validated_at: earlier.validated_at,
            // There were no price lists whose edges could differ from this time.
            answered_at: earlier.validated_at,
            stale: earlier.stale,
            generation: earlier.generation,
            catalogue_version: earlier.catalogue_version,
            pricing_version: earlier.pricing_version,
        }
    }
}

impl<'a> From<EarlierLine<'a>> for PackedLine<'a> {
    fn from(earlier: EarlierLine<'a>) -> Self {
        Self {
            place: earlier.place,
            name: earlier.name,
            list_price: Some(earlier.list_price),
            discount: earlier.discount.into(),
            unit_price: earlier.unit_price,
            total: earlier.total,
            rule: None,
            next_tier: None,
        }
    }
}
