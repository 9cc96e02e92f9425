//! The packed form of products with ladders.
//!
//! It uses the frame of [`super::part_frame`].
//!
//! ```text
//! columns = varint(rows) varint(steps)
//!           gaps    for each row: varint, the indexes skipped since the row before
//!           counts  for each row: varint, how many steps it has
//!           froms   for each step: varint, in thousandths; of each row but its first, since the one before
//!           prices  for each step: varint, at most `Money::MAX_UNIT_PRICE`
//!           rules   for each step: varint, the number of its rule
//!           book    varint(bytes) and the rules, in the form of postcard
//! ```
//!
//! Each part has the rules of its steps, so it can be read alone. A row is never split.

use std::collections::HashMap;

use super::bytes::{PackError, Reader, damaged, put_varint, varint_bytes};
use super::ladder_rows::{LadderRow, LadderRows};
use super::part_frame::{columns, frame};
use super::{MinQuantity, Money, Rule, Rules, Step};

const FORMAT_VERSION: u8 = 1;
/// A part is full at this many bytes before compression.
const PART_BYTES: usize = 24 * 1024;
/// The most bytes of a decompressed part. One row may have a step for each of many rungs of many lists, and
/// each step a rule of its own.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The estimated bytes of a rule.
const RULE_BYTES: usize = 24;

/// Products with ladders, packed in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedLadders {
    /// The index of the first row of each part.
    pub first: Vec<u32>,
    /// The parts; none if there are no rows.
    pub parts: Vec<Vec<u8>>,
}

/// Packs rows, which are added one by one in the order of their indexes.
#[derive(Debug, Default)]
pub struct LadderPacker {
    packed: PackedLadders,
    part: LadderRows,
    /// The numbers of rules in the part, by their numbers in the caller's `Rules`.
    numbers: HashMap<u32, u32>,
    bytes: usize,
}

impl LadderPacker {
    /// Adds a product with its steps, whose rules are in `rules`. Returns whether it is the first of a part.
    /// A product without steps is skipped.
    ///
    /// # Errors
    /// [`PackError`] if the compressor fails, or a rule is missing.
    pub fn push(&mut self, index: u32, steps: &[Step], rules: &Rules) -> Result<bool, PackError> {
        if steps.is_empty() {
            return Ok(false);
        }
        let is_first = self.part.rows.is_empty();
        for step in steps {
            let number = match self.numbers.get(&step.rule) {
                Some(number) => *number,
                None => {
                    let rule = rules.get(step.rule).ok_or(damaged("a rule is missing"))?;
                    let number = self.part.rules.len() as u32;
                    self.part.rules.push(rule.clone());
                    self.numbers.insert(step.rule, number);
                    self.bytes += RULE_BYTES;
                    number
                }
            };
            self.part.steps.push(Step { rule: number, ..*step });
            self.bytes += varint_bytes(step.from.thousandths())
                + varint_bytes(step.price.minor().cast_unsigned())
                + varint_bytes(u64::from(number));
        }
        self.bytes += 2;
        let end = self.part.steps.len() as u32;
        self.part.rows.push(LadderRow { index, end });
        if self.bytes >= PART_BYTES {
            self.cut()?;
        }
        Ok(is_first)
    }

    /// Returns the packed rows.
    ///
    /// # Errors
    /// [`PackError`] if the compressor fails.
    pub fn finish(mut self) -> Result<PackedLadders, PackError> {
        self.cut()?;
        Ok(self.packed)
    }

    fn cut(&mut self) -> Result<(), PackError> {
        let Some(first) = self.part.rows.first() else { return Ok(()) };
        self.packed.first.push(first.index);
        self.packed.parts.push(pack_part(&self.part)?);
        self.part = LadderRows::default();
        self.numbers.clear();
        self.bytes = 0;
        Ok(())
    }
}

fn pack_part(part: &LadderRows) -> Result<Vec<u8>, PackError> {
    let mut columns = vec![];
    put_varint(&mut columns, part.rows.len() as u64);
    put_varint(&mut columns, part.steps.len() as u64);
    let mut next = 0_u64;
    for row in &part.rows {
        put_varint(&mut columns, u64::from(row.index) - next);
        next = u64::from(row.index) + 1;
    }
    part.iter().for_each(|(_, steps)| put_varint(&mut columns, steps.len() as u64));
    for (_, steps) in part.iter() {
        let mut before = 0;
        for step in steps {
            put_varint(&mut columns, step.from.thousandths() - before);
            before = step.from.thousandths();
        }
    }
    for step in &part.steps {
        put_varint(&mut columns, step.price.minor().cast_unsigned());
    }
    part.steps.iter().for_each(|step| put_varint(&mut columns, u64::from(step.rule)));
    let book = postcard::to_allocvec(&part.rules).map_err(|_| damaged("a rule has no form"))?;
    put_varint(&mut columns, book.len() as u64);
    columns.extend_from_slice(&book);
    frame(FORMAT_VERSION, &columns)
}

impl LadderRows {
    /// Unpacks a part.
    ///
    /// # Errors
    /// [`PackError::UnknownVersion`] or [`PackError::Damaged`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        read_columns(&columns(FORMAT_VERSION, bytes, MAX_BYTES)?)
    }
}

