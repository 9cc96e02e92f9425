//! Reads at the current head of the catalogue, for callers that need one consistent state, whichever it is.

use futures_util::future::BoxFuture;
use thiserror::Error;

use super::{
    AtHead, CatalogueHead, CatalogueStore, Cursor, CustomerStore, DiscountStore, Page, PortError,
    PriceListStore, Segment, UserDiscounts, read_all,
};
use crate::model::{ProductId, UserId};
use crate::pricing::{Customer, PriceList, Product};

/// How often a read starts over because a load came into force meanwhile.
const MAX_READS: u32 = 10;

/// The error of a read that loads interrupted too often.
#[derive(Debug, Error)]
#[error("loads kept changing it while it was read")]
struct Unsettled;

/// The first rows of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether these are all rows.
    pub complete: bool,
}

/// Reads at the current head. If a load comes into force meanwhile, reads again at the next head. Before the
/// first load the head is [`CatalogueHead::EMPTY`].
///
/// # Errors
/// [`PortError`] if a read fails. [`PortError::Unavailable`] if loads interrupt every attempt.
pub async fn at_head<'a, S, T>(
    store: &'a S,
    read: impl Fn(CatalogueHead) -> BoxFuture<'a, Result<AtHead<T>, PortError>>,
) -> Result<T, PortError>
where
    S: CatalogueStore + ?Sized,
{
    for _ in 0..MAX_READS {
        let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
        if let AtHead::Read(value) = read(head).await? {
            return Ok(value);
        }
    }
    Err(PortError::unavailable("the catalogue", Unsettled))
}

/// Returns all price lists at a head, without their rows.
///
/// # Errors
/// [`PortError`] if the store cannot be read.
pub async fn all_lists<S>(
    store: &S,
    head: &CatalogueHead,
) -> Result<AtHead<Vec<PriceList>>, PortError>
where
    S: PriceListStore + ?Sized,
{
    read_all(|from| store.list_price_lists(head, from)).await
}

/// Returns those of the products that exist now.
///
/// # Errors
/// The same as [`at_head`].
pub async fn products_now<S>(store: &S, products: &[ProductId]) -> Result<Vec<Product>, PortError>
where
    S: CatalogueStore + ?Sized,
{
    at_head(store, |head| Box::pin(async move { store.products(products, &head).await })).await
}

/// Returns the discounts of those of the customers who have any now.
///
/// # Errors
/// The same as [`at_head`].
pub async fn discounts_now<S>(store: &S, users: &[UserId]) -> Result<Vec<UserDiscounts>, PortError>
where
    S: CatalogueStore + DiscountStore + ?Sized,
{
    at_head(store, |head| Box::pin(async move { store.discounts(users, &head).await })).await
}

/// Returns the first products in any order: at least `most`, if there are that many.
///
/// # Errors
/// The same as [`at_head`].
pub async fn first_products<S>(store: &S, most: usize) -> Result<First<Product>, PortError>
where
    S: CatalogueStore + ?Sized,
{
    let read = |head: CatalogueHead| async move {
        first(most, |from| store.list_products(&head, Segment::ALL, from)).await
    };
    at_head(store, |head| Box::pin(read(head))).await
}

/// Returns the first customers who have discounts, in any order: at least `most`, if there are that many.
///
/// # Errors
/// The same as [`at_head`].
pub async fn first_discounted_users<S>(store: &S, most: usize) -> Result<First<UserId>, PortError>
where
    S: CatalogueStore + DiscountStore + ?Sized,
{
    let read = |head: CatalogueHead| async move {
        first(most, |from| store.list_discounted_users(&head, from)).await
    };
    at_head(store, |head| Box::pin(read(head))).await
}

/// Returns the first customers who have a record, in any order: at least `most`, if there are that many.
///
/// # Errors
/// The same as [`at_head`].
pub async fn first_customers<S>(store: &S, most: usize) -> Result<First<Customer>, PortError>
where
    S: CatalogueStore + CustomerStore + ?Sized,
{
    let read = |head: CatalogueHead| async move {
        first(most, |from| store.list_customers(&head, from)).await
    };
    at_head(store, |head| Box::pin(read(head))).await
}

/// Reads pages until there are `most` rows, or no more pages.
async fn first<'a, T>(
    most: usize,
    page: impl Fn(Option<Cursor>) -> BoxFuture<'a, Result<AtHead<Page<T>>, PortError>>,
) -> Result<AtHead<First<T>>, PortError> {
    let (mut rows, mut from) = (vec![], None);
    loop {
        let AtHead::Read(page) = page(from).await? else { return Ok(AtHead::Moved) };
        rows.extend(page.items);
        from = page.next;
        if from.is_none() || rows.len() >= most {
            return Ok(AtHead::Read(First { rows, complete: from.is_none() }));
        }
    }
}
