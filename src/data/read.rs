//! Reads files and folders into one set of data.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::collect::{Collector, Sink};
use super::error::{DataErrors, Fault, Problem};
use super::given::{Amounts, GivenOwn, GivenPrices, Place};
use super::layout::Layout;
use super::lines::Lines;
use super::names::shown;
use super::removed::RowKey;
use super::sources::STANDARD_INPUT;
use super::window::LocalTime;
use super::{csv, json, sources, text};
use crate::ports::UserDiscounts;
use crate::pricing::{Customer, PriceList, Product};

/// Large enough that reading is not the bottleneck, small enough that progress is seen.
const BUFFER_BYTES: usize = 256 * 1024;

/// The rows of all files, each product, each user and each price once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The products, in the order of the files. No two have the same id.
    pub products: Vec<Product>,
    /// The lists of users with discounts on every quantity only, in the order in which users were first
    /// named. They may be for products that no file names.
    pub discounts: Vec<UserDiscounts>,
    /// The lists of all other users.
    pub own: Vec<GivenOwn>,
    /// What is known of customers.
    pub customers: Vec<Customer>,
    /// The price lists, without their rows, and where each stands.
    pub lists: Vec<(PriceList, Place)>,
    /// The rows of price lists.
    pub prices: Vec<GivenPrices>,
    /// Rows that are taken away by name. None of them is among the others.
    pub removed: Vec<RowKey>,
    /// How many decimals prices were read with beyond those of their currencies.
    pub unit_decimals: u8,
    /// What was given as a time of a time zone.
    pub local_times: Vec<LocalTime>,
    /// What each file had in it.
    pub files: Vec<FileSummary>,
    /// What a person may want to know.
    pub notices: Vec<Notice>,
}

impl Dataset {
    /// How many rows there are to compare with the store; those of a user or of a ladder are one.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        let lists = self.lists.len() + self.prices.len();
        let users = self.discounts.len() + self.own.len() + self.customers.len();
        (self.products.len() + users + lists + self.removed.len()) as u64
    }
}

/// What a file had in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// The file, as it was given.
    pub path: PathBuf,
    /// How many products.
    pub products: usize,
    /// The lists of how many users.
    pub users: usize,
    /// How many customers.
    pub customers: usize,
    /// How many price lists.
    pub price_lists: usize,
    /// How many rows of price lists.
    pub prices: usize,
}

impl FileSummary {
    /// Whether it had any row.
    pub(super) const fn has_rows(&self) -> bool {
        self.products + self.users + self.customers + self.price_lists + self.prices > 0
    }
}

/// Something that is not wrong, but may not be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A file without rows, next to others that have some.
    NoRows {
        /// Which file.
        path: PathBuf,
    },
    /// An entry of a folder that is no data file by its name.
    PassedOver {
        /// Which entry.
        path: PathBuf,
    },
    /// Columns or fields of JSON that were left out, as somebody said they should be.
    Ignored {
        /// Of which file.
        path: PathBuf,
        /// Their names, sorted.
        columns: Vec<String>,
    },
    /// Columns that were given a meaning, and that no file has.
    Unmet {
        /// Their names.
        columns: Vec<String>,
    },
    /// A file that says itself that it has not all rows.
    OnePage {
        /// Which file.
        path: PathBuf,
        /// What in it says so.
        member: String,
    },
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRows { path } => write!(f, "{}: has no rows", path.display()),
            Self::PassedOver { path } => write!(f, "{}: is no data file", path.display()),
            Self::Ignored { path, columns } => {
                write!(f, "{}: left out {}", path.display(), quoted(columns))
            }
            Self::Unmet { columns } => {
                let (columns, is_one) = (quoted(columns), columns.len() == 1);
                let what = if is_one { "column" } else { "columns" };
                write!(f, "no file has the {what} {columns}, which --map or --ignore names")
            }
            Self::OnePage { path, member } => {
                write!(f, "{}: has `{member}`, so there are more rows to come", path.display())
            }
        }
    }
}

fn quoted(columns: &[String]) -> String {
    let quoted = columns.iter().map(|name| format!("`{}`", shown(name)));
    quoted.collect::<Vec<_>>().join(", ")
}

/// Reads files, and the data files of folders; `-` is standard input. Prices must fit the currency.
/// `progress` is called with the count of bytes read so far, of all files together; see [`total_bytes`].
///
/// # Errors
/// [`DataErrors`] with every bad row, when there is one; then there are no data at all.
pub fn read(
    paths: &[PathBuf],
    amounts: impl Into<Amounts>,
    layout: &Layout,
    progress: &dyn Fn(u64),
) -> Result<Dataset, DataErrors> {
    let sources = sources::find(paths)?;
    let mut collector = Collector::new(amounts.into(), layout.clone(), sources.notices);
    let total = Cell::new(0);
    for path in sources.files {
        let file = open(&path);
        let mut sink = collector.file(path);
        match file {
            Ok(file) => {
                let counted = Counted { inner: file, total: &total, progress };
                read_from(text::unpacked(counted, layout.encoding), &mut sink);
            }
            Err(error) => sink.fault(Fault::of_file(Problem::Unreadable(error))),
        }
        sink.close();
    }
    collector.finish()
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(match path == Path::new(STANDARD_INPUT) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path)?),
    })
}

/// The size of all files that [`read`] would read, in bytes. A pipe counts as nothing.
///
/// # Errors
/// [`DataErrors`] when a path is not there, or a folder has no data files.
pub fn total_bytes(paths: &[PathBuf]) -> Result<u64, DataErrors> {
    let files = sources::find(paths)?.files;
    // A file that went away meanwhile is for the reader to report.
    Ok(files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum())
}

/// Reads texts that are in memory, as if they were files of these names.
///
/// # Errors
/// Those of [`read`].
pub fn read_texts(
    texts: &[(&Path, &[u8])],
    amounts: impl Into<Amounts>,
) -> Result<Dataset, DataErrors> {
    read_texts_as(texts, amounts, &Layout::default())
}

/// The same, laid out in another way. What is packed stays so, and is refused: whoever has it in memory
/// knows how much of it may be unpacked.
///
/// # Errors
/// Those of [`read`].
pub fn read_texts_as(
    texts: &[(&Path, &[u8])],
    amounts: impl Into<Amounts>,
    layout: &Layout,
) -> Result<Dataset, DataErrors> {
    let mut collector = Collector::new(amounts.into(), layout.clone(), vec![]);
    for (path, bytes) in texts {
        let mut sink = collector.file((*path).to_owned());
        read_from(text::decoded(*bytes, layout.encoding), &mut sink);
        sink.close();
    }
    collector.finish()
}

fn read_from<'a>(source: Result<Box<dyn Read + 'a>, Fault>, sink: &mut Sink<'_>) {
    let read = source.and_then(|source| {
        read_lines(Lines::new(BufReader::with_capacity(BUFFER_BYTES, source)), sink)
    });
    if let Err(fault) = read {
        sink.fault(fault);
    }
}

/// Tells the format from the first character.
fn read_lines(mut lines: Lines<impl io::BufRead>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let Some((_, first)) = lines.next()? else { return Ok(()) };
    match first.trim_start().as_bytes().first() {
        Some(b'[') => json::read_array(&lines.rest()?, sink),
        Some(b'{') => json::read_objects(lines, sink),
        _ => csv::read(lines, sink),
    }
}

/// Counts the bytes that pass.
struct Counted<'a, R> {
    inner: R,
    total: &'a Cell<u64>,
    progress: &'a dyn Fn(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.total.set(self.total.get().saturating_add(count as u64));
        (self.progress)(self.total.get());
        Ok(count)
    }
}
