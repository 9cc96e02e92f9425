//! What quotations are answered from, read for a batch of them at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use tracing::warn;

use super::large_work::{LargeWork, Size};
use super::names::{Names, NamesOf};
use crate::model::{ProductId, QuotationRequest, Timestamp, UserId};
use crate::ports::{CatalogueStore, Chain, PortError, PriceTables, TableHead, WantedParts};
use crate::pricing::{Entry, PackError, PackedPart};

/// Where tables and what goes with them are read.
#[derive(Clone, Copy)]
pub(super) struct Shelf<'a> {
    pub(super) tables: &'a dyn PriceTables,
    pub(super) names: &'a Names,
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
    /// Those that were wanted, are there, and can be read.
    parts: BTreeMap<u32, PackedPart>,
    /// Of the products that were wanted; `None` when the table's base is not there.
    names: Option<NamesOf>,
}

impl QuoteInputs {
    /// Reads for these requests. Heads and the catalogue's head are read side by side; of tables
    /// and names only the parts that the requests need.
    pub(super) async fn read(
        shelf: Shelf<'_>,
        catalogue: &dyn CatalogueStore,
        requests: &[&QuotationRequest],
        now: Timestamp,
    ) -> Result<Self, PortError> {
        let users = users(requests);
        let (heads, at) =
            try_join(shelf.tables.table_heads(&users), catalogue.catalogue_head()).await?;
        Ok(Self {
            tables: read_tables(shelf, heads, requests, now).await?,
            base_version: at.map_or(0, |head| head.base_version),
        })
    }
}

impl Table {
    /// The table of one request's user, read anew.
    pub(super) async fn reread(
        shelf: Shelf<'_>,
        request: &QuotationRequest,
        now: Timestamp,
    ) -> Result<Option<Self>, PortError> {
        let heads = shelf.tables.table_heads(std::slice::from_ref(&request.user)).await?;
        Ok(read_tables(shelf, heads, &[request], now).await?.remove(&request.user))
    }

    /// The entries and names of a request's products, all of one generation; `None` when a part of
    /// the table or its base is missing.
    pub(super) fn entries(
        &self,
        request: &QuotationRequest,
    ) -> Option<(HashMap<ProductId, Entry>, &NamesOf)> {
        let mut entries = HashMap::new();
        for id in product_ids(request) {
            let Some(number) = self.head.part_of(id) else { continue };
            if let Some(entry) = self.parts.get(&number)?.find(id) {
                entries.insert(id.clone(), entry);
            }
        }
        Some((entries, self.names.as_ref()?))
    }
}

fn product_ids(request: &QuotationRequest) -> impl Iterator<Item = &ProductId> {
    request.items.iter().map(|item| &item.product)
}

/// Each of them once.
fn users(requests: &[&QuotationRequest]) -> Vec<UserId> {
    let users: BTreeSet<&UserId> = requests.iter().map(|request| &request.user).collect();
    users.into_iter().cloned().collect()
}

/// The tables of some heads, with what the requests need of those that are usable.
async fn read_tables(
    shelf: Shelf<'_>,
    heads: Vec<(UserId, TableHead)>,
    requests: &[&QuotationRequest],
    now: Timestamp,
) -> Result<HashMap<UserId, Table>, PortError> {
    let usable = heads.iter().filter(|(_, head)| head.is_usable(now));
    let wanted: Vec<WantedParts> = usable
        .clone()
        .map(|(user, head)| {
            let ids = wanted_by(user, requests);
            let numbers: BTreeSet<u32> = ids.filter_map(|id| head.part_of(id)).collect();
            let (user, generation) = (user.clone(), head.generation.clone());
            WantedParts { user, generation, numbers: numbers.into_iter().collect() }
        })
        .filter(|wanted| !wanted.numbers.is_empty())
        .collect();
    let mut of_version: BTreeMap<u64, BTreeSet<&ProductId>> = BTreeMap::new();
    for (user, head) in usable {
        of_version.entry(head.base_version).or_default().extend(wanted_by(user, requests));
    }
    let names = of_version
        .iter()
        .map(async |(version, products)| Ok((*version, shelf.names.of(*version, products).await?)));
    let (found, names) = try_join(shelf.tables.parts(&wanted), try_join_all(names)).await?;
    let size = Size::of_packed(found.iter().flatten().flatten().map(Bytes::len).sum());
    let unpacked = shelf.work.run(size, move || unpack(&found)).await;
    let names: HashMap<u64, Option<NamesOf>> = names.into_iter().collect();
    let table = |(user, head): (UserId, TableHead)| {
        let names = names.get(&head.base_version).cloned().flatten();
        (user, Table { head, parts: BTreeMap::new(), names })
    };
    let mut read: HashMap<UserId, Table> = heads.into_iter().map(table).collect();
    for (WantedParts { user, numbers, .. }, parts) in wanted.into_iter().zip(unpacked) {
        let Some(table) = read.get_mut(&user) else { continue };
        for (number, part) in numbers.into_iter().zip(parts) {
            match part {
                Some(Ok(part)) => drop(table.parts.insert(number, part)),
                Some(Err(error)) => {
                    warn!(%user, error = %Chain(&error), "the price table is calculated anew");
                }
                None => {}
            }
        }
    }
    Ok(read)
}

/// The parts of each table, as far as they are there.
fn unpack(found: &[Vec<Option<Bytes>>]) -> Vec<Vec<Option<Result<PackedPart, PackError>>>> {
    let part = |part: &Option<Bytes>| part.as_deref().map(PackedPart::decode);
    found.iter().map(|parts| parts.iter().map(part).collect()).collect()
}

fn wanted_by<'a>(
    user: &UserId,
    requests: &[&'a QuotationRequest],
) -> impl Iterator<Item = &'a ProductId> {
    let of_user = requests.iter().filter(move |request| request.user == *user);
    of_user.flat_map(|request| product_ids(request))
}
