//! `ocache prices`: shows a customer's stored table.
//!
//! A table is printed while it is read, a few parts at a time, because one of a million products is
//! larger than the memory of a small machine.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::args::PricesArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::known::{meant_products, nearest_user};
use super::output::Output;
use super::settings::Settings;
use super::shell::quoted;
use super::stream::{ObjectStream, members};
use crate::data::Amounts;
use crate::model::{ProductId, Quantity, Timestamp, UserId};
use crate::ports::{Ports, TableHead, TableReader, TableRow};
use crate::pricing::{InvalidItem, ProductPrice, QuantityRules, Step, Unsold};
use crate::protocol::RuleFrame;

mod explained;
mod text;

use text::TextTable;

/// The number of parts of the base that are read at once, with a few hundred products each.
const PARTS_AT_ONCE: usize = 64;

pub(super) async fn run(settings: &Settings, output: &Output, args: PricesArgs) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    if args.explain {
        let missing = explained::print(output, &args, &ports).await?;
        let missing: Vec<&str> = missing.iter().map(ProductId::as_str).collect();
        let message = format!("there is no product {}", missing.join(", "));
        return end(engine, &args.user, missing, message).await;
    }
    let heads = ports.store.table_heads(std::slice::from_ref(&args.user)).await?;
    let Some((_, head)) = heads.into_iter().next() else {
        let near = nearest_user(&engine, &args.user).await;
        engine.close().await;
        let message = format!("customer `{}` has no price table", args.user);
        let user = quoted(args.user.as_str());
        let hint = format!("run `ocache subscribe {user}` while a price-calc worker runs");
        return Err(Failure::new(ExitCode::NotFound, message).suggest(near, hint));
    };
    let found = print(output, &args, &head, &ports).await?;
    let missing: Vec<&str> =
        args.product.iter().filter(|id| !found.contains(*id)).map(ProductId::as_str).collect();
    let message = format!("the table of `{}` has no {}", args.user, missing.join(", "));
    end(engine, &args.user, missing, message).await
}

/// Closes the engine, and fails with this message if products are missing.
async fn end(engine: Engine, user: &UserId, missing: Vec<&str>, message: String) -> Result<()> {
    let near = match missing.is_empty() {
        true => None,
        false => meant_products(&engine, &missing).await,
    };
    engine.close().await;
    if missing.is_empty() {
        return Ok(());
    }
    let hint = near
        .unwrap_or_else(|| format!("`ocache prices {}` lists its products", quoted(user.as_str())));
    Err(Failure::new(ExitCode::NotFound, message).hint(hint))
}

/// Prints the table, or only the requested products. Returns which of these exist.
async fn print(
    output: &Output,
    args: &PricesArgs,
    head: &TableHead,
    ports: &Ports,
) -> Result<HashSet<ProductId>> {
    let now = ports.clock.now();
    let reader = TableReader::open(&*ports.store, &args.user, head, now).await?;
    let at = At { quantity: args.quantity, are_named: !args.product.is_empty() };
    let mut printed = PrintedPrices::begin(output, args, (head, now), at)?;
    let mut found = HashSet::new();
    let total = if args.product.is_empty() { head.products } else { args.product.len() as u64 };
    let mut progress = output.count_rows("prices", Some(total));
    let wanted = (!args.product.is_empty()).then_some(args.product.as_slice());
    for numbers in reader.parts(wanted).chunks(PARTS_AT_ONCE) {
        let mut rows = reader.rows(numbers).await?;
        let mut read = rows.len();
        match wanted {
            Some(wanted) => {
                let has_price = |row: &TableRow| row.entry.is_some() || !row.ladder.is_empty();
                rows.retain(|row| wanted.contains(&row.product) && has_price(row));
                found.extend(rows.iter().map(|row| row.product.clone()));
                read = rows.len();
            }
            // As over HTTP, a table has only what can be bought.
            None => rows.retain(|row| entry_at(row, args.quantity).is_some()),
        }
        if !rows.is_empty() {
            printed.rows(&rows)?;
        }
        progress.add(read as u64);
        if !printed.is_heard() {
            break;
        }
    }
    drop(progress);
    // For people, an empty table says less than the error.
    if output.is_json() || wanted.is_none() || !found.is_empty() {
        printed.end(wanted.is_none())?;
    }
    Ok(found)
}

/// How prices are shown: at a quantity if one is given, and of all products or of those that are named.
#[derive(Clone, Copy)]
struct At {
    quantity: Option<Quantity>,
    are_named: bool,
}

