//! Counts instructions with callgrind. The counts are the same on a busy machine and on an idle one.
//!
//! `.ci/bench` runs this and compares the counts with `benches/instructions.txt`.

mod inputs;
#[path = "inputs/ladders.rs"]
mod ladders;

use std::hint::black_box;
use std::sync::Arc;

use gungraun::{library_benchmark, library_benchmark_group, main};
use hyper::{HeaderMap, Method};
use ocache::model::{
    ConnectionId, ConnectionRef, Dialect, Digest, Generation, Item, ProductId, Quantity,
    QuotationKey, RequestId, Timestamp, UserId,
};
use ocache::ports::{Quotation, QuotationStatus, SystemClock};
use ocache::pricing::{
    Answer, AnswerLine, Base, BasePart, Currency, Discounts, ItemPrice, Ladder, LadderPacker,
    ListPrices, ListRows, MinQuantity, Money, OwnRows, PRICING_VERSION, PackError, PackedBase,
    PackedLadders, PackedOwn, Percentage, PriceList, PriceRule, Product, ProductPrice, Rate,
    Recipients, Rounding, Rules, Rung, Scope, compose, fingerprint, steps_of_list,
};
use ocache::protocol::{Request, ShownPrices, parse, render_prices, render_quotation};
use ocache::runtime::gateway::{ApiRequest, Call, HttpApi, Resource};

const PRODUCTS: u64 = 10_000;
/// The number of products on a page of a shop.
const SHOWN: usize = 50;

/// A base and discounts that live as long as the process, so that dropping them is not counted.
type Inputs = (&'static Base, &'static Discounts);

fn all() -> Inputs {
    let products = inputs::dataset(PRODUCTS, 0, 0).products.leak();
    kept(products, inputs::all_discounted(products))
}

fn hundred() -> Inputs {
    let mut dataset = inputs::dataset(PRODUCTS, 1, 100);
    let discounts = dataset.discounts.remove(0).discounts;
    kept(dataset.products.leak(), discounts)
}

fn kept(products: &[Product], discounts: Discounts) -> Inputs {
    let inputs = (inputs::base(products), discounts);
    let (base, discounts) = Box::leak(Box::new(inputs));
    tidy((base, discounts))
}

/// Lets the allocator clean up now. It does so after many frees at the next large request, which would be
/// counted.
fn tidy<T>(inputs: T) -> T {
    drop(black_box(Vec::<u8>::with_capacity(1 << 16)));
    inputs
}

/// The terms of a group of customers: a base and four lists. Each list has a percentage on everything, and
/// three rungs for three products in ten.
type Terms = (&'static Base, &'static [(PriceList, ListRows)]);

fn four_lists() -> Terms {
    let products = inputs::dataset(PRODUCTS, 0, 0).products;
    let lists: Vec<_> = (0..4).map(|number| price_list(number, &products)).collect();
    tidy((Box::leak(Box::new(inputs::base(&products))), lists.leak()))
}

/// Returns a list with a percentage on everything and three rungs for three products in ten. Each list has
/// other products.
fn price_list(number: usize, products: &[Product]) -> (PriceList, ListRows) {
    let id = format!("list-{number}").parse().expect("it is an id");
    let list = PriceList {
        id,
        priority: 1,
        currency: Some(Currency::USD),
        from: None,
        until: None,
        recipients: Recipients { everyone: true, ..Recipients::default() },
        is_wide: true,
        revision: 1,
    };
    let row = |scope, rungs| {
        let ladder = Ladder::new(rungs).expect("its rungs differ");
        ListPrices { list: list.id.clone(), scope, ladder }
    };
    let has_rungs = |index: usize| (index + 10 - number % 10) % 10 < 3;
    let laddered = products.iter().enumerate().filter(|(index, _)| has_rungs(*index));
    let laddered = laddered.map(|(_, product)| {
        row(Scope::Product(product.id.clone()), ladders::three_rungs(product, number as i64))
    });
    let percentage = Rate::from(Percentage::from_millionths(1_000_000).unwrap_or_default());
    let rule = PriceRule::Percentage(percentage);
    let everything = row(Scope::All, vec![Rung { min_quantity: MinQuantity::ZERO, rule }]);
    let rows = ListRows::new(laddered.chain([everything]));
    (list, rows)
}

fn hundred_as_stored() -> &'static [u8] {
    hundred().1.pack().expect("discounts can be packed").leak()
}

