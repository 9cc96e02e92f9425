//! A base in the making: the products, as far as they were read.
//!
//! Reading a million products takes longer than a function may run. So what was read stays in memory when
//! the task that read it is given up. And where pages are waited for, it is packed into runs and stored, with
//! the place to go on from: another process, or this one after its end, goes on from there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::base_maker::MakeBaseError;
use crate::model::Timestamp;
use crate::ports::{
    AtHead, BaseName, CatalogueHead, Cursor, LoadId, Page, PortError, Segment, Store,
};
use crate::pricing::{Currency, PackedBase, Product, pack_runs};

/// A first page with fewer products is one of a small catalogue, which one reader has read soon.
const LARGE_PAGE: usize = 2_000;
/// So many products are packed and stored at a time, while there are more to read.
const WORTH_STORING: usize = 5_000;
/// Packing a larger catalogue than this would hold up the other tasks of its thread, so it gets a
/// thread of its own; for a smaller one changing threads costs more than it saves.
const LARGEST_IN_PLACE: usize = 1_000;
/// Each segment has so many numbers for its pieces.
const PIECES_PER_SEGMENT: u32 = 100_000;
/// Pieces go when nobody can be going on with them any more.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// Products of a base, as far as they were read.
#[derive(Default)]
pub(super) struct Draft {
    /// Pages are those of the rows and of the journal of products that is not folded into them yet, so a
    /// page of the rows alone does not follow those of a journal. Loads that change no product leave the
    /// base as it is, and so does folding them.
    of: Option<(BaseName, Option<LoadId>)>,
    segments: Vec<SegmentDraft>,
    /// What is stored could not be read.
    is_doubtful: bool,
}

/// The same of one segment of the products.
#[derive(Clone, Default)]
struct SegmentDraft {
    /// Products that are in no run yet.
    products: Arc<Vec<Product>>,
    runs: Vec<Bytes>,
    /// So many of the runs are stored.
    stored: usize,
    from: Option<Cursor>,
    is_read: bool,
}

/// What is stored beside the runs of a segment.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The journal of products that was not folded when they were read.
    unfolded: Option<LoadId>,
    /// In how many segments the products were read. Those of another count have other products under the
    /// same numbers.
    segments: u32,
    /// The checksum of each run. Another process may have read the same segment and cut it otherwise; its
    /// runs have the same numbers.
    sums: Vec<u32>,
    /// Where the next page starts; `None` after the last.
    next: Option<String>,
}

impl Checkpoint {
    /// The runs, if they are those that it was written for.
    fn proves(&self, runs: Vec<Option<Bytes>>) -> Option<Vec<Bytes>> {
        let is_right =
            |(run, sum): (Option<Bytes>, &u32)| run.filter(|run| crc32fast::hash(run) == *sum);
        runs.into_iter().zip(&self.sums).map(is_right).collect()
    }
}

/// What is read, and where to.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) name: BaseName,
    pub(super) head: &'a CatalogueHead,
    pub(super) now: Timestamp,
}

impl Draft {
    /// Reads and packs what is not read yet; begins anew if it is of another base.
    pub(super) async fn finish(
        &mut self,
        reading: Reading<'_>,
    ) -> Result<AtHead<PackedBase>, MakeBaseError> {
        let of = (reading.name, reading.journal().cloned());
        if self.of.as_ref() != Some(&of) {
            let is_doubtful = self.is_doubtful;
            *self = Self { of: Some(of), segments: vec![], is_doubtful };
        }
        if self.segments.is_empty() {
            match self.begin(reading).await? {
                AtHead::Read(segments) => self.segments = segments,
                AtHead::Moved => return Ok(AtHead::Moved),
            }
        }
        let count = self.segments.len() as u32;
        let reads = self.segments.iter_mut().zip(0..);
        let reads = reads.map(|(draft, index)| draft.read(reading, Segment { index, count }));
        if try_join_all(reads).await?.contains(&AtHead::Moved) {
            *self = Self::default();
            return Ok(AtHead::Moved);
        }
        let packed = self.pack(reading).await;
        if packed.is_err() {
            // A stored run may be the cause. What is read anew takes the place of all of them.
            *self = Self { is_doubtful: true, ..Self::default() };
        }
        packed.map(AtHead::Read)
    }

