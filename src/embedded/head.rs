//! The head of the catalogue.

use rusqlite::{Connection, Row, params};

use super::failure::{Failure, TextError};
use super::rows::currency;
use crate::model::UserId;
use crate::ports::{CatalogueHead, LoadId};
use crate::pricing::UnitRounding;

/// Reads the head of one user's table, or of none, together with that of the catalogue. A quote
/// whose heads are not kept needs both, and a second statement costs more than it reads.
const HEAD: &str = "
    SELECT version, base_version, lists_version, shared_version, has_customers, currency,
        unit_decimals, rounding, load, (SELECT head FROM price_table WHERE user = ?1)
    FROM catalogue_head LEFT JOIN journal ON journal.id = catalogue_head.unfolded";
const PUT_HEAD: &str = "
    INSERT INTO catalogue_head (id, version, base_version, lists_version, shared_version,
        has_customers, currency, unit_decimals, rounding, unfolded)
    VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT DO UPDATE SET version = excluded.version, base_version = excluded.base_version,
        lists_version = excluded.lists_version, shared_version = excluded.shared_version,
        has_customers = excluded.has_customers, currency = excluded.currency,
        unit_decimals = excluded.unit_decimals, rounding = excluded.rounding,
        unfolded = excluded.unfolded, half_loaded = 0";

pub(super) fn head(connection: &Connection) -> Result<Option<CatalogueHead>, Failure> {
    let found = head_and_table(connection, None, |_| Ok(()))?;
    Ok(found.map(|(head, ())| head))
}

/// Returns the head of the catalogue, and what `read` makes of the packed head of a user's table, if there
/// is one. Returns `None` before the first load.
pub(super) fn head_and_table<T>(
    connection: &Connection,
    user: Option<&UserId>,
    read: impl FnOnce(Option<&[u8]>) -> Result<T, Failure>,
) -> Result<Option<(CatalogueHead, T)>, Failure> {
    let mut statement = connection.prepare_cached(HEAD)?;
    let mut rows = statement.query([user.map(UserId::as_str)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let head = CatalogueHead {
        version: row.get(0)?,
        base_version: row.get(1)?,
        lists_version: row.get(2)?,
        shared_version: row.get(3)?,
        has_customers: row.get(4)?,
        currency: currency(row, 5, "the currency of the catalogue")?,
        rounding: rounding(row)?,
        unfolded: row.get::<_, Option<String>>(8)?.map(LoadId),
    };
    Ok(Some((head, read(row.get_ref(9)?.as_blob_or_null()?)?)))
}

fn rounding(row: &Row<'_>) -> Result<UnitRounding, Failure> {
    let rounding = row.get_ref(7)?.as_str()?.parse();
    let rounding = rounding
        .map_err(|error| Failure::unreadable("the rounding of the catalogue", TextError(error)))?;
    Ok(UnitRounding { unit_decimals: row.get(6)?, rounding })
}

/// Writes the head, with the number of the journal that is not yet folded.
pub(super) fn put_head(
    connection: &Connection,
    head: &CatalogueHead,
    journal: i64,
) -> Result<(), Failure> {
    let UnitRounding { unit_decimals, rounding } = head.rounding;
    let values = params![
        head.version,
        head.base_version,
        head.lists_version,
        head.shared_version,
        head.has_customers,
        head.currency.code(),
        unit_decimals,
        rounding.to_string(),
        journal,
    ];
    connection.prepare_cached(PUT_HEAD)?.execute(values)?;
    Ok(())
}
