//! How many bytes a stored product takes.

use ocache::pricing::{PackedPart, PriceTable};

use crate::inputs;
use crate::lab::line;

const PRODUCTS: u64 = 10_000;
const BEST_LEVEL: i32 = 19;

pub fn run() {
    let dataset = inputs::dataset(PRODUCTS, 1, 100);
    let catalogue = inputs::catalogue(&dataset.products);
    let pack = |discounts| {
        let parts = PriceTable::new(&catalogue, discounts).pack();
        parts.expect("the table can be packed")
    };
    let parts = pack(&dataset.discounts[0].discounts);
    let size = |parts: &[Vec<u8>]| parts.iter().map(Vec::len).sum::<usize>();
    let all_discounted = size(&pack(&inputs::all_discounted(&dataset.products)));
    // The same columns, one after the other, in one frame for each part.
    let columns = parts.iter().map(|part| {
        let part = PackedPart::decode(part).expect("it can be read");
        let compressed = zstd::bulk::compress(part.columns(), BEST_LEVEL);
        compressed.expect("columns can be compressed").len()
    });
    let columns: usize = columns.sum();
    for (what, bytes) in [
        ("bytes per product, ids included, 100 discounts", size(&parts)),
        ("zstd -19 of the columns that all users share", columns),
        ("bytes per product, all discounted", all_discounted),
    ] {
        line("3", what, &format!("{:.2}", bytes as f64 / PRODUCTS as f64));
    }
}
