//! Bases in memory: unpacked parts are kept, up to a limit, for all stages of a process.
//!
//! A base never changes, so what is kept is never wrong. Only what is not kept is read from the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tracing::warn;

use crate::model::{ProductId, Timestamp};
use crate::ports::{BaseName, Bases, Chain, PortError, StoredBase};
use crate::pricing::{BaseEntry, BaseIndex, BasePart, LadderRows, PackError};

/// The estimated size of an unpacked part, in bytes.
const PART_BYTES: u64 = 32 * 1024;
/// The most bases that are kept. In use are the latest base of each terms, and older ones that tables not yet
/// refreshed were priced against.
const BASES: usize = 4096;

/// The most parts that a new base may have to be unpacked as a whole.
const UNPACKED_AT_ONCE: usize = 256;

/// Some parts of one base, sorted by number.
#[derive(Debug)]
pub struct Parts<P = BasePart>(Vec<(u32, Arc<P>)>);

impl<P> Default for Parts<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P> Parts<P> {
    /// Returns the part with this number, if it is one of these.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&P> {
        let place = self.0.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.0[place].1)
    }

    /// Iterates over the parts by number.
    pub fn iter(&self) -> impl Iterator<Item = &P> {
        self.0.iter().map(|(_, part)| &**part)
    }
}

impl Parts {
    /// Finds a product in the part with this number, and its index in the base.
    #[must_use]
    pub(super) fn find(
        &self,
        index: &BaseIndex,
        number: u32,
        product: &ProductId,
    ) -> Option<(u32, BaseEntry<'_>)> {
        let part = self.get(number)?;
        let place = part.find(product)?;
        Some((index.first_of(number)? + place as u32, part.entry(place)))
    }
}

/// Reads bases and keeps the parts that it has unpacked.
pub struct BaseShelf {
    store: Arc<dyn Bases>,
    bases: Cache<BaseName, Arc<StoredBase>>,
    parts: Cache<(BaseName, u32), Kept, ByBytes>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often a shelf had the parts that it was asked for, and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShelfUse {
    /// Parts that were kept when they were needed.
    pub hits: u64,
    /// Parts that were read from the store.
    pub misses: u64,
    /// The estimated size of the kept parts, in bytes.
    pub bytes: u64,
}

/// A part that is kept.
#[derive(Clone)]
pub enum Kept {
    /// Products of a base.
    Products(Arc<BasePart>),
    /// Ladders of some terms.
    Terms(Arc<LadderRows>),
}

/// A kind of part: products, or the ladders of terms.
pub trait Part: Sized {
    /// Unpacks a part.
    ///
    /// # Errors
    /// [`PackError`] if the bytes are not a part of this kind.
    fn decode(bytes: &[u8]) -> Result<Self, PackError>;

    /// Whether this is the part that the index has under `number`.
    fn fits(&self, index: &BaseIndex, number: u32) -> bool;

    /// Wraps the part for the cache.
    fn keep(part: Arc<Self>) -> Kept;

    /// Unwraps a cached part; `None` if it is of the other kind.
    fn kept(kept: Kept) -> Option<Arc<Self>>;
}

impl Part for BasePart {
    fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        Self::decode(bytes)
    }

    fn fits(&self, index: &BaseIndex, number: u32) -> bool {
        index.fits(number, self)
    }

    fn keep(part: Arc<Self>) -> Kept {
        Kept::Products(part)
    }

    fn kept(kept: Kept) -> Option<Arc<Self>> {
        match kept {
            Kept::Products(part) => Some(part),
            Kept::Terms(_) => None,
        }
    }
}

impl Part for LadderRows {
    fn decode(bytes: &[u8]) -> Result<Self, PackError> {
        Self::decode(bytes)
    }

    fn fits(&self, index: &BaseIndex, number: u32) -> bool {
        index.fits_ladders(number, self)
    }

    fn keep(part: Arc<Self>) -> Kept {
        Kept::Terms(part)
    }

    fn kept(kept: Kept) -> Option<Arc<Self>> {
        match kept {
            Kept::Terms(part) => Some(part),
            Kept::Products(_) => None,
        }
    }
}

/// Weighs the entries of a cache by their estimated size in bytes.
#[derive(Clone)]
pub(super) struct ByBytes;

impl Weighter<(BaseName, u32), Kept> for ByBytes {
    fn weight(&self, _: &(BaseName, u32), part: &Kept) -> u64 {
        (match part {
            Kept::Products(part) => part.weight(),
            Kept::Terms(part) => part.weight(),
        }) as u64
    }
}

impl BaseShelf {
    /// The default limit of the memory for unpacked parts, in bytes.
    pub const DEFAULT_BYTES: u64 = 128 * 1024 * 1024;

