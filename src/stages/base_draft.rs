//! The draft of a base: the products that were read so far.
//!
//! Reading a million products takes longer than a function may run. So what a task has read stays in memory
//! when the task is given up. On an engine where each page is waited for, it is also packed into runs and
//! stored with the place to continue from, so that any process can continue.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::base_packing::{self, PackedSoFar, Packing};
use super::base_pieces::{BaseReading, checkpoint, sums_of};
use super::made_bases::{MakeBaseError, Packed};
use crate::ports::{AtHead, BaseName, Cursor, LoadId, Page, PortError, Segment};
use crate::pricing::{PackedBase, Product, pack_runs};

/// A first page with fewer products belongs to a small catalogue, which one reader reads quickly.
const LARGE_PAGE: usize = 2_000;
/// How many products are packed and stored at a time, while there are more to read.
const WORTH_STORING: usize = 5_000;
/// The largest catalogue that is packed on the calling thread. A larger one would hold up the other tasks of
/// that thread; for a smaller one, changing threads costs more than it saves.
const LARGEST_IN_PLACE: usize = 1_000;
/// How many numbers each segment has for its pieces.
const PIECES_PER_SEGMENT: u32 = 100_000;

/// The products of a base, as far as they were read and packed.
#[derive(Default)]
pub(super) struct Draft {
    /// The base, and the journal of products that was unfolded while its pages were read. Pages merge rows
    /// with that journal, so pages that were read after it was folded do not continue pages from before.
    /// Loads that change no product do not change this key, and neither does folding them.
    of: Option<(BaseName, Option<LoadId>)>,
    segments: Vec<SegmentDraft>,
    packing: Packing,
    /// The whole base, until it is stored.
    packed: Option<Packed>,
    /// Whether the stored draft could not be used.
    is_doubtful: bool,
}

/// The draft of one segment of the products.
#[derive(Clone, Default)]
struct SegmentDraft {
    /// Products that are not in a run yet.
    products: Arc<Vec<Product>>,
    runs: Vec<Bytes>,
    /// How many of the runs are stored.
    stored: usize,
    from: Option<Cursor>,
    is_read: bool,
}

/// The record that is stored with the runs of a segment.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The journal of products that was unfolded when they were read.
    unfolded: Option<LoadId>,
    /// The number of segments. With another number, the same segment has other products.
    segments: u32,
    /// The checksum of each run. Another process may have cut the same segment otherwise and stored its runs
    /// under the same numbers.
    sums: Vec<u32>,
    /// Where the next page starts; `None` after the last page.
    next: Option<String>,
}

impl Draft {
    /// Reads and packs the rest of a base. Starts over if the draft is of another base.
    pub(super) async fn finish(
        &mut self,
        reading: BaseReading<'_>,
    ) -> Result<AtHead<Packed>, MakeBaseError> {
        let of = (reading.name, reading.journal().cloned());
        if self.of.as_ref() != Some(&of) {
            *self = Self { of: Some(of), is_doubtful: self.is_doubtful, ..Self::default() };
        }
        let is_begun = !self.segments.is_empty() || self.packed.is_some();
        if !is_begun && self.begin(reading).await? == AtHead::Moved {
            return Ok(AtHead::Moved);
        }
        if let Some(packed) = &self.packed {
            return Ok(AtHead::Read(packed.clone()));
        }
        let count = self.segments.len() as u32;
        let reads = self.segments.iter_mut().zip(0..);
        let reads = reads.map(|(draft, index)| draft.read(reading, Segment { index, count }));
        if try_join_all(reads).await?.contains(&AtHead::Moved) {
            *self = Self::default();
            return Ok(AtHead::Moved);
        }
        match self.pack(reading).await {
            Ok(packed) => {
                self.packed = Some(packed.clone());
                Ok(AtHead::Read(packed))
            }
            // A later call can try this again.
            Err(error @ MakeBaseError::Port(_)) => Err(error),
            Err(error) => {
                // A stored run may be the cause. So everything is read again and replaces the stored runs.
                *self = Self { is_doubtful: true, ..Self::default() };
                Err(error)
            }
        }
    }

    /// Drops the draft of a base, because that base is stored.
    pub(super) fn forget(&mut self, name: &BaseName) {
        if self.of.as_ref().is_some_and(|(of, _)| of == name) {
            *self = Self::default();
        }
    }

    /// Reads the first page, which shows whether one reader is enough. If not, resumes what is stored.
    async fn begin(&mut self, reading: BaseReading<'_>) -> Result<AtHead<()>, MakeBaseError> {
        let BaseReading { store, head, .. } = reading;
        let AtHead::Read(page) = store.list_products(head, Segment::ALL, None).await? else {
            return Ok(AtHead::Moved);
        };
        let keeps = store.product_segments() > 1 && page.next.is_some();
        let is_large = keeps && page.items.len() >= LARGE_PAGE;
        let count = if is_large { store.product_segments() } else { 1 };
        if keeps && !self.is_doubtful && self.take_up(reading, count).await? {
            return Ok(AtHead::Read(()));
        }
        self.segments = vec![SegmentDraft::default(); count as usize];
        if let [only] = self.segments.as_mut_slice() {
            only.add(page);
        }
        Ok(AtHead::Read(()))
    }

