//! Explains a customer's prices from the loaded rows, not from the stored table.

use super::super::args::PricesArgs;
use super::super::failure::Result;
use super::super::output::Output;
use super::super::price_rows;
use crate::model::{Item, ProductId, Quantity};
use crate::ports::Ports;
use crate::verify::{Reasons, reasons, reasons_json};

/// Prints the rows of the requested products. Returns which of these do not exist.
pub(super) async fn print(
    output: &Output,
    args: &PricesArgs,
    ports: &Ports,
) -> Result<Vec<ProductId>> {
    let quantity = args.quantity.unwrap_or(Quantity::ONE);
    let items: Vec<Item> =
        args.product.iter().map(|product| Item { product: product.clone(), quantity }).collect();
    let found = reasons(&*ports.store, &args.user, &items, ports.clock.now()).await?;
    let amounts = found.amounts();
    let there = found.items.iter().filter_map(|(item, why)| Some((item, why.as_ref()?)));
    let data = reasons_json(&args.user, &found);
    output.data(&data, |_| {
        let texts = there.map(|(item, why)| {
            let Item { product, quantity } = item;
            let headline = price_rows::headline(why, amounts);
            let rows = price_rows::show(why, amounts);
            format!("{product} {}, {quantity} for {}: {headline}\n{rows}", why.name, args.user)
        });
        let Reasons { catalogue_version, at, .. } = &found;
        let end = format!("by catalogue version {catalogue_version}, at {at}");
        texts.chain([end]).collect::<Vec<_>>().join("\n\n")
    })?;
    let missing = found.items.iter().filter(|(_, why)| why.is_none());
    Ok(missing.map(|(item, _)| item.product.clone()).collect())
}
