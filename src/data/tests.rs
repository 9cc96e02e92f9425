//! Tests of all formats, of bad inputs, of whole folders, and of arbitrary bytes.

mod any_input;
mod bad_input;
mod files;
mod formats;
mod generated;
mod price_lists;

use std::path::Path;

use super::{DataErrors, Dataset, Layout, read_texts_as};
use crate::pricing::Currency;

fn read_one(bytes: impl AsRef<[u8]>) -> Result<Dataset, DataErrors> {
    read_as(bytes, &Layout::default())
}

fn read_as(bytes: impl AsRef<[u8]>, layout: &Layout) -> Result<Dataset, DataErrors> {
    read_texts_as(&[(Path::new("f"), bytes.as_ref())], Currency::USD, layout)
}

/// Returns the rows of a dataset, each as one text.
fn rows(dataset: &Dataset) -> Vec<String> {
    let products = dataset.products.iter().map(|product| {
        let price = product.price.map(|price| price.format(Currency::USD)).unwrap_or_default();
        format!("{} {} {price}", product.id, product.name)
    });
    let discounts = dataset.discounts.iter().flat_map(|list| {
        list.discounts
            .as_slice()
            .iter()
            .map(move |d| format!("{}: {} {}", list.user, d.product_id, d.percentage))
    });
    products.chain(discounts).collect()
}
