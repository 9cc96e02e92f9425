//! The quotes of a run, and their frames.

use std::fmt::Write as _;

use super::answers::SentQuote;
use crate::data::Draws;
use crate::model::{ProductId, Quantity, UserId};

/// Quotes that are spread over customers: each customer in turn, with random products.
pub struct QuoteMix {
    users: Vec<Rendered<UserId>>,
    products: Vec<Rendered<ProductId>>,
    lines: usize,
    quantities: u64,
}

/// An id, and its JSON.
struct Rendered<Id> {
    id: Id,
    json: String,
}

/// How quotes get their request ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestNames {
    /// The gateway chooses the id, and accepts the quote before it answers. So a socket has only one
    /// quote at a time.
    Made,
    /// The id consists of this prefix, a hyphen, and the number of the quote.
    Numbered(String),
}

/// The content of a quote: the index of its customer, and for each item the index of its product with the
/// quantity.
pub(super) struct QuoteContent {
    user: usize,
    items: Vec<(usize, u64)>,
}

impl QuoteMix {
    /// Creates quotes of these customers for these products, with `lines` lines each.
    ///
    /// # Panics
    /// Panics without a customer or a product.
    #[must_use]
    pub fn new(users: &[UserId], products: &[ProductId], lines: usize) -> Self {
        assert!(!users.is_empty() && !products.is_empty(), "a quote is for somebody, of something");
        let lines = lines.min(products.len());
        let users = users.iter().map(|id| Rendered { id: id.clone(), json: json(id.as_str()) });
        let products =
            products.iter().map(|id| Rendered { id: id.clone(), json: json(id.as_str()) });
        Self { users: users.collect(), products: products.collect(), lines, quantities: 1 }
    }

    /// Sets the largest quantity of a line. Without this, each line has quantity one.
    #[must_use]
    pub const fn of_up_to(mut self, quantities: u64) -> Self {
        self.quantities = quantities;
        self
    }

    /// Returns the frame of quote `number`, without a request id.
    #[must_use]
    pub fn frame_of(&self, number: u64) -> String {
        self.frame(&self.choice(number), None)
    }

    /// Returns the content of quote `number`. The same number always has the same content.
    pub(super) fn choice(&self, number: u64) -> QuoteContent {
        let mut draws = Draws::new(0, 0, number);
        let chosen = draws.distinct(self.lines as u64, self.products.len() as u64);
        let mut item = |place| (place as usize, 1 + draws.below(self.quantities));
        let items = chosen.into_iter().map(&mut item).collect();
        QuoteContent { user: (number % self.users.len() as u64) as usize, items }
    }

    /// Returns the frame of a quote.
    pub(super) fn frame(&self, choice: &QuoteContent, request_id: Option<&str>) -> String {
        let mut text = String::with_capacity(128 + 48 * choice.items.len());
        text.push_str(r#"{"action":"quote","client":"#);
        text.push_str(&self.users[choice.user].json);
        text.push_str(r#","items":["#);
        for (place, (product, quantity)) in choice.items.iter().enumerate() {
            text.push_str(if place == 0 { r#"{"product":"# } else { r#",{"product":"# });
            text.push_str(&self.products[*product].json);
            // Writing to a string does not fail.
            let _ = write!(text, r#","quantity":{quantity}}}"#);
        }
        text.push(']');
        if let Some(id) = request_id {
            text.push_str(r#","request_id":"#);
            text.push_str(&json(id));
        }
        text.push('}');
        text
    }

    pub(super) fn user(&self, choice: &QuoteContent) -> &UserId {
        &self.users[choice.user].id
    }

    /// Returns what a quote asks for, so that its answer can be checked.
    pub(super) fn asked(&self, choice: &QuoteContent) -> SentQuote<'_> {
        let item = |(product, quantity): &(usize, u64)| {
            let quantity = quantity.to_string().parse().unwrap_or(Quantity::ONE);
            (&self.products[*product].id, quantity)
        };
        SentQuote { user: self.user(choice), items: choice.items.iter().map(item).collect() }
    }
}

impl RequestNames {
    /// Returns the request id of quote `number`, if the gateway does not choose it.
    #[must_use]
    pub fn name(&self, number: u64) -> Option<String> {
        match self {
            Self::Made => None,
            Self::Numbered(prefix) => Some(format!("{prefix}-{number}")),
        }
    }

    pub(super) const fn is_made(&self) -> bool {
        matches!(self, Self::Made)
    }

    /// Returns the number of the quote with this request id.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self {
            Self::Made => None,
            Self::Numbered(prefix) => name.strip_prefix(prefix)?.strip_prefix('-')?.parse().ok(),
        }
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Request, parse};

    fn mix(users: &[&str]) -> QuoteMix {
        let users: Vec<UserId> = users.iter().map(|id| UserId::new(*id).unwrap()).collect();
        let products: Vec<ProductId> = (0..9).map(|n| format!("P\"{n}").parse().unwrap()).collect();
        QuoteMix::new(&users, &products, 3).of_up_to(4)
    }

    #[test]
    fn a_frame_says_what_was_asked() {
        let mix = mix(&["A", "B\\"]);
        let names = RequestNames::Numbered("warm".to_owned());
        for number in 0..50 {
            let choice = mix.choice(number);
            let name = names.name(number);
            assert_eq!(names.number(name.as_deref().unwrap()), Some(number));
            let frame = mix.frame(&choice, name.as_deref());
            let Ok(Request::Quote { user, items, request_id, .. }) = parse(&frame) else {
                panic!("{frame}")
            };
            let asked = mix.asked(&choice);
            assert_eq!(&user, asked.user);
            assert_eq!(request_id.map(|id| id.to_string()), name);
            let items = items.iter().map(|item| (&item.product, item.quantity));
            assert_eq!(items.collect::<Vec<_>>(), asked.items);
            assert_eq!(asked.items.len(), 3);
        }
    }

    #[test]
    fn quotes_are_spread_over_customers_and_products() {
        let mix = mix(&["A", "B", "C"]);
        let choices: Vec<QuoteContent> = (0..90).map(|number| mix.choice(number)).collect();
        for user in 0..3 {
            assert_eq!(choices.iter().filter(|choice| choice.user == user).count(), 30);
        }
        for product in 0..9 {
            let has =
                |choice: &&QuoteContent| choice.items.iter().any(|(place, _)| *place == product);
            assert!((10..50).contains(&choices.iter().filter(has).count()), "product {product}");
        }
    }
}
