//! Generates price lists from a seed: customers in groups, a list for each group, and ladders for every
//! tenth product.

use std::fmt::Write as _;

use super::generate::{Format, GeneratedTable, Spec, price_in};
use super::seeded::{Draws, sku};
use crate::pricing::{Currency, Money};

const CUSTOMERS: u64 = 3;
const LISTS: u64 = 4;
const PRICES: u64 = 5;

/// A list has a ladder for one of this many products.
const PRODUCTS_PER_LADDER: u64 = 10;
/// A customer is in at most this many groups.
const MAX_GROUPS: u64 = 3;

/// How a list states what its products cost.
#[derive(Clone, Copy)]
enum Manner {
    /// By percentages, which hold in any currency.
    Percentages,
    /// By prices in the currency at this place.
    Prices(usize),
}

impl Spec {
    /// Returns the files of customers, lists and their rows. There are none if no list and no second
    /// currency is asked for.
    pub(super) fn list_tables(&self) -> Vec<GeneratedTable<'_>> {
        if self.lists.is_none() {
            return vec![];
        }
        let table = |name, header: &str, rows, write| GeneratedTable {
            name,
            header: header.to_owned(),
            rows,
            write,
        };
        vec![
            table(
                "customers",
                "user_id,currency,groups\n",
                self.users,
                Box::new(|text: &mut String, row| self.write_customer(text, row)) as _,
            ),
            table(
                "price_lists",
                "price_list,priority,currency,groups\n",
                self.lists.lists,
                Box::new(|text: &mut String, row| self.write_list(text, row)),
            ),
            table(
                "prices",
                "price_list,product_id,min_quantity,price,percentage\n",
                self.ladders(),
                Box::new(|text: &mut String, row| self.write_ladder(text, row)),
            ),
        ]
    }

    const fn ladders_per_list(&self) -> u64 {
        self.products.div_ceil(PRODUCTS_PER_LADDER)
    }

    /// Returns how many ladders all lists have together.
    pub(super) const fn ladders(&self) -> u64 {
        self.lists.lists.saturating_mul(self.ladders_per_list())
    }

    /// Returns the currency at a place. Place 0 is the catalogue's currency.
    fn currency_at(&self, place: usize) -> Currency {
        let other = place.checked_sub(1).and_then(|place| self.lists.currencies.get(place));
        other.copied().unwrap_or(self.currency)
    }

    fn currency_count(&self) -> u64 {
        1 + self.lists.currencies.len() as u64
    }

    fn write_customer(&self, text: &mut String, index: u64) -> std::fmt::Result {
        let user = self.user(&mut self.user_draws(index), index);
        let mut draws = Draws::new(self.seed, CUSTOMERS, index);
        let currency = self.currency_at(draws.below(self.currency_count()) as usize);
        let count = 1 + draws.below(MAX_GROUPS);
        let mut groups = draws.distinct(count.min(self.lists.lists), self.lists.lists);
        groups.sort_unstable();
        let groups: Vec<String> = groups.into_iter().map(group).collect();
        match self.format {
            Format::Csv => write!(text, "{user},{currency},{}", groups.join("|")),
            Format::Json | Format::Ndjson => {
                write!(text, r#"{{"user_id":"{user}","currency":"{currency}","groups":["#)?;
                let groups: Vec<_> = groups.iter().map(|group| format!(r#""{group}""#)).collect();
                write!(text, "{}]}}", groups.join(","))
            }
        }
    }

    fn write_list(&self, text: &mut String, index: u64) -> std::fmt::Result {
        let priority = Draws::new(self.seed, LISTS, index).below(3);
        let currency = match self.manner(index) {
            Manner::Percentages => None,
            Manner::Prices(place) => Some(self.currency_at(place)),
        };
        let (list, group) = (list(index), group(index));
        match self.format {
            Format::Csv => {
                let currency = currency.map(Currency::code).unwrap_or_default();
                write!(text, "{list},{priority},{currency},{group}")
            }
            Format::Json | Format::Ndjson => {
                write!(text, r#"{{"price_list":"{list}","priority":{priority}"#)?;
                if let Some(currency) = currency {
                    write!(text, r#","currency":"{currency}""#)?;
                }
                write!(text, r#","groups":["{group}"]}}"#)
            }
        }
    }

    /// Returns how a list states prices. Every other list has prices, in each currency in turn.
    fn manner(&self, list: u64) -> Manner {
        match list % 2 {
            0 => Manner::Percentages,
            _ => Manner::Prices((list / 2 % self.currency_count()) as usize),
        }
    }

    /// Writes a ladder of a list, with a line for each rung.
    fn write_ladder(&self, text: &mut String, index: u64) -> std::fmt::Result {
        let (list_index, bucket) =
            (index / self.ladders_per_list(), index % self.ladders_per_list());
        let mut draws = Draws::new(self.seed, PRICES, index);
        let from = bucket * PRODUCTS_PER_LADDER;
        let product_index = from + draws.below(PRODUCTS_PER_LADDER.min(self.products - from));
        let (list, product) = (list(list_index), sku(self.seed, product_index));
        let first = 2 + draws.below(20);
        for tier in 0..self.lists.tiers {
            if tier > 0 {
                text.push_str(if self.format == Format::Json { ",\n" } else { "\n" });
            }
            let (quantity, percent) = (tier_quantity(tier), first + 2 * tier);
            let (field, value) = match self.manner(list_index) {
                Manner::Percentages => ("percentage", percent.to_string()),
                Manner::Prices(place) => {
                    let price = price_in(self.price_of(product_index), place);
                    let left = price.minor() * (100 - percent.cast_signed()) / 100;
                    ("price", Money::from_minor(left).format(self.currency_at(place)))
                }
            };
            match (self.format, field) {
                (Format::Csv, "price") => write!(text, "{list},{product},{quantity},{value},")?,
                (Format::Csv, _) => write!(text, "{list},{product},{quantity},,{value}")?,
                (Format::Json | Format::Ndjson, _) => write!(
                    text,
                    r#"{{"price_list":"{list}","product_id":"{product}","min_quantity":{quantity},"{field}":{value}}}"#
                )?,
            }
        }
        Ok(())
    }
}

fn list(index: u64) -> String {
    format!("list-{index:03}")
}

fn group(index: u64) -> String {
    format!("group-{index:03}")
}

/// Returns the quantity from which on a rung counts: 0, 10, 25, 50, 100, 250, 500, and so on.
pub(crate) const fn tier_quantity(tier: u64) -> u64 {
    match tier {
        0 => 0,
        tier => [10, 25, 50][(tier - 1) as usize % 3] * 10_u64.pow((tier as u32 - 1) / 3),
    }
}
