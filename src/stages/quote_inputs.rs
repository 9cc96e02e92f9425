//! What quotations are answered from, read for a batch of them at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use tracing::warn;

use super::base_in_force::BaseInForce;
use super::base_shelf::{BaseShelf, Parts};
use super::large_work::{LargeWork, Size};
use crate::model::{Item, ProductId, QuotationRequest, Timestamp, UserId};
use crate::ports::{Chain, Own, PortError, PriceTables, StoredBase, TableHead, WantedParts};
use crate::pricing::{BaseEntry, Entry, OwnRows};

/// Where tables and what they are priced against are read.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) tables: &'a dyn PriceTables,
    pub(super) bases: &'a BaseShelf,
    /// For what is unpacked of large tables.
    pub(super) work: &'a LargeWork,
}

/// The tables of some users, as far as their quotes need them.
pub(super) struct QuoteInputs {
    pub(super) tables: HashMap<UserId, Table>,
    /// The version of the products that are in force; 0 before the first load.
    pub(super) base_version: u64,
}

/// A user's table.
pub(super) struct Table {
    pub(super) head: TableHead,
    /// What was wanted of it; `None` when something of that is not there, or cannot be read.
    wanted: Option<Wanted>,
}

/// What requests need of a table.
struct Wanted {
    base: InBase,
    /// By the number of the part; those that stand in the head are number 0.
    own: BTreeMap<u32, OwnRows>,
}

impl QuoteInputs {
    /// Reads for these requests. Heads and the catalogue's head are read side by side; of tables
    /// and bases only the parts that the requests need.
    pub(super) async fn read(
        sources: Sources<'_>,
        in_force: &BaseInForce,
        requests: &[&QuotationRequest],
        now: Timestamp,
    ) -> Result<Self, PortError> {
        let users = users(requests);
        let (heads, base_version) =
            try_join(sources.tables.table_heads(&users), in_force.version()).await?;
        Ok(Self { tables: read_tables(sources, heads, requests, now).await?, base_version })
    }
}

impl Table {
    /// The table of one request's user, read anew.
    pub(super) async fn reread(
        sources: Sources<'_>,
        request: &QuotationRequest,
        now: Timestamp,
    ) -> Result<Option<Self>, PortError> {
        let heads = sources.tables.table_heads(std::slice::from_ref(&request.user)).await?;
        Ok(read_tables(sources, heads, &[request], now).await?.remove(&request.user))
    }

    /// What each item costs, and what its product is called, all of one generation; `None` for an item
    /// whose product does not exist. `None` of all when something of the table or its base is missing.
    pub(super) fn prices(&self, items: &[Item]) -> Option<Vec<Option<(Entry, &str)>>> {
        let wanted = self.wanted.as_ref()?;
        items.iter().map(|item| wanted.price(&self.head, &item.product)).collect()
    }
}

impl Wanted {
    /// `None` when something is missing; `Some(None)` when there is no such product.
    fn price(&self, head: &TableHead, product: &ProductId) -> Option<Option<(Entry, &str)>> {
        let Some((index, found)) = self.base.find(product) else { return Some(None) };
        let list_price = found.list_price;
        let entry = match own_part(head, index) {
            Some(number) => self.own.get(&number)?.entry(index, list_price)?,
            None => OwnRows::default().entry(index, list_price)?,
        };
        Some(Some((entry, found.name)))
    }
}

/// The part that has the own row of the product at an index, if one has it.
fn own_part(head: &TableHead, index: u32) -> Option<u32> {
    match &head.own {
        Own::Inline(_) => Some(0),
        Own::Parts(_) => head.part_of(index),
    }
}

/// Each of them once.
fn users(requests: &[&QuotationRequest]) -> Vec<UserId> {
    let users: BTreeSet<&UserId> = requests.iter().map(|request| &request.user).collect();
    users.into_iter().cloned().collect()
}

