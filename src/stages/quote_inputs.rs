//! What quotations are answered from, read for a batch of them at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use futures_util::future::try_join3;
use tracing::warn;

use super::large_work::{LargeWork, Size};
use crate::model::{ProductId, QuotationRequest, Timestamp, UserId};
use crate::ports::{CatalogueStore, Chain, PortError, PriceTables, TableHead, WantedParts};
use crate::pricing::{Entry, PackError, PackedPart};

/// The tables of some users, as far as their quotes need them, and what else an answer says.
pub(super) struct QuoteInputs {
    pub(super) tables: HashMap<UserId, Table>,
    /// Of the products that there are.
    pub(super) names: HashMap<ProductId, String>,
    /// Of the catalogue; 0 before the first load.
    pub(super) catalogue_version: u64,
}

/// A user's table.
pub(super) struct Table {
    pub(super) head: TableHead,
    /// Those that were wanted, are there, and can be read.
    parts: BTreeMap<u32, PackedPart>,
}

impl QuoteInputs {
    /// Reads for these requests. Heads, names and the catalogue's head are read side by side; of the
    /// tables only the parts that the requests need.
    pub(super) async fn read(
        tables: &dyn PriceTables,
        products: &dyn CatalogueStore,
        work: &LargeWork,
        requests: &[&QuotationRequest],
        now: Timestamp,
    ) -> Result<Self, PortError> {
        let ids: BTreeSet<&ProductId> = requests.iter().flat_map(|one| product_ids(one)).collect();
        let ids: Vec<ProductId> = ids.into_iter().cloned().collect();
        let users = users(requests);
        let (heads, products, catalogue) = try_join3(
            tables.table_heads(&users),
            products.products(&ids),
            products.catalogue_head(),
        )
        .await?;
        Ok(Self {
            tables: read_parts(tables, work, heads, requests, now).await?,
            names: products.into_iter().map(|product| (product.id, product.name)).collect(),
            catalogue_version: catalogue.map_or(0, |head| head.version),
        })
    }
}

impl Table {
    /// The table of one request's user, read anew.
    pub(super) async fn reread(
        tables: &dyn PriceTables,
        work: &LargeWork,
        request: &QuotationRequest,
        now: Timestamp,
    ) -> Result<Option<Self>, PortError> {
        let heads = tables.table_heads(std::slice::from_ref(&request.user)).await?;
        Ok(read_parts(tables, work, heads, &[request], now).await?.remove(&request.user))
    }

    /// The entries of a request's products, all of one generation; `None` when a part is missing.
    pub(super) fn entries(&self, request: &QuotationRequest) -> Option<HashMap<ProductId, Entry>> {
        let mut entries = HashMap::new();
        for id in product_ids(request) {
            let Some(number) = self.head.part_of(id) else { continue };
            if let Some(entry) = self.parts.get(&number)?.find(id) {
                entries.insert(id.clone(), entry);
            }
        }
        Some(entries)
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

/// The tables of some heads, with the parts that the requests need of those that are usable.
async fn read_parts(
    tables: &dyn PriceTables,
    work: &LargeWork,
    heads: Vec<(UserId, TableHead)>,
    requests: &[&QuotationRequest],
    now: Timestamp,
) -> Result<HashMap<UserId, Table>, PortError> {
    let wanted: Vec<WantedParts> = heads
        .iter()
        .filter(|(_, head)| head.is_usable(now))
        .map(|(user, head)| {
            let of_user = requests.iter().filter(|request| request.user == *user);
            let ids = of_user.flat_map(|request| product_ids(request));
            let numbers: BTreeSet<u32> = ids.filter_map(|id| head.part_of(id)).collect();
            let (user, generation) = (user.clone(), head.generation.clone());
            WantedParts { user, generation, numbers: numbers.into_iter().collect() }
        })
        .filter(|wanted| !wanted.numbers.is_empty())
        .collect();
    let found = tables.parts_of_many(&wanted).await?;
    let size = Size::of_packed(found.iter().flatten().flatten().map(Bytes::len).sum());
    let unpacked = work.run(size, move || unpack(&found)).await;
    let table = |(user, head)| (user, Table { head, parts: BTreeMap::new() });
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
