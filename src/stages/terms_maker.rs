//! Prices the lists that many customers have in common, once for all of them.
//!
//! What comes out is a base of its own: only the products whose price differs from the list price, with
//! their ladders. It is stored beside the base that it goes with, and every process reads it from there.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::spawn_blocking;
use tracing::info;

use super::base_claims::Waiting;
use super::base_maker::{BaseMaker, MakeBaseError};
use super::base_shelf::{BaseShelf, Parts};
use super::doubts::Doubts;
use super::list_shelf::ListShelf;
use crate::model::{ProductId, Timestamp};
use crate::ports::{AtHead, BaseName, CatalogueHead, Clock, PortError, Ports, Store, StoredBase};
use crate::pricing::{
    BaseError, BaseIndex, BasePart, LadderPacker, LadderRows, ListRows, PartStart, PriceList,
    Rounding, Rules, compose, steps_of_list,
};

/// So many parts of the base are priced in one piece of work.
const PARTS_AT_ONCE: usize = 16;
/// Pricing more products than this would hold up the other tasks of its thread, so they get a thread of
/// their own. Fewer are priced in place: that is soon done, and a simulated run stays the same every time.
const LARGEST_IN_PLACE: usize = 100;

/// Makes what is different by some terms, where it is not stored yet.
pub(super) struct TermsMaker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    shelf: Arc<BaseShelf>,
    lists: Arc<ListShelf>,
    doubts: Arc<Doubts>,
    bases: Arc<BaseMaker>,
    /// Held while a base is made, so that one task makes it and the others wait for that one.
    making: Mutex<HashMap<BaseName, Weak<AsyncMutex<()>>>>,
}

/// What the prices of some terms are made of.
pub(super) struct Wanted<'a> {
    pub(super) name: BaseName,
    /// The base of list prices that it goes with.
    pub(super) base: &'a StoredBase,
    pub(super) lists: &'a [Arc<PriceList>],
    /// The head that all of it was read at.
    pub(super) at: &'a CatalogueHead,
    /// Until when it is stored at least.
    pub(super) keep_until: Timestamp,
}

impl TermsMaker {
    pub(super) fn new(ports: &Ports, bases: &Arc<BaseMaker>, lists: Arc<ListShelf>) -> Self {
        Self {
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            shelf: bases.shelf().clone(),
            lists,
            doubts: bases.doubts().clone(),
            bases: bases.clone(),
            making: Mutex::default(),
        }
    }

    /// The base of these terms, made if need be.
    pub(super) async fn base(
        &self,
        wanted: &Wanted<'_>,
    ) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        if let Some(base) = self.stored(wanted).await? {
            return Ok(AtHead::Read(base));
        }
        let lock = self.lock(wanted.name);
        let _held = lock.lock().await;
        // Somebody else may have made it while we waited.
        if let Some(base) = self.stored(wanted).await? {
            return Ok(AtHead::Read(base));
        }
        let claims = self.bases.claims();
        let mut waiting = Waiting::default();
        while !claims.claim(&wanted.name).await? {
            waiting.a_while().await?;
            if let Some(base) = self.stored(wanted).await? {
                return Ok(AtHead::Read(base));
            }
        }
        claims.hold(&wanted.name, Box::pin(self.make(wanted))).await
    }

    /// A base that is stored already, stored for longer if need be; `None` when it is not all there.
    pub(super) async fn again(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
    ) -> Result<Option<Arc<StoredBase>>, PortError> {
        if self.doubts.are_about(name) {
            return Ok(None);
        }
        match self.shelf.base(name).await? {
            Some(base) if base.expires_at >= keep_until => return Ok(Some(base)),
            _ => {}
        }
        let lock = self.lock(*name);
        let _held = lock.lock().await;
        self.shelf.forget(name);
        let Some((base, parts)) = self.packed(name).await? else { return Ok(None) };
        self.store_for(*name, base, &parts, keep_until).await.map(Some)
    }

    async fn stored(&self, wanted: &Wanted<'_>) -> Result<Option<Arc<StoredBase>>, PortError> {
        if self.doubts.are_about(&wanted.name) {
            return Ok(None);
        }
        let base = self.shelf.base(&wanted.name).await?;
        Ok(base.filter(|base| base.expires_at >= wanted.keep_until))
    }

    fn lock(&self, name: BaseName) -> Arc<AsyncMutex<()>> {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = making.get(&name).and_then(Weak::upgrade) {
            return lock;
        }
        making.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        making.insert(name, Arc::downgrade(&lock));
        lock
    }

    async fn make(&self, wanted: &Wanted<'_>) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        let Wanted { name, keep_until, .. } = *wanted;
        self.shelf.forget(&name);
        let is_doubtful = self.doubts.are_about(&name);
        let stored = if is_doubtful { None } else { self.packed(&name).await? };
        let (base, parts) = match stored {
            Some(stored) => stored,
            None => match self.price(wanted).await? {
                AtHead::Read((index, parts)) => {
                    (StoredBase { index, expires_at: keep_until }, parts)
                }
                AtHead::Moved => return Ok(AtHead::Moved),
            },
        };
        Ok(AtHead::Read(self.store_for(name, base, &parts, keep_until).await?))
    }

    async fn store_for(
        &self,
        name: BaseName,
        base: StoredBase,
        parts: &[Bytes],
        keep_until: Timestamp,
    ) -> Result<Arc<StoredBase>, PortError> {
        // For twice the time, so that it is not written again with every calculation; and never for less
        // than it is stored: our clock may be behind that of others, whose tables count on it.
        let expires_at = keep_until.plus(keep_until.since(self.clock.now())).max(base.expires_at);
        let base = StoredBase { expires_at, ..base };
        self.store.put_base(&name, &base, parts).await?;
        info!(%name, parts = parts.len(), "terms stored");
        let base = Arc::new(base);
        self.shelf.keep::<LadderRows>(name, base.clone(), parts);
        self.doubts.settle(&name);
        Ok(base)
    }

    /// What is stored, whole; `None` when it is not all there.
    async fn packed(&self, name: &BaseName) -> Result<Option<(StoredBase, Vec<Bytes>)>, PortError> {
        let Some(base) = self.store.base(name).await? else { return Ok(None) };
        let numbers: Vec<u32> = (0..).take(base.index.parts.len()).collect();
        let parts = self.store.base_parts(name, &numbers).await?;
        let parts: Option<Vec<Bytes>> = parts.into_iter().collect();
        Ok(parts.map(|parts| (base, parts)))
    }

    async fn price(
        &self,
        wanted: &Wanted<'_>,
    ) -> Result<AtHead<(BaseIndex, Vec<Bytes>)>, MakeBaseError> {
        let AtHead::Read(rows) = self.lists.rows(wanted.lists, wanted.at).await? else {
            return Ok(AtHead::Moved);
        };
        let lists = wanted.lists.iter().cloned().zip(rows).collect();
        let index = &wanted.base.index;
        let base = BaseName { terms: None, ..wanted.name };
        let mut pricing = Pricing::new(lists, wanted.at.rounding.rounding);
        let numbers = pricing.parts_of(index);
        for some in numbers.chunks(PARTS_AT_ONCE) {
            let parts = self.shelf.parts(&base, index, some.iter().copied()).await?;
            let Some(parts) = parts else {
                self.doubts.raise([base]);
                return Ok(AtHead::Moved);
            };
            let starts = some.iter().filter_map(|number| index.first_of(*number)).collect();
            let products: usize = parts.values().map(|part: &Arc<BasePart>| part.len()).sum();
            let add = move || pricing.add(&parts, starts);
            pricing =
                if products <= LARGEST_IN_PLACE { add() } else { spawn_blocking(add).await? }?;
        }
        let packed = pricing.packer.finish().map_err(BaseError::from)?;
        let index = BaseIndex { parts: pricing.starts, ..index.clone() };
        Ok(AtHead::Read((index, packed.parts.into_iter().map(Bytes::from).collect())))
    }
}

