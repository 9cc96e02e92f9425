//! The inputs of quotations, read for a whole batch at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use tracing::warn;

use super::base_shelf::{BaseShelf, Parts};
use super::large_work::{LargeWork, Size};
use super::own_shelf::OwnShelf;
use super::shared_in_force::SharedInForce;
use crate::model::{Item, ProductId, QuotationRequest, Timestamp, UserId};
use crate::ports::{
    BaseName, Chain, OwnStorage, PortError, PriceTables, StoredBase, TableHead, WantedParts,
};
use crate::pricing::{
    BaseEntry, Currency, ItemPrice, LadderRows, OwnRows, PackError, PriceRow, Step,
};

/// The stores that tables and bases are read from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) tables: &'a dyn PriceTables,
    pub(super) bases: &'a BaseShelf,
    /// The own rows that are already unpacked.
    pub(super) own: &'a OwnShelf,
    /// The threads for unpacking large tables.
    pub(super) work: &'a LargeWork,
}

/// A request for prices: of a quote, or of prices that are only shown.
#[derive(Clone, Copy)]
pub(super) struct PriceRequest<'a> {
    /// The customer.
    pub(super) user: &'a UserId,
    /// The products, each with its quantity.
    pub(super) items: &'a [Item],
}

impl<'a> From<&'a QuotationRequest> for PriceRequest<'a> {
    fn from(request: &'a QuotationRequest) -> Self {
        Self { user: &request.user, items: &request.items }
    }
}

/// The tables of some customers, with the parts that their requests need.
pub(super) struct QuoteInputs {
    tables: Tables,
    /// The version of the last load that changed shared data; 0 before the first load.
    pub(super) shared_version: u64,
}

/// The tables of some customers. A batch has few customers, so a search from the front is faster than a hash.
struct Tables(Vec<(UserId, CustomerTable)>);

impl Tables {
    fn get(&self, user: &UserId) -> Option<&CustomerTable> {
        self.0.iter().find(|(of, _)| of == user).map(|(_, table)| table)
    }

    fn take(self, user: &UserId) -> Option<CustomerTable> {
        self.0.into_iter().find(|(of, _)| of == user).map(|(_, table)| table)
    }
}

/// A customer's table, with the parts that the requests need.
pub(super) struct CustomerTable {
    pub(super) head: TableHead,
    /// The time whose prices were read.
    read_for: Timestamp,
    /// The parts that were needed; `None` if one of them is missing or cannot be unpacked.
    wanted: Option<Wanted>,
}

/// The parts of a table that requests need.
struct Wanted {
    base: InBase,
    own: ByPart<Arc<OwnRows>>,
    ladders: ByPart<LadderRows>,
    /// The needed parts of the customer's terms.
    terms: Option<InTerms>,
}

/// Rows by the number of their part. Rows in the head have number 0.
type ByPart<T> = BTreeMap<u32, T>;

/// The price of an item, and the name of its product. The name is empty if the product is not in the base.
pub(super) type Priced<'a> = (ItemPrice, &'a str);

impl QuoteInputs {
    /// Reads the inputs of these requests. The heads of the tables and of the catalogue are read at once if
    /// the engine can do that, otherwise side by side. Of tables and bases, only the needed parts are read.
    pub(super) async fn read(
        sources: Sources<'_>,
        in_force: &SharedInForce,
        requests: &[PriceRequest<'_>],
        now: Timestamp,
    ) -> Result<Self, PortError> {
        let users = users(requests);
        let (heads, shared_version) = match sources.tables.heads_with_catalogue(&users).await? {
            Some((heads, catalogue)) => (heads, catalogue.shared_version),
            None => try_join(sources.tables.table_heads(&users), in_force.version()).await?,
        };
        Ok(Self { tables: read_tables(sources, heads, requests, now).await?, shared_version })
    }

    /// Returns a customer's table, if there was one.
    pub(super) fn table(&self, user: &UserId) -> Option<&CustomerTable> {
        self.tables.get(user)
    }

    /// Like [`Self::table`], but leaves nothing for the other customers.
    pub(super) fn into_table(self, user: &UserId) -> Option<CustomerTable> {
        self.tables.take(user)
    }
}

impl CustomerTable {
    /// Reads the table of one request's customer again.
    pub(super) async fn reread(
        sources: Sources<'_>,
        request: PriceRequest<'_>,
        now: Timestamp,
    ) -> Result<Option<Self>, PortError> {
        let heads = sources.tables.table_heads(std::slice::from_ref(request.user)).await?;
        Ok(read_tables(sources, heads, &[request], now).await?.take(request.user))
    }

