//! What was read from a set of files: the rows, and what each file contained.

use std::path::PathBuf;

use super::given::{FilePlace, GivenOwn, GivenPrices};
use super::names::shown;
use super::removed::RowKey;
use super::window::LocalTime;
use crate::model::plural;
use crate::ports::UserDiscounts;
use crate::pricing::{Customer, PriceList, Product};

/// The rows of all files. Each product, user and price is there once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The products, in the order of the files. No two have the same id.
    pub products: Vec<Product>,
    /// The lists of users who have only discounts on every quantity, in the order in which users were first
    /// named. They may name products that no file has.
    pub discounts: Vec<UserDiscounts>,
    /// The places of the rows of each of these lists, in the order of their products. A list that was given
    /// as a whole has one place.
    pub discount_places: Vec<Box<[FilePlace]>>,
    /// The own lists of all other users.
    pub own: Vec<GivenOwn>,
    /// The records of customers.
    pub customers: Vec<Customer>,
    /// The price lists without their rows, and the place of each.
    pub lists: Vec<(PriceList, FilePlace)>,
    /// The rows of price lists.
    pub prices: Vec<GivenPrices>,
    /// Rows to remove by name, and the place of each. None of them is among the other rows.
    pub removed: Vec<(RowKey, FilePlace)>,
    /// The place of the first record of an incremental export. If there is one, the files have only
    /// changes.
    pub only_changes: Option<FilePlace>,
    /// How many decimals beyond those of their currencies the prices were read with.
    pub unit_decimals: u8,
    /// Times that were given in a time zone.
    pub local_times: Vec<LocalTime>,
    /// What each file contained.
    pub files: Vec<FileSummary>,
    /// Things that are not errors, but may be unintended.
    pub notices: Vec<Notice>,
}

impl Dataset {
    /// Returns how many rows are compared with the store. All rows of a user count as one, and so do those
    /// of a ladder.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        let lists = self.lists.len() + self.prices.len();
        let users = self.discounts.len() + self.own.len() + self.customers.len();
        (self.products.len() + users + lists + self.removed.len()) as u64
    }
}

/// What a file contained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// The file, as it was given.
    pub path: PathBuf,
    /// How many products.
    pub products: usize,
    /// How many users with lists of their own.
    pub users: usize,
    /// How many customers.
    pub customers: usize,
    /// How many price lists.
    pub price_lists: usize,
    /// How many rows of price lists.
    pub prices: usize,
}

impl FileSummary {
    /// Whether the file had any row.
    pub(super) const fn has_rows(&self) -> bool {
        self.products + self.users + self.customers + self.price_lists + self.prices > 0
    }
}

/// The rows of a CSV file that have several lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeveralLines {
    /// How many rows they are. The header counts as one.
    pub count: u64,
    /// The line on which the first one begins.
    pub first: u32,
    /// The line on which the longest one begins.
    pub longest: u32,
    /// How many lines the longest one has.
    pub lines: u32,
}

impl SeveralLines {
    /// Counts a row that begins on a line and has so many lines, if it has several.
    pub(super) const fn count(&mut self, begins: u32, lines: u32) {
        if lines < 2 {
            return;
        }
        if self.count == 0 {
            self.first = begins;
        }
        self.count += 1;
        if lines > self.lines {
            (self.longest, self.lines) = (begins, lines);
        }
    }
}

impl std::fmt::Display for SeveralLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { count, first, longest, lines } = self;
        let rows = plural(*count, "row", "rows");
        write!(f, "{count} {rows} of several lines, because a quoted field has line breaks; ")?;
        match count {
            1 => write!(f, "it begins at line {first} and has {lines} lines"),
            _ => write!(
                f,
                "the first begins at line {first}; the longest begins at line {longest} and has {lines} lines"
            ),
        }
    }
}

/// Something that is not an error, but may be unintended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A file without rows, beside others that have some.
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// An entry of a folder whose name is not that of a data file.
    PassedOver {
        /// The entry.
        path: PathBuf,
    },
    /// Columns or JSON fields that were left out, as the layout says.
    Ignored {
        /// The file.
        path: PathBuf,
        /// Their names, sorted.
        columns: Vec<String>,
    },
    /// Columns that the layout names but no file has.
    Unmet {
        /// Their names.
        columns: Vec<String>,
    },
    /// Rows of CSV that have several lines, because a quoted field has line breaks. Two quotes that are there
    /// by mistake make such a row of all the rows between them.
    SeveralLines {
        /// The file.
        path: PathBuf,
        /// The rows.
        rows: SeveralLines,
    },
    /// A file that says that more rows follow in other files.
    OnePage {
        /// The file.
        path: PathBuf,
        /// The member that says so.
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
            Self::SeveralLines { path, rows } => write!(f, "{}: {rows}", path.display()),
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
