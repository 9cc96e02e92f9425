//! Finds the known id that is most similar to an unknown one.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use super::mention::NAMED;
use super::stored::{Halt, still};
use crate::model::{ProductId, UserId, nearest};
use crate::ports::{Segment, pages};

/// At most this many ids of the data and of the store are examined, because AWS bills each page.
const LOOKED_AT: usize = 20_000;

/// Finds the nearest product in the data or the store, for the first few unknown ones.
pub(super) async fn nearest_products(
    unknown: &[ProductId],
    comparison: &Comparison<'_>,
) -> Result<BTreeMap<ProductId, ProductId>, Halt> {
    if unknown.is_empty() {
        return Ok(BTreeMap::new());
    }
    let Comparison { data, at, .. } = comparison;
    let given = data.products.iter().take(LOOKED_AT).map(|product| product.id.clone());
    let mut known: Vec<ProductId> = given.collect();
    let most = known.len() + LOOKED_AT;
    let mut pages = pages(|from| at.store.list_products(at.head, Segment::ALL, from));
    while known.len() < most
        && let Some(page) = pages.next().await?
    {
        known.extend(still(page)?.into_iter().map(|product| product.id));
    }
    Ok(pairs(unknown, &known, ProductId::as_str))
}

/// Finds the nearest customer in the data or the store, for the first few unknown ones.
pub(super) async fn nearest_customers(
    unknown: &[UserId],
    comparison: &Comparison<'_>,
) -> Result<BTreeMap<UserId, UserId>, Halt> {
    if unknown.is_empty() {
        return Ok(BTreeMap::new());
    }
    let Comparison { data, at, .. } = comparison;
    let given = data.customers.iter().take(LOOKED_AT).map(|customer| customer.user.clone());
    let mut known: Vec<UserId> = given.collect();
    let most = known.len() + LOOKED_AT;
    let mut pages = pages(|from| at.store.list_customers(at.head, from));
    while known.len() < most
        && let Some(page) = pages.next().await?
    {
        known.extend(still(page)?.into_iter().map(|customer| customer.user));
    }
    Ok(pairs(unknown, &known, UserId::as_str))
}

fn pairs<I: Clone + Ord>(unknown: &[I], known: &[I], text: fn(&I) -> &str) -> BTreeMap<I, I> {
    let near = unknown.iter().take(NAMED).filter_map(|id| {
        let near = nearest(text(id), known.iter().map(text))?;
        let near = known.iter().find(|known| text(known) == near)?;
        Some((id.clone(), near.clone()))
    });
    near.collect()
}
