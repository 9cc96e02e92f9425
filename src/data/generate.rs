//! Generates large data from a seed. The same seed and sizes give the same files, byte for byte.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::seeded::{Draws, SKU_COUNT, sku};
use super::{sources, words};
use crate::model::named;
use crate::pricing::{Currency, Money, Percentage};

const PRODUCTS: u64 = 1;
const USERS: u64 = 2;
const BUFFER_BYTES: usize = 256 * 1024;
/// The names of all tables that can be generated.
const NAMES: [&str; 5] = ["products", "discounts", "customers", "price_lists", "prices"];

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The seed from which everything is drawn.
    pub seed: u64,
    /// How many products, from 1 to 36^8.
    pub products: u64,
    /// How many users have discounts.
    pub users: u64,
    /// How many discounts each of them has, on different products.
    pub discounts_per_user: u64,
    /// The currency of the prices. It decides the number of decimals; the amounts in minor units are the
    /// same in every currency.
    pub currency: Currency,
    /// The format of the files.
    pub format: Format,
    /// Price lists and their recipients.
    pub lists: ListSpec,
}

/// Which price lists to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSpec {
    /// How many lists, each given to a group of customers.
    pub lists: u64,
    /// How many rungs each ladder has, from 1 to [`Self::MAX_TIERS`].
    pub tiers: u64,
    /// Currencies of list prices and customers, beside that of the catalogue.
    pub currencies: Vec<Currency>,
}

impl ListSpec {
    /// The greatest number of rungs of a generated ladder.
    pub const MAX_TIERS: u64 = 20;
    /// No list, and one currency.
    pub const NONE: Self = Self { lists: 0, tiers: 1, currencies: vec![] };

    pub(super) const fn is_none(&self) -> bool {
        self.lists == 0 && self.currencies.is_empty()
    }
}

named! {
    /// How generated files are written, with the extension of their names.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Format {
        /// One JSON object per line.
        Ndjson => "ndjson",
        /// A header and one row per line. Each discount is a row.
        Csv => "csv",
        /// A JSON array with one row per line.
        Json => "json",
    }
}

/// What to do if the folder already has data files. Nothing is written in any case if one of them has a name
/// that generated files have in another format or of another kind, and would stay: it may be of an earlier
/// run, and a load of the folder would read both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Write nothing.
    Keep,
    /// Overwrite files of the same names, and leave the others.
    Replace,
}

/// What was generated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generated {
    /// The files, products first. A file without rows is not written.
    pub files: Vec<PathBuf>,
    /// How many products.
    pub products: u64,
    /// How many discounts, of all users together.
    pub discounts: u64,
    /// How many customers with a currency or groups.
    pub customers: u64,
    /// How many price lists.
    pub price_lists: u64,
    /// How many rows of price lists.
    pub prices: u64,
    /// The total size of the files, in bytes.
    pub bytes: u64,
}

