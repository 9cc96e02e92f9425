//! Checks answers.

use crate::model::{ProductId, Quantity, UserId};
use crate::pricing::{Currency, Money, UnitRounding};
use crate::protocol::{LineFrame, QuotationFrame};

/// The price that an answer must state for one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedPrice {
    /// The price before the discount.
    pub list_price: Money,
    /// The price after the discount.
    pub unit_price: Money,
}

/// Prices that are known from another source than the gateway.
pub trait ExpectedPrices: Send + Sync {
    /// Returns a customer's price of a product; `None` if there is none.
    fn price(&self, user: &UserId, product: &ProductId) -> Option<ExpectedPrice>;
}

/// A quote as it was sent.
pub(super) struct SentQuote<'a> {
    pub(super) user: &'a UserId,
    pub(super) items: Vec<(&'a ProductId, Quantity)>,
}

impl SentQuote<'_> {
    /// Checks that an answer has the items of the quote, that its sums are right, and that its prices are
    /// the expected ones, if there are any.
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
            let invalid = answer.invalid.iter().any(|other| other.product == product.as_str());
            match (line, known) {
                (None, Some(None)) | (None, None) if unavailable => {}
                (None, None) if invalid => {}
                (None, _) => return Err(format!("product `{product}` has no price")),
                (Some(_), Some(None)) => return Err(format!("product `{product}` has a price")),
                (Some(line), known) => {
                    let total = check_line(line, *quantity, known.flatten(), currency)?;
                    sum = sum.checked_add(total).ok_or("its total is too large")?;
                }
            }
        }
        let told = answer.lines.len() + answer.unavailable.len() + answer.invalid.len();
        if told != self.items.len() {
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

/// Checks one line and returns its total.
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
    if let Some(expected) = expected {
        let [list, unit] = [expected.list_price, expected.unit_price].map(|it| it.format(currency));
        if (line.list_price.as_ref(), &line.unit_price) != (Some(&list), &unit) {
            return Err(format!(
                "product `{product}` costs {} of {}, and {unit} of {list} was expected",
                line.unit_price,
                line.list_price.as_deref().unwrap_or("nothing")
            ));
        }
    }
    let total = amount(&line.total, currency)?;
    if !is_line_total(&line.unit_price, quantity, total, currency)? {
        let quantity = &line.quantity;
        return Err(format!("{quantity} of `{product}` at {} are {}", line.unit_price, line.total));
    }
    Ok(total)
}

/// Whether a total is the price of a quantity at a unit price, which may have more decimals than the
/// currency. Halves may be rounded either way, because an answer does not say how its stack rounds.
fn is_line_total(
    unit_price: &str,
    quantity: Quantity,
    total: Money,
    currency: Currency,
) -> Result<bool, String> {
    const BEYOND: u8 = UnitRounding::MAX_UNIT_DECIMALS;
    let unit_price = Money::parse_amount(unit_price, currency, BEYOND);
    let unit_price = unit_price.map_err(|error| error.to_string())?;
    let exact = i128::from(unit_price.minor()) * i128::from(quantity.thousandths());
    let by = 1000 * 10_i128.pow(u32::from(BEYOND));
    Ok((2 * (exact - i128::from(total.minor()) * by)).abs() <= by)
}

fn amount(text: &str, currency: Currency) -> Result<Money, String> {
    Money::parse_price(text, currency).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::InvalidFrame;

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
                list_price: Some("5.00".into()),
                discount_percent: "10".into(),
                unit_price: "4.50".into(),
                total: "9.00".into(),
                rule: None,
                next_tier: None,
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
        let asked = SentQuote { user: &user, items };
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
            |line: &mut LineFrame| line.list_price = Some("5.01".into()),
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

    #[test]
    fn a_unit_price_may_be_finer_than_its_total() {
        let is_total = |unit: &str, quantity: &str, minor: i64| {
            let (quantity, total) = (quantity.parse().unwrap(), Money::from_minor(minor));
            is_line_total(unit, quantity, total, Currency::USD).unwrap()
        };
        assert!(is_total("1.131116", "12", 1357));
        assert!(!is_total("1.131116", "12", 1358));
        // Halves may be rounded up, or to the even neighbour.
        assert!(is_total("0.005", "1", 0) && is_total("0.005", "1", 1));
        assert!(!is_total("0.0051", "1", 0));
    }

    #[test]
    fn a_quantity_that_is_not_sold_is_told_as_such() {
        let user = UserId::new("AAA").unwrap();
        let product: ProductId = "P2".parse().unwrap();
        let asked = SentQuote { user: &user, items: vec![(&product, Quantity::ONE)] };
        let item = InvalidFrame {
            product: "P2".into(),
            quantity: "1".into(),
            below: None,
            above: Some("12".into()),
        };
        let invalid = QuotationFrame {
            lines: vec![],
            unavailable: vec![],
            invalid: vec![item.clone()],
            total: Some("0.00".into()),
            ..answer()
        };
        assert_eq!(asked.check(&invalid, None), Ok(()));
        let twice = QuotationFrame { invalid: vec![item.clone(), item], ..invalid };
        assert!(asked.check(&twice, None).is_err());
    }
}
