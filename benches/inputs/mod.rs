//! The inputs of the benchmarks: the data of `ocache generate --seed 1`.

use std::ops::ControlFlow;
use std::path::Path;

use ocache::data::{self, Dataset, Existing, Format, ListSpec, Spec};
use ocache::pricing::{Base, Currency, Discount, Discounts, PackedBase, Percentage, Product};

/// Writes the files of this many products, and the discounts of this many users.
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
    let generated = data::generate(&spec, folder, Existing::Keep, &|_| ControlFlow::Continue(()));
    generated.expect("files are generated");
}

/// Reads such files.
pub fn read(folder: &Path) -> Dataset {
    data::read(&[folder.to_owned()], Currency::USD, &data::Layout::default(), &|_| {})
        .expect("they can be read")
}

/// Returns such data without keeping its files.
pub fn dataset(products: u64, users: u64, discounts_per_user: u64) -> Dataset {
    let folder = tempfile::tempdir().expect("a folder for the generated files");
    generate(folder.path(), products, users, discounts_per_user);
    read(folder.path())
}

/// Returns the base of these products.
pub fn base(products: &[Product]) -> Base {
    let packed = PackedBase::new(Currency::USD, products.to_vec());
    Base::new(&packed.expect("generated products differ")).expect("it can be read")
}

/// Returns a discount for every product, from 1 to 35 % in steps of a half, like the generated ones.
pub fn all_discounted(products: &[Product]) -> Discounts {
    let list = products.iter().zip(0_u32..).map(|(product, index)| Discount {
        product_id: product.id.clone(),
        percentage: Percentage::from_millionths((2 + index % 69) * 500_000).unwrap_or_default(),
    });
    Discounts::new(list.collect()).expect("generated products differ")
}
