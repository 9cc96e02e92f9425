//! Stores a base: its parts, some at a time, and then its index.
//!
//! Writing the parts of a million products may take longer than a function has left, above all in a table
//! that DynamoDB has not split yet. So the number of written parts is stored as well, and the next process
//! writes the rest.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tracing::info;

use super::base_pieces::{checkpoint, put_checkpoint};
use crate::model::Timestamp;
use crate::ports::{BaseName, PortError, Store, StoredBase};

/// How many parts are written at a time.
pub(super) const STORED_AT_ONCE: usize = 200;
/// The number of this checkpoint among the pieces of a base. Those of the other steps are lower.
pub(super) const STORING: u32 = 2_000_000_000;

/// The checkpoint of a base that is being stored.
#[derive(Serialize, Deserialize)]
struct StoredSoFar {
    /// The checksum of the index and all parts. Another version of ocache may pack other parts.
    sum: u32,
    /// How many of the parts are stored; they expire at `expires_at`.
    parts: usize,
    expires_at: Timestamp,
}

/// Stores a base and returns it as stored. If another process has begun to store the same base with an expiry
/// of `keep_until` or later, the base keeps that expiry.
pub(super) async fn store_base(
    store: &dyn Store,
    name: &BaseName,
    base: StoredBase,
    parts: &[Bytes],
    (keep_until, now): (Timestamp, Timestamp),
) -> Result<StoredBase, PortError> {
    // On an engine that does not wait for pages, no process is cut off by a time limit.
    if store.product_segments() == 1 || parts.len() <= STORED_AT_ONCE {
        store.put_base(name, &base, parts).await?;
        return Ok(base);
    }
    let sum = sum_of(&base, parts)?;
    let found = store.drafts(name, &[STORING]).await?.pop().flatten();
    let begun = checkpoint(found)
        .filter(|begun: &StoredSoFar| begun.sum == sum && begun.expires_at >= keep_until);
    let mut so_far = begun.unwrap_or(StoredSoFar { sum, parts: 0, expires_at: base.expires_at });
    if so_far.parts > 0 {
        info!(%name, parts = so_far.parts, "continuing after the parts that are stored");
    }
    let base = StoredBase { expires_at: so_far.expires_at, ..base };
    let mut rest = parts.get(so_far.parts..).unwrap_or_default();
    while !rest.is_empty() {
        let (next, others) = rest.split_at(STORED_AT_ONCE.min(rest.len()));
        let first = base.first_of_last(rest.len());
        store.put_base_parts(name, first, next, base.expires_at).await?;
        // After the last part, the count goes back to 0: a later call comes because a reader found a part
        // missing, and must write all of them.
        so_far.parts = if others.is_empty() { 0 } else { so_far.parts + next.len() };
        put_checkpoint(store, name, (STORING, &so_far), now).await?;
        rest = others;
    }
    store.put_base(name, &base, &[]).await?;
    Ok(base)
}

fn sum_of(base: &StoredBase, parts: &[Bytes]) -> Result<u32, PortError> {
    let index = serde_json::to_vec(&base.index)
        .map_err(|error| PortError::corrupt("the index of a base", error))?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&index);
    parts.iter().for_each(|part| hasher.update(part));
    Ok(hasher.finalize())
}
