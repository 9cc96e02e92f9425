//! `ocache generate`: makes large data files from a seed.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use serde_json::json;

use super::args::{DataFormat, GenerateArgs};
use super::failure::{Failure, Result};
use super::output::Output;
use super::signals::signalled;
use crate::data::{self, Existing, Format, Generated, ListSpec, Spec};
use crate::model::plural;
use crate::pricing::Currency;

pub(super) async fn run(output: &Output, args: &GenerateArgs) -> Result<()> {
    let mut currencies = args.currencies.clone();
    // The first currency is that of the catalogue, unless `--currency` names it.
    let currency = args.currency.or(currencies.first().copied()).unwrap_or(Currency::USD);
    currencies.retain(|other| *other != currency);
    let spec = Spec {
        seed: args.seed,
        products: args.products,
        users: args.users,
        discounts_per_user: args.discounts,
        currency,
        format: args.format.into(),
        lists: ListSpec { lists: args.lists, tiers: args.tiers, currencies },
    };
    let bar = output.progress("generating", spec.rows());
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let generated = generate(spec, args.dir.clone(), existing, bar.clone()).await;
    bar.finish_and_clear();
    let generated = generated?;
    let paths: Vec<String> =
        generated.files.iter().map(|path| path.display().to_string()).collect();
    let Generated { products, discounts, customers, price_lists, prices, bytes, .. } = generated;
    let summary = json!({
        "files": paths, "products": products, "discounts": discounts, "customers": customers,
        "price_lists": price_lists, "prices": prices, "bytes": bytes,
    });
    output.data(&summary, |_| {
        let with_lists = [
            (products, "product", "products"),
            (discounts, "discount", "discounts"),
            (customers, "customer", "customers"),
            (price_lists, "price list", "price lists"),
            (prices, "price", "prices"),
        ];
        let kinds = if customers == 0 { &with_lists[..2] } else { &with_lists[..] };
        let kinds =
            kinds.iter().map(|(count, one, many)| format!("{count} {}", plural(*count, one, many)));
        let figures: Vec<_> = kinds.chain([format!("{bytes} bytes")]).collect();
        format!("{}\n{}", paths.join("\n"), figures.join(", "))
    })
}

/// Generates the files. If Ctrl-C comes first, waits until the incomplete file is removed.
async fn generate(
    spec: Spec,
    folder: PathBuf,
    existing: Existing,
    bar: ProgressBar,
) -> Result<Generated> {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    let told = is_interrupted.clone();
    let work = move || {
        data::generate(&spec, &folder, existing, &|rows| {
            bar.set_position(rows);
            match told.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
    };
    // Listen before there is a file: a user who sees it may interrupt at once.
    let interrupted = signalled(1);
    let mut generating = tokio::task::spawn_blocking(work);
    let generated = tokio::select! {
        generated = &mut generating => generated,
        () = interrupted => {
            is_interrupted.store(true, Ordering::Relaxed);
            generating.await
        }
    };
    Ok(generated.map_err(Failure::internal)??)
}

impl From<DataFormat> for Format {
    fn from(format: DataFormat) -> Self {
        match format {
            DataFormat::Ndjson => Self::Ndjson,
            DataFormat::Json => Self::Json,
            DataFormat::Csv => Self::Csv,
        }
    }
}
