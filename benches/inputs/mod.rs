//! What is measured with: the data of `ocache generate --seed 1`.

use std::path::Path;

use ocache::data::{self, Dataset, Existing, Format, ListSpec, Spec};
use ocache::pricing::{
    Base, Currency, Discount, Discounts, Ladder, ListPrices, ListRows, MinQuantity, Money,
    PackedBase, Percentage, PriceList, PriceRule, Product, Rate, Recipients, Rung, Scope,
};

/// Writes the files of so many products, and the discounts of so many users.
pub fn generate(folder: &Path, products: u64, users: u64, discounts_per_user: u64) {
    let spec = Spec {
        seed: 1,
        products,
        users,
        discounts_per_user,
        currency: Currency::USD,
        format: Format::Ndjson,
        lists: ListSpec::NONE,
    };
    let generated = data::generate(&spec, folder, Existing::Keep, &|_| {});
    generated.expect("files are generated");
}

/// Reads such files.
pub fn read(folder: &Path) -> Dataset {
    data::read(&[folder.to_owned()], Currency::USD, &|_| {}).expect("they can be read")
}

/// The same, of files that nobody else needs.
pub fn dataset(products: u64, users: u64, discounts_per_user: u64) -> Dataset {
    let folder = tempfile::tempdir().expect("a folder for the generated files");
    generate(folder.path(), products, users, discounts_per_user);
    read(folder.path())
}

/// The base of these products.
pub fn base(products: &[Product]) -> Base {
    let packed = PackedBase::new(Currency::USD, products.to_vec());
    Base::new(&packed.expect("generated products differ")).expect("it can be read")
}

/// A discount for every product, from 1 to 35 % in steps of a half, like the generated ones.
pub fn all_discounted(products: &[Product]) -> Discounts {
    let list = products.iter().zip(0_u32..).map(|(product, index)| Discount {
        product_id: product.id.clone(),
        percentage: Percentage::from_millionths((2 + index % 69) * 500_000).unwrap_or_default(),
    });
    Discounts::new(list.collect()).expect("generated products differ")
}

/// Every tenth product from the number of a list on, three times over, has three rungs in it; and everything
/// else a percentage.
pub fn price_list(number: usize, products: &[Product]) -> (PriceList, ListRows) {
    let id = format!("list-{number}").parse().expect("it is an id");
    let list = PriceList {
        id,
        priority: 1,
        currency: Some(Currency::USD),
        from: None,
        until: None,
        recipients: Recipients { everyone: true, ..Recipients::default() },
        is_wide: true,
        revision: 1,
    };
    let row = |scope, rungs| {
        let ladder = Ladder::new(rungs).expect("its rungs differ");
        ListPrices { list: list.id.clone(), scope, ladder }
    };
    let has_rungs = |index: usize| (index + 10 - number % 10) % 10 < 3;
    let laddered = products.iter().enumerate().filter(|(index, _)| has_rungs(*index));
    let laddered = laddered.map(|(_, product)| {
        row(Scope::Product(product.id.clone()), three_rungs(product, number as i64))
    });
    let percentage = Rate::from(Percentage::from_millionths(1_000_000).unwrap_or_default());
    let rule = PriceRule::Percentage(percentage);
    let everything = row(Scope::All, vec![Rung { min_quantity: MinQuantity::ZERO, rule }]);
    let rows = ListRows::new(laddered.chain([everything]));
    (list, rows)
}

/// Stated prices of 5, 10 and 15 per cent below the list price and so much more.
pub fn three_rungs(product: &Product, more: i64) -> Vec<Rung> {
    let price = product.price.expect("generated products have prices").minor();
    let rung = |(thousandths, percent): (u64, i64)| Rung {
        min_quantity: MinQuantity::from_thousandths(thousandths).expect("it is a quantity"),
        rule: PriceRule::Price(Money::from_minor(price * (percent - more) / 100)),
    };
    [(0, 95), (10_000, 90), (100_000, 85)].map(rung).to_vec()
}
