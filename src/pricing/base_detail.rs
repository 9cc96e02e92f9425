//! The optional columns of a part: floors, quantity rules, categories, and whether a product has no price in
//! the currency of the base.
//!
//! Each is a separate column, which is present only if a product of the part needs it. So a catalogue without
//! these data needs no more bytes.
//!
//! ```text
//! unpriced    count times: 1 byte, 1 for a product without a price
//! floors      count times: varint, 0 for none, else the floor and one
//! quantities  count times: three varints, min, step and max in thousandths, 0 for none
//! categories  varint(how many) and each as varint(bytes) and text; then count times: varint, 0 for none,
//!             else the number of one of them, counted from 1
//! ```

use std::collections::BTreeMap;

use super::bytes::{PackError, Reader, damaged, put_varint};
use super::{Category, Currency, Money, Product, QuantityRules};
use crate::model::Quantity;

const UNPRICED: u8 = 1;
const FLOORS: u8 = 2;
const QUANTITIES: u8 = 4;
const CATEGORIES: u8 = 8;
const ALL: u8 = UNPRICED | FLOORS | QUANTITIES | CATEGORIES;

/// The optional columns of a part. Each is empty, or has one entry for each product.
#[derive(Debug, Default)]
pub(super) struct Detail {
    unpriced: Vec<bool>,
    floors: Vec<Option<Money>>,
    quantities: Vec<QuantityRules>,
    categories: Vec<Category>,
    /// For each product, the number of its category in `categories`, counted from 1; 0 for none.
    category_of: Vec<u32>,
}

/// Returns the columns that some products need.
pub(super) fn columns(products: &[Product], currencies: (Currency, Currency)) -> u8 {
    let (currency, catalogue) = currencies;
    let needs = |column, is_needed: &dyn Fn(&Product) -> bool| {
        if products.iter().any(is_needed) { column } else { 0 }
    };
    needs(UNPRICED, &|product| product.price_in(currency, catalogue).is_none())
        | needs(FLOORS, &|product| product.floor_in(currency).is_some())
        | needs(QUANTITIES, &|product| !product.quantities().is_any())
        | needs(CATEGORIES, &|product| product.category().is_some())
}

/// Appends these columns to `out`.
pub(super) fn put(
    out: &mut Vec<u8>,
    columns: u8,
    products: &[Product],
    (currency, catalogue): (Currency, Currency),
) {
    if columns & UNPRICED != 0 {
        let unpriced = |product: &Product| product.price_in(currency, catalogue).is_none();
        out.extend(products.iter().map(|product| u8::from(unpriced(product))));
    }
    if columns & FLOORS != 0 {
        for product in products {
            let floor = product.floor_in(currency);
            put_varint(out, floor.map_or(0, |floor| floor.minor().cast_unsigned() + 1));
        }
    }
    if columns & QUANTITIES != 0 {
        for QuantityRules { min, step, max } in products.iter().map(Product::quantities) {
            let thousandths = |quantity: Quantity| quantity.thousandths().cast_unsigned();
            [min, step, max]
                .into_iter()
                .for_each(|quantity| put_varint(out, quantity.map_or(0, thousandths)));
        }
    }
    if columns & CATEGORIES != 0 {
        let mut numbers: BTreeMap<&Category, u64> = BTreeMap::new();
        numbers.extend(products.iter().filter_map(Product::category).map(|category| (category, 0)));
        put_varint(out, numbers.len() as u64);
        for (place, (category, number)) in (1..).zip(&mut numbers) {
            *number = place;
            put_varint(out, category.as_str().len() as u64);
            out.extend_from_slice(category.as_str().as_bytes());
        }
        for product in products {
            put_varint(out, product.category().map_or(0, |category| numbers[category]));
        }
    }
}

impl Detail {
    /// Reads the columns of `count` products.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        columns: u8,
        count: usize,
    ) -> Result<Self, PackError> {
        if columns & !ALL != 0 {
            return Err(damaged("it has columns of an unknown kind"));
        }
        let mut detail = Self::default();
        if columns & UNPRICED != 0 {
            detail.unpriced = reader.take(count)?.iter().map(|byte| *byte != 0).collect();
        }
        if columns & FLOORS != 0 {
            let floor = |_| match reader.varint()? {
                0 => Ok(None),
                floor => money(floor - 1).map(Some),
            };
            detail.floors = (0..count).map(floor).collect::<Result<_, _>>()?;
        }
        if columns & QUANTITIES != 0 {
            let rules = |_| {
                let (min, step) = (quantity(reader)?, quantity(reader)?);
                QuantityRules::new(min, step, quantity(reader)?)
                    .map_err(|_| damaged("quantity rules contradict each other"))
            };
            detail.quantities = (0..count).map(rules).collect::<Result<_, _>>()?;
        }
        if columns & CATEGORIES != 0 {
            let categories = reader.count(count)?;
            let category = |_| {
                let length = reader.length()?;
                reader.text(length)?.parse().map_err(|_| damaged("a category is not valid"))
            };
            detail.categories = (0..categories).map(category).collect::<Result<_, _>>()?;
            let number = |_| reader.count(categories).map(|number| number as u32);
            detail.category_of = (0..count).map(number).collect::<Result<_, _>>()?;
        }
        Ok(detail)
    }

    /// Whether every product has a price and none has a floor.
    pub(super) fn is_plain(&self) -> bool {
        self.unpriced.is_empty() && self.floors.is_empty()
    }

    pub(super) fn is_unpriced(&self, place: usize) -> bool {
        self.unpriced.get(place).copied().unwrap_or(false)
    }

    pub(super) fn floor(&self, place: usize) -> Option<Money> {
        self.floors.get(place).copied().flatten()
    }

    pub(super) fn quantities(&self, place: usize) -> QuantityRules {
        self.quantities.get(place).copied().unwrap_or(QuantityRules::ANY)
    }

    pub(super) fn category(&self, place: usize) -> Option<&Category> {
        let number = self.category_of.get(place)?.checked_sub(1)?;
        self.categories.get(number as usize)
    }

    /// The estimated memory that it uses, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.unpriced.len()
            + self.floors.len() * size_of::<Option<Money>>()
            + self.quantities.len() * size_of::<QuantityRules>()
            + self.category_of.len() * size_of::<u32>()
            + self.categories.iter().map(|category| category.as_str().len() + 24).sum::<usize>()
    }
}

fn money(minor: u64) -> Result<Money, PackError> {
    let money = i64::try_from(minor).ok().map(Money::from_minor);
    money.filter(|floor| *floor <= Money::MAX_PRICE).ok_or(damaged("a floor is out of range"))
}

fn quantity(reader: &mut Reader<'_>) -> Result<Option<Quantity>, PackError> {
    match i64::try_from(reader.varint()?) {
        Ok(0) => Ok(None),
        Ok(thousandths) => Quantity::from_thousandths(thousandths)
            .map(Some)
            .ok_or(damaged("a quantity is out of range")),
        Err(_) => Err(damaged("a quantity is out of range")),
    }
}
