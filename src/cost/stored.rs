//! Facts about prices and quotes from the store, which the meter does not see.

use super::StoreFacts;
use crate::model::UserId;
use crate::ports::{PortError, Ports, TableHead, discounts_now};

/// How many customers' discounts are averaged.
const LISTS: usize = 100;

/// Reads the facts from the first page of tables, discounts and quotations.
pub(super) async fn known(ports: &Ports) -> Result<StoreFacts, PortError> {
    let heads = ports.store.list_table_heads(None).await?.items;
    // All tables are of one catalogue version, or will be soon.
    let newest = heads.iter().map(|(_, head)| head).max_by_key(|head| head.catalogue_version);
    let Some(newest) = newest else { return Ok(StoreFacts { lines: 1, ..StoreFacts::default() }) };
    let base = ports.store.base(&newest.base()).await?;
    Ok(StoreFacts {
        products: newest.products,
        base_parts: base.map_or(0, |base| base.index.parts.len() as u64),
        table_parts: newest.parts() as u64,
        discounts: discounts(ports, &heads).await?,
        lines: lines(ports).await?,
    })
}

async fn discounts(ports: &Ports, heads: &[(UserId, TableHead)]) -> Result<u64, PortError> {
    let users: Vec<UserId> = heads.iter().take(LISTS).map(|(user, _)| user.clone()).collect();
    let lists = discounts_now(&*ports.store, &users).await?;
    let all = lists.iter().map(|list| list.discounts.as_slice().len()).sum();
    Ok(mean(all, users.len()))
}

async fn lines(ports: &Ports) -> Result<u32, PortError> {
    let quotations = ports.store.list_quotations(None).await?.items;
    let all = quotations.iter().map(|quotation| quotation.items.len()).sum();
    Ok(u32::try_from(mean(all, quotations.len())).unwrap_or(u32::MAX).max(1))
}

/// Returns the rounded mean.
fn mean(sum: usize, count: usize) -> u64 {
    let count = count.max(1);
    ((sum + count / 2) / count) as u64
}