fn rows((base, discounts): Inputs) -> &'static OwnRows {
    let rows =
        OwnRows::price(base.index(), discounts, Rounding::HalfEven, |number| base.part(number));
    tidy(Box::leak(Box::new(rows.unwrap_or_default())))
}

fn all_priced() -> &'static OwnRows {
    rows(all())
}

fn hundred_priced() -> &'static OwnRows {
    rows(hundred())
}

/// Returns a packed part of a base.
fn part() -> &'static [u8] {
    let products = inputs::dataset(PRODUCTS, 0, 0).products;
    let base = PackedBase::new(Currency::USD, products).expect("generated products differ");
    tidy(base.parts[3].clone().leak())
}

/// Returns what an answer is made from: a base, a customer's stored rows, and a product.
fn stored() -> (&'static Base, &'static [u8], ProductId) {
    let (base, discounts) = hundred();
    let packed = PackedOwn::new(rows((base, discounts))).expect("rows can be packed");
    let product = discounts.as_slice()[50].product_id.clone();
    tidy((base, packed.parts[0].clone().leak(), product))
}

const QUOTE: &str = r#"{"action":"quote","client":"AAA","items":[{"product":"P1","quantity":2},
    {"product":"P2","quantity":"0.5"},{"product":"P3","quantity":7}]}"#;

fn answered() -> &'static Quotation {
    let user = UserId::new("AAA").expect("it is an id");
    let request_id = RequestId::made(Timestamp::from_secs(7), [7; 16]);
    let items = ["P1", "P2", "P3"].map(|id| Item {
        product: ProductId::new(id).expect("it is an id"),
        quantity: Quantity::ONE,
    });
    let lines = items.iter().map(|item| AnswerLine {
        product: item.product.clone(),
        name: "Notebook stand".to_owned(),
        quantity: item.quantity,
        list_price: Some(Money::from_minor(50_000)),
        discount: Percentage::from_millionths(10_000_000).unwrap_or_default().into(),
        unit_price: Money::from_minor(45_000),
        total: Money::from_minor(45_000),
        rule: None,
        next_tier: None,
    });
    let now = Timestamp::from_secs(1_800_000_000);
    let answer = Answer {
        lines: lines.collect(),
        unavailable: vec![],
        invalid: vec![],
        total: Money::from_minor(135_000),
        currency: Currency::USD,
        unit_decimals: 0,
        answered_at: now,
        priced_at: now,
        validated_at: now,
        stale: false,
        generation: Generation::from_random([7; 16]),
        catalogue_version: 1,
        pricing_version: PRICING_VERSION,
    };
    Box::leak(Box::new(Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: items.into(),
        connection: Some(ConnectionRef {
            endpoint: "http://127.0.0.1:7070".to_owned(),
            id: ConnectionId::from_random([7; 16]),
        }),
        dialect: Dialect::Current,
        accepted_at: now,
        deadline: now,
        expires_at: now,
        status: QuotationStatus::Answered(Box::new(answer)),
    }))
}

/// Returns the prices of products from all parts of the base, for a customer with a hundred discounts.
fn shown() -> ShownPrices<'static> {
    let (base, discounts) = hundred();
    let own = rows((base, discounts));
    let all = (0..).map_while(|number| base.part(number)).flat_map(BasePart::iter);
    let shown = all.step_by(PRODUCTS as usize / SHOWN).map(|product| {
        let id = ProductId::new(product.id).expect("it is an id");
        let entry = base.entry(&id, own).expect("it has a price");
        let item = Item { product: id, quantity: Quantity::ONE };
        (item, (ItemPrice::Price(entry), product.name))
    });
    let (items, prices): (Vec<_>, Vec<_>) = shown.collect();
    let now = Timestamp::from_secs(1_800_000_000);
    tidy(ShownPrices {
        user: Box::leak(Box::new(UserId::new("AAA").expect("it is an id"))),
        currency: Currency::USD,
        unit_decimals: 0,
        quantity: Quantity::ONE,
        priced_at: now,
        validated_at: now,
        stale: false,
        ladders: vec![[].as_slice(); items.len()].leak(),
        items: items.leak(),
        prices: prices.leak(),
    })
}

