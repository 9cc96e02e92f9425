//! Prices worked out anew, in the plainest way, from inputs that are known to have existed.

use std::collections::BTreeMap;

use crate::model::ProductId;
use crate::pricing::{Discounts, Product};
use crate::protocol::{LineFrame, QuotationFrame};
use crate::verify::arithmetic::line_total as line_total_of;
pub(super) use crate::verify::arithmetic::unit_price;

/// Products, by id.
pub(super) type Products = BTreeMap<ProductId, Product>;

/// Millionths of a per cent that the user pays less for a product.
pub(super) fn discount(discounts: &Discounts, product: &str) -> i128 {
    let mut list = discounts.as_slice().iter();
    let found = list.find(|discount| discount.product_id.as_str() == product);
    found.map_or(0, |discount| i128::from(discount.percentage.millionths()))
}

/// Whether an answer, as it was shown, is what these products and these discounts give.
pub(super) fn agrees(shown: &QuotationFrame, products: &Products, discounts: &Discounts) -> bool {
    let totals: Option<Vec<i128>> =
        shown.lines.iter().map(|line| line_total(line, products, discounts)).collect();
    let Some(totals) = totals else { return false };
    let none_is_known = !shown.unavailable.iter().any(|id| products.contains_key(id.as_str()));
    let total = shown.total.as_deref().and_then(|total| digits(total, 2));
    none_is_known && total == Some(totals.iter().sum())
}

/// The total of a line, if its name and every figure in it are right.
fn line_total(line: &LineFrame, products: &Products, discounts: &Discounts) -> Option<i128> {
    let product = products.get(line.product.as_str())?;
    let list_price = product.price?.minor();
    let discount = discount(discounts, &line.product);
    let unit_price = unit_price(list_price, discount);
    let total = line_total_of(unit_price, digits(&line.quantity, 3)?);
    let right = line.name == product.name
        && digits(line.list_price.as_deref()?, 2) == Some(i128::from(list_price))
        && digits(&line.discount_percent, 6) == Some(discount)
        && digits(&line.unit_price, 2) == Some(unit_price)
        && digits(&line.total, 2) == Some(total);
    right.then_some(total)
}

/// A decimal as a count of `10^-decimals`.
fn digits(text: &str, decimals: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > decimals {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_whole() {
        assert_eq!(digits("12.5", 3), Some(12_500));
        assert_eq!(digits("7", 0), Some(7));
        assert_eq!(digits("1.234", 2), None);
        assert_eq!(digits("x", 2), None);
    }

    #[test]
    fn one_wrong_figure_is_seen() {
        let line = LineFrame {
            product: "P1".into(),
            name: "One".into(),
            quantity: "2".into(),
            list_price: Some("500.00".into()),
            discount_percent: "10".into(),
            unit_price: "450.00".into(),
            total: "900.00".into(),
            rule: None,
            next_tier: None,
        };
        let frame = |line: &LineFrame, total: &str| QuotationFrame {
            lines: vec![line.clone()],
            unavailable: vec!["P9".into()],
            total: Some(total.into()),
            ..QuotationFrame::default()
        };
        let products = |id: &str, name: &str| {
            let id = ProductId::new(id).unwrap();
            let price = crate::pricing::Money::from_minor(50_000);
            Products::from([(id.clone(), Product::new(id, name.into(), price))])
        };
        let discounts: Discounts =
            serde_json::from_str(r#"[{"product_id":"P1","percentage":10000000}]"#).unwrap();
        assert!(agrees(&frame(&line, "900.00"), &products("P1", "One"), &discounts));
        assert!(!agrees(&frame(&line, "900.00"), &products("P1", "Other"), &discounts));
        assert!(!agrees(&frame(&line, "900.01"), &products("P1", "One"), &discounts));
        assert!(!agrees(&frame(&line, "900.00"), &products("P2", "One"), &discounts));
        assert!(!agrees(&frame(&line, "900.00"), &products("P1", "One"), &Discounts::default()));
        let wrong = LineFrame { unit_price: "450.01".into(), ..line };
        assert!(!agrees(&frame(&wrong, "900.00"), &products("P1", "One"), &discounts));
    }
}
