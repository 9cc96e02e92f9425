//! Measures how many bytes are stored.

use ocache::pricing::{
    Base, Currency, Goods, Ladder, LadderPacker, OwnRows, PackedBase, PackedOwn, PriceList,
    Product, Recipients, Rounding, Rules, ScopedLadder, steps_of_list,
};

use crate::inputs;
use crate::ladders;
use crate::results::line;

const PRODUCTS: u64 = 10_000;

pub fn run() {
    let dataset = inputs::dataset(PRODUCTS, 1, 100);
    let packed = PackedBase::new(Currency::USD, dataset.products.clone());
    let packed = packed.expect("generated products differ");
    let base = Base::new(&packed).expect("it can be read");
    let own = |discounts| {
        let rows =
            OwnRows::price(base.index(), discounts, Rounding::HalfEven, |number| base.part(number));
        let packed = PackedOwn::new(&rows.expect("the base is whole"));
        size(&packed.expect("rows can be packed").parts)
    };
    let hundred = own(&dataset.discounts[0].discounts);
    let all = own(&inputs::all_discounted(&dataset.products));
    let each = |bytes: usize| format!("{:.2}", bytes as f64 / PRODUCTS as f64);
    let base = size(&packed.parts);
    line("size", "bytes per product of a base, ids and names included", &each(base));
    line("size", "bytes of a customer with 100 own rows", &hundred.to_string());
    line("size", "bytes per own row, all products discounted", &each(all));
    let (terms, products) = terms(&dataset.products);
    let figure = format!("{:.2} for each of {products} products", terms as f64 / products as f64);
    line("size", "bytes of terms, 30 % of products at three rungs", &figure);
    line("size", "bytes per product of base and terms, 30 % at three rungs", &each(base + terms));
}

/// Prices a list with three rungs for three of ten products, as all customers of a group share it.
fn terms(products: &[Product]) -> (usize, usize) {
    let list = PriceList {
        id: "gold".parse().expect("it is an id"),
        priority: 1,
        currency: Some(Currency::USD),
        from: None,
        until: None,
        recipients: Recipients { everyone: true, ..Recipients::default() },
        is_wide: false,
        revision: 1,
    };
    let mut sorted: Vec<&Product> = products.iter().collect();
    sorted.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let (mut rules, mut packer) = (Rules::default(), LadderPacker::default());
    let mut count = 0;
    for (index, product) in (0_u32..).zip(sorted).filter(|(index, _)| index % 10 < 3) {
        let price = product.price.expect("generated products have prices");
        let ladder = Ladder::new(ladders::three_rungs(product, 0)).expect("its rungs differ");
        let scopes = [ScopedLadder { scope: None, ladder: &ladder }];
        let steps = steps_of_list(Goods::plain(price), Some(&list), &scopes, true, &mut rules);
        packer.push(index, &steps, &rules).expect("it can be packed");
        count += 1;
    }
    (size(&packer.finish().expect("it can be packed").parts), count)
}

fn size(parts: &[Vec<u8>]) -> usize {
    parts.iter().map(Vec::len).sum()
}
