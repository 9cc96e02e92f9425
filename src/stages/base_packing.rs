//! The last step of making a base: the runs are merged, then packed into parts, some parts at a time.
//!
//! Packing a million products may take longer than a function has left. So packed parts stay in memory when
//! the task that packs them is given up, and its thread finishes the step that it has begun. If runs are
//! stored, packed parts are stored too, so that another process packs only the rest.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tracing::{info, warn};

use super::base_pieces::{BaseReading, sums_of};
use super::made_bases::{MakeBaseError, Packed};
use crate::ports::PortError;
use crate::pricing::{BaseError, BaseIndex, MergedRuns};

/// How many parts are packed and stored at a time.
pub(super) const PARTS_AT_ONCE: usize = 128;
/// The number of the checkpoint among the pieces of a base. The numbers of the parts follow it; those of the
/// segments are lower.
pub(super) const CHECKPOINT: u32 = 1_000_000_000;

/// The parts of a base, as far as they are packed.
#[derive(Default)]
pub(super) struct Packing {
    merging: Job<Result<MergedRuns, BaseError>>,
    merged: Option<Arc<MergedRuns>>,
    packing: Job<Result<Vec<Vec<u8>>, BaseError>>,
    parts: Vec<Bytes>,
    /// How many of the parts are stored.
    stored: usize,
    /// What an earlier process has stored; `None` once it was looked at.
    earlier: Option<PackedSoFar>,
}

/// Work on a thread of its own. If the task that waits for it is given up, the work continues, and the next
/// task gets its result.
struct Job<T>(Option<JoinHandle<T>>);

impl<T> Default for Job<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> Job<T> {
    fn begin(&mut self, work: impl FnOnce() -> T + Send + 'static) {
        self.0.get_or_insert_with(|| spawn_blocking(work));
    }

    async fn result(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
        let result = self.0.get_or_insert_with(|| spawn_blocking(work)).await;
        self.0 = None;
        result
    }
}

/// The checkpoint of the packed parts. Every process packs a base into the same parts, so it does not matter
/// which of them stored these.
#[derive(Serialize, Deserialize)]
pub(super) struct PackedSoFar {
    /// The index of the finished base.
    index: BaseIndex,
    /// The checksum of each stored part.
    sums: Vec<u32>,
}

impl Packing {
    /// Creates a packing that continues from what an earlier process has stored.
    pub(super) fn after(earlier: Option<PackedSoFar>) -> Self {
        Self { earlier, ..Self::default() }
    }

    /// Packs the rest of the parts. If `keeps` is true, also stores them.
    pub(super) async fn finish(
        &mut self,
        reading: BaseReading<'_>,
        runs: impl FnOnce() -> Result<Vec<Bytes>, BaseError> + Send + 'static,
        keeps: bool,
    ) -> Result<Packed, MakeBaseError> {
        let currency = reading.name.currency;
        let merged = match &self.merged {
            Some(merged) => merged.clone(),
            None => {
                let merge = move || MergedRuns::new(currency, &runs()?);
                let merged = Arc::new(self.merging.result(merge).await??);
                self.merged.insert(merged).clone()
            }
        };
        let index = merged.index();
        if let Some(earlier) = self.earlier.as_ref().filter(|earlier| earlier.index == index)
            && let Some(parts) = earlier.parts(reading).await?
        {
            info!(name = %reading.name, parts = parts.len(), "continuing after the parts that are packed");
            (self.stored, self.parts) = (parts.len(), parts);
        }
        self.earlier = None;
        while self.parts.len() < index.parts.len() {
            let first = self.parts.len();
            let next = first..index.parts.len().min(first + PARTS_AT_ONCE);
            let merged = merged.clone();
            let pack = move || merged.pack(next);
            if keeps {
                // The parts packed so far are stored while the next ones are packed.
                self.packing.begin(pack.clone());
                self.keep(reading, &index).await?;
            }
            let packed = self.packing.result(pack).await??;
            self.parts.extend(packed.into_iter().map(Bytes::from));
        }
        if keeps {
            self.keep(reading, &index).await?;
        }
        Ok(Packed { index, parts: self.parts.clone() })
    }

    async fn keep(&mut self, reading: BaseReading<'_>, index: &BaseIndex) -> Result<(), PortError> {
        if self.stored < self.parts.len() {
            let checkpoint = PackedSoFar { index: index.clone(), sums: sums_of(&self.parts) };
            reading.keep(CHECKPOINT, &checkpoint, &self.parts, self.stored).await?;
            self.stored = self.parts.len();
        }
        Ok(())
    }
}

impl PackedSoFar {
    /// Returns the base if all of its parts are stored. Then the runs need not be read.
    pub(super) async fn whole(
        &self,
        reading: BaseReading<'_>,
    ) -> Result<Option<Packed>, PortError> {
        if self.sums.len() < self.index.parts.len() {
            return Ok(None);
        }
        let parts = self.parts(reading).await?;
        Ok(parts.map(|parts| Packed { index: self.index.clone(), parts }))
    }

    /// Returns the stored parts; `None` if they do not match their checksums.
    async fn parts(&self, reading: BaseReading<'_>) -> Result<Option<Vec<Bytes>>, PortError> {
        let parts = reading.pieces(CHECKPOINT, &self.sums).await?;
        if parts.is_none() {
            warn!(name = %reading.name, "stored parts of a base have changed; they are packed again");
        }
        Ok(parts)
    }
}
