//! Reads the list prices of AWS that a command calculates with.

use std::path::Path;

use super::failure::{ExitCode, Failure, Result};
use super::named_file;
use crate::meter::billing::UsdPriceList;
use crate::ports::Chain;

/// Returns the price list in a file, or the built-in one.
pub(super) fn read(path: Option<&Path>) -> Result<UsdPriceList> {
    let Some(path) = path else { return UsdPriceList::built_in().map_err(Failure::internal) };
    let refused = |why: String| {
        let message = format!("price list {}: {why}", path.display());
        Failure::new(ExitCode::BadData, message)
            .hint("without --price-list, the built-in list prices are used")
    };
    named_file::check(path)?;
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    UsdPriceList::parse(&text).map_err(|error| refused(Chain(&error).to_string()))
}
