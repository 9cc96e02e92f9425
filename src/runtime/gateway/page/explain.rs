//! Explains a client's prices: every row that a price may come from, and why it counts or not.

use std::sync::Arc;

use hyper::Uri;
use serde_json::Value;

use super::query::{value, values};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Item, ProductId, Quantity, UserId};
use crate::ports::{Clock, PortError, Store};
use crate::verify::{VerifyError, reasons, reasons_json};

/// The most products that are explained at once.
const MAX_PRODUCTS: usize = 20;

/// A request for an explanation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ExplainRequest {
    user: UserId,
    items: Vec<Item>,
}

impl ExplainRequest {
    /// Reads `client`, `quantity` and one or more `product` from the query.
    pub(super) fn of(uri: &Uri) -> Result<Self, String> {
        let client = value(uri, "client").ok_or("whose prices are they? Name the `client`")?;
        let user = UserId::new(client).map_err(|error| error.to_string())?;
        let quantity = match value(uri, "quantity") {
            None => Quantity::ONE,
            Some(text) => text.parse().map_err(|why| format!("`quantity` {text}: {why}"))?,
        };
        let item = |product: String| Ok(Item { product: ProductId::new(product)?, quantity });
        let items: Vec<Item> = values(uri, "product")
            .map(item)
            .collect::<Result<_, crate::model::IdError>>()
            .map_err(|error| error.to_string())?;
        match items.len() {
            0 => Err("which price? Name a `product`".to_owned()),
            1..=MAX_PRODUCTS => Ok(Self { user, items }),
            _ => Err(format!("at most {MAX_PRODUCTS} products are explained at once")),
        }
    }
}

/// Explains prices.
pub(super) struct Explainer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Explainer {
    pub(super) const fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Returns the explanation in the form of `ocache prices --explain`. Products that do not exist are
    /// left out.
    pub(super) async fn explain(&self, asked: &ExplainRequest) -> Result<Value, PortError> {
        let ExplainRequest { user, items } = asked;
        let looking = reasons(&*self.store, user, items, self.clock.now());
        let found = Scope::new(Stage::Command, Reason::Command).of(looking).await;
        let found = found.map_err(|error| match error {
            VerifyError::Port(error) => error,
            VerifyError::Loading => PortError::unavailable("the price rows", error),
        })?;
        Ok(reasons_json(user, &found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_a_client_and_products() {
        let of = |query: &str| ExplainRequest::of(&format!("/explain?{query}").parse().unwrap());
        let asked = of("client=Jos%C3%A9&product=P1&product=P2&quantity=2.5").unwrap();
        assert_eq!((asked.user.as_str(), asked.items.len()), ("José", 2));
        assert_eq!(asked.items[1].quantity.to_string(), "2.5");
        let many = "&product=P".repeat(MAX_PRODUCTS + 1);
        for (bad, named) in [
            ("product=P1", "client"),
            ("client=A", "product"),
            ("client=A&product=", "id"),
            ("client=A&product=P&quantity=0", "quantity"),
            (&format!("client=A{many}"), "at most"),
        ] {
            assert!(of(bad).unwrap_err().contains(named), "{bad}: {:?}", of(bad));
        }
    }
}
