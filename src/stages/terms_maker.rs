//! Prices the lists that many customers share, once for all of them.
//!
//! The result is a base of terms. It has only the products whose price differs from the list price, with
//! their ladders. It is stored beside the base of products that it belongs to, and all processes read it from
//! there.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::base_shelf::Parts;
use super::list_shelf::ListShelf;
use super::made_bases::{MadeBases, MakeBaseError, Packed};
use crate::model::{ProductId, Timestamp};
use crate::ports::{AtHead, BaseName, CatalogueHead, StoredBase};
use crate::pricing::{
    BaseError, BaseIndex, BasePart, LadderPacker, LadderRows, ListRows, PartStart, PriceList,
    Rounding, Rules, compose, steps_of_list,
};

/// How many parts of the base are priced in one step.
const PARTS_AT_ONCE: usize = 16;
/// The most products that are priced on the calling thread. More would hold up the other tasks of that
/// thread. Fewer take little time, and stay on the thread so that a simulation can be replayed.
const LARGEST_IN_PLACE: usize = 100;

/// Makes the bases of terms that are not stored yet.
pub(super) struct TermsMaker {
    lists: Arc<ListShelf>,
    made: Arc<MadeBases>,
}

/// The inputs for the base of some terms.
pub(super) struct Wanted<'a> {
    pub(super) name: BaseName,
    /// The base of products that it belongs to.
    pub(super) base: &'a StoredBase,
    pub(super) lists: &'a [Arc<PriceList>],
    /// The catalogue's head at which the rest was read.
    pub(super) at: &'a CatalogueHead,
    /// The time until which it must be stored at least.
    pub(super) keep_until: Timestamp,
}

impl TermsMaker {
    pub(super) const fn new(made: Arc<MadeBases>, lists: Arc<ListShelf>) -> Self {
        Self { lists, made }
    }

    /// Returns the base of these terms, and makes it if necessary.
    pub(super) async fn base(
        &self,
        wanted: &Wanted<'_>,
    ) -> Result<AtHead<Arc<StoredBase>>, MakeBaseError> {
        let price = self.price(wanted);
        self.made.base::<LadderRows>(&wanted.name, wanted.keep_until, price).await
    }

    /// Returns a stored base, and extends its expiry if necessary; `None` if it is missing or incomplete.
    pub(super) async fn again(
        &self,
        name: &BaseName,
        keep_until: Timestamp,
    ) -> Result<Option<Arc<StoredBase>>, MakeBaseError> {
        if self.made.is_in_doubt(name) {
            return Ok(None);
        }
        let nothing = ready(Ok(AtHead::Moved));
        Ok(match self.made.base::<LadderRows>(name, keep_until, nothing).await? {
            AtHead::Read(base) => Some(base),
            AtHead::Moved => None,
        })
    }

    async fn price(&self, wanted: &Wanted<'_>) -> Result<AtHead<Packed>, MakeBaseError> {
        let AtHead::Read(rows) = self.lists.rows(wanted.lists, wanted.at).await? else {
            return Ok(AtHead::Moved);
        };
        let lists = wanted.lists.iter().cloned().zip(rows).collect();
        let index = &wanted.base.index;
        let base = BaseName { terms: None, ..wanted.name };
        let mut pricing = Pricing::new(lists, wanted.at.rounding.rounding);
        let numbers = pricing.parts_of(index);
        for some in numbers.chunks(PARTS_AT_ONCE) {
            let parts = self.made.shelf().parts(&base, index, some.iter().copied()).await?;
            let Some(parts) = parts else {
                self.made.doubt([base]);
                return Ok(AtHead::Moved);
            };
            let starts = some.iter().filter_map(|number| index.first_of(*number)).collect();
            let products: usize = parts.iter().map(BasePart::len).sum();
            let add = move || pricing.add(&parts, starts);
            pricing =
                if products <= LARGEST_IN_PLACE { add() } else { spawn_blocking(add).await? }?;
        }
        let packed = pricing.packer.finish().map_err(BaseError::from)?;
        let index = BaseIndex { parts: pricing.starts, ..index.clone() };
        let parts = packed.parts.into_iter().map(Bytes::from).collect();
        Ok(AtHead::Read(Packed { index, parts }))
    }
}

/// The terms of which some products are already priced.
struct Pricing {
    lists: Vec<(Arc<PriceList>, Arc<ListRows>)>,
    /// The products that the lists name, sorted. `None` if a list has a row for products that it does not
    /// name; then every product is priced.
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

    /// Returns the parts of a base that contain products with rows.
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

    /// Returns the places of the products with rows in a part.
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

    /// Prices the products of some parts in order. `starts` has the index of each part's first product.
    fn add(mut self, parts: &Parts, starts: Vec<u32>) -> Result<Self, BaseError> {
        let mut scopes = vec![];
        for (part, start) in parts.iter().zip(starts) {
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