    /// Returns the price of each item, all from one generation. Returns `None` if a part of the table or its
    /// bases is missing, or if prices were read that are not in force at `now`.
    pub(super) fn prices(&self, items: &[Item], now: Timestamp) -> Option<Vec<Priced<'_>>> {
        let wanted = self.wanted_at(now)?;
        let price = |(place, item)| Some(wanted.price(&self.head, (place, item), now)?.0);
        items.iter().enumerate().map(price).collect()
    }

    /// Like [`Self::prices`], with the steps of each product's ladder. They are empty if the product has none
    /// or is not sold in the quantity.
    pub(super) fn prices_and_ladders(
        &self,
        items: &[Item],
        now: Timestamp,
    ) -> Option<(Vec<Priced<'_>>, Vec<&[Step]>)> {
        let wanted = self.wanted_at(now)?;
        let room = items.len();
        let (mut prices, mut ladders) = (Vec::with_capacity(room), Vec::with_capacity(room));
        for item in items.iter().enumerate() {
            let (price, ladder) = wanted.price(&self.head, item, now)?;
            prices.push(price);
            ladders.push(ladder);
        }
        Some((prices, ladders))
    }

    /// Returns the parts that were needed, if they have the prices in force at `now`.
    fn wanted_at(&self, now: Timestamp) -> Option<&Wanted> {
        let (read, in_force) = (self.head.prices_at(self.read_for), self.head.prices_at(now));
        self.wanted.as_ref().filter(|_| std::ptr::eq(read, in_force))
    }
}

impl Wanted {
    /// Returns the price of an item, and the steps of its product. Returns `None` if a part is missing.
    fn price(
        &self,
        head: &TableHead,
        (place, item): (usize, &Item),
        now: Timestamp,
    ) -> Option<(Priced<'_>, &[Step])> {
        let Some((index, entry)) = self.base.find(place, &item.product) else {
            return Some(((ItemPrice::Unavailable, ""), &[]));
        };
        if let Err(unsold) = entry.quantities.check(item.quantity) {
            // No other quantity helps if the product has a price at none.
            let has_price =
                entry.list_price.is_some() || !self.row(head, index, now)?.steps().is_empty();
            let found = if has_price { ItemPrice::Unsold(unsold) } else { ItemPrice::Unavailable };
            return Some(((found, entry.name), &[]));
        }
        let row = self.row(head, index, now)?;
        let found = match row.entry(&entry, item.quantity)? {
            Some(price) => ItemPrice::Price(price),
            None => ItemPrice::Unavailable,
        };
        Some(((found, entry.name), row.steps()))
    }

    /// Returns the row that decides the price of a product. Returns `None` if a part is missing.
    fn row(&self, head: &TableHead, index: u32, now: Timestamp) -> Option<PriceRow<'_>> {
        let prices = head.prices_at(now);
        let ladders = part_of(&prices.ladders, prices.ladder_part_of(index), &self.ladders)?;
        let own_ladder = ladders.and_then(|rows| PriceRow::of(rows, index));
        let discount = || -> Result<_, ()> {
            let own = part_of(&head.own, head.own.part_of(index), &self.own).ok_or(())?;
            Ok(own.and_then(|rows| rows.find(index)))
        };
        let terms = || -> Result<_, ()> {
            let Some(terms) = &self.terms else { return Ok(None) };
            let rows = terms.part_of(index).ok_or(())?;
            Ok(rows.and_then(|rows| PriceRow::of(rows, index)))
        };
        PriceRow::first(own_ladder, discount, terms).ok()
    }
}

