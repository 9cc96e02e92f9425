//! The decoder of packed ladders.

use std::sync::Arc;

use super::{Bytes, columns_of, damaged};
use crate::model::{PriceListId, ProductId, Timestamp};
use crate::pricing::{MinQuantity, Money, Rate, Rule, RuleKind, Scope};

/// The largest size of a decompressed part.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A product with its price at each quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verify) struct StoredLadderRow {
    /// The number of products of the base before this product.
    pub(in crate::verify) index: u64,
    /// The steps, sorted by quantity.
    pub(in crate::verify) steps: Vec<StoredStep>,
}

/// A step of a ladder: the price from a quantity on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verify) struct StoredStep {
    pub(in crate::verify) from: MinQuantity,
    pub(in crate::verify) price: Money,
    pub(in crate::verify) rule: Arc<Rule>,
}

/// Decodes a part of ladders. Returns why, if it cannot be read.
pub(in crate::verify) fn ladder_rows(part: &[u8]) -> Result<Vec<StoredLadderRow>, String> {
    let columns = columns_of(part, MAX_BYTES)?;
    let mut columns = Bytes(&columns);
    let (rows, steps) = (columns.number()?, columns.number()?);
    let gaps = columns.numbers(rows)?;
    let counts = columns.numbers(rows)?;
    if counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count)) != Some(steps) {
        return Err(damaged("a step is of no row"));
    }
    let mut froms = vec![];
    for count in &counts {
        let mut from = 0_u64;
        for place in 0..*count {
            let more = columns.number()?;
            if place > 0 && more == 0 {
                return Err(damaged("the steps of a row are not sorted"));
            }
            from = from.checked_add(more).ok_or_else(|| damaged("a quantity is out of range"))?;
            let from = MinQuantity::from_thousandths(from);
            froms.push(from.ok_or_else(|| damaged("a quantity is out of range"))?);
        }
    }
    let prices = columns.numbers(steps)?;
    let numbers = columns.numbers(steps)?;
    let length = columns.number()?;
    let mut book = Bytes(columns.bytes(length)?);
    columns.end()?;
    let rules = book.rules()?;
    book.end()?;
    let mut steps = froms.into_iter().zip(prices).zip(numbers).map(|((from, price), number)| {
        let price = i64::try_from(price).map(Money::from_minor).ok();
        let price = price.filter(|price| *price <= Money::MAX_UNIT_PRICE);
        let price = price.ok_or_else(|| damaged("a price is out of range"))?;
        let rule = usize::try_from(number).ok().and_then(|number| rules.get(number));
        let rule = rule.ok_or_else(|| damaged("the rules are not those of the steps"))?.clone();
        Ok(StoredStep { from, price, rule })
    });
    let mut ladders = vec![];
    let mut next = 0_u64;
    for (gap, count) in gaps.into_iter().zip(counts) {
        let index = next.checked_add(gap).filter(|index| *index <= u64::from(u32::MAX));
        let index = index.ok_or_else(|| damaged("a row is of no product"))?;
        next = index + 1;
        let steps: Result<Vec<StoredStep>, String> =
            (0..count).map_while(|_| steps.next()).collect();
        let steps = steps?;
        if steps.is_empty() {
            return Err(damaged("a row has no step"));
        }
        ladders.push(StoredLadderRow { index, steps });
    }
    Ok(ladders)
}

/// Reads the format of postcard: fields in order, numbers as in columns but with up to ten bytes, signed
/// numbers folded so that small ones stay small, texts after their length, and optional values after a 0
/// or 1.
impl<'a> Bytes<'a> {
    fn rules(&mut self) -> Result<Vec<Arc<Rule>>, String> {
        let count = self.number()?;
        (0..count).map(|_| self.rule().map(Arc::new)).collect()
    }

    fn rule(&mut self) -> Result<Rule, String> {
        let list = self.optional(|bytes| {
            PriceListId::stored(bytes.counted_text()?).map_err(|error| error.to_string())
        })?;
        let priority = i32::try_from(self.signed()?);
        let priority = priority.map_err(|_| damaged("a priority is out of range"))?;
        let scope = self.optional(Self::scope)?;
        let kind = match self.number()? {
            0 => RuleKind::Price,
            1 => {
                let rate = Rate::try_from(self.signed()?);
                RuleKind::Percentage(rate.map_err(damaged)?)
            }
            2 => RuleKind::Amount,
            _ => return Err(damaged("a rule is of no kind")),
        };
        let min_quantity = MinQuantity::from_thousandths(self.long_number()?);
        let min_quantity = min_quantity.ok_or_else(|| damaged("a quantity is out of range"))?;
        let until = self.optional(Self::signed)?.map(Timestamp::from_millis);
        Ok(Rule { list, priority, scope, kind, min_quantity, until })
    }

    fn scope(&mut self) -> Result<Scope, String> {
        match self.number()? {
            0 => Ok(Scope::All),
            1 => match self.counted_text()?.parse() {
                Ok(category) => Ok(Scope::Category(category)),
                Err(_) => Err(damaged("a category is not valid")),
            },
            2 => match ProductId::stored(self.counted_text()?) {
                Ok(product) => Ok(Scope::Product(product)),
                Err(error) => Err(error.to_string()),
            },
            _ => Err(damaged("a rule has no scope")),
        }
    }

    fn counted_text(&mut self) -> Result<&'a str, String> {
        let length = self.number()?;
        self.text(length)
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        match self.number()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(damaged("something is neither there nor missing")),
        }
    }

    fn signed(&mut self) -> Result<i64, String> {
        let folded = self.long_number()?;
        let half = (folded / 2).cast_signed();
        Ok(if folded % 2 == 0 { half } else { -half - 1 })
    }

    fn long_number(&mut self) -> Result<u64, String> {
        self.number_within(10)
    }
}
