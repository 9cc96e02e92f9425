//! Measures the work of `instructions.rs` in time, beside the opponent, on a machine that does nothing
//! else: `cargo bench --bench time`.

mod inputs;
#[allow(dead_code)] // Only its pricing is timed.
mod opponent;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocache::pricing::{
    BasePart, Currency, Discounts, OwnRows, PackedBase, PackedOwn, Rounding, fingerprint,
};

const PRODUCTS: u64 = 10_000;

fn tables(criterion: &mut Criterion) {
    let dataset = inputs::dataset(PRODUCTS, 1, 100);
    let base = inputs::base(&dataset.products);
    let price = |discounts| {
        OwnRows::price(base.index(), discounts, Rounding::HalfEven, |number| base.part(number))
    };
    let all = inputs::all_discounted(&dataset.products);
    let hundred = &dataset.discounts[0].discounts;
    let mut group = criterion.benchmark_group("table of 10,000 products");
    group.throughput(Throughput::Elements(PRODUCTS));
    let each: [(&str, &Discounts); 2] = [("all discounted", &all), ("100 discounted", hundred)];
    for (name, discounts) in each {
        let rows = price(discounts).expect("the base is whole");
        group.bench_function(format!("priced, {name}"), |bencher| {
            bencher.iter(|| price(black_box(discounts)));
        });
        group.bench_function(format!("packed, {name}"), |bencher| {
            bencher.iter(|| PackedOwn::new(black_box(&rows)));
        });
        group.bench_function(format!("fingerprint, {name}"), |bencher| {
            bencher.iter(|| fingerprint(black_box(discounts)));
        });
    }
    group.sample_size(10).bench_function("the opponent, 100 discounted", |bencher| {
        bencher.iter(|| opponent::price(black_box(&dataset.products), black_box(hundred)));
    });
    group.finish();

    let packed = PackedBase::new(Currency::USD, dataset.products.clone());
    let parts = packed.expect("generated products differ").parts;
    criterion.bench_function("a part of a base, unpacked", |bencher| {
        bencher.iter(|| BasePart::decode(black_box(&parts[0])));
    });
}

criterion_group!(benches, tables);
criterion_main!(benches);
