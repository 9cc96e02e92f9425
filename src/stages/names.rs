//! The names of products, as they were in the version that a table goes with.
//!
//! A name changes with a load, and a table may be older than the last one: the names of its own
//! version stand in the base of that version. A base never changes, so what was unpacked once is
//! kept, up to a bound.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tracing::warn;

use crate::model::ProductId;
use crate::ports::{BaseIndex, Bases, Chain, PortError};
use crate::pricing::NamePart;

/// The most memory that unpacked names take, in bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// About how many bytes an unpacked part takes.
const PART_BYTES: u64 = 64 * 1024;
/// So many versions are in use at once at most: the last one, and those that tables not yet
/// refreshed go with.
const INDEXES: usize = 64;

/// Names by product, of one version.
pub type NamesOf = HashMap<ProductId, String>;

/// Reads names and keeps what it has unpacked.
pub struct Names {
    store: Arc<dyn Bases>,
    indexes: Cache<u64, Arc<BaseIndex>>,
    parts: Cache<(u64, u32), Arc<NamePart>, ByBytes>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(u64, u32), Arc<NamePart>> for ByBytes {
    fn weight(&self, _part: &(u64, u32), names: &Arc<NamePart>) -> u64 {
        names.weight() as u64
    }
}

impl Names {
    /// Names that nobody has read yet.
    #[must_use]
    pub fn new(store: Arc<dyn Bases>) -> Self {
        let parts = (MOST_BYTES / PART_BYTES) as usize;
        Self {
            store,
            indexes: Cache::new(INDEXES),
            parts: Cache::with_weighter(parts, MOST_BYTES, ByBytes),
        }
    }

    /// The names of some products in a version, those that have none left out; `None` when the base
    /// of the version is not there, or not whole.
    ///
    /// # Errors
    /// Those of the port.
    pub async fn of(
        &self,
        version: u64,
        products: &BTreeSet<&ProductId>,
    ) -> Result<Option<NamesOf>, PortError> {
        let Some(index) = self.index(version).await? else { return Ok(None) };
        let mut by_part: BTreeMap<u32, Vec<&ProductId>> = BTreeMap::new();
        for product in products {
            if let Some(part) = index.part_of(product) {
                by_part.entry(part).or_default().push(product);
            }
        }
        let numbers: Vec<u32> = by_part.keys().copied().collect();
        let Some(parts) = self.parts(version, &index, &numbers).await? else { return Ok(None) };
        let mut names = NamesOf::new();
        for (part, products) in parts.iter().zip(by_part.values()) {
            for product in products {
                if let Some(name) = part.name(product) {
                    names.insert((*product).clone(), name.to_owned());
                }
            }
        }
        Ok(Some(names))
    }

    async fn index(&self, version: u64) -> Result<Option<Arc<BaseIndex>>, PortError> {
        if let Some(index) = self.indexes.get(&version) {
            return Ok(Some(index));
        }
        let Some(index) = self.store.base(version).await? else { return Ok(None) };
        let index = Arc::new(index);
        self.indexes.insert(version, index.clone());
        Ok(Some(index))
    }

    /// Parts by number; `None` when one of them is not there or cannot be read.
    async fn parts(
        &self,
        version: u64,
        index: &BaseIndex,
        numbers: &[u32],
    ) -> Result<Option<Vec<Arc<NamePart>>>, PortError> {
        let kept: Vec<_> =
            numbers.iter().map(|number| self.parts.get(&(version, *number))).collect();
        let wanted = numbers.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
        let wanted: Vec<u32> = wanted.map(|(number, _)| *number).collect();
        let mut read = match wanted.is_empty() {
            true => vec![],
            false => self.store.base_parts(version, &wanted).await?,
        }
        .into_iter();
        let mut parts = Vec::with_capacity(numbers.len());
        for (number, kept) in numbers.iter().zip(kept) {
            let part = match kept {
                Some(part) => part,
                None => {
                    let Some(bytes) = read.next().flatten() else { return Ok(None) };
                    match NamePart::decode(&bytes) {
                        Ok(part) => {
                            let part = Arc::new(part);
                            self.parts.insert((version, *number), part.clone());
                            part
                        }
                        Err(error) => {
                            warn!(version, error = %Chain(&error), "the base is written anew");
                            return Ok(None);
                        }
                    }
                }
            };
            // Another version of ocache may have cut the base otherwise since the index was read.
            if part.first() != index.parts.get(*number as usize) {
                self.indexes.remove(&version);
                self.parts.remove(&(version, *number));
                return Ok(None);
            }
            parts.push(part);
        }
        Ok(Some(parts))
    }
}