/// The tables of some heads, with what the requests need of those that are usable.
async fn read_tables(
    sources: Sources<'_>,
    heads: Vec<(UserId, TableHead)>,
    requests: &[&QuotationRequest],
    now: Timestamp,
) -> Result<HashMap<UserId, Table>, PortError> {
    let usable = || heads.iter().filter(|(_, head)| head.is_usable(now));
    let mut of_version: BTreeMap<u64, BTreeSet<&ProductId>> = BTreeMap::new();
    for (user, head) in usable() {
        of_version.entry(head.base_version).or_default().extend(wanted_by(user, requests));
    }
    // What many tables of a batch were priced against is read once.
    let bases = of_version
        .iter()
        .map(async |(version, of)| Ok((*version, in_base(sources.bases, *version, of).await?)));
    let bases: HashMap<u64, Option<InBase>> = try_join_all(bases).await?.into_iter().collect();
    let found = heads.iter().map(|(user, head)| {
        let base = bases.get(&head.base_version)?.clone()?;
        let indexes = match head.own {
            Own::Inline(_) => vec![],
            Own::Parts(_) => {
                wanted_by(user, requests).filter_map(|id| Some(base.find(id)?.0)).collect()
            }
        };
        head.is_usable(now).then_some(Found { base, indexes })
    });
    let found: Vec<Option<Found>> = found.collect();
    let in_parts = heads.iter().zip(&found).filter_map(|((user, head), found)| {
        let numbers: BTreeSet<u32> =
            found.as_ref()?.indexes.iter().filter_map(|index| head.part_of(*index)).collect();
        let (user, generation) = (user.clone(), head.generation.clone());
        let wanted = WantedParts { user, generation, numbers: numbers.into_iter().collect() };
        (!wanted.numbers.is_empty()).then_some(wanted)
    });
    let in_parts: Vec<WantedParts> = in_parts.collect();
    let mut own = read_parts(sources, in_parts).await?;
    let tables = heads.into_iter().zip(found).map(|((user, head), found)| {
        let wanted = found.and_then(|found| {
            let own = match &head.own {
                Own::Inline(rows) => BTreeMap::from([(0, decode(&user, rows)?)]),
                Own::Parts(_) => own.remove(&user).unwrap_or_default(),
            };
            Some(Wanted { base: found.base, own })
        });
        (user, Table { head, wanted })
    });
    Ok(tables.collect())
}

/// A table's base, and where in it the products of its own rows are that are wanted.
struct Found {
    base: InBase,
    indexes: Vec<u32>,
}

/// What is wanted of a base.
#[derive(Clone)]
struct InBase {
    base: Arc<StoredBase>,
    parts: Arc<Parts>,
}

impl InBase {
    /// A product and its index; `None` when there is no such product.
    fn find(&self, product: &ProductId) -> Option<(u32, BaseEntry<'_>)> {
        let number = self.base.index.part_of(product)?;
        let part = self.parts.get(&number)?;
        let place = part.find(product)?;
        Some((self.base.index.first_of(number)? + place as u32, part.entry(place)))
    }
}

/// Reads what some products need of a base; `None` when something of that is not there.
async fn in_base(
    bases: &BaseShelf,
    version: u64,
    products: &BTreeSet<&ProductId>,
) -> Result<Option<InBase>, PortError> {
    let Some(base) = bases.base(version).await? else { return Ok(None) };
    let numbers: BTreeSet<u32> =
        products.iter().filter_map(|product| base.index.part_of(product)).collect();
    let parts = bases.parts(version, &base.index, numbers).await?;
    Ok(parts.map(|parts| InBase { base, parts: Arc::new(parts) }))
}

/// The own rows of some parts, those left out that are missing or cannot be read.
async fn read_parts(
    sources: Sources<'_>,
    wanted: Vec<WantedParts>,
) -> Result<HashMap<UserId, BTreeMap<u32, OwnRows>>, PortError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let found = sources.tables.parts(&wanted).await?;
    let size = Size::of_packed(found.iter().flatten().flatten().map(Bytes::len).sum());
    let unpack = move || {
        let tables = wanted.into_iter().zip(found).map(|(wanted, parts)| {
            let parts = wanted.numbers.iter().zip(parts);
            let rows =
                parts.filter_map(|(number, part)| Some((*number, decode(&wanted.user, &part?)?)));
            let rows = rows.collect();
            (wanted.user, rows)
        });
        tables.collect()
    };
    Ok(sources.work.run(size, unpack).await)
}

fn decode(user: &UserId, bytes: &[u8]) -> Option<OwnRows> {
    if bytes.is_empty() {
        return Some(OwnRows::default());
    }
    let rows = OwnRows::decode(bytes).inspect_err(|error| {
        warn!(%user, error = %Chain(error), "the price table is calculated anew");
    });
    rows.ok()
}

fn wanted_by<'a>(
    user: &UserId,
    requests: &[&'a QuotationRequest],
) -> impl Iterator<Item = &'a ProductId> + Clone {
    let of_user = requests.iter().filter(move |request| request.user == *user);
    of_user.flat_map(|request| request.items.iter().map(|item| &item.product))
}
