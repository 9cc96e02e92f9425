//! The items of a quote. They are checked the same way whatever their source is.

use hashbrown::HashSet;
use thiserror::Error;

use crate::model::{IdError, Item, ProductId, Quantity, QuantityError};

/// The most lines of a quote.
pub const MAX_ITEMS: usize = 400;

/// Up to this number of items, comparing all pairs is faster than hashing.
const FEW: usize = 12;

/// Why items are not valid.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ItemsError {
    /// There are no items.
    #[error("the request names no product")]
    None,
    /// There are too many items.
    #[error("the request names {count} products, {MAX_ITEMS} are allowed")]
    TooMany {
        /// The number of items.
        count: usize,
    },
    /// A product is named twice.
    #[error("product `{product}` is named twice")]
    Duplicate {
        /// The product.
        product: ProductId,
    },
    /// A product id is not valid.
    #[error(transparent)]
    Product(#[from] IdError),
    /// The quantity that applies to all products is not valid.
    #[error("the quantity: {0}")]
    EveryQuantity(QuantityError),
    /// The quantity of a product is not valid.
    #[error("product `{product}`: {why}")]
    Quantity {
        /// The product.
        product: ProductId,
        /// What is wrong with it.
        why: QuantityError,
    },
}

/// Checks that there are items, that they are not too many, and that each has a different product.
///
/// # Errors
/// [`ItemsError`] for the first item that is not valid.
pub fn check_items(items: Vec<Item>) -> Result<Vec<Item>, ItemsError> {
    if items.is_empty() {
        return Err(ItemsError::None);
    }
    if items.len() > MAX_ITEMS {
        return Err(ItemsError::TooMany { count: items.len() });
    }
    match named_twice(&items) {
        Some(product) => Err(ItemsError::Duplicate { product: product.clone() }),
        None => Ok(items),
    }
}

/// Returns the first product that is named a second time.
fn named_twice(items: &[Item]) -> Option<&ProductId> {
    let mut products = items.iter().map(|item| &item.product);
    if items.len() <= FEW {
        let before = |at: usize| items.iter().take(at).map(|item| &item.product);
        let mut numbered = products.enumerate();
        return numbered
            .find(|(at, product)| before(*at).any(|one| one == *product))
            .map(|it| it.1);
    }
    let mut seen = HashSet::with_capacity(items.len());
    products.find(|product| !seen.insert(*product))
}

/// Parses `P1:2`: a product, and after the last colon its quantity. Without a colon the quantity is one. So a
/// product whose id has a colon needs a quantity.
///
/// # Errors
/// [`ItemsError`] if the product or the quantity is not valid.
pub fn parse_item(text: &str) -> Result<Item, ItemsError> {
    let Some((product, quantity)) = text.rsplit_once(':') else {
        return Ok(Item { product: ProductId::new(text)?, quantity: Quantity::ONE });
    };
    let product = ProductId::new(product)?;
    match quantity.parse() {
        Ok(quantity) => Ok(Item { product, quantity }),
        Err(why) => Err(ItemsError::Quantity { product, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_products_and_quantities() {
        let item = parse_item("urn:sku:7:2.5").unwrap();
        assert_eq!((item.product.as_str(), item.quantity.to_string()), ("urn:sku:7", "2.5".into()));
        assert_eq!(parse_item("P1").unwrap().quantity, Quantity::ONE);
        for bad in ["P1:0", "P1:-1", "P1:NaN", "P1:1e308", "P1:1.0001", "P1:", ":2", ""] {
            assert!(parse_item(bad).is_err(), "{bad}");
        }
        assert!(parse_item(&format!("{}:1", "p".repeat(65))).is_err());
    }

    #[test]
    fn counts_and_repetitions() {
        let items = |count: usize| (0..count).map(|i| parse_item(&format!("P{i}")).unwrap());
        assert!(check_items(items(400).collect()).is_ok());
        assert_eq!(check_items(items(401).collect()), Err(ItemsError::TooMany { count: 401 }));
        assert_eq!(check_items(vec![]), Err(ItemsError::None));
        for count in [2, FEW, FEW + 1, 399] {
            let twice = check_items(items(count).chain(items(count).skip(1).take(1)).collect());
            let product = "P1".parse().unwrap();
            assert_eq!(twice, Err(ItemsError::Duplicate { product }), "{count}");
            assert!(check_items(items(count).collect()).is_ok());
        }
    }
}
