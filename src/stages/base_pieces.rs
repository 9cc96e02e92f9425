//! The pieces of an unfinished base. They are stored so that another process can continue.
//!
//! A checkpoint has a number, and the numbers of its pieces follow. It says how many pieces there are, and
//! has their checksums.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::Timestamp;
use crate::ports::{BaseName, CatalogueHead, LoadId, PortError, Store};
use crate::pricing::Currency;

/// How long pieces are kept: until no process can still be continuing from them.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// What a maker reads to make a base, and the base's name.
#[derive(Clone, Copy)]
pub(super) struct BaseReading<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) name: BaseName,
    pub(super) head: &'a CatalogueHead,
    pub(super) now: Timestamp,
    /// Whether a reader found the stored base incomplete.
    pub(super) is_in_doubt: bool,
}

impl BaseReading<'_> {
    /// Returns the currency of the base and that of the catalogue.
    pub(super) const fn currencies(&self) -> (Currency, Currency) {
        (self.name.currency, self.head.currency)
    }

    /// Returns the unfolded journal, if it changes products.
    pub(super) fn journal(&self) -> Option<&LoadId> {
        let has_products = self.head.version == self.head.base_version;
        self.head.unfolded.as_ref().filter(|_| has_products)
    }

    /// Stores the pieces that follow a checkpoint, except the first `stored` ones, which are stored already.
    /// Then stores the checkpoint. Thus a process that finds the checkpoint finds the pieces.
    pub(super) async fn keep(
        &self,
        number: u32,
        checkpoint: &impl Serialize,
        pieces: &[Bytes],
        stored: usize,
    ) -> Result<(), PortError> {
        let pieces = (number + 1..).zip(pieces.iter().cloned()).skip(stored);
        let expires_at = self.now.plus(KEPT_FOR);
        self.store.put_drafts(&self.name, &pieces.collect::<Vec<_>>(), expires_at).await?;
        put_checkpoint(self.store, &self.name, (number, checkpoint), self.now).await
    }

    /// Reads the pieces that follow a checkpoint. Returns `None` if one is missing or does not match its
    /// checksum.
    pub(super) async fn pieces(
        &self,
        number: u32,
        sums: &[u32],
    ) -> Result<Option<Vec<Bytes>>, PortError> {
        let numbers: Vec<u32> = (number + 1..).take(sums.len()).collect();
        let pieces = self.store.drafts(&self.name, &numbers).await?;
        let is_right = |(piece, sum): (Option<Bytes>, &u32)| {
            piece.filter(|piece| crc32fast::hash(piece) == *sum)
        };
        Ok(pieces.into_iter().zip(sums).map(is_right).collect())
    }
}

/// Returns the checksums of pieces, for their checkpoint.
pub(super) fn sums_of(pieces: &[Bytes]) -> Vec<u32> {
    pieces.iter().map(|piece| crc32fast::hash(piece)).collect()
}

/// Stores a checkpoint under its number.
pub(super) async fn put_checkpoint(
    store: &dyn Store,
    name: &BaseName,
    (number, checkpoint): (u32, &impl Serialize),
    now: Timestamp,
) -> Result<(), PortError> {
    let json = serde_json::to_vec(checkpoint)
        .map_err(|error| PortError::corrupt("a checkpoint of a base", error))?;
    store.put_drafts(name, &[(number, json.into())], now.plus(KEPT_FOR)).await
}

/// Decodes a stored checkpoint. One that another version of ocache wrote in another form counts as missing.
pub(super) fn checkpoint<T: DeserializeOwned>(found: Option<Bytes>) -> Option<T> {
    serde_json::from_slice(&found?).ok()
}
