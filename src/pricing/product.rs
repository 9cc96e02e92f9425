//! Products as they are loaded and stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Category, Currency, Money, QuantityRules};
use crate::model::ProductId;

/// A product as it is loaded and stored. Amounts are in the units of unit prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The name of the product.
    pub name: String,
    /// The list price in the catalogue's currency, if there is one.
    pub price: Option<Money>,
    /// Data that few products have; `None` if it is all default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<ProductDetail>>,
}

/// The data that a product may have besides its name and price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductDetail {
    /// The list prices in other currencies than the catalogue's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<Currency, Money>,
    /// The lowest calculated price, by currency.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub floors: BTreeMap<Currency, Money>,
    /// The category that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The quantities in which it is sold.
    #[serde(skip_serializing_if = "QuantityRules::is_any")]
    pub quantities: QuantityRules,
}

impl Product {
    /// The most bytes of a name. A much longer one would make a part of a base that cannot be unpacked. Then
    /// no product of that part would have a price.
    pub const MAX_NAME_BYTES: usize = 64 * 1024;

    /// Creates a product that has only a price.
    #[must_use]
    pub const fn new(id: ProductId, name: String, price: Money) -> Self {
        Self { id, name, price: Some(price), detail: None }
    }

    /// Sets the further data of the product.
    #[must_use]
    pub fn with_detail(self, detail: ProductDetail) -> Self {
        let detail = (detail != ProductDetail::default()).then(|| Box::new(detail));
        Self { detail, ..self }
    }

    /// Returns the list price in a currency. `catalogue` is the catalogue's currency.
    #[must_use]
    pub fn price_in(&self, currency: Currency, catalogue: Currency) -> Option<Money> {
        match currency == catalogue {
            true => self.price,
            false => self.detail.as_ref()?.prices.get(&currency).copied(),
        }
    }

    /// Returns the lowest calculated price in a currency.
    #[must_use]
    pub fn floor_in(&self, currency: Currency) -> Option<Money> {
        self.detail.as_ref()?.floors.get(&currency).copied()
    }

    /// The category that it is in.
    #[must_use]
    pub fn category(&self) -> Option<&Category> {
        self.detail.as_ref()?.category.as_ref()
    }

    /// Returns the quantities in which it is sold.
    #[must_use]
    pub fn quantities(&self) -> QuantityRules {
        self.detail.as_ref().map_or(QuantityRules::ANY, |detail| detail.quantities)
    }
}
