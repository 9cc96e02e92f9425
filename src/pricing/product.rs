//! Products as they are loaded and stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Category, Currency, Money, QuantityRules};
use crate::model::ProductId;

/// A product as it is loaded and stored. Amounts are in units of unit prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// What people call it.
    pub name: String,
    /// Its list price in the currency of the catalogue, if it has one in that.
    pub price: Option<Money>,
    /// What few products have; nothing is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<ProductDetail>>,
}

/// What a product may have beside its name and its price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductDetail {
    /// List prices in other currencies than that of the catalogue.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<Currency, Money>,
    /// What calculated prices are not to be below, by currency.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub floors: BTreeMap<Currency, Money>,
    /// The category that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Which quantities it is sold in.
    #[serde(skip_serializing_if = "QuantityRules::is_any")]
    pub quantities: QuantityRules,
}

impl Product {
    /// A product that has a price and nothing more.
    #[must_use]
    pub const fn new(id: ProductId, name: String, price: Money) -> Self {
        Self { id, name, price: Some(price), detail: None }
    }

    /// The same product with more to it.
    #[must_use]
    pub fn with_detail(self, detail: ProductDetail) -> Self {
        let detail = (detail != ProductDetail::default()).then(|| Box::new(detail));
        Self { detail, ..self }
    }

    /// Its list price in a currency, where `catalogue` is that of the catalogue.
    #[must_use]
    pub fn price_in(&self, currency: Currency, catalogue: Currency) -> Option<Money> {
        match currency == catalogue {
            true => self.price,
            false => self.detail.as_ref()?.prices.get(&currency).copied(),
        }
    }

    /// What calculated prices in a currency are not to be below.
    #[must_use]
    pub fn floor_in(&self, currency: Currency) -> Option<Money> {
        self.detail.as_ref()?.floors.get(&currency).copied()
    }

    /// The category that it is in.
    #[must_use]
    pub fn category(&self) -> Option<&Category> {
        self.detail.as_ref()?.category.as_ref()
    }

    /// Which quantities it is sold in.
    #[must_use]
    pub fn quantities(&self) -> QuantityRules {
        self.detail.as_ref().map_or(QuantityRules::ANY, |detail| detail.quantities)
    }
}
