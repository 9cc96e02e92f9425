//! Tests of prices against an independent oracle: `rust_decimal`, which computes with exact decimals and
//! rounds half-even. There are thousands of random cases, or millions with `OCACHE_PRICING_CASES=3000000
//! cargo test --release --test pricing amounts`.

mod pricing {
    mod amounts;
    mod oracle;
    mod quotes;
    mod tables;
    mod terms;
}
