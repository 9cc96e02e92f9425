//! The packed form of an answer.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Beside;
use crate::model::{Generation, Item, PackedError, ProductId, Quantity};
use crate::pricing::{
    Answer, AnswerLine, Currency, InvalidItem, Money, NextTier, Rate, Rule, UnitRounding,
};

#[derive(Serialize, Deserialize)]
pub(super) struct PackedAnswer<'a> {
    /// Products that the answer names but the items do not have. Their indexes follow those of the items.
    pub(super) more: Vec<(Cow<'a, ProductId>, Quantity)>,
    /// Each rule once, because many lines may have the same rule.
    pub(super) rules: Vec<Cow<'a, Rule>>,
    pub(super) lines: Vec<PackedLine<'a>>,
    pub(super) unavailable: Vec<usize>,
    pub(super) invalid: Vec<PackedInvalid>,
    pub(super) total: Money,
    pub(super) currency: Currency,
    pub(super) unit_decimals: u8,
    pub(super) priced_at: i64,
    pub(super) validated_at: i64,
    pub(super) answered_at: i64,
    pub(super) stale: bool,
    pub(super) generation: Cow<'a, Generation>,
    pub(super) catalogue_version: u64,
    pub(super) pricing_version: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PackedLine<'a> {
    pub(super) place: usize,
    pub(super) name: Cow<'a, str>,
    pub(super) list_price: Option<Money>,
    pub(super) discount: Rate,
    pub(super) unit_price: Money,
    pub(super) total: Money,
    /// The index of the rule in `rules`.
    pub(super) rule: Option<usize>,
    pub(super) next_tier: Option<(Quantity, Money)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PackedInvalid {
    place: usize,
    below: Option<Quantity>,
    above: Option<Quantity>,
}

impl<'a> PackedAnswer<'a> {
    pub(super) fn of(answer: &'a Answer, beside: &Beside<'a>) -> Self {
        let mut places = Places { items: beside.items, more: vec![], next: 0 };
        let mut rules = RulesOnce::default();
        let lines = answer.lines.iter().map(|line| PackedLine {
            place: places.of(&line.product, Some(line.quantity)),
            name: Cow::Borrowed(&line.name),
            list_price: line.list_price,
            discount: line.discount,
            unit_price: line.unit_price,
            total: line.total,
            rule: line.rule.as_deref().map(|rule| rules.place(rule)),
            next_tier: line.next_tier.map(|tier| (tier.quantity, tier.unit_price)),
        });
        let lines = lines.collect();
        // Lines, unavailable products and invalid items each have the order of the items.
        places.next = 0;
        let unavailable =
            answer.unavailable.iter().map(|product| places.of(product, None)).collect();
        places.next = 0;
        let invalid = answer.invalid.iter().map(|item| PackedInvalid {
            place: places.of(&item.product, Some(item.quantity)),
            below: item.below,
            above: item.above,
        });
        Self {
            lines,
            unavailable,
            invalid: invalid.collect(),
            more: places.more,
            rules: rules.rules,
            total: answer.total,
            currency: answer.currency,
            unit_decimals: answer.unit_decimals,
            priced_at: beside.since(answer.priced_at),
            validated_at: beside.since(answer.validated_at),
            answered_at: beside.since(answer.answered_at),
            stale: answer.stale,
            generation: Cow::Borrowed(&answer.generation),
            catalogue_version: answer.catalogue_version,
            pricing_version: answer.pricing_version,
        }
    }

    pub(super) fn read(self, beside: &Beside<'_>) -> Result<Answer, PackedError> {
        if self.unit_decimals > UnitRounding::MAX_UNIT_DECIMALS {
            return Err(PackedError::Damaged("its unit prices have too many decimals"));
        }
        let item = |place: usize| match place.checked_sub(beside.items.len()) {
            None => Ok((beside.items[place].product.clone(), beside.items[place].quantity)),
            Some(place) => match self.more.get(place) {
                Some((product, quantity)) => Ok((product.clone().into_owned(), *quantity)),
                None => Err(PackedError::Damaged("its answer is of an item that is not there")),
            },
        };
        let rule = |place: usize| match self.rules.get(place) {
            Some(rule) => Ok(Box::new(rule.clone().into_owned())),
            None => Err(PackedError::Damaged("a line is by a rule that is not there")),
        };
        let lines = self.lines.into_iter().map(|line| {
            let (product, quantity) = item(line.place)?;
            Ok(AnswerLine {
                product,
                name: line.name.into_owned(),
                quantity,
                list_price: line.list_price,
                discount: line.discount,
                unit_price: line.unit_price,
                total: line.total,
                rule: line.rule.map(rule).transpose()?,
                next_tier: line
                    .next_tier
                    .map(|(quantity, unit_price)| NextTier { quantity, unit_price }),
            })
        });
        let lines = lines.collect::<Result<_, PackedError>>()?;
        let unavailable = self.unavailable.into_iter().map(|place| Ok(item(place)?.0));
        let invalid = self.invalid.into_iter().map(|PackedInvalid { place, below, above }| {
            let (product, quantity) = item(place)?;
            Ok(InvalidItem { product, quantity, below, above })
        });
        Ok(Answer {
            lines,
            unavailable: unavailable.collect::<Result<_, PackedError>>()?,
            invalid: invalid.collect::<Result<_, PackedError>>()?,
            total: self.total,
            currency: self.currency,
            unit_decimals: self.unit_decimals,
            priced_at: beside.at(self.priced_at),
            validated_at: beside.at(self.validated_at),
            answered_at: beside.at(self.answered_at),
            stale: self.stale,
            generation: self.generation.into_owned(),
            catalogue_version: self.catalogue_version,
            pricing_version: self.pricing_version,
        })
    }
}

/// Different rules, in the order in which they were found.
#[derive(Default)]
struct RulesOnce<'a> {
    rules: Vec<Cow<'a, Rule>>,
    places: HashMap<&'a Rule, usize>,
}

impl<'a> RulesOnce<'a> {
    fn place(&mut self, rule: &'a Rule) -> usize {
        *self.places.entry(rule).or_insert_with(|| {
            self.rules.push(Cow::Borrowed(rule));
            self.rules.len() - 1
        })
    }
}

/// Finds the indexes of products.
struct Places<'a> {
    items: &'a [Item],
    more: Vec<(Cow<'a, ProductId>, Quantity)>,
    /// The index after the last one found. Products have the order of the items, so the next one is usually
    /// here.
    next: usize,
}

impl<'a> Places<'a> {
    /// Returns the index of an item with this product and, if given, this quantity.
    fn of(&mut self, product: &'a ProductId, quantity: Option<Quantity>) -> usize {
        let is_meant = |item: &Item| {
            item.product == *product && quantity.is_none_or(|quantity| quantity == item.quantity)
        };
        let later = self.items[self.next..].iter().position(is_meant).map(|at| self.next + at);
        if let Some(place) = later.or_else(|| self.items.iter().position(is_meant)) {
            self.next = place + 1;
            return place;
        }
        self.more.push((Cow::Borrowed(product), quantity.unwrap_or(Quantity::ONE)));
        self.items.len() + self.more.len() - 1
    }
}
