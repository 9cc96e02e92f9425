//! `ocache prices`: a user's stored table, decoded.
//!
//! A table is printed while it is read, a few parts at a time: one of a million products is larger than
//! what a small machine has to spare.

use std::collections::HashSet;

use serde_json::{Map, json};

use super::args::PricesArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::known::{meant_products, nearest_user};
use super::output::Output;
use super::settings::Settings;
use super::stream::{ObjectStream, members};
use crate::model::{ProductId, Timestamp};
use crate::ports::{Ports, TableHead, TableReader, TableRow};

mod text;

use text::TextTable;

/// So many parts of the base are read at once, with a few hundred products each.
const PARTS_AT_ONCE: usize = 64;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: PricesArgs,
) -> Result<(), Failure> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let heads = ports.store.table_heads(std::slice::from_ref(&args.user)).await?;
    let Some((_, head)) = heads.into_iter().next() else {
        let near = nearest_user(&engine, &args.user).await;
        engine.close().await;
        let message = format!("user `{}` has no price table", args.user);
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`ocache subscribe` the user while a price-calc worker runs".to_owned(),
        };
        return Err(Failure::new(ExitCode::NotFound, message).hint(hint));
    };
    let found = print(output, &args, &head, &ports).await?;
    let missing: Vec<&str> =
        args.product.iter().filter(|id| !found.contains(*id)).map(ProductId::as_str).collect();
    let near = match missing.is_empty() {
        true => None,
        false => meant_products(&engine, &missing).await,
    };
    engine.close().await;
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the table of `{}` has no {}", args.user, missing.join(", "));
    let hint = near.unwrap_or_else(|| "`ocache prices USER` shows those there are".to_owned());
    Err(Failure::new(ExitCode::NotFound, message).hint(hint))
}

/// Prints the table, or the products that were asked for. Returns which of those there are.
async fn print(
    output: &Output,
    args: &PricesArgs,
    head: &TableHead,
    ports: &Ports,
) -> Result<HashSet<ProductId>, Failure> {
    let now = ports.clock.now();
    let reader = TableReader::open(&*ports.store, &args.user, head).await?;
    let mut printed = Printed::begin(output, args, head, now)?;
    let mut found = HashSet::new();
    let total = if args.product.is_empty() { head.products } else { args.product.len() as u64 };
    let mut progress = output.count_rows("prices", Some(total));
    let wanted = (!args.product.is_empty()).then_some(args.product.as_slice());
    for numbers in reader.parts(wanted).chunks(PARTS_AT_ONCE) {
        let mut rows = reader.rows(numbers).await?;
        if let Some(wanted) = wanted {
            rows.retain(|row| wanted.contains(&row.product));
            found.extend(rows.iter().map(|row| row.product.clone()));
        }
        printed.rows(&rows)?;
        progress.add(rows.len() as u64);
        if !printed.is_heard() {
            break;
        }
    }
    drop(progress);
    printed.end()?;
    Ok(found)
}

/// A table that is being printed.
enum Printed<'a> {
    Json(ObjectStream<'a>, &'a TableHead),
    Text(TextTable<'a>),
}

impl<'a> Printed<'a> {
    fn begin(
        output: &'a Output,
        args: &PricesArgs,
        head: &'a TableHead,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        if !output.is_json() {
            return Ok(Self::Text(TextTable::new(output, head, now)));
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
        Ok(Self::Json(ObjectStream::begin(output, &members(about), "prices")?, head))
    }

    fn rows(&mut self, rows: &[TableRow]) -> Result<(), Failure> {
        match self {
            Self::Json(stream, head) => rows.iter().try_for_each(|row| {
                stream.item(&json!({
                    "product": row.product.as_str(),
                    "name": row.name,
                    "list_price": row.entry.list_price.format(head.currency),
                    "discount_percent": row.entry.discount.to_string(),
                    "unit_price": row.entry.unit_price.format(head.currency),
                }))
            }),
            Self::Text(table) => table.rows(rows),
        }
    }

    /// Whether anybody still reads what is printed.
    const fn is_heard(&self) -> bool {
        match self {
            Self::Json(stream, _) => stream.is_heard(),
            Self::Text(table) => table.is_heard(),
        }
    }

    fn end(self) -> Result<(), Failure> {
        match self {
            Self::Json(stream, _) => stream.end(&Map::new()),
            Self::Text(table) => table.end(),
        }
    }
}