    /// The first page says whether one reader is enough. If not, what is stored is taken up.
    async fn begin(
        &self,
        reading: Reading<'_>,
    ) -> Result<AtHead<Vec<SegmentDraft>>, MakeBaseError> {
        let Reading { store, head, .. } = reading;
        let AtHead::Read(page) = store.list_products(head, None).await? else {
            return Ok(AtHead::Moved);
        };
        let keeps = store.product_segments() > 1;
        let is_large = page.next.is_some() && page.items.len() >= LARGE_PAGE;
        if keeps && page.next.is_some() && !self.is_doubtful {
            let count = if is_large { store.product_segments() } else { 1 };
            if let Some(segments) = reading.stored(count).await? {
                let runs: usize = segments.iter().map(|segment| segment.runs.len()).sum();
                info!(name = %reading.name, runs, "going on with a base that was begun");
                return Ok(AtHead::Read(segments));
            }
        }
        if keeps && is_large {
            return Ok(AtHead::Read(vec![
                SegmentDraft::default();
                store.product_segments() as usize
            ]));
        }
        let mut only = SegmentDraft::default();
        only.add(page);
        Ok(AtHead::Read(vec![only]))
    }

    /// Packs what is read.
    async fn pack(&mut self, reading: Reading<'_>) -> Result<PackedBase, MakeBaseError> {
        let (currency, currencies) = (reading.name.currency, reading.currencies());
        if let [only] = self.segments.as_mut_slice()
            && only.runs.is_empty()
        {
            let products = std::mem::take(only).products;
            self.segments.clear();
            let count = products.len();
            let pack = move || {
                PackedBase::in_currency(currency, currencies.1, Arc::unwrap_or_clone(products))
            };
            return Ok(if count <= LARGEST_IN_PLACE {
                pack()
            } else {
                spawn_blocking(pack).await?
            }?);
        }
        let segments = self.segments.clone();
        let packed = spawn_blocking(move || {
            let mut runs = vec![];
            for segment in segments {
                runs.extend(segment.runs);
                let rest = pack_runs(&segment.products, currencies)?;
                runs.extend(rest.into_iter().map(Bytes::from));
            }
            PackedBase::from_runs(currency, &runs)
        });
        let packed = packed.await??;
        *self = Self::default();
        Ok(packed)
    }
}

impl SegmentDraft {
    /// Reads to the end of the segment, and stores what it has now and then.
    async fn read(
        &mut self,
        reading: Reading<'_>,
        segment: Segment,
    ) -> Result<AtHead<()>, MakeBaseError> {
        let Reading { store, head, .. } = reading;
        loop {
            if self.is_worth_storing() && store.product_segments() > 1 {
                self.keep(reading, segment).await?;
            }
            if self.is_read {
                return Ok(AtHead::Read(()));
            }
            let page = match segment.count {
                1 => store.list_products(head, self.from.clone()).await?,
                _ => store.list_product_segment(head, segment, self.from.clone()).await?,
            };
            let AtHead::Read(page) = page else { return Ok(AtHead::Moved) };
            self.add(page);
        }
    }

    fn add(&mut self, page: Page<Product>) {
        Arc::make_mut(&mut self.products).extend(page.items);
        self.is_read = page.next.is_none();
        self.from = page.next;
    }

    /// What is read within a page or two is sooner read again. The end is stored where a part of it is.
    fn is_worth_storing(&self) -> bool {
        let is_new = !self.products.is_empty() || self.stored < self.runs.len();
        match self.is_read {
            true => self.stored > 0 && is_new,
            false => self.products.len() >= WORTH_STORING || self.stored < self.runs.len(),
        }
    }