/// Why nothing was generated.
#[derive(Debug, Error)]
pub enum GenerateError {
    /// No product, or more than there are SKUs.
    #[error("{count} products: from 1 to {SKU_COUNT} can be generated")]
    Products {
        /// How many were asked for.
        count: u64,
    },
    /// More discounts for each user than there are products.
    #[error("{discounts} discounts for each customer, but there are only {products} products")]
    Discounts {
        /// How many were asked for.
        discounts: u64,
        /// How many products.
        products: u64,
    },
    /// No rung, or more than a generated ladder may have.
    #[error("{tiers} tiers: from 1 to {} can be generated", ListSpec::MAX_TIERS)]
    Tiers {
        /// How many were asked for.
        tiers: u64,
    },
    /// The folder has data files, which are kept.
    #[error("{} has data files, such as {}", folder.display(), file.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
        /// One of the files.
        file: PathBuf,
    },
    /// Files of the folder have names of generated files, and would not be overwritten.
    #[error(
        "{} would stay beside the new files, and a load of the folder would read both",
        files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    Left {
        /// The files. There is at least one.
        files: Vec<PathBuf>,
    },
    /// `progress` said to stop.
    #[error("interrupted; not all files of {} were written", folder.display())]
    Interrupted {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or the folder cannot be written.
    #[error("{} cannot be written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// Writes `products`, `discounts` and the files of price lists into a folder, with the extension of the
/// format. The folder is made if it does not exist. A file gets its name only when it is complete.
/// `progress` is called with the number of products, users and other rows written so far, and says whether
/// to go on.
///
/// # Errors
/// [`GenerateError`]. A file that could not be completed is removed.
pub fn generate(
    spec: &Spec,
    folder: &Path,
    existing: Existing,
    progress: &dyn Fn(u64) -> ControlFlow<()>,
) -> Result<Generated, GenerateError> {
    check(spec)?;
    let failed = |source| GenerateError::Io { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let left = spec.left_in(folder);
    if !left.is_empty() {
        return Err(GenerateError::Left { files: left });
    }
    if existing == Existing::Keep {
        let (files, _) = sources::data_files(folder).map_err(failed)?;
        if let Some(file) = files.into_iter().next() {
            return Err(GenerateError::NotEmpty { folder: folder.to_owned(), file });
        }
    }
    let mut generated = spec.counts();
    let mut done = 0;
    for table in spec.tables() {
        if table.rows > 0 {
            let progress = |rows| progress(done + rows);
            table.write(spec.format, folder, &mut generated, &progress)?;
            done += table.rows;
        }
    }
    Ok(generated)
}

const fn check(spec: &Spec) -> Result<(), GenerateError> {
    if spec.products == 0 || spec.products > SKU_COUNT {
        return Err(GenerateError::Products { count: spec.products });
    }
    if spec.discounts_per_user > spec.products {
        return Err(GenerateError::Discounts {
            discounts: spec.discounts_per_user,
            products: spec.products,
        });
    }
    let tiers = spec.lists.tiers;
    if tiers == 0 || tiers > ListSpec::MAX_TIERS {
        return Err(GenerateError::Tiers { tiers });
    }
    Ok(())
}

impl Spec {
    /// Returns how many rows [`generate`] writes, as `progress` counts them.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables().iter().map(|table| table.rows).sum()
    }

    /// Returns the numbers of what will be generated, without the files.
    fn counts(&self) -> Generated {
        let lists = &self.lists;
        Generated {
            products: self.products,
            discounts: self.users.saturating_mul(self.discounts_per_user),
            customers: if lists.is_none() { 0 } else { self.users },
            price_lists: lists.lists,
            prices: self.ladders().saturating_mul(lists.tiers),
            ..Generated::default()
        }
    }

    /// Returns the files of a folder that have names of generated files, and that this specification does not
    /// write.
    fn left_in(&self, folder: &Path) -> Vec<PathBuf> {
        let tables = self.tables();
        let is_written = |name: &str, format: Format| {
            let mut written = tables.iter().filter(|table| table.rows > 0);
            format == self.format && written.any(|table| table.name == name)
        };
        let all = NAMES.into_iter().flat_map(|name| Format::ALL.map(move |format| (name, format)));
        let others = all.filter(|(name, format)| !is_written(name, *format));
        let paths = others.map(|(name, format)| path_of(folder, name, format));
        paths.filter(|path| path.is_file()).collect()
    }

    fn tables(&self) -> Vec<GeneratedTable<'_>> {
        let products = GeneratedTable {
            name: "products",
            header: self.product_header(),
            rows: self.products,
            write: Box::new(|text, row| self.write_product(text, row)),
        };
        let discounts = GeneratedTable {
            name: "discounts",
            header: "user_id,product_id,percentage\n".to_owned(),
            rows: if self.discounts_per_user > 0 { self.users } else { 0 },
            write: Box::new(|text, row| self.write_user(text, row)),
        };
        let mut tables = vec![products, discounts];
        tables.extend(self.list_tables());
        tables
    }

    fn product_header(&self) -> String {
        let others = self.lists.currencies.iter().map(|currency| format!(",price.{currency}"));
        format!("id,name,price{}\n", others.collect::<String>())
    }

    /// Writes the product at an index, without the end of its line.
    fn write_product(&self, text: &mut String, index: u64) -> std::fmt::Result {
        let mut draws = Draws::new(self.seed, PRODUCTS, index);
        let id = sku(self.seed, index);
        let (adjective, material) = (draws.pick(&words::ADJECTIVES), draws.pick(&words::MATERIALS));
        let (thing, size) = (draws.pick(&words::THINGS), draws.pick(&words::SIZES));
        let name = format_args!("{adjective} {material} {thing} {size}");
        let price = price(&mut draws);
        let shown = price.format(self.currency);
        let others = self.lists.currencies.iter().enumerate();
        let others = others
            .map(|(place, currency)| (currency, price_in(price, place + 1).format(*currency)));
        match self.format {
            Format::Csv => {
                write!(text, "{id},{name},{shown}")?;
                others.into_iter().try_for_each(|(_, price)| write!(text, ",{price}"))
            }
            Format::Json | Format::Ndjson if self.lists.currencies.is_empty() => {
                write!(text, r#"{{"id":"{id}","name":"{name}","price":{shown}}}"#)
            }
            Format::Json | Format::Ndjson => {
                let first = self.currency;
                write!(text, r#"{{"id":"{id}","name":"{name}","prices":{{"{first}":{shown}"#)?;
                for (currency, price) in others {
                    write!(text, r#","{currency}":{price}"#)?;
                }
                text.push_str("}}");
                Ok(())
            }
        }
    }

    /// Returns the list price of the product at an index.
    pub(super) fn price_of(&self, index: u64) -> Money {
        let mut draws = Draws::new(self.seed, PRODUCTS, index);
        // The draws for the product's name come before that of its price.
        for _ in 0..4 {
            draws.next();
        }
        price(&mut draws)
    }

    /// Returns the name of the user at an index.
    pub(super) fn user(&self, draws: &mut Draws, index: u64) -> String {
        let (company, trade) = (draws.pick(&words::COMPANIES), draws.pick(&words::TRADES));
        format!("{company}-{trade}-{index:05}")
    }

    /// Returns the draws of the user at an index. The first two make the name.
    pub(super) const fn user_draws(&self, index: u64) -> Draws {
        Draws::new(self.seed, USERS, index)
    }

    /// Writes the discounts of the user at an index, without the end of the last line.
    fn write_user(&self, text: &mut String, index: u64) -> std::fmt::Result {
        let mut draws = self.user_draws(index);
        let user = self.user(&mut draws, index);
        let products = draws.distinct(self.discounts_per_user, self.products);
        if self.format != Format::Csv {
            write!(text, r#"{{"user_id":"{user}","discounts":["#)?;
        }
        for (count, product) in products.into_iter().enumerate() {
            let product = sku(self.seed, product);
            let percentage = percentage(&mut draws);
            let is_first = count == 0;
            match self.format {
                Format::Csv => {
                    let separator = if is_first { "" } else { "\n" };
                    write!(text, "{separator}{user},{product},{percentage}")?;
                }
                Format::Json | Format::Ndjson => {
                    let separator = if is_first { "" } else { "," };
                    write!(
                        text,
                        r#"{separator}{{"product_id":"{product}","percentage":{percentage}}}"#
                    )?;
                }
            }
        }
        if self.format == Format::Csv { Ok(()) } else { text.write_str("]}") }
    }
}

/// Returns a list price in the currency at a place. Place 0 is the catalogue's currency.
pub(super) const fn price_in(price: Money, place: usize) -> Money {
    // Fixed factors, not exchange rates. So prices differ between currencies, and are never negative
    // however many currencies there are.
    let percent = [100, 90, 80, 110, 120][place % 5];
    Money::from_minor(price.minor() * percent / 100)
}

/// Draws a price. Most products are cheap and a few are expensive, and most prices have the usual endings
/// of prices in shops.
fn price(draws: &mut Draws) -> Money {
    let (from, to) = match draws.below(100) {
        0..30 => (200, 2_000),
        30..70 => (2_000, 20_000),
        70..92 => (20_000, 200_000),
        _ => (200_000, 2_000_000),
    };
    let minor = from + draws.below(to - from);
    let hundreds = minor - minor % 100;
    let minor = match draws.below(10) {
        0..4 => hundreds + 99,
        4..6 => hundreds + 95,
        6..7 => hundreds + 50,
        7..8 => hundreds,
        _ => minor,
    };
    Money::from_minor(minor.cast_signed())
}

/// Draws a percentage from 1 to 35 in steps of a half.
fn percentage(draws: &mut Draws) -> Percentage {
    const HALF_IN_MILLIONTHS: u32 = 500_000;
    let halves = 2 + draws.below(69) as u32;
    Percentage::from_millionths(halves * HALF_IN_MILLIONTHS).unwrap_or_default()
}

fn path_of(folder: &Path, name: &str, format: Format) -> PathBuf {
    folder.join(format!("{name}.{format}"))
}

/// One file to write.
pub(super) struct GeneratedTable<'a> {
    pub(super) name: &'static str,
    /// The first line of the file if it is CSV.
    pub(super) header: String,
    pub(super) rows: u64,
    /// Appends the row at an index to a text.
    pub(super) write: WriteRow<'a>,
}

/// Appends the row at an index to a text, without the end of its last line.
pub(super) type WriteRow<'a> = Box<dyn Fn(&mut String, u64) -> std::fmt::Result + 'a>;

impl GeneratedTable<'_> {
    fn write(
        &self,
        format: Format,
        folder: &Path,
        generated: &mut Generated,
        progress: &dyn Fn(u64) -> ControlFlow<()>,
    ) -> Result<(), GenerateError> {
        let path = path_of(folder, self.name, format);
        // The name is hidden and has no extension, so that nobody takes a half-written file for a whole
        // one.
        let partial = folder.join(format!(".{}.partial", self.name));
        let written = self.write_rows(format, &partial, progress).and_then(|bytes| {
            if bytes.is_some() {
                fs::rename(&partial, &path)?;
            }
            Ok(bytes)
        });
        if !matches!(written, Ok(Some(_))) {
            // The first error is the one that matters.
            drop(fs::remove_file(&partial));
        }
        match written {
            Ok(Some(bytes)) => {
                generated.bytes = generated.bytes.saturating_add(bytes);
                generated.files.push(path);
                Ok(())
            }
            Ok(None) => Err(GenerateError::Interrupted { folder: folder.to_owned() }),
            Err(source) => Err(GenerateError::Io { path, source }),
        }
    }

    /// Writes the file. Returns its size, or `None` if `progress` said to stop.
    fn write_rows(
        &self,
        format: Format,
        path: &Path,
        progress: &dyn Fn(u64) -> ControlFlow<()>,
    ) -> io::Result<Option<u64>> {
        const BYTES_PER_PROGRESS: usize = 64 * 1024;
        let (start, separator, end) = match format {
            Format::Csv => (self.header.as_str(), "\n", "\n"),
            Format::Ndjson => ("", "\n", "\n"),
            Format::Json => ("[\n", ",\n", "\n]\n"),
        };
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
        let mut bytes = (start.len() + end.len()) as u64;
        let mut since_progress = 0;
        let mut text = String::new();
        file.write_all(start.as_bytes())?;
        for row in 0..self.rows {
            text.clear();
            if row > 0 {
                text.push_str(separator);
            }
            (self.write)(&mut text, row).map_err(io::Error::other)?;
            file.write_all(text.as_bytes())?;
            bytes += text.len() as u64;
            // A row may be a customer with a discount for each product.
            since_progress += text.len();
            if since_progress >= BYTES_PER_PROGRESS || row + 1 == self.rows {
                since_progress = 0;
                if progress(row + 1).is_break() {
                    return Ok(None);
                }
            }
        }
        file.write_all(end.as_bytes())?;
        file.flush()?;
        Ok(Some(bytes))
    }
}