    /// Creates an empty shelf, which keeps at most [`Self::DEFAULT_BYTES`].
    #[must_use]
    pub fn new(store: Arc<dyn Bases>) -> Self {
        let parts = (Self::DEFAULT_BYTES / PART_BYTES) as usize;
        Self {
            store,
            bases: Cache::new(BASES),
            parts: Cache::with_weighter(parts, Self::DEFAULT_BYTES, ByBytes),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Limits the kept parts to `most_bytes` bytes from now on.
    pub fn keep_at_most(&self, most_bytes: u64) {
        self.parts.set_capacity(most_bytes);
    }

    /// Returns the hits, misses and size so far.
    #[must_use]
    pub fn usage(&self) -> ShelfUse {
        ShelfUse {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            bytes: self.parts.weight(),
        }
    }

    /// Returns a base; `None` if it is not stored.
    ///
    /// # Errors
    /// [`PortError`] if the store cannot be read.
    pub async fn base(&self, name: &BaseName) -> Result<Option<Arc<StoredBase>>, PortError> {
        if let Some(base) = self.bases.get(name) {
            return Ok(Some(base));
        }
        self.read(name).await
    }

    /// Returns a base that is stored until `until` at least; `None` if there is none. Asks the store if the
    /// kept copy expires too soon, because another process may have extended the base meanwhile.
    pub(super) async fn base_until(
        &self,
        name: &BaseName,
        until: Timestamp,
    ) -> Result<Option<Arc<StoredBase>>, PortError> {
        let is_long_enough = |base: &Arc<StoredBase>| base.expires_at >= until;
        if let Some(base) = self.bases.get(name).filter(is_long_enough) {
            return Ok(Some(base));
        }
        Ok(self.read(name).await?.filter(is_long_enough))
    }

    async fn read(&self, name: &BaseName) -> Result<Option<Arc<StoredBase>>, PortError> {
        let base = self.store.base(name).await?;
        Ok(base.map(|base| self.put(*name, base)))
    }

    /// Keeps a stored base. Its kept parts stay, unless the base is now cut into other parts.
    pub(super) fn put(&self, name: BaseName, base: StoredBase) -> Arc<StoredBase> {
        if self.bases.peek(&name).is_some_and(|kept| kept.index != base.index) {
            self.forget(&name);
        }
        let base = Arc::new(base);
        self.bases.insert(name, base.clone());
        base
    }

    /// Returns parts of a base by number; `None` if one of them is missing or cannot be unpacked.
    ///
    /// # Errors
    /// [`PortError`] if the store cannot be read.
    pub async fn parts<P: Part>(
        &self,
        name: &BaseName,
        index: &BaseIndex,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<Option<Parts<P>>, PortError> {
        let numbers = numbers.into_iter();
        let (mut parts, mut missing) = (Vec::with_capacity(numbers.size_hint().0), vec![]);
        for number in numbers {
            match self.parts.get(&(*name, number)).and_then(P::kept) {
                Some(part) => parts.push((number, part)),
                None => missing.push(number),
            }
        }
        self.hits.fetch_add(parts.len() as u64, Ordering::Relaxed);
        if !missing.is_empty() {
            let Some(read) = self.read_parts(name, index, missing).await? else { return Ok(None) };
            parts.extend(read);
        }
        if !parts.is_sorted_by_key(|(number, _)| *number) {
            parts.sort_unstable_by_key(|(number, _)| *number);
        }
        Ok(Some(Parts(parts)))
    }

    /// Reads parts that are not kept, and returns them with their numbers.
    async fn read_parts<P: Part>(
        &self,
        name: &BaseName,
        index: &BaseIndex,
        missing: Vec<u32>,
    ) -> Result<Option<Vec<(u32, Arc<P>)>>, PortError> {
        self.misses.fetch_add(missing.len() as u64, Ordering::Relaxed);
        let read = self.store.base_parts(name, &missing).await?;
        let unpack = |(number, bytes): (u32, Option<Bytes>)| {
            Some((number, self.unpack(name, index, number, &bytes?)?))
        };
        Ok(missing.into_iter().zip(read).map(unpack).collect())
    }

    /// Keeps the parts of a base that was just made.
    pub(super) fn keep_parts<P: Part>(
        &self,
        name: &BaseName,
        index: &BaseIndex,
        parts: &[impl AsRef<[u8]>],
    ) {
        // The parts of a large base are unpacked when they are needed, because its maker would wait for all
        // of them.
        for (number, bytes) in (0..).zip(parts).take_while(|_| parts.len() <= UNPACKED_AT_ONCE) {
            self.unpack::<P>(name, index, number, bytes.as_ref());
        }
    }

    /// Forgets a base, so that it is read from the store again.
    pub(super) fn forget(&self, name: &BaseName) {
        if let Some((_, base)) = self.bases.remove(name) {
            let parts = u32::try_from(base.index.parts.len()).unwrap_or(u32::MAX);
            (0..parts).for_each(|number| drop(self.parts.remove(&(*name, number))));
        }
    }

    fn unpack<P: Part>(
        &self,
        name: &BaseName,
        index: &BaseIndex,
        number: u32,
        bytes: &[u8],
    ) -> Option<Arc<P>> {
        let part = match P::decode(bytes) {
            // Another version of ocache may have cut the base into other parts since the index was read.
            Ok(part) if part.fits(index, number) => Arc::new(part),
            Ok(_) => {
                self.forget(name);
                return None;
            }
            Err(error) => {
                warn!(%name, number, error = %Chain(&error), "the base is made again");
                return None;
            }
        };
        self.parts.insert((*name, number), P::keep(part.clone()));
        Some(part)
    }
}
