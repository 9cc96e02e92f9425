//! Pieces of a base in the making, which are stored so that another process can go on with them.
//!
//! Pieces have numbers that follow that of their checkpoint. It says how many there are, and what they are.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::Timestamp;
use crate::ports::{BaseName, CatalogueHead, LoadId, PortError, Store};
use crate::pricing::Currency;

/// Pieces go when nobody can be going on with them any more.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// What is read for a base, and where to.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) name: BaseName,
    pub(super) head: &'a CatalogueHead,
    pub(super) now: Timestamp,
    /// The base is stored, but a reader did not find all of it.
    pub(super) is_in_doubt: bool,
}

impl Reading<'_> {
    /// That of the base, and that of the catalogue.
    pub(super) const fn currencies(&self) -> (Currency, Currency) {
        (self.name.currency, self.head.currency)
    }

    /// The journal that is not folded yet, if it changes products.
    pub(super) fn journal(&self) -> Option<&LoadId> {
        let has_products = self.head.version == self.head.base_version;
        self.head.unfolded.as_ref().filter(|_| has_products)
    }

    /// Stores the pieces that follow a checkpoint, but for those that are `stored` already, and then the
    /// checkpoint: whoever finds it finds the pieces.
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

    /// The pieces that follow a checkpoint; `None` when one of them is not there, or is another one.
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

/// The checksums of pieces, for their checkpoint.
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

/// A checkpoint that was found. One that another version of ocache wrote in another form counts as missing.
pub(super) fn checkpoint<T: DeserializeOwned>(found: Option<Bytes>) -> Option<T> {
    serde_json::from_slice(&found?).ok()
}
