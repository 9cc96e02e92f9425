//! Tests that any bytes are read or refused, and that no row of a good file is lost.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{read_as, read_one};
use crate::data::{Dataset, Layout};
use crate::model::ProductId;
use crate::ports::UserDiscounts;
use crate::pricing::{Currency, Discount, Discounts, Money, Percentage, Product};

/// Pieces from which almost right files are made.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\n",
    " ",
    "\\",
    "id",
    "\"id\":",
    "\"P1\"",
    "\"name\":",
    "\"a\"",
    "\"price\":",
    "1.5",
    "1e999",
    "-",
    "null",
    "\"user_id\":",
    "\"discounts\":[",
    "\"product_id\":",
    "\"percentage\":",
    "{\"S\":",
    "{\"M\":",
    "{\"L\":",
    "\"products\":[",
    "{\"PutRequest\":{\"Item\":",
    "id,name,price\n",
    "P1,a,1\n",
    "\r\n",
    "\u{feff}",
    "\0",
    "{\"id\":\"P1\",\"name\":\"a\",\"price\":1}",
    "\"price_list\":",
    "\"prices\":{",
    "\"USD\":",
    "\"groups\":[",
    "\"min_quantity\":",
    "\"from\":",
    "\"2026-03-29\"",
    "price_list,product_id,category,min_quantity,price,percentage,amount\n",
    "L,P1,,10,1,,\n",
    "{\"price_list\":\"L\",\"everyone\":true}",
];

/// Draws a text without control characters and without white space at its ends, which CSV may not keep.
fn text() -> impl Strategy<Value = String> {
    "[^\\p{Cc}\\s]([^\\p{Cc}]{0,8}[^\\p{Cc}\\s])?"
}

/// Draws a text that is a valid id.
fn id() -> impl Strategy<Value = String> {
    text().prop_filter("no id", |text| ProductId::new(text.as_str()).is_ok())
}

fn percentage() -> impl Strategy<Value = Percentage> {
    (0_u32..=100_000_000).prop_map(|millionths| Percentage::from_millionths(millionths).unwrap())
}

fn products() -> impl Strategy<Value = Vec<Product>> {
    let product = (id(), text(), 0..=Money::MAX_PRICE.minor());
    vec(product, 1..20).prop_map(|products| {
        let number = |(index, (id, name, minor)): (usize, (String, String, i64))| {
            Product::new(format!("{id}{index}").parse().unwrap(), name, Money::from_minor(minor))
        };
        products.into_iter().enumerate().map(number).collect()
    })
}

fn discounts() -> impl Strategy<Value = Vec<UserDiscounts>> {
    let list = (id(), vec((id(), percentage()), 1..6));
    vec(list, 1..8).prop_map(|lists| {
        let number = |(index, (user, list)): (usize, (String, Vec<(String, Percentage)>))| {
            let list = list.into_iter().enumerate().map(|(index, (product, percentage))| {
                Discount { product_id: format!("{product}{index}").parse().unwrap(), percentage }
            });
            UserDiscounts::new(
                format!("{user}{index}").parse().unwrap(),
                Discounts::new(list.collect()).unwrap(),
            )
        };
        lists.into_iter().enumerate().map(number).collect()
    })
}

fn product_json(product: &Product) -> Value {
    let price = product.price.unwrap().format(Currency::USD);
    json!({"id": product.id, "name": product.name, "price": price})
}

fn list_json(list: &UserDiscounts) -> Value {
    let entry = |discount: &Discount| json!({"product_id": discount.product_id, "percentage": discount.percentage.to_string()});
    let entries: Vec<_> = list.discounts.as_slice().iter().map(entry).collect();
    json!({"user_id": list.user, "discounts": entries})
}

fn batch_write(products: &[Product], lists: &[UserDiscounts]) -> Value {
    let put = |item: Value| json!({"PutRequest": {"Item": item}});
    let product = |product: &Product| {
        let price = product.price.unwrap().format(Currency::USD);
        put(json!({"id": {"S": product.id}, "name": {"S": product.name}, "value": {"N": price}}))
    };
    let list = |list: &UserDiscounts| {
        let entry = |discount: &Discount| {
            let percentage = discount.percentage.to_string();
            json!({"M": {"product_id": {"S": discount.product_id}, "percentage": {"N": percentage}}})
        };
        let entries: Vec<_> = list.discounts.as_slice().iter().map(entry).collect();
        put(json!({"user_id": {"S": list.user}, "discounts": {"L": entries}}))
    };
    json!({
        "products": products.iter().map(product).collect::<Vec<_>>(),
        "user_discounts": lists.iter().map(list).collect::<Vec<_>>(),
    })
}

