//! `ocache prices`: a user's stored table, decoded.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::args::PricesArgs;
use super::duration::show_duration;
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::known::{meant_products, nearest_user};
use super::output::{Output, number, table};
use super::settings::Settings;
use crate::model::ProductId;
use crate::ports::{Ports, TableHead, parts_of};
use crate::pricing::{Entry, PackedPart};
use crate::stages::Names;

/// So many parts are read at once: about 3 MB of memory.
const PARTS_AT_ONCE: usize = 100;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: PricesArgs,
) -> Result<(), Failure> {
    let engine = Engine::open(settings, output).await?;
    let ports = engine.ports(None);
    let heads = ports.store.table_heads(std::slice::from_ref(&args.user)).await?;
    let Some((_, head)) = heads.into_iter().next() else {
        let near = nearest_user(&engine, args.user.as_str()).await;
        engine.close().await;
        let message = format!("user `{}` has no price table", args.user);
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`ocache subscribe` the user while a price-calc worker runs".to_owned(),
        };
        return Err(Failure::new(ExitCode::NotFound, message).hint(hint));
    };
    let rows = entries(&ports, &args, &head).await?;
    let names = names(&ports, &head, &rows).await?;
    print(output, &args, &head, &rows, &names, &ports)?;
    let missing: Vec<&str> = args
        .product
        .iter()
        .filter(|id| !rows.iter().any(|(product, _)| product == *id))
        .map(ProductId::as_str)
        .collect();
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

async fn entries(
    ports: &Ports,
    args: &PricesArgs,
    head: &TableHead,
) -> Result<Vec<(ProductId, Entry)>, Failure> {
    let numbers: Vec<u32> = if args.product.is_empty() {
        (0..).take(head.parts.len()).collect()
    } else {
        let wanted: BTreeSet<u32> =
            args.product.iter().filter_map(|product| head.part_of(product)).collect();
        wanted.into_iter().collect()
    };
    let mut rows = Vec::new();
    for numbers in numbers.chunks(PARTS_AT_ONCE) {
        for part in parts_of(&*ports.store, &args.user, &head.generation, numbers).await? {
            let part = part.ok_or_else(|| {
                let message =
                    format!("the table of `{}` was replaced while it was read", args.user);
                Failure::new(ExitCode::Failure, message).hint("run the command again")
            })?;
            let part = PackedPart::decode(&part).map_err(Failure::internal)?;
            for product in part.iter() {
                let (id, entry) = product.map_err(Failure::internal)?;
                if args.product.is_empty() || args.product.contains(&id) {
                    rows.push((id, entry));
                }
            }
        }
    }
    Ok(rows)
}

async fn names(
    ports: &Ports,
    head: &TableHead,
    rows: &[(ProductId, Entry)],
) -> Result<HashMap<ProductId, String>, Failure> {
    let ids: BTreeSet<&ProductId> = rows.iter().map(|(id, _)| id).collect();
    let names = Names::new(ports.store.clone()).of(head.base_version, &ids).await?;
    Ok(names.unwrap_or_default())
}

fn print(
    output: &Output,
    args: &PricesArgs,
    head: &TableHead,
    rows: &[(ProductId, Entry)],
    names: &HashMap<ProductId, String>,
    ports: &Ports,
) -> Result<(), Failure> {
    let currency = head.currency;
    let name = |id: &ProductId| names.get(id).map_or("", String::as_str);
    let prices: Vec<_> = rows
        .iter()
        .map(|(id, entry)| {
            json!({
                "product": id.as_str(),
                "name": name(id),
                "list_price": entry.list_price.format(currency),
                "discount_percent": entry.discount.to_string(),
                "unit_price": entry.unit_price.format(currency),
            })
        })
        .collect();
    let now = ports.clock.now();
    let data = json!({
        "user": args.user.as_str(),
        "currency": currency.code(),
        "catalogue_version": head.catalogue_version,
        "generation": head.generation.as_str(),
        "priced_at": head.priced_at.to_string(),
        "validated_at": head.validated_at.to_string(),
        "fresh": head.is_fresh(now),
        "usable": head.is_usable(now),
        "products": head.products,
        "prices": prices,
    });
    output.data(&data, |_| {
        let mut table = table(["product", "name", "list price", "discount", "unit price"]);
        for (id, entry) in rows {
            let discount = match entry.discount.millionths() {
                0 => String::new(),
                _ => format!("{} %", entry.discount),
            };
            let (list, unit) =
                (entry.list_price.format(currency), entry.unit_price.format(currency));
            table.add_row([
                id.as_str().into(),
                name(id).into(),
                number(list),
                number(discount),
                number(unit),
            ]);
        }
        let state = match (head.is_fresh(now), head.is_usable(now)) {
            (true, _) => "fresh",
            (false, true) => "stale",
            (false, false) => "too old for quotes",
        };
        let age = show_duration(now.since(head.validated_at));
        format!("{table}\n{} products in {currency}, validated {age} ago, {state}", head.products)
    })
}