    /// Resumes what is stored of a base that was read in `count` segments. Returns `false` if nothing is
    /// stored.
    async fn take_up(&mut self, reading: BaseReading<'_>, count: u32) -> Result<bool, PortError> {
        let places = (0..count).map(|index| piece(Segment { index, count }, 0));
        let numbers: Vec<u32> = places.chain([base_packing::CHECKPOINT]).collect();
        let mut found = reading.store.drafts(&reading.name, &numbers).await?;
        let packed: Option<PackedSoFar> = checkpoint(found.pop().flatten());
        // If a stored base is incomplete, its parts are packed again.
        let packed = packed.filter(|_| !reading.is_in_doubt);
        if let Some(packed) = &packed
            && let Some(whole) = packed.whole(reading).await?
        {
            info!(name = %reading.name, "continuing with a base that is packed");
            self.packed = Some(whole);
            return Ok(true);
        }
        let of_reading = |found: &Checkpoint| {
            found.unfolded.as_ref() == reading.journal() && found.segments == count
        };
        let checkpoints: Vec<Option<Checkpoint>> =
            found.into_iter().map(|found| checkpoint(found).filter(of_reading)).collect();
        if checkpoints.iter().all(Option::is_none) {
            return Ok(false);
        }
        let segments =
            checkpoints.into_iter().zip(0..).map(async |(checkpoint, index)| match checkpoint {
                Some(found) => found.segment(reading, Segment { index, count }).await,
                None => Ok(SegmentDraft::default()),
            });
        self.segments = try_join_all(segments).await?;
        self.packing = Packing::after(packed);
        let runs: usize = self.segments.iter().map(|segment| segment.runs.len()).sum();
        info!(name = %reading.name, runs, "continuing with a base that was begun");
        Ok(true)
    }

    /// Packs the products and runs into a base.
    async fn pack(&mut self, reading: BaseReading<'_>) -> Result<Packed, MakeBaseError> {
        let (currency, catalogue) = reading.currencies();
        if let [only] = self.segments.as_mut_slice()
            && only.runs.is_empty()
        {
            // The products are moved, not copied. If this task is given up, they are read again, which takes
            // little time.
            let products = std::mem::take(&mut only.products);
            self.segments.clear();
            let count = products.len();
            let pack = move || {
                PackedBase::in_currency(currency, catalogue, Arc::unwrap_or_clone(products))
            };
            let packed =
                if count <= LARGEST_IN_PLACE { pack() } else { spawn_blocking(pack).await? };
            let PackedBase { index, parts } = packed?;
            return Ok(Packed { index, parts: parts.into_iter().map(Bytes::from).collect() });
        }
        let segments = self.segments.clone();
        let runs = move || {
            let mut runs = vec![];
            for segment in segments {
                runs.extend(segment.runs);
                let rest = pack_runs(&segment.products, (currency, catalogue))?;
                runs.extend(rest.into_iter().map(Bytes::from));
            }
            Ok(runs)
        };
        let keeps = self.segments.iter().any(|segment| segment.stored > 0);
        self.packing.finish(reading, runs, keeps).await
    }
}

impl SegmentDraft {
    /// Reads to the end of the segment, and stores what it has every few pages.
    async fn read(
        &mut self,
        reading: BaseReading<'_>,
        segment: Segment,
    ) -> Result<AtHead<()>, MakeBaseError> {
        let BaseReading { store, head, .. } = reading;
        loop {
            if self.is_worth_storing() && store.product_segments() > 1 {
                self.keep(reading, segment).await?;
            }
            if self.is_read {
                return Ok(AtHead::Read(()));
            }
            let page = store.list_products(head, segment, self.from.clone()).await?;
            let AtHead::Read(page) = page else { return Ok(AtHead::Moved) };
            self.add(page);
        }
    }

    fn add(&mut self, page: Page<Product>) {
        Arc::make_mut(&mut self.products).extend(page.items);
        self.is_read = page.next.is_none();
        self.from = page.next;
    }

    /// Whether the new products should be stored. One or two pages are read again faster than stored. The end
    /// of a segment is stored only if an earlier piece of it is.
    fn is_worth_storing(&self) -> bool {
        let is_new = !self.products.is_empty() || self.stored < self.runs.len();
        match self.is_read {
            true => self.stored > 0 && is_new,
            false => self.products.len() >= WORTH_STORING || self.stored < self.runs.len(),
        }
    }

    async fn keep(
        &mut self,
        reading: BaseReading<'_>,
        segment: Segment,
    ) -> Result<(), MakeBaseError> {
        let (products, currencies) = (self.products.clone(), reading.currencies());
        let runs = spawn_blocking(move || pack_runs(&products, currencies)).await??;
        // There is no await until `reading.keep`, so the draft cannot be left half updated.
        self.runs.extend(runs.into_iter().map(Bytes::from));
        self.products = Arc::default();
        let checkpoint = Checkpoint {
            unfolded: reading.journal().cloned(),
            segments: segment.count,
            sums: sums_of(&self.runs),
            next: self.from.as_ref().map(|from| from.0.clone()),
        };
        reading.keep(piece(segment, 0), &checkpoint, &self.runs, self.stored).await?;
        self.stored = self.runs.len();
        Ok(())
    }
}

impl Checkpoint {
    /// Returns the segment that this checkpoint describes, or an empty one if the stored runs do not match.
    async fn segment(
        self,
        reading: BaseReading<'_>,
        segment: Segment,
    ) -> Result<SegmentDraft, PortError> {
        let Some(runs) = reading.pieces(piece(segment, 0), &self.sums).await? else {
            let (name, index) = (reading.name, segment.index);
            warn!(%name, index, "stored runs of a base have changed; they are read again");
            return Ok(SegmentDraft::default());
        };
        Ok(SegmentDraft {
            products: Arc::default(),
            stored: runs.len(),
            runs,
            is_read: self.next.is_none(),
            from: self.next.map(Cursor),
        })
    }
}

/// The number of a segment's piece; piece 0 is its checkpoint. A catalogue that is read as one segment has a
/// number range of its own.
const fn piece(segment: Segment, number: u32) -> u32 {
    let place = if segment.count == 1 { 0 } else { segment.index + 1 };
    place * PIECES_PER_SEGMENT + number
}
