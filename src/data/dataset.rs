//! What was read from a set of files: its rows, and what each file had in it.

use std::path::PathBuf;

use super::given::{GivenOwn, GivenPrices, Place};
use super::names::shown;
use super::removed::RowKey;
use super::window::LocalTime;
use crate::ports::UserDiscounts;
use crate::pricing::{Customer, PriceList, Product};

/// The rows of all files, each product, each user and each price once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The products, in the order of the files. No two have the same id.
    pub products: Vec<Product>,
    /// The lists of users with discounts on every quantity only, in the order in which users were first
    /// named. They may be for products that no file names.
    pub discounts: Vec<UserDiscounts>,
    /// Where the rows of each of these lists stand, in the order of their products. For a list that stands in one
    /// place, that one.
    pub discount_places: Vec<Box<[Place]>>,
    /// The lists of all other users.
    pub own: Vec<GivenOwn>,
    /// What is known of customers.
    pub customers: Vec<Customer>,
    /// The price lists, without their rows, and where each stands.
    pub lists: Vec<(PriceList, Place)>,
    /// The rows of price lists.
    pub prices: Vec<GivenPrices>,
    /// Rows that are taken away by name, and where that stands. None of them is among the others.
    pub removed: Vec<(RowKey, Place)>,
    /// Where the first record of an incremental export stands: the files have only what changed.
    pub only_changes: Option<Place>,
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