fn read_columns(columns: &[u8]) -> Result<LadderRows, PackError> {
    let mut reader = Reader(columns);
    // Each row takes at least two bytes, each step three.
    let rows = reader.count(columns.len() / 2)?;
    let steps = reader.count(columns.len() / 3)?;
    let (mut ladders, mut next) = (LadderRows::default(), 0_u64);
    for _ in 0..rows {
        let index = next.checked_add(reader.varint()?);
        let index = index.and_then(|index| u32::try_from(index).ok());
        let index = index.ok_or(damaged("a row is of no product"))?;
        next = u64::from(index) + 1;
        ladders.rows.push(LadderRow { index, end: 0 });
    }
    let mut end = 0;
    for row in &mut ladders.rows {
        let count = reader.count(steps - end)?;
        if count == 0 {
            return Err(damaged("a row has no step"));
        }
        end += count;
        row.end = end as u32;
    }
    if end != steps {
        return Err(damaged("a step is of no row"));
    }
    let mut start = 0;
    for row in &ladders.rows {
        let mut from = 0_u64;
        for place in start..row.end {
            let more = reader.varint()?;
            if place > start && more == 0 {
                return Err(damaged("the steps of a row are not sorted"));
            }
            from = from.checked_add(more).ok_or(damaged("a quantity is out of range"))?;
            let from = MinQuantity::from_thousandths(from);
            let from = from.ok_or(damaged("a quantity is out of range"))?;
            ladders.steps.push(Step { from, price: Money::ZERO, rule: 0 });
        }
        start = row.end;
    }
    for step in &mut ladders.steps {
        step.price = reader.price(Money::MAX_UNIT_PRICE)?;
    }
    for step in &mut ladders.steps {
        step.rule = reader.count(steps)? as u32;
    }
    let book = reader.with_length()?;
    reader.end()?;
    let (rules, rest) =
        postcard::take_from_bytes::<Vec<Rule>>(book).map_err(|_| damaged("a rule is none"))?;
    if !rest.is_empty() || ladders.steps.iter().any(|step| step.rule as usize >= rules.len()) {
        return Err(damaged("the rules are not those of the steps"));
    }
    ladders.rules = rules;
    Ok(ladders)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Rate, RuleKind};
    use super::*;

    fn rule(number: u32) -> Rule {
        let list = (number > 0).then(|| format!("L{number}").parse().unwrap());
        let kind = RuleKind::Percentage(Rate::from_millionths(i64::from(number)).unwrap());
        let min_quantity = MinQuantity::ZERO;
        Rule { list, priority: -1, scope: None, kind, min_quantity, until: None }
    }

    fn row() -> impl Strategy<Value = (u32, Vec<(u64, i64, u32)>)> {
        let price = prop_oneof![9 => 0_i64..1 << 40, 1 => Just(Money::MAX_UNIT_PRICE.minor())];
        (1_u32..100_000, prop::collection::vec((1_u64..9000, price, 0_u32..9), 1..6))
    }

    #[test]
    fn a_price_above_the_highest_is_damage() {
        let mut rules = Rules::default();
        let number = rules.number(&rule(1));
        let read = |minor| {
            let price = Money::from_minor(minor);
            let step = Step { from: MinQuantity::ZERO, price, rule: number };
            let mut packer = LadderPacker::default();
            packer.push(0, &[step], &rules).unwrap();
            LadderRows::decode(&packer.finish().unwrap().parts[0])
        };
        let most = Money::MAX_UNIT_PRICE;
        assert_eq!(read(most.minor()).unwrap().steps[0].price, most);
        let error = read(most.minor() + 1).unwrap_err();
        assert!(error.to_string().contains("a price is out of range"), "{error}");
    }

    proptest! {
        #[test]
        fn rows_come_back_and_damage_never_panics(
            rows in prop::collection::vec(row(), 0..2000),
            place in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let mut rules = Rules::default();
            let (mut packer, mut expected, mut index) = (LadderPacker::default(), vec![], 0);
            for (gap, ladder) in rows {
                index += gap;
                let mut from = 0;
                let steps = ladder.into_iter().map(|(more, price, number)| {
                    from += more;
                    let from = MinQuantity::from_thousandths(from).unwrap();
                    let number = rules.number(&rule(number));
                    Step { from, price: Money::from_minor(price), rule: number }
                });
                let steps: Vec<Step> = steps.collect();
                packer.push(index, &steps, &rules).unwrap();
                expected.push((index, steps));
            }
            let packed = packer.finish().unwrap();
            let mut found = vec![];
            for (first, part) in packed.first.iter().zip(&packed.parts) {
                let part = LadderRows::decode(part).unwrap();
                prop_assert_eq!(part.iter().next().unwrap().0, *first);
                for (index, steps) in part.iter() {
                    prop_assert_eq!(part.find(index), Some(steps));
                    found.push((index, part.steps_in(index, &mut rules).unwrap()));
                }
            }
            prop_assert_eq!(found, expected);
            if let Some(part) = packed.parts.first() {
                let mut damaged = part.clone();
                damaged[place.index(part.len())] ^= 1 << bit;
                let _ = LadderRows::decode(&damaged);
                let _ = LadderRows::decode(&part[..place.index(part.len())]);
            }
        }
    }
}
