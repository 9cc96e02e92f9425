//! Prices against an independent oracle: `rust_decimal`, which computes with exact decimals and
//! rounds half-even, over thousands of random cases.

mod pricing {
    mod amounts;
    mod oracle;
    mod quotes;
    mod tables;
}
