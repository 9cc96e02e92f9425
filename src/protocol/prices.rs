//! Prices over HTTP: some products in one document, or all products line by line.

use compact_str::CompactString;
use serde::{Deserialize, Serialize, Serializer};

use super::items::ItemsError;
use super::json::{put, put_decimal, put_text};
use super::object::Object;
use super::request::{ProtocolError, read_quantity};
use super::terms::{InvalidFrame, WrittenRule, WrittenTier};
use super::text::Text;
use super::{MAX_ITEMS, check_items};
use crate::model::{Item, ProductId, Quantity, ShownDecimal, Timestamp, UserId};
use crate::pricing::{Currency, InvalidItem, ItemPrice, Money, ProductPrice, Step, Unsold};

/// The estimated lengths of a document without its lines, and of a line.
const AROUND_BYTES: usize = 300;
const LINE_BYTES: usize = 150;

/// Prices of some products.
#[derive(Clone, Copy, Debug)]
pub struct ShownPrices<'a> {
    /// The customer.
    pub user: &'a UserId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The number of decimals of unit prices beyond those of the currency.
    pub unit_decimals: u8,
    /// The quantity of every product.
    pub quantity: Quantity,
    /// When the prices were calculated.
    pub priced_at: Timestamp,
    /// When the prices were last checked, as far as the store knows.
    pub validated_at: Timestamp,
    /// Whether the table is stale.
    pub stale: bool,
    /// The products, in the order of the request.
    pub items: &'a [Item],
    /// The price and name of each product.
    pub prices: &'a [(ItemPrice, &'a str)],
    /// The steps of each product's ladder; empty if it has none or is not sold in this quantity.
    pub ladders: &'a [&'a [Step]],
}

/// The price of one product, in the same form in all formats.
#[derive(Serialize)]
struct PriceLine<'a> {
    product: &'a str,
    name: &'a str,
    /// Only in formats where each line stands alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    /// Empty in CSV if there is none.
    list_price: Option<ShownDecimal>,
    discount_percent: ShownDecimal,
    unit_price: ShownDecimal,
}

/// The price from a quantity on.
#[derive(Serialize)]
struct WrittenStep {
    min_quantity: ShownDecimal,
    unit_price: ShownDecimal,
}

impl<'a> PriceLine<'a> {
    fn new(
        product: &'a ProductId,
        name: &'a str,
        entry: &ProductPrice,
        (currency, unit_decimals): (Currency, u8),
    ) -> Self {
        let shown = |price: Money| price.shown_as_unit(currency, unit_decimals);
        Self {
            product: product.as_str(),
            name,
            currency: None,
            list_price: entry.list_price.map(shown),
            discount_percent: entry.discount.shown(),
            unit_price: shown(entry.unit_price),
        }
    }

    fn alone(self, currency: Currency) -> Self {
        Self { currency: Some(currency.code()), ..self }
    }