    async fn keep(&mut self, reading: Reading<'_>, segment: Segment) -> Result<(), MakeBaseError> {
        let (products, currencies) = (self.products.clone(), reading.currencies());
        let runs = spawn_blocking(move || pack_runs(&products, currencies)).await??;
        // From here on to the next call nothing can be given up half done.
        self.runs.extend(runs.into_iter().map(Bytes::from));
        self.products = Arc::default();
        let first = piece(segment, 0);
        let runs = (first + 1..).zip(self.runs.iter().cloned()).skip(self.stored);
        let checkpoint = Checkpoint {
            unfolded: reading.journal().cloned(),
            segments: segment.count,
            sums: self.runs.iter().map(|run| crc32fast::hash(run)).collect(),
            next: self.from.as_ref().map(|from| from.0.clone()),
        };
        let json = serde_json::to_vec(&checkpoint)
            .map_err(|error| PortError::corrupt("a checkpoint of a base", error))?;
        let (store, expires_at) = (reading.store, reading.now.plus(KEPT_FOR));
        store.put_drafts(&reading.name, &runs.collect::<Vec<_>>(), expires_at).await?;
        // Only now: whoever finds the checkpoint finds the runs.
        store.put_drafts(&reading.name, &[(first, json.into())], expires_at).await?;
        self.stored = self.runs.len();
        Ok(())
    }
}

/// The number of a piece of a segment: 0 is its checkpoint. A catalogue that is read as one has numbers
/// beside those of its segments.
const fn piece(segment: Segment, number: u32) -> u32 {
    let place = if segment.count == 1 { 0 } else { segment.index + 1 };
    place * PIECES_PER_SEGMENT + number
}

impl Reading<'_> {
    /// That of the base, and that of the catalogue.
    const fn currencies(&self) -> (Currency, Currency) {
        (self.name.currency, self.head.currency)
    }

    /// The journal that is not folded yet, if it changes products.
    fn journal(&self) -> Option<&LoadId> {
        let has_products = self.head.version == self.head.base_version;
        self.head.unfolded.as_ref().filter(|_| has_products)
    }

    /// What is stored of so many segments; `None` when it is nothing.
    async fn stored(&self, count: u32) -> Result<Option<Vec<SegmentDraft>>, PortError> {
        let of_segment = |index| Segment { index, count };
        let numbers: Vec<u32> = (0..count).map(|index| piece(of_segment(index), 0)).collect();
        let checkpoints = self.store.drafts(&self.name, &numbers).await?;
        let checkpoints: Vec<Option<Checkpoint>> = checkpoints
            .into_iter()
            .map(|bytes| serde_json::from_slice::<Checkpoint>(&bytes?).ok())
            .map(|found| {
                found.filter(|found| {
                    found.unfolded.as_ref() == self.journal() && found.segments == count
                })
            })
            .collect();
        if checkpoints.iter().all(Option::is_none) {
            return Ok(None);
        }
        let segments = checkpoints.into_iter().zip(0..).map(async |(checkpoint, index)| {
            let Some(checkpoint) = checkpoint else { return Ok(SegmentDraft::default()) };
            let numbers: Vec<u32> = (1..)
                .take(checkpoint.sums.len())
                .map(|number| piece(of_segment(index), number))
                .collect();
            let runs = self.store.drafts(&self.name, &numbers).await?;
            let Some(runs) = checkpoint.proves(runs) else {
                warn!(name = %self.name, index, "runs of a base are others; they are read anew");
                return Ok(SegmentDraft::default());
            };
            Ok(SegmentDraft {
                products: Arc::default(),
                stored: runs.len(),
                runs,
                is_read: checkpoint.next.is_none(),
                from: checkpoint.next.map(Cursor),
            })
        });
        try_join_all(segments).await.map(Some)
    }
}
