//! Prices the rows that only one customer has.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::super::base_shelf::{BaseShelf, Parts};
use super::inputs::{OwnInputs, TermsInputs};
use crate::model::ProductId;
use crate::ports::{BaseName, NextPrices, OwnStorage, PortError, Prices, StoredBase};
use crate::pricing::{
    BaseEntry, BaseIndex, LadderPacker, LadderRows, OwnRows, PackError, PackedOwn, Rounding, Rules,
    ScopedLadder, compose, damaged, steps_of_list,
};

/// The customer's part of a table: own rows, and the prices of each period.
pub(super) struct OwnPrices {
    pub(super) own: OwnStorage,
    pub(super) prices: Prices,
    pub(super) next: Vec<NextPrices>,
    pub(super) parts: Vec<Bytes>,
}

/// The parts of bases that one customer's prices are calculated from.
pub(super) struct Material {
    index: BaseIndex,
    parts: Parts,
    rounding: Rounding,
    /// For the current terms and each of the next ones: the index, and the parts that are needed.
    terms: Vec<Option<(BaseIndex, Parts<LadderRows>)>>,
}

impl Material {
    /// Reads the parts; `None` if one of them is missing.
    pub(super) async fn read(
        shelf: &BaseShelf,
        base: &StoredBase,
        name: BaseName,
        own: &OwnInputs,
        rounding: Rounding,
    ) -> Result<Option<Self>, PortError> {
        let index = base.index.clone();
        let terms = own.periods();
        let with_ladders: BTreeSet<ProductId> =
            terms.clone().flat_map(|terms| own.with_ladders(terms)).cloned().collect();
        let mut numbers: BTreeSet<u32> =
            index.parts_of_discounts(&own.discounts).into_iter().collect();
        numbers.extend(with_ladders.iter().filter_map(|product| index.part_of(product)));
        let Some(parts) = shelf.parts(&name, &index, numbers).await? else { return Ok(None) };
        let material = Self { index, parts, rounding, terms: vec![] };
        let indexes: Vec<u32> = with_ladders
            .iter()
            .filter_map(|product| material.find(product).map(|(index, _)| index))
            .collect();
        let mut of_terms = vec![];
        for terms in terms {
            let Some((name, base)) = &terms.shared else {
                of_terms.push(None);
                continue;
            };
            let numbers: BTreeSet<u32> =
                indexes.iter().filter_map(|index| base.index.part_at(*index)).collect();
            let parts = shelf.parts(name, &base.index, numbers).await?;
            let Some(parts) = parts else { return Ok(None) };
            of_terms.push(Some((base.index.clone(), parts)));
        }
        Ok(Some(Self { terms: of_terms, ..material }))
    }

    fn find(&self, product: &ProductId) -> Option<(u32, BaseEntry<'_>)> {
        self.parts.find(&self.index, self.index.part_of(product)?, product)
    }

    /// Prices and packs the customer's rows. Rows are placed in the head while at most `inline_bytes` are
    /// used.
    pub(super) fn price(
        &self,
        own: &OwnInputs,
        inline_bytes: usize,
    ) -> Result<OwnPrices, PackError> {
        let part = |number| self.parts.get(number);
        let rows = OwnRows::price(&self.index, &own.discounts, self.rounding, part);
        let packed = PackedOwn::new(&rows.ok_or(damaged("a part of the base is missing"))?)?;
        let mut placing = Placing { room: inline_bytes, parts: vec![] };
        let own_rows = placing.place(packed.first, packed.parts);
        let prices = self.prices(own, &own.now, 0, &mut placing)?;
        let mut next = vec![];
        for (place, (from, terms)) in (1..).zip(&own.next) {
            let prices = self.prices(own, terms, place, &mut placing)?;
            next.push(NextPrices { from: *from, prices });
        }
        Ok(OwnPrices { own: own_rows, prices, next, parts: placing.parts })
    }

    fn prices(
        &self,
        own: &OwnInputs,
        terms: &TermsInputs,
        place: usize,
        placing: &mut Placing,
    ) -> Result<Prices, PackError> {
        let ladders = self.ladders(own, terms, self.terms.get(place).and_then(Option::as_ref))?;
        let first_part = placing.parts.len() as u32;
        let ladders = placing.place(ladders.first, ladders.parts);
        let terms = terms.shared.as_ref().and_then(|(name, _)| name.terms);
        Ok(Prices { terms, first_part, ladders })
    }

    /// Returns the complete ladders of the products for which the customer has a ladder of their own.
    fn ladders(
        &self,
        own: &OwnInputs,
        terms: &TermsInputs,
        shared: Option<&(BaseIndex, Parts<LadderRows>)>,
    ) -> Result<crate::pricing::PackedLadders, PackError> {
        let (mut rules, mut packer) = (Rules::default(), LadderPacker::default());
        let is_in_currency =
            own.ladders.currency.is_none_or(|currency| currency == self.index.currency);
        for product in own.with_ladders(terms) {
            let Some((index, entry)) = self.find(product) else { continue };
            // A discount at every quantity takes precedence over all lists, unless the product has no list
            // price to apply it to.
            if own.discounts.contains(product) && entry.list_price.is_some() {
                continue;
            }
            let goods = entry.goods(self.rounding);
            let mut lists = vec![];
            if let Some(ladder) = own.ladders.of(product) {
                let scopes = [ScopedLadder { scope: None, ladder }];
                lists.push(steps_of_list(goods, None, &scopes, is_in_currency, &mut rules));
            }
            let mut scopes = vec![];
            for (list, rows) in &terms.individual {
                rows.of(entry.id, entry.category, &mut scopes);
                lists.push(steps_of_list(goods, Some(list), &scopes, true, &mut rules));
            }
            if let Some((terms_index, parts)) = shared
                && let Some(number) = terms_index.part_at(index)
            {
                let part = parts.get(number).ok_or(damaged("a part of the terms is missing"))?;
                let steps = part.steps_in(index, &mut rules);
                lists.push(steps.ok_or(damaged("a rule of the terms is missing"))?);
            }
            let lists: Vec<&[_]> = lists.iter().map(Vec::as_slice).collect();
            packer.push(index, &compose(&lists, &rules), &rules)?;
        }
        packer.finish()
    }
}

impl OwnInputs {
    /// Returns the products that may have a ladder of the customer's own under these terms, sorted.
    fn with_ladders<'a>(&'a self, terms: &'a TermsInputs) -> BTreeSet<&'a ProductId> {
        let own = self.ladders.ladders.iter().map(|ladder| &ladder.product_id);
        let listed = terms.individual.iter().flat_map(|(_, rows)| rows.products());
        own.chain(listed).collect()
    }
}

/// Places packed rows in the head while there is room, and otherwise in parts.
struct Placing {
    room: usize,
    parts: Vec<Bytes>,
}

impl Placing {
    fn place(&mut self, first: Vec<u32>, mut parts: Vec<Vec<u8>>) -> OwnStorage {
        match parts.as_slice() {
            [] => OwnStorage::NONE,
            [only] if only.len() <= self.room => {
                self.room -= only.len();
                OwnStorage::Inline(parts.remove(0).into())
            }
            _ => {
                self.parts.extend(parts.into_iter().map(Bytes::from));
                OwnStorage::Parts(first)
            }
        }
    }
}