impl At {
    /// Returns the quantities next to the given one, if a named product is not sold in that one.
    fn invalid(self, row: &TableRow) -> Option<InvalidItem> {
        let quantity = self.quantity.filter(|_| self.are_named)?;
        let Unsold { below, above } = row.quantities.check(quantity).err()?;
        Some(InvalidItem { product: row.product.clone(), quantity, below, above })
    }
}

/// A table that is being printed.
enum PrintedPrices<'a> {
    Json(ObjectStream<'a>, Amounts, At),
    Text(TextTable<'a>),
}

impl<'a> PrintedPrices<'a> {
    fn begin(
        output: &'a Output,
        args: &PricesArgs,
        (head, now): (&'a TableHead, Timestamp),
        at: At,
    ) -> Result<Self> {
        if !output.is_json() {
            return Ok(Self::Text(TextTable::new(output, (head, now), at)));
        }
        let about = json!({
            "user": args.user.as_str(),
            "currency": head.currency.code(),
            "catalogue_version": head.catalogue_version,
            "generation": head.generation.as_str(),
            "priced_at": head.priced_at.to_string(),
            "validated_at": head.validated_at.to_string(),
            "fresh": head.is_fresh(now),
            "usable": head.is_usable(now),
            "products": head.products,
        });
        let stream = ObjectStream::begin(output, &members(about), "prices")?;
        let amounts =
            Amounts { currency: head.currency, unit_decimals: head.rounding.unit_decimals };
        Ok(Self::Json(stream, amounts, at))
    }

    fn rows(&mut self, rows: &[TableRow]) -> Result<()> {
        match self {
            Self::Json(stream, amounts, at) => rows
                .iter()
                .try_for_each(|row| stream.item(&Value::Object(json_row(row, *amounts, *at)))),
            Self::Text(table) => table.rows(rows),
        }
    }

    /// Whether anybody still reads what is printed.
    const fn is_heard(&self) -> bool {
        match self {
            Self::Json(stream, ..) => stream.is_heard(),
            Self::Text(table) => table.is_heard(),
        }
    }

    fn end(self, is_whole: bool) -> Result<()> {
        match self {
            Self::Json(stream, ..) => stream.end(&Map::new()),
            Self::Text(table) => table.end(is_whole),
        }
    }
}

fn json_row(row: &TableRow, amounts: Amounts, at: At) -> Map<String, Value> {
    let mut data = members(json!({ "product": row.product.as_str(), "name": row.name }));
    let mut add = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    if let Some(entry) = entry_at(row, at.quantity) {
        if let Some(list_price) = entry.list_price {
            add("list_price", amounts.shown(list_price).into());
        }
        add("discount_percent", entry.discount.to_string().into());
        add("unit_price", amounts.shown(entry.unit_price).into());
        if let Some(rule) = &entry.rule {
            add("rule", json!(RuleFrame::new(rule)));
        }
    }
    if !row.ladder.is_empty() {
        let steps = row.ladder.iter().map(|(step, rule)| {
            json!({
                "from": step.from.to_string(),
                "unit_price": amounts.shown(step.price),
                "rule": RuleFrame::new(rule),
            })
        });
        add("ladder", steps.collect());
    }
    let QuantityRules { min, step, max } = row.quantities;
    for (name, quantity) in [("min", min), ("step", step), ("max", max)] {
        if let Some(quantity) = quantity {
            add(name, quantity.to_string().into());
        }
    }
    if let Some(InvalidItem { below, above, .. }) = at.invalid(row) {
        let next = [("below", below), ("above", above)].into_iter();
        let next = next.filter_map(|(name, quantity)| {
            Some((name.to_owned(), Value::String(quantity?.to_string())))
        });
        add("invalid", Value::Object(next.collect()));
    }
    data
}

/// Returns the entry of a row at a quantity, or the entry with which it was read.
fn entry_at(row: &TableRow, quantity: Option<Quantity>) -> Option<ProductPrice> {
    let Some(quantity) = quantity.filter(|_| !row.ladder.is_empty()) else {
        return row.entry.clone();
    };
    let list_price = row.entry.as_ref().and_then(|entry| entry.list_price);
    let after = row.ladder.partition_point(|(step, _)| step.from.holds_at(quantity));
    match after.checked_sub(1).map(|place| &row.ladder[place]) {
        Some((step, rule)) => ProductPrice::at_step(
            list_price,
            &Step { rule: 0, ..*step },
            std::slice::from_ref(rule),
        ),
        None => list_price.map(ProductPrice::at_list_price),
    }
}
