//! The errors of rows that are given twice.

use thiserror::Error;

use crate::model::{PriceListId, ProductId, UserId};
use crate::pricing::{MinQuantity, Scope};

/// What is given twice, and the place of the first one.
#[derive(Debug, Error)]
pub enum Duplicate {
    /// A product that an earlier row already has.
    #[error("product `{id}` is already given at {first}")]
    Product {
        /// The product.
        id: ProductId,
        /// The place of the first row: `file:line`.
        first: String,
    },
    /// A user's list of discounts, although there are already discounts of that user.
    #[error("discounts of customer `{user}` are already given at {first}")]
    User {
        /// The user.
        user: UserId,
        /// The place of the first ones: `file:line`.
        first: String,
    },
    /// A second discount of one user for one product.
    #[error("customer `{user}` already has a discount for product `{product}` at {first}")]
    Discount {
        /// The user.
        user: UserId,
        /// The product.
        product: ProductId,
        /// The place of the first one: `file:line`.
        first: String,
    },
    /// A second row of one user with the same product and minimum quantity.
    #[error(
        "customer `{user}` already has a row for product `{product}` with min_quantity {min_quantity} at {first}"
    )]
    OwnRow {
        /// The user.
        user: UserId,
        /// The product.
        product: ProductId,
        /// The minimum quantity.
        min_quantity: MinQuantity,
        /// The place of the first one: `file:line`.
        first: String,
    },
    /// A customer whom an earlier row already has.
    #[error("customer `{user}` is already given at {first}")]
    Customer {
        /// The customer.
        user: UserId,
        /// The place of the first row: `file:line`.
        first: String,
    },
    /// A price list that an earlier row already has.
    #[error("price list `{list}` is already given at {first}")]
    PriceList {
        /// The list.
        list: PriceListId,
        /// The place of the first row: `file:line`.
        first: String,
    },
    /// A second row of one list with the same scope and minimum quantity.
    #[error(
        "price list `{list}` already has a row for {scope} with min_quantity {min_quantity} at {first}"
    )]
    Price {
        /// The list.
        list: PriceListId,
        /// The scope.
        scope: Scope,
        /// The minimum quantity.
        min_quantity: MinQuantity,
        /// The place of the first one: `file:line`.
        first: String,
    },
}

impl Duplicate {
    /// Returns a stable code for what is given twice.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Product { .. } => "duplicate_product",
            Self::User { .. } => "duplicate_user",
            Self::Discount { .. } | Self::OwnRow { .. } => "duplicate_discount",
            Self::Customer { .. } => "duplicate_customer",
            Self::PriceList { .. } => "duplicate_price_list",
            Self::Price { .. } => "duplicate_price",
        }
    }
}