    /// Appends the line as a JSON object that is not closed yet.
    fn put(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        put_text(json, r#"{"product":"#, self.product)?;
        put_text(json, r#","name":"#, self.name)?;
        if let Some(currency) = self.currency {
            put_text(json, r#","currency":"#, currency)?;
        }
        match self.list_price {
            Some(list_price) => put_decimal(json, r#","list_price":"#, list_price),
            None => json.extend_from_slice(br#","list_price":null"#),
        }
        put_decimal(json, r#","discount_percent":"#, self.discount_percent);
        put_decimal(json, r#","unit_price":"#, self.unit_price);
        Ok(())
    }
}

/// The products that are not sold in the quantity asked for.
struct Invalid<'a>(&'a ShownPrices<'a>);

impl Invalid<'_> {
    fn is_empty(&self) -> bool {
        self.0.prices.iter().all(|(found, _)| !matches!(found, ItemPrice::Unsold(_)))
    }
}

impl Serialize for Invalid<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items = self.0.items.iter().zip(self.0.prices).filter_map(|(item, (found, _))| {
            let ItemPrice::Unsold(Unsold { below, above }) = *found else { return None };
            let (product, quantity) = (item.product.clone(), item.quantity);
            Some(InvalidFrame::new(&InvalidItem { product, quantity, below, above }))
        });
        serializer.collect_seq(items)
    }
}

/// The steps of a ladder, with the currency of their prices and the number of further decimals.
struct Steps<'a>(&'a [Step], (Currency, u8));

impl Serialize for Steps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(steps, (currency, unit_decimals)) = *self;
        serializer.collect_seq(steps.iter().map(|step| WrittenStep {
            min_quantity: step.from.shown(),
            unit_price: step.price.shown_as_unit(currency, unit_decimals),
        }))
    }
}

/// Appends the products that have a price, separated by commas. Each has its rule, next tier and ladder, if
/// it has any.
fn put_lines(json: &mut Vec<u8>, shown: &ShownPrices<'_>) -> serde_json::Result<()> {
    let units = (shown.currency, shown.unit_decimals);
    let mut is_first = true;
    for ((item, (found, name)), ladder) in shown.items.iter().zip(shown.prices).zip(shown.ladders) {
        let ItemPrice::Price(entry) = found else { continue };
        if !std::mem::take(&mut is_first) {
            json.push(b',');
        }
        PriceLine::new(&item.product, name, entry, units).put(json)?;
        if let Some(rule) = &entry.rule {
            put(json, r#","rule":"#, &WrittenRule::new(rule))?;
        }
        if let Some(tier) = entry.next_tier {
            put(json, r#","next_tier":"#, &WrittenTier::of(tier, units))?;
        }
        if !ladder.is_empty() {
            // Below the first step the list price applies.
            put(json, r#","ladder":"#, &Steps(ladder, units))?;
        }
        json.push(b'}');
    }
    Ok(())
}

struct Unavailable<'a>(&'a ShownPrices<'a>);

impl Serialize for Unavailable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of_items = self.0.items.iter().zip(self.0.prices);
        let none = of_items.filter(|(_, (found, _))| matches!(found, ItemPrice::Unavailable));
        serializer.collect_seq(none.map(|(item, _)| item.product.as_str()))
    }
}

/// Renders the document.
///
/// # Errors
/// None are expected, because every field is a string.
pub fn render_prices(shown: &ShownPrices<'_>) -> serde_json::Result<Vec<u8>> {
    let mut document = Vec::with_capacity(AROUND_BYTES + shown.items.len() * LINE_BYTES);
    let json = &mut document;
    put_text(json, r#"{"client":"#, shown.user.as_str())?;
    put_text(json, r#","currency":"#, shown.currency.code())?;
    put_decimal(json, r#","quantity":"#, shown.quantity.shown());
    put(json, r#","priced_at":"#, &Text(shown.priced_at))?;
    put(json, r#","validated_at":"#, &Text(shown.validated_at))?;
    put(json, r#","stale":"#, &shown.stale)?;
    json.extend_from_slice(br#","prices":["#);
    put_lines(json, shown)?;
    put(json, r#"],"unavailable":"#, &Unavailable(shown))?;
    let invalid = Invalid(shown);
    if !invalid.is_empty() {
        put(json, r#","invalid":"#, &invalid)?;
    }
    json.push(b'}');
    Ok(document)
}

/// The format of a whole table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// A JSON object in each line.
    Ndjson,
    /// Comma-separated values, with the names in the first line (RFC 4180).
    Csv,
}

/// The names of the columns, in order.
const CSV_HEAD: &[u8] = b"product,name,currency,list_price,discount_percent,unit_price\r\n";

impl TableFormat {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The bytes before the rows.
    #[must_use]
    pub const fn head(self) -> &'static [u8] {
        match self {
            Self::Ndjson => b"",
            Self::Csv => CSV_HEAD,
        }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// None are expected, because every field is a string.
    pub fn write(
        self,
        into: &mut Vec<u8>,
        (product, name, entry): (&ProductId, &str, &ProductPrice),
        units: (Currency, u8),
    ) -> std::io::Result<()> {
        let line = PriceLine::new(product, name, entry, units).alone(units.0);
        match self {
            Self::Ndjson => {
                line.put(into)?;
                into.extend_from_slice(b"}\n");
            }
            Self::Csv => {
                let mut lines = csv::WriterBuilder::new()
                    .has_headers(false)
                    .terminator(csv::Terminator::CRLF)
                    .buffer_capacity(LINE_BYTES * 2)
                    .from_writer(into);
                lines.serialize(line).map_err(std::io::Error::other)?;
                lines.flush()?;
            }
        }
        Ok(())
    }
}

/// The body of a request for prices.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    products: Vec<CompactString>,
    #[serde(borrow)]
    quantity: Option<&'a serde_json::value::RawValue>,
}

/// Parses the body of a request for prices. Returns the items, all with the same quantity.
///
/// # Errors
/// [`ProtocolError`], which says what is wrong.
pub fn parse_prices_body(body: &[u8]) -> Result<(Vec<Item>, Quantity), ProtocolError> {
    let wanted = r#"{"products": ["…"], "quantity": 1}"#;
    let Object::<Body<'_>>(body) =
        serde_json::from_slice(body).map_err(|why| ProtocolError::BadBody { wanted, why })?;
    let quantity = body.quantity.map(read_quantity).transpose()?;
    let quantity = quantity.unwrap_or(Quantity::ONE);
    Ok((priced_items(body.products, quantity)?, quantity))
}

/// Returns products as items of one quantity, checked as those of a quote are.
///
/// # Errors
/// [`ItemsError`] for the first product that is not valid.
pub fn priced_items<T: Into<CompactString>>(
    products: Vec<T>,
    quantity: Quantity,
) -> Result<Vec<Item>, ItemsError> {
    if products.len() > MAX_ITEMS {
        return Err(ItemsError::TooMany { count: products.len() });
    }
    let mut items = Vec::with_capacity(products.len());
    for product in products {
        items.push(Item { product: ProductId::new(product)?, quantity });
    }
    check_items(items)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pricing::{NextTier, Rule, RuleKind, Unsold};

    fn entry() -> ProductPrice {
        ProductPrice {
            discount: "12.5".parse().unwrap(),
            unit_price: Money::from_minor(43_750),
            ..ProductPrice::at_list_price(Money::from_minor(50_000))
        }
    }

    #[test]
    fn a_document_names_what_has_no_price() {
        let products = ["P1", "P9", "P8"].to_vec();
        let items = priced_items(products, "2".parse().unwrap()).unwrap();
        let unsold = Unsold { below: None, above: Some("12".parse().unwrap()) };
        let shown = ShownPrices {
            user: &"AAA".parse().unwrap(),
            currency: Currency::USD,
            unit_decimals: 0,
            quantity: "2".parse().unwrap(),
            priced_at: Timestamp::default(),
            validated_at: Timestamp::from_secs(1),
            stale: false,
            items: &items,
            prices: &[
                (ItemPrice::Price(entry()), "Desk"),
                (ItemPrice::Unavailable, ""),
                (ItemPrice::Unsold(unsold), "Pen"),
            ],
            ladders: &[&[], &[], &[]],
        };
        assert_eq!(
            String::from_utf8(render_prices(&shown).unwrap()).unwrap(),
            concat!(
                r#"{"client":"AAA","currency":"USD","quantity":"2","#,
                r#""priced_at":"1970-01-01T00:00:00.000Z","validated_at":"1970-01-01T00:00:01.000Z","#,
                r#""stale":false,"prices":[{"product":"P1","name":"Desk","list_price":"500.00","#,
                r#""discount_percent":"12.5","unit_price":"437.50"}],"unavailable":["P9"],"#,
                r#""invalid":[{"product":"P8","quantity":"2","above":"12"}]}"#
            )
        );
    }

    #[test]
    fn a_document_is_json_whatever_has_a_price() {
        let unsold = ItemPrice::Unsold(Unsold { below: None, above: None });
        let founds = [ItemPrice::Price(entry()), ItemPrice::Unavailable, unsold];
        let items = priced_items(["P1", "P2", "P3"].to_vec(), Quantity::ONE);
        let items = items.unwrap();
        for number in 0..27 {
            let places = [number / 9, number / 3 % 3, number % 3];
            let prices = places.map(|place| (founds[place].clone(), "A \"desk\"\n"));
            let shown = ShownPrices {
                user: &"A \"B\"".parse().unwrap(),
                currency: Currency::USD,
                unit_decimals: 0,
                quantity: Quantity::ONE,
                priced_at: Timestamp::default(),
                validated_at: Timestamp::default(),
                stale: true,
                items: &items,
                prices: &prices,
                ladders: &[&[], &[], &[]],
            };
            let document: serde_json::Value =
                serde_json::from_slice(&render_prices(&shown).unwrap()).unwrap();
            assert_eq!(document["client"], "A \"B\"");
            for (place, kind) in ["prices", "unavailable", "invalid"].iter().enumerate() {
                let products = document[kind].as_array().into_iter().flatten();
                let products = products.map(|it| it.get("product").unwrap_or(it).as_str().unwrap());
                let wanted = items.iter().zip(places).filter(|(_, found)| *found == place);
                assert!(products.eq(wanted.map(|(item, _)| item.product.as_str())), "{document}");
            }
        }
    }

    #[test]
    fn a_ladder_and_a_quantity_that_is_not_sold_are_shown() {
        let items = priced_items(vec!["P1", "P2"], "3".parse().unwrap()).unwrap();
        let min_quantity = "10".parse().unwrap();
        let rule = Rule {
            list: Some("gold".parse().unwrap()),
            priority: 1,
            scope: None,
            kind: RuleKind::Price,
            min_quantity,
            until: None,
        };
        let step = Step { from: min_quantity, price: Money::from_minor(43_750), rule: 0 };
        let next_tier = NextTier { quantity: "10".parse().unwrap(), unit_price: step.price };
        let priced = ProductPrice {
            list_price: None,
            rule: Some(Box::new(rule)),
            next_tier: Some(next_tier),
            ..entry()
        };
        let unsold = Unsold { below: None, above: Some("4".parse().unwrap()) };
        let shown = ShownPrices {
            user: &"AAA".parse().unwrap(),
            currency: Currency::USD,
            unit_decimals: 0,
            quantity: "3".parse().unwrap(),
            priced_at: Timestamp::default(),
            validated_at: Timestamp::default(),
            stale: false,
            items: &items,
            prices: &[(ItemPrice::Price(priced), "Desk"), (ItemPrice::Unsold(unsold), "Mug")],
            ladders: &[&[step], &[]],
        };
        let shown: serde_json::Value =
            serde_json::from_slice(&render_prices(&shown).unwrap()).unwrap();
        let price = json!({
            "product": "P1",
            "name": "Desk",
            "list_price": null,
            "discount_percent": "12.5",
            "unit_price": "437.50",
            "rule": { "list": "gold", "scope": "product", "kind": "price", "min_quantity": "10" },
            "next_tier": { "quantity": "10", "unit_price": "437.50" },
            "ladder": [{ "min_quantity": "10", "unit_price": "437.50" }],
        });
        assert_eq!(shown["prices"], json!([price]));
        assert_eq!(shown["unavailable"], json!([]));
        let invalid = json!([{ "product": "P2", "quantity": "3", "above": "4" }]);
        assert_eq!(shown["invalid"], invalid);
    }

    #[test]
    fn a_table_is_written_line_by_line() {
        let product = "P,1".parse().unwrap();
        let row = (&product, "A \"desk\"\nof oak", &entry());
        let written = |format: TableFormat| {
            let mut out = format.head().to_vec();
            format.write(&mut out, row, (Currency::USD, 0)).unwrap();
            String::from_utf8(out).unwrap()
        };
        let csv = written(TableFormat::Csv);
        let mut read = csv::Reader::from_reader(csv.as_bytes());
        let names: Vec<String> = read.headers().unwrap().iter().map(str::to_owned).collect();
        let values: Vec<String> =
            read.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(values, ["P,1", row.1, "USD", "500.00", "12.5", "437.50"]);
        let json: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&written(TableFormat::Ndjson)).unwrap();
        for (name, value) in names.iter().zip(&values) {
            assert_eq!(json[name], value.as_str(), "{name}");
        }
        assert_eq!(json.len(), names.len());
        assert_eq!(written(TableFormat::Ndjson).matches('\n').count(), 1);
    }

    #[test]
    fn bodies_name_products_and_one_quantity() {
        let read = |body: &str| parse_prices_body(body.as_bytes());
        let (items, quantity) = read(r#"{"products":["P1","P2"],"quantity":"2.5"}"#).unwrap();
        assert_eq!((items.len(), quantity.to_string()), (2, "2.5".to_owned()));
        assert_eq!(read(r#"{"products":["P1"]}"#).unwrap().1, Quantity::ONE);
        for (body, code) in [
            (r#"{"products":[]}"#, "bad_items"),
            (r#"{"products":["P1","P1"]}"#, "bad_items"),
            (r#"{"products":["P1"],"quantity":0}"#, "bad_items"),
            (r#"{"products":[""]}"#, "bad_items"),
            (r#"{"product":["P1"]}"#, "bad_frame"),
            (r#"[["P1"],2]"#, "bad_frame"),
            ("{", "not_json"),
        ] {
            assert_eq!(read(body).unwrap_err().code(), code, "{body}");
        }
    }
}
