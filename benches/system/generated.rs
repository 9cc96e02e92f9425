//! Generated data for commands that load files, and its prices.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use ocache::data::Dataset;
use ocache::load_generator::{ExpectedPrice, ExpectedPrices};
use ocache::model::{ProductId, UserId};
use ocache::pricing::{Money, Percentage};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use tempfile::{NamedTempFile, TempDir};

use crate::inputs;

/// Files of generated data.
pub struct Generated(TempDir);

/// The start of every line in a file of discounts.
#[derive(Deserialize)]
struct Customer {
    user_id: UserId,
}

impl Generated {
    /// Generates this many products, and the discounts of this many users.
    pub fn new(products: u64, users: u64, discounts_per_user: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the generated files");
        let discounts_per_user = discounts_per_user.min(products);
        inputs::generate(folder.path(), products, users, discounts_per_user);
        Self(folder)
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Reads all data.
    pub fn read(&self) -> Dataset {
        inputs::read(self.folder())
    }

    /// Reads the users alone, because their discounts may not fit the memory.
    pub fn users(&self) -> Vec<UserId> {
        let file = fs::File::open(self.folder().join("discounts.ndjson"));
        let lines = BufReader::new(file.expect("there are discounts")).lines();
        let user = |line: std::io::Result<String>| {
            let line = line.expect("the file can be read");
            serde_json::from_str::<Customer>(&line).expect("it has a user").user_id
        };
        lines.map(user).collect()
    }

    /// Returns the data after [`Self::with_another_price`] was loaded.
    pub fn read_with_another_price(&self, cents: u32) -> Dataset {
        let mut dataset = self.read();
        let changed = inputs::read(self.with_another_price(cents).path()).products.remove(0);
        let place = dataset.products.iter().position(|product| product.id == changed.id);
        dataset.products[place.expect("it is one of the products")] = changed;
        dataset
    }

    /// Returns a file with another price of the first product.
    pub fn with_another_price(&self, cents: u32) -> NamedTempFile {
        let file = fs::File::open(self.folder().join("products.ndjson"));
        let mut line = String::new();
        let read = BufReader::new(file.expect("there are products")).read_line(&mut line);
        read.expect("the file can be read");
        let mut product: serde_json::Value = serde_json::from_str(&line).expect("it is a product");
        product["price"] = format!("{}.{:02}", 10 + cents / 100, cents % 100).into();
        let changed = tempfile::Builder::new().suffix(".ndjson").tempfile();
        let changed = changed.expect("a file can be made");
        fs::write(changed.path(), format!("{product}\n")).expect("the file can be written");
        changed
    }
}

/// The prices that answers must have, calculated with decimal numbers and not by ocache.
pub struct Prices {
    products: HashMap<ProductId, Money>,
    discounts: HashMap<UserId, HashMap<ProductId, Percentage>>,
}

impl Prices {
    pub fn new(dataset: &Dataset) -> Self {
        let products = dataset.products.iter();
        let products = products.filter_map(|product| Some((product.id.clone(), product.price?)));
        let discounts = dataset.discounts.iter().map(|list| {
            let list_of_user = list.discounts.as_slice().iter();
            let pairs = list_of_user.map(|one| (one.product_id.clone(), one.percentage));
            (list.user.clone(), pairs.collect())
        });
        Self { products: products.collect(), discounts: discounts.collect() }
    }
}

impl ExpectedPrices for Prices {
    fn price(&self, user: &UserId, product: &ProductId) -> Option<ExpectedPrice> {
        let list_price = *self.products.get(product)?;
        let percentage = self.discounts.get(user).and_then(|list| list.get(product));
        let percentage = percentage.map_or(0, |percentage| percentage.millionths());
        let rest = Decimal::ONE - Decimal::new(percentage.into(), 8);
        let exact = Decimal::from(list_price.minor()) * rest;
        let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        let minor = rounded.try_into().expect("a price fits 64 bits");
        Some(ExpectedPrice { list_price, unit_price: Money::from_minor(minor) })
    }
}
