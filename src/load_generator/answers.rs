//! Whether an answer is right.

use crate::model::{ProductId, Quantity, UserId};
use crate::pricing::{Currency, Money};
use crate::protocol::{LineFrame, QuotationFrame};

/// The price that an answer has to state for one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedPrice {
    /// Before the discount.
    pub list_price: Money,
    /// After it.
    pub unit_price: Money,
}

/// Prices that are known in another way than by asking.
pub trait ExpectedPrices: Send + Sync {
    /// A customer's price of a product. `None` when there is none.
    fn price(&self, user: &UserId, product: &ProductId) -> Option<ExpectedPrice>;
}

/// A quote, as it was sent.
pub(super) struct Asked<'a> {
    pub(super) user: &'a UserId,
    pub(super) items: Vec<(&'a ProductId, Quantity)>,
}

impl Asked<'_> {
    /// Checks that an answer is about what was asked, that its sums are right, and its prices those
    /// expected, if any are.
    pub(super) fn check(
        &self,
        answer: &QuotationFrame,
        expected: Option<&dyn ExpectedPrices>,
    ) -> Result<(), String> {
        if answer.client != self.user.as_str() {
            return Err(format!("it is for `{}` and not for `{}`", answer.client, self.user));
        }
        let currency = answer.currency.as_deref().and_then(|code| code.parse().ok());
        let currency: Currency = currency.ok_or("it has no currency")?;
        let mut sum = Money::ZERO;
        for (product, quantity) in &self.items {
            let known = expected.map(|prices| prices.price(self.user, product));
            let line = answer.lines.iter().find(|line| line.product == product.as_str());
            let unavailable = answer.unavailable.iter().any(|other| other == product.as_str());
            match (line, known) {
                (None, Some(None)) | (None, None) if unavailable => {}
                (None, _) => return Err(format!("product `{product}` has no price")),
                (Some(_), Some(None)) => return Err(format!("product `{product}` has a price")),
                (Some(line), known) => {
                    let total = check_line(line, *quantity, known.flatten(), currency)?;
                    sum = sum.checked_add(total).ok_or("its total is too large")?;
                }
            }
        }
        if answer.lines.len() + answer.unavailable.len() != self.items.len() {
            return Err("it has lines that were not asked for".to_owned());
        }
        match answer.total.as_deref() {
            Some(total) if amount(total, currency)? == sum => Ok(()),
            total => Err(format!(
                "its total is {}, the sum of the lines is {}",
                total.unwrap_or("missing"),
                sum.format(currency)
            )),
        }
    }
}

/// Checks one line; its total.
fn check_line(
    line: &LineFrame,
    quantity: Quantity,
    expected: Option<ExpectedPrice>,
    currency: Currency,
) -> Result<Money, String> {
    let product = &line.product;
    if line.quantity.parse() != Ok(quantity) {
        return Err(format!("product `{product}`: {} asked, {} quoted", quantity, line.quantity));
    }
    let list_price = amount(&line.list_price, currency)?;
    let unit_price = amount(&line.unit_price, currency)?;
    if let Some(expected) = expected
        && expected != (ExpectedPrice { list_price, unit_price })
    {
        let [list, unit] = [expected.list_price, expected.unit_price].map(|it| it.format(currency));
        return Err(format!(
            "product `{product}` costs {} of {}, and {unit} of {list} was expected",
            line.unit_price, line.list_price
        ));
    }
    let total = amount(&line.total, currency)?;
    if unit_price.times(quantity) != Some(total) {
        let quantity = &line.quantity;
        return Err(format!("{quantity} of `{product}` at {} are {}", line.unit_price, line.total));
    }
    Ok(total)
}

fn amount(text: &str, currency: Currency) -> Result<Money, String> {
    Money::parse_price(text, currency).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Prices;

    impl ExpectedPrices for Prices {
        fn price(&self, _: &UserId, product: &ProductId) -> Option<ExpectedPrice> {
            let [list_price, unit_price] = [500, 450].map(Money::from_minor);
            (product.as_str() == "P1").then_some(ExpectedPrice { list_price, unit_price })
        }
    }

    fn answer() -> QuotationFrame {
        QuotationFrame {
            client: "AAA".into(),
            status: "answered".into(),
            lines: vec![LineFrame {
                product: "P1".into(),
                name: "Desk".into(),
                quantity: "2".into(),
                list_price: "5.00".into(),
                discount_percent: "10".into(),
                unit_price: "4.50".into(),
                total: "9.00".into(),
            }],
            unavailable: vec!["P2".into()],
            total: Some("9.00".into()),
            currency: Some("USD".into()),
            ..QuotationFrame::default()
        }
    }

    #[test]
    fn every_figure_of_an_answer_counts() {
        let user = UserId::new("AAA").unwrap();
        let products: [ProductId; 2] = ["P1", "P2"].map(|id| id.parse().unwrap());
        let items = vec![(&products[0], "2".parse().unwrap()), (&products[1], Quantity::ONE)];
        let asked = Asked { user: &user, items };
        for expected in [None, Some(&Prices as &dyn ExpectedPrices)] {
            assert_eq!(asked.check(&answer(), expected), Ok(()));
            let changes: [fn(&mut QuotationFrame); 8] = [
                |answer| answer.client = "BBB".into(),
                |answer| answer.currency = None,
                |answer| answer.lines.clear(),
                |answer| answer.unavailable.clear(),
                |answer| answer.lines.push(answer.lines[0].clone()),
                |answer| answer.lines[0].quantity = "3".into(),
                |answer| answer.lines[0].total = "9.01".into(),
                |answer| answer.total = Some("9.01".into()),
            ];
            for (number, change) in changes.into_iter().enumerate() {
                let mut wrong = answer();
                change(&mut wrong);
                assert!(asked.check(&wrong, expected).is_err(), "change {number}");
            }
        }
        for change in [
            |line: &mut LineFrame| line.list_price = "5.01".into(),
            |line: &mut LineFrame| {
                line.unit_price = "4.51".into();
                line.total = "9.02".into();
            },
        ] {
            let mut wrong = answer();
            change(&mut wrong.lines[0]);
            let why = asked.check(&wrong, Some(&Prices)).unwrap_err();
            assert!(why.contains("expected"), "{why}");
        }
    }
}