/// Returns the rows of a part, or those in the head. Returns `None` if the part is missing, and `Some(None)`
/// if there are no rows.
fn part_of<'a, T>(
    own: &OwnStorage,
    part: Option<u32>,
    rows: &'a ByPart<T>,
) -> Option<Option<&'a T>> {
    match (own, part) {
        (OwnStorage::Inline(_), _) => Some(rows.get(&0)),
        (OwnStorage::Parts(_), None) => Some(None),
        (OwnStorage::Parts(_), Some(number)) => rows.get(&number).map(Some),
    }
}

/// Returns each customer of the requests once.
fn users(requests: &[PriceRequest<'_>]) -> Vec<UserId> {
    if let [only] = requests {
        return vec![only.user.clone()];
    }
    let users: BTreeSet<&UserId> = requests.iter().map(|request| request.user).collect();
    users.into_iter().cloned().collect()
}

/// Reads the parts that the requests need of the usable tables.
async fn read_tables(
    sources: Sources<'_>,
    heads: Vec<(UserId, TableHead)>,
    requests: &[PriceRequest<'_>],
    now: Timestamp,
) -> Result<Tables, PortError> {
    // A base that several tables of the batch name is read once. There are few.
    let mut of_bases: Vec<(BaseName, Vec<&ProductId>)> = vec![];
    let room = requests.iter().map(|request| request.items.len()).sum();
    for (user, head) in heads.iter().filter(|(_, head)| head.is_usable(now)) {
        let base = head.base();
        let place = of_bases.iter().position(|(name, _)| *name == base).unwrap_or_else(|| {
            of_bases.push((base, Vec::with_capacity(room)));
            of_bases.len() - 1
        });
        of_bases[place].1.extend(wanted_by(user, requests));
    }
    let bases = of_bases
        .iter()
        .map(async |(name, of)| Ok((*name, in_base(sources.bases, name, of).await?)));
    let bases: Vec<(BaseName, Option<InBase>)> = try_join_all(bases).await?;
    let found = heads.iter().map(|(user, head)| {
        // An empty table has no stored base.
        let nothing = || (head.products == 0).then(|| InBase::nothing(head.currency));
        let base = bases.iter().find(|(name, _)| *name == head.base());
        let base = base.and_then(|(_, base)| base.clone()).or_else(nothing)?;
        let prices = head.prices_at(now);
        let is_in_head = |own: &OwnStorage| matches!(own, OwnStorage::Inline(_));
        let needs_none =
            is_in_head(&head.own) && is_in_head(&prices.ladders) && prices.terms.is_none();
        let indexes = match needs_none {
            true => vec![],
            false => {
                let wanted = wanted_by(user, requests).enumerate();
                wanted.filter_map(|(place, id)| Some(base.find(place, id)?.0)).collect()
            }
        };
        head.is_usable(now).then_some(Wish { base, indexes })
    });
    let wishes: Vec<Option<Wish>> = found.collect();
    let in_parts = heads.iter().zip(&wishes).filter_map(|((user, head), wish)| {
        let numbers = numbers_of(head, &wish.as_ref()?.indexes, now);
        let (user, generation) = (user.clone(), head.generation.clone());
        let wanted = WantedParts { user, generation, numbers: numbers.into_iter().collect() };
        (!wanted.numbers.is_empty()).then_some(wanted)
    });
    let first_ladder = |user: &UserId| {
        let head = heads.iter().find(|(of, _)| of == user);
        head.map_or(0, |(_, head)| head.own.parts() as u32)
    };
    let in_parts: Vec<WantedParts> = in_parts.collect();
    let starts = in_parts.iter().map(|wanted| first_ladder(&wanted.user)).collect();
    // Most tables have neither parts nor terms, so the futures that read them are not part of this one.
    let mut own = match in_parts.is_empty() {
        true => HashMap::new(),
        false => Box::pin(read_parts(sources, in_parts, starts)).await?,
    };
    let has_terms = heads.iter().any(|(_, head)| head.prices_at(now).terms.is_some());
    let terms = match has_terms {
        false => HashMap::new(),
        true => Box::pin(read_terms(sources.bases, &heads, &wishes, now)).await?,
    };
    let tables = heads.into_iter().zip(wishes).map(|((user, head), wish)| {
        let wanted = wish.and_then(|wish| {
            let prices = head.prices_at(now);
            let mut rows = own.remove(&user).unwrap_or_default();
            if let OwnStorage::Inline(inline) = &head.own
                && !inline.is_empty()
            {
                let unpack = || unpack(&user, inline, OwnRows::decode);
                rows.own.insert(0, sources.own.rows(&head.generation, unpack)?);
            }
            if let OwnStorage::Inline(inline) = &prices.ladders
                && !inline.is_empty()
            {
                rows.ladders.insert(0, unpack(&user, inline, LadderRows::decode)?);
            }
            let terms = match head.base_of(prices) {
                None => None,
                Some(name) => Some(terms.get(&name)?.clone()?),
            };
            Some(Wanted { base: wish.base, own: rows.own, ladders: rows.ladders, terms })
        });
        (user, CustomerTable { head, read_for: now, wanted })
    });
    Ok(Tables(tables.collect()))
}

/// The base of a table, and the indexes of the products wanted. There are none if no part depends on them.
struct Wish {
    base: InBase,
    indexes: Vec<u32>,
}

/// Returns the parts of a table that may have rows of these products.
fn numbers_of(head: &TableHead, indexes: &[u32], now: Timestamp) -> BTreeSet<u32> {
    let prices = head.prices_at(now);
    let of = |index: &u32| [head.own.part_of(*index), prices.ladder_part_of(*index)];
    indexes.iter().flat_map(of).flatten().collect()
}

/// A base with the parts that the requests need.
#[derive(Clone)]
struct InBase {
    base: Arc<StoredBase>,
    parts: Arc<Parts>,
    /// The part number of each product that it was read for, in the same order.
    numbers: Arc<[Option<u32>]>,
}

impl InBase {
    /// Returns a base without products.
    fn nothing(currency: Currency) -> Self {
        Self {
            base: Arc::new(StoredBase::nothing(currency)),
            parts: Arc::default(),
            numbers: Arc::default(),
        }
    }

    /// Finds a product and its index; `None` if there is no such product. First looks in the part of the
    /// product that was at the same place when the base was read. In a batch of one request, that is the same
    /// product.
    fn find(&self, place: usize, product: &ProductId) -> Option<(u32, BaseEntry<'_>)> {
        let expected = self.numbers.get(place).copied().flatten();
        let index = &self.base.index;
        let expected = expected.and_then(|number| self.parts.find(index, number, product));
        expected.or_else(|| self.parts.find(index, index.part_of(product)?, product))
    }
}

/// The base of some terms, with the parts that the requests need.
#[derive(Clone)]
struct InTerms {
    base: Arc<StoredBase>,
    parts: Arc<Parts<LadderRows>>,
}

impl InTerms {
    /// Returns the part that may have a product's row. Returns `None` if the part is missing, and
    /// `Some(None)` if no part has the row.
    fn part_of(&self, index: u32) -> Option<Option<&LadderRows>> {
        match self.base.index.part_at(index) {
            None => Some(None),
            Some(number) => self.parts.get(number).map(Some),
        }
    }
}

/// Reads a base with the parts of some products; `None` if one of them is missing.
async fn in_base(
    bases: &BaseShelf,
    name: &BaseName,
    products: &[&ProductId],
) -> Result<Option<InBase>, PortError> {
    let Some(base) = bases.base(name).await? else { return Ok(None) };
    let numbers: Arc<[Option<u32>]> =
        products.iter().map(|product| base.index.part_of(product)).collect();
    let mut wanted: Vec<u32> = numbers.iter().flatten().copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let parts = bases.parts(name, &base.index, wanted).await?;
    Ok(parts.map(|parts| InBase { base, parts: Arc::new(parts), numbers }))
}

/// Reads the needed parts of the bases of the customers' terms. A base has `None` if something of it is
/// missing.
async fn read_terms(
    bases: &BaseShelf,
    heads: &[(UserId, TableHead)],
    wishes: &[Option<Wish>],
    now: Timestamp,
) -> Result<HashMap<BaseName, Option<InTerms>>, PortError> {
    let mut of_terms: BTreeMap<BaseName, BTreeSet<u32>> = BTreeMap::new();
    for ((_, head), wish) in heads.iter().zip(wishes) {
        if let (Some(name), Some(wish)) = (head.base_of(head.prices_at(now)), wish) {
            of_terms.entry(name).or_default().extend(&wish.indexes);
        }
    }
    let read = of_terms.iter().map(async |(name, indexes)| {
        let Some(base) = bases.base(name).await? else { return Ok((*name, None)) };
        let numbers: BTreeSet<u32> =
            indexes.iter().filter_map(|index| base.index.part_at(*index)).collect();
        let parts = bases.parts(name, &base.index, numbers).await?;
        let parts = parts.map(|parts| InTerms { base, parts: Arc::new(parts) });
        Ok((*name, parts))
    });
    Ok(try_join_all(read).await?.into_iter().collect())
}

/// The unpacked parts of one customer's table.
#[derive(Default)]
struct InParts {
    own: ByPart<Arc<OwnRows>>,
    ladders: ByPart<LadderRows>,
}

/// Reads and unpacks parts; leaves out those that are missing or cannot be unpacked. `ladders_from` has, for
/// each table, the number of the first part with ladders.
async fn read_parts(
    sources: Sources<'_>,
    wanted: Vec<WantedParts>,
    ladders_from: Vec<u32>,
) -> Result<HashMap<UserId, InParts>, PortError> {
    let found = sources.tables.parts(&wanted).await?;
    let size = Size::of_packed(found.iter().flatten().flatten().map(Bytes::len).sum());
    let unpack = move || {
        let tables = wanted.into_iter().zip(ladders_from).zip(found);
        let tables = tables.map(|((wanted, ladders_from), parts)| {
            let mut rows = InParts::default();
            for (number, part) in wanted.numbers.iter().zip(parts) {
                let Some(part) = part else { continue };
                if *number < ladders_from {
                    let part = unpack(&wanted.user, &part, OwnRows::decode);
                    rows.own.extend(part.map(|part| (*number, Arc::new(part))));
                } else {
                    let part = unpack(&wanted.user, &part, LadderRows::decode);
                    rows.ladders.extend(part.map(|part| (*number, part)));
                }
            }
            (wanted.user, rows)
        });
        tables.collect()
    };
    Ok(sources.work.run(size, unpack).await)
}

/// Unpacks rows. Empty bytes are no rows.
fn unpack<T: Default>(
    user: &UserId,
    bytes: &[u8],
    decode: fn(&[u8]) -> Result<T, PackError>,
) -> Option<T> {
    if bytes.is_empty() {
        return Some(T::default());
    }
    let rows = decode(bytes).inspect_err(|error| {
        warn!(%user, error = %Chain(error), "the price table is calculated again");
    });
    rows.ok()
}

fn wanted_by<'a>(
    user: &UserId,
    requests: &[PriceRequest<'a>],
) -> impl Iterator<Item = &'a ProductId> + Clone {
    let of_user = requests.iter().filter(move |request| request.user == user);
    of_user.flat_map(|request| request.items.iter().map(|item| &item.product))
}