/// Terms of which the first products are priced.
struct Pricing {
    lists: Vec<(Arc<PriceList>, Arc<ListRows>)>,
    /// The products that lists name, sorted; `None` when a list has a row for products that it does not
    /// name, so that every product is looked at.
    named: Option<Vec<ProductId>>,
    rounding: Rounding,
    rules: Rules,
    packer: LadderPacker,
    starts: Vec<PartStart>,
}

impl Pricing {
    fn new(lists: Vec<(Arc<PriceList>, Arc<ListRows>)>, rounding: Rounding) -> Self {
        let is_wide = lists.iter().any(|(_, rows)| rows.is_wide());
        let named = (!is_wide).then(|| {
            let named: BTreeSet<&ProductId> =
                lists.iter().flat_map(|(_, rows)| rows.products()).collect();
            named.into_iter().cloned().collect()
        });
        let (rules, packer) = (Rules::default(), LadderPacker::default());
        Self { lists, named, rounding, rules, packer, starts: vec![] }
    }

    /// The parts of a base that have products which the lists have a row for.
    fn parts_of(&self, index: &BaseIndex) -> Vec<u32> {
        match &self.named {
            None => (0..).take(index.parts.len()).collect(),
            Some(named) => {
                let numbers: BTreeSet<u32> =
                    named.iter().filter_map(|product| index.part_of(product)).collect();
                numbers.into_iter().collect()
            }
        }
    }

    /// The places in a part of the products that the lists have a row for.
    fn places_in(&self, part: &BasePart) -> Vec<usize> {
        let Some(named) = &self.named else { return (0..part.len()).collect() };
        let (Some(first), Some(last)) = (part.iter().next(), part.len().checked_sub(1)) else {
            return vec![];
        };
        let last = part.entry(last).id;
        let start = named.partition_point(|product| product.as_str() < first.id);
        let rest = named[start..].iter().take_while(|product| product.as_str() <= last);
        rest.filter_map(|product| part.find(product)).collect()
    }

    /// Prices the products of some parts in their order, which begin at these indexes.
    fn add(mut self, parts: &Parts, starts: Vec<u32>) -> Result<Self, BaseError> {
        let mut scopes = vec![];
        for (part, start) in parts.values().zip(starts) {
            for place in self.places_in(part) {
                let (index, entry) = (start + place as u32, part.entry(place));
                let goods = entry.goods(self.rounding);
                let mut steps = Vec::with_capacity(self.lists.len());
                for (list, rows) in &self.lists {
                    rows.of(entry.id, entry.category, &mut scopes);
                    if !scopes.is_empty() {
                        steps.push(steps_of_list(
                            goods,
                            Some(list),
                            &scopes,
                            true,
                            &mut self.rules,
                        ));
                    }
                }
                let steps: Vec<&[_]> = steps.iter().map(Vec::as_slice).collect();
                let composed = compose(&steps, &self.rules);
                if self.packer.push(index, &composed, &self.rules)? {
                    let product = ProductId::checked(entry.id);
                    self.starts.push(PartStart { product, index });
                }
            }
        }
        Ok(self)
    }
}
