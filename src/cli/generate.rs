//! `ocache generate`: large data from a seed.

use serde_json::json;

use super::args::{DataFormat, GenerateArgs};
use super::failure::Failure;
use super::output::Output;
use crate::data::{self, Existing, Format, Generated, Spec};

pub(super) fn run(output: &Output, args: &GenerateArgs) -> Result<(), Failure> {
    let spec = Spec {
        seed: args.seed,
        products: args.products,
        users: args.users,
        discounts_per_user: args.discounts,
        currency: args.currency,
        format: args.format.into(),
    };
    let bar = output.progress("generating", args.products + args.users);
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let generated = data::generate(&spec, &args.dir, existing, &|rows| bar.set_position(rows));
    bar.finish_and_clear();
    let generated = generated?;
    let paths: Vec<String> =
        generated.files.iter().map(|path| path.display().to_string()).collect();
    let Generated { products, discounts, bytes, .. } = generated;
    let summary = json!({
        "files": paths, "products": products, "discounts": discounts, "bytes": bytes,
    });
    output.data(&summary, |_| {
        let figures = format!("{products} products, {discounts} discounts, {bytes} bytes");
        format!("{}\n{figures}", paths.join("\n"))
    })
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
