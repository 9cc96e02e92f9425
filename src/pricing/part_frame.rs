//! The frame of a packed part, around its columns.
//!
//! ```text
//! part = version(1 byte) form(1 byte) body checksum(4 bytes)
//! body = columns, or zstd( columns )
//! ```

use std::borrow::Cow;

use zstd::bulk::{Compressor, decompress};

use super::bytes::{PackError, Reader, checksum, damaged};

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;
const LEVEL: i32 = 3;
/// The smallest size that is compressed. Shorter columns shrink too little for the time that a compressor
/// takes.
const WORTH_COMPRESSING: usize = 2 * 1024;

/// Returns a part with these columns, compressed if that makes it smaller.
pub(super) fn frame(version: u8, columns: &[u8]) -> Result<Vec<u8>, PackError> {
    let compressed = match columns.len() >= WORTH_COMPRESSING {
        true => Some(compress(columns).map_err(PackError::Compress)?),
        false => None,
    };
    let compressed = compressed.filter(|compressed| compressed.len() < columns.len());
    let (form, body) = match &compressed {
        Some(body) => (COMPRESSED, body.as_slice()),
        None => (PLAIN, columns),
    };
    Ok([&[version, form], body, &checksum(columns)].concat())
}

fn compress(columns: &[u8]) -> std::io::Result<Vec<u8>> {
    Compressor::new(LEVEL)?.compress(columns)
}

/// Returns the columns of a part in version `known`, of at most `most` bytes.
///
/// # Errors
/// [`PackError::UnknownVersion`] or [`PackError::Damaged`].
pub(super) fn columns(known: u8, part: &[u8], most: usize) -> Result<Cow<'_, [u8]>, PackError> {
    let mut reader = Reader(part);
    match reader.byte()? {
        version if version == known => {}
        found => return Err(PackError::UnknownVersion { found, known }),
    }
    let form = reader.byte()?;
    let (body, sum) = reader.0.split_last_chunk().ok_or(damaged("it ends too early"))?;
    let columns = match form {
        PLAIN => Cow::Borrowed(body),
        COMPRESSED => decompress(body, most).map_err(|_| damaged("it does not decompress"))?.into(),
        _ => return Err(damaged("it has an unknown form")),
    };
    match checksum(&columns) == *sum {
        true => Ok(columns),
        false => Err(damaged("it has another checksum")),
    }
}