/// Returns the query that asks for these products.
fn query() -> (HttpApi, &'static str) {
    let products = shown().items.iter().map(|item| format!("product={}", item.product));
    let query: &str = products.collect::<Vec<_>>().join("&").leak();
    tidy((HttpApi::of_function(Arc::new(SystemClock)), query))
}

#[library_benchmark]
#[bench::all_discounted(setup = all)]
#[bench::hundred_discounted(setup = hundred)]
fn price((base, discounts): Inputs) -> Option<OwnRows> {
    let (base, discounts) = (black_box(base), black_box(discounts));
    black_box(OwnRows::price(base.index(), discounts, Rounding::HalfEven, |number| {
        base.part(number)
    }))
}

#[library_benchmark]
#[bench::four_lists(setup = four_lists)]
fn price_terms((base, lists): Terms) -> Result<PackedLadders, PackError> {
    let (base, lists) = (black_box(base), black_box(lists));
    let (mut rules, mut packer) = (Rules::default(), LadderPacker::default());
    let (mut index, mut scopes) = (0, vec![]);
    for entry in (0..).map_while(|number| base.part(number)).flat_map(BasePart::iter) {
        let goods = entry.goods(Rounding::HalfEven);
        let mut steps = Vec::with_capacity(lists.len());
        for (list, rows) in lists {
            rows.of(entry.id, entry.category, &mut scopes);
            steps.push(steps_of_list(goods, Some(list), &scopes, true, &mut rules));
        }
        let steps: Vec<&[_]> = steps.iter().map(Vec::as_slice).collect();
        packer.push(index, &compose(&steps, &rules), &rules)?;
        index += 1;
    }
    black_box(packer.finish())
}

#[library_benchmark]
#[bench::all_discounted(setup = all_priced)]
#[bench::hundred_discounted(setup = hundred_priced)]
fn pack(rows: &'static OwnRows) -> PackedOwn {
    black_box(PackedOwn::new(rows).unwrap_or_default())
}

#[library_benchmark]
#[bench::all_discounted(setup = all)]
#[bench::hundred_discounted(setup = hundred)]
fn fingerprinted((_, discounts): Inputs) -> Digest {
    black_box(fingerprint(black_box(discounts)))
}

#[library_benchmark]
#[bench::hundred(setup = hundred_as_stored)]
fn read_discounts(packed: &'static [u8]) -> Option<Discounts> {
    black_box(Discounts::unpack(black_box(packed)).ok())
}

#[library_benchmark]
#[bench::part_of_a_base(setup = part)]
fn unpack(packed: &'static [u8]) -> Option<BasePart> {
    black_box(BasePart::decode(black_box(packed)).ok())
}

#[library_benchmark]
#[bench::hundred_own_rows(setup = stored)]
fn look_up(
    (base, own, product): (&'static Base, &'static [u8], ProductId),
) -> Option<ProductPrice> {
    let own = OwnRows::decode(black_box(own)).ok()?;
    black_box(base.entry(&product, &own))
}

#[library_benchmark]
#[bench::three_lines(QUOTE)]
fn parse_quote(text: &str) -> Option<Request> {
    black_box(parse(black_box(text)).ok())
}

#[library_benchmark]
#[bench::three_lines(setup = answered)]
fn render_answer(quotation: &'static Quotation) -> Option<String> {
    black_box(render_quotation(black_box(quotation), quotation.accepted_at).ok())
}

// The API is returned, so that its end is not counted.
#[library_benchmark]
#[bench::fifty_products(setup = query)]
fn read_prices_query((api, query): (HttpApi, &'static str)) -> (HttpApi, Option<Call>) {
    let (method, headers) = (&Method::GET, &HeaderMap::new());
    let asked = ApiRequest { method, query: black_box(query), headers, body: b"" };
    let call = black_box(api.read(Resource::Prices("AAA".to_owned()), asked).ok());
    (api, call)
}

#[library_benchmark]
#[bench::fifty_products(setup = shown)]
fn render_shown_prices(shown: ShownPrices<'static>) -> Option<Vec<u8>> {
    black_box(render_prices(black_box(&shown)).ok())
}

library_benchmark_group!(
    name = tables,
    benchmarks = [price, price_terms, pack, fingerprinted, read_discounts, unpack, look_up]
);
library_benchmark_group!(name = frames, benchmarks = [parse_quote, render_answer]);
library_benchmark_group!(name = doors, benchmarks = [read_prices_query, render_shown_prices]);

main!(library_benchmark_groups = [tables, frames, doors]);