/// Returns rows as CSV, written by another library.
fn csv<const N: usize>(rows: impl Iterator<Item = [String; N]>, header: [&str; N]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(vec![]);
    writer.write_record(header).unwrap();
    rows.for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn is_whole(dataset: &Dataset, products: &[Product], lists: &[UserDiscounts]) -> bool {
    dataset.products == products && dataset.discounts == lists
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        if let Err(errors) = read_one(&bytes) {
            prop_assert!(!errors.errors.is_empty());
        }
    }

    #[test]
    fn almost_right_files_are_read_or_refused(
        pieces in vec(prop::sample::select(PIECES), 0..30)
    ) {
        match read_one(pieces.concat()) {
            Ok(dataset) => prop_assert!(dataset.rows() > 0),
            Err(errors) => prop_assert!(!errors.errors.is_empty()),
        }
    }

    #[test]
    fn no_json_row_is_lost(products in products(), lists in discounts()) {
        let rows: Vec<_> =
            products.iter().map(product_json).chain(lists.iter().map(list_json)).collect();
        let array = Value::from(rows.clone());
        let tables = batch_write(&products, &lists);
        let laid_out: String = rows.iter().map(|row| format!("{row:#}\n")).collect();
        for text in [
            array.to_string(),
            format!("{array:#}"),
            lines(&rows),
            laid_out,
            tables.to_string(),
            format!("{tables:#}"),
        ] {
            let dataset = read_one(&text).unwrap();
            prop_assert!(is_whole(&dataset, &products, &lists), "{text}");
        }
    }

    #[test]
    fn no_csv_row_is_lost(products in products(), lists in discounts()) {
        let rows = products.iter().map(|product| {
            let price = product.price.unwrap().format(Currency::USD);
            [product.id.to_string(), product.name.clone(), price]
        });
        let text = csv(rows, ["id", "name", "price"]);
        let dataset = read_one(&text).unwrap();
        prop_assert!(is_whole(&dataset, &products, &[]), "{dataset:?}");

        let rows = lists.iter().flat_map(|list| {
            list.discounts.as_slice().iter().map(|discount| {
                [&list.user as &dyn ToString, &discount.product_id, &discount.percentage]
                    .map(|field| field.to_string())
            })
        });
        let text = csv(rows, ["user_id", "product_id", "percentage"]);
        let dataset = read_one(&text).unwrap();
        prop_assert!(is_whole(&dataset, &[], &lists), "{dataset:?}");
    }

    #[test]
    fn no_csv_row_is_lost_beside_texts_of_several_lines(
        products in products(),
        notes in vec("[a\",\n\r= ]{0,12}", 19..20),
    ) {
        let rows = products.iter().zip(&notes).map(|(product, note)| {
            let price = product.price.unwrap().format(Currency::USD);
            [product.id.to_string(), note.clone(), product.name.clone(), price]
        });
        let text = csv(rows, ["id", "note", "name", "price"]);
        let mut layout = Layout { line_breaks: true, ..Layout::default() };
        layout.columns.ignore("note".to_owned()).unwrap();
        let dataset = read_as(text, &layout).unwrap();
        prop_assert!(is_whole(&dataset, &products, &[]), "{dataset:?}");
    }

    #[test]
    fn json_that_is_cut_off_is_refused_with_its_place(
        products in products(),
        lists in discounts(),
        part in 0.0..1.0_f64,
    ) {
        for whole in [
            Value::from(products.iter().map(product_json).collect::<Vec<_>>()),
            batch_write(&products, &lists),
        ] {
            for text in [whole.to_string(), format!("{whole:#}")] {
                let end = 1 + (part * (text.len() - 1) as f64) as usize;
                let cut = text.floor_char_boundary(end);
                let errors = read_one(&text[..cut]).unwrap_err();
                let last = errors.errors.last().unwrap();
                prop_assert_eq!(last.problem.code(), "truncated");
                prop_assert!(last.line.is_some() && last.column.is_some());
            }
        }
    }
}
