//! Sealed bytes, which stores keep for years. They begin with the version of their form and end with a
//! checksum.
//!
//! ```text
//! sealed = version(1 byte) fields checksum(4 bytes, CRC-32 of what stands before it)
//! ```
//!
//! The fields have the format of [postcard](https://postcard.jamesmunns.com/wire-format): numbers are
//! varints, and fields have no names.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::IdError;

/// Why something cannot be packed or unpacked.
#[derive(Debug, Error)]
pub enum PackedError {
    /// The bytes were written by a version of ocache with another format.
    #[error("it has format version {found}, this ocache reads {known}")]
    UnknownVersion {
        /// The version in the bytes.
        found: u8,
        /// The version that this ocache reads.
        known: u8,
    },
    /// The bytes are not what any version writes.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// A field is not valid.
    #[error("it has a field that cannot be read")]
    Field(#[from] postcard::Error),
    /// An id is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// The room for sealed fields at first, in bytes. Most quotations fit, so their bytes are not moved.
const ROOM: usize = 512;

/// Seals fields.
pub(crate) fn seal(version: u8, fields: &impl Serialize) -> Result<Vec<u8>, PackedError> {
    let mut bytes = Vec::with_capacity(ROOM);
    bytes.push(version);
    let mut bytes = postcard::to_extend(fields, bytes)?;
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    Ok(bytes)
}

/// Returns the number of bytes that [`seal`] would return, without storing them.
pub(crate) fn sealed_bytes(fields: &impl Serialize) -> Result<usize, PackedError> {
    const VERSION_AND_CHECKSUM: usize = 1 + 4;
    let fields = postcard::serialize_with_flavor(fields, postcard::ser_flavors::Size::default())?;
    Ok(VERSION_AND_CHECKSUM + fields)
}

/// Returns the fields that [`seal`] has sealed with this version.
pub(crate) fn unseal<'a, T: Deserialize<'a>>(
    version: u8,
    bytes: &'a [u8],
) -> Result<T, PackedError> {
    let damaged = PackedError::Damaged;
    let (&found, _) = bytes.split_first().ok_or(damaged("it is empty"))?;
    if found != version {
        return Err(PackedError::UnknownVersion { found, known: version });
    }
    let (bytes, sum) = bytes.split_last_chunk::<4>().ok_or(damaged("it ends too early"))?;
    if crc32fast::hash(bytes).to_le_bytes() != *sum {
        return Err(damaged("it has another checksum"));
    }
    let (fields, rest) = postcard::take_from_bytes(bytes.get(1..).unwrap_or_default())?;
    match rest {
        [] => Ok(fields),
        _ => Err(damaged("something follows its end")),
    }
}
