//! How many bytes are stored.

use ocache::pricing::{Base, Currency, OwnRows, PackedBase, PackedOwn};

use crate::inputs;
use crate::lab::line;

const PRODUCTS: u64 = 10_000;

pub fn run() {
    let dataset = inputs::dataset(PRODUCTS, 1, 100);
    let packed = PackedBase::new(Currency::USD, dataset.products.clone());
    let packed = packed.expect("generated products differ");
    let base = Base::new(&packed).expect("it can be read");
    let own = |discounts| {
        let rows = OwnRows::price(base.index(), discounts, |number| base.part(number));
        let packed = PackedOwn::new(&rows.expect("the base is whole"));
        size(&packed.expect("rows can be packed").parts)
    };
    let hundred = own(&dataset.discounts[0].discounts);
    let all = own(&inputs::all_discounted(&dataset.products));
    let each = |bytes: usize| format!("{:.2}", bytes as f64 / PRODUCTS as f64);
    let base = each(size(&packed.parts));
    line("3", "bytes per product of a base, ids and names included", &base);
    line("3", "bytes of a customer with 100 own rows", &hundred.to_string());
    line("3", "bytes per own row, all products discounted", &each(all));
}

fn size(parts: &[Vec<u8>]) -> usize {
    parts.iter().map(Vec::len).sum()
}
