//! Why data was not loaded.

use thiserror::Error;

use super::error::DataErrors;
use crate::model::plural;
use crate::ports::PortError;
use crate::pricing::Currency;

/// Why data was not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Other loads kept coming between.
    #[error("other loads kept changing the store while this one compared it; nothing was changed")]
    Contended,
    /// Another process dropped the journal.
    #[error("this load took so long that another process dropped its journal; nothing was changed")]
    Dropped,
    /// The data has errors, or does not fit what is stored.
    #[error(transparent)]
    Data(#[from] DataErrors),
    /// The decimals of unit prices were changed after the files were read.
    #[error("unit-decimals is {stored} now, and the files were read with {given}")]
    UnitDecimals {
        /// The decimals in force.
        stored: u8,
        /// The decimals with which the files were read.
        given: u8,
    },
    /// A stored price has more decimals than unit prices would have.
    #[error(
        "{what} has a price that does not fit {unit_decimals} {} beyond those of its currency",
        plural(*.unit_decimals, "decimal", "decimals")
    )]
    DoesNotFit {
        /// The record that has the price.
        what: String,
        /// How many decimals unit prices would have beyond those of the currency.
        unit_decimals: u8,
    },
    /// The prices that a load would change could not be written.
    #[error("the changes of prices cannot be written")]
    Changes(#[source] std::io::Error),
    /// The stored prices are in another currency, and not all of them would be replaced.
    #[error("the stored prices are in {stored}, the data is in {given}")]
    Currency {
        /// The currency in the store.
        stored: Currency,
        /// The currency asked for.
        given: Currency,
    },
}
