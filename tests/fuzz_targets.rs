//! Runs the fuzz targets without a fuzzer: on their corpora, and on changed inputs from a fixed seed. So each
//! `cargo test` shows that they compile and find nothing near. `.ci/fuzz` looks further.
//!
//! `OCACHE_FUZZ_CHANGES` says how many changed inputs each target gets:
//!
//! ```text
//! OCACHE_FUZZ_CHANGES=100000 cargo test --test fuzz_targets
//! ```

// The targets import from these two packages.
extern crate self as libfuzzer_sys;
extern crate self as ocache_fuzz;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use ocache::model::{Calculation, ProviderMessage, QuotationKey};
use ocache::ports::{
    CatalogueHead, Quotation, QuotationStatus, RowChange, TableHead, unpack_target,
};
use ocache::pricing::{BaseIndex, Discounts};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// As many as an ordinary test run has time for.
const CHANGES: usize = 10_000;
/// The most bytes that one change adds or removes.
const MOST_BYTES: usize = 16;

/// What the targets import from the fuzzer.
mod fuzzer {
    /// Defines the check of a target, where libFuzzer's macro of this name defines its entry.
    macro_rules! fuzz_target {
        (|$input:ident: &[u8]| $body:block) => {
            pub fn check($input: &[u8]) $body
        };
        (|$input:ident: &str| $body:block) => {
            pub fn check(input: &[u8]) {
                let text = |$input: &str| $body;
                if let Ok(input) = std::str::from_utf8(input) {
                    text(input);
                }
            }
        };
    }
    pub(crate) use fuzz_target;
}
use fuzzer::fuzz_target;

#[path = "fuzz/targets/encoding.rs"]
mod encoding;
use encoding::{bytes, fnv, seal, sealed, signed, text, varint};

/// Declares the targets, with a test of each.
macro_rules! targets {
    ($($target:ident in $file:literal,)*) => {
        $(
            #[path = $file]
            #[allow(unused_attributes, reason = "a program of the fuzzer has no `main`")]
            #[allow(clippy::len_zero, reason = "a target compares `is_empty` with it")]
            mod $target;
        )*

        mod fuzz_targets {
            $(
                #[test]
                fn $target() {
                    super::run(stringify!($target), super::$target::check);
                }
            )*
        }
    };
}

targets! {
    base_part in "fuzz/targets/base_part.rs",
    data_file in "fuzz/targets/data_file.rs",
    frame in "fuzz/targets/frame.rs",
    own_rows in "fuzz/targets/own_rows.rs",
    packed_discounts in "fuzz/targets/packed_discounts.rs",
    packed_quotation in "fuzz/targets/packed_quotation.rs",
    stored in "fuzz/targets/stored.rs",
    stored_ladders in "fuzz/targets/stored_ladders.rs",
    table_head in "fuzz/targets/table_head.rs",
}

/// Returns the inputs of a target's corpus, by the names of their files.
fn corpus_of(target: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

/// A target accepts refusals, so it would look at nothing if its corpus were of earlier forms.
#[test]
fn corpora_are_of_forms_that_are_read() {
    let key = QuotationKey::stored("q_3y0wrc41fhgk4kxf73ak0k797t").unwrap();
    let is_read = |target: &str, input: &[u8]| {
        let (kind, rest) = input.split_first().unwrap();
        let json = std::str::from_utf8(rest).unwrap_or_default();
        match (target, kind) {
            ("table_head", _) => TableHead::unpack(input).is_ok(),
            ("packed_discounts", _) => Discounts::unpack(&seal(rest)).is_ok(),
            ("packed_quotation", 0) => Quotation::unpack(key.clone(), rest).is_ok(),
            ("packed_quotation", 1) => Quotation::unpack(key.clone(), &sealed(2, rest)).is_ok(),
            ("packed_quotation", 2) => QuotationStatus::unpack(&sealed(2, rest)).is_ok(),
            ("packed_quotation", 3) => Quotation::unpack(key.clone(), &seal(rest)).is_ok(),
            ("packed_quotation", 4) => QuotationStatus::unpack(&seal(rest)).is_ok(),
            ("packed_quotation", 5) => unpack_target(&seal(rest)).is_ok(),
            ("stored", 0) => serde_json::from_str::<BaseIndex>(json).is_ok(),
            ("stored", 1) => serde_json::from_str::<CatalogueHead>(json).is_ok(),
            ("stored", 2) => serde_json::from_str::<RowChange>(json).is_ok(),
            ("stored", 3) => serde_json::from_str::<Calculation>(json).is_ok(),
            ("stored", 4) => serde_json::from_str::<ProviderMessage>(json).is_ok(),
            _ => false,
        }
    };
    for target in ["table_head", "packed_discounts", "packed_quotation", "stored"] {
        for (file, input) in corpus_of(target) {
            assert!(is_read(target, &input), "{} is refused", file.display());
        }
    }
}

fn run(target: &str, check: fn(&[u8])) {
    let corpus: Vec<Vec<u8>> = corpus_of(target).into_values().collect();
    for input in &corpus {
        told(input, check);
    }
    let changes = std::env::var("OCACHE_FUZZ_CHANGES")
        .map_or(CHANGES, |text| text.parse().expect("OCACHE_FUZZ_CHANGES is a number"));
    let mut chance = StdRng::seed_from_u64(1);
    for _ in 0..changes {
        let mut input = corpus[chance.random_range(0..corpus.len())].clone();
        for _ in 0..chance.random_range(1..4) {
            change(&mut input, &corpus, &mut chance);
        }
        told(&input, check);
    }
}

/// Changes an input at a random place.
fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], chance: &mut StdRng) {
    let at = chance.random_range(0..=input.len());
    let end = (at + chance.random_range(1..=MOST_BYTES)).min(input.len());
    match chance.random_range(0..5) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << chance.random_range(0..8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = chance.random();
            }
        }
        2 => drop(input.drain(at..end)),
        3 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        _ => {
            let other = &corpus[chance.random_range(0..corpus.len())];
            let from = chance.random_range(0..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}

/// Checks an input, and prints it if the check fails.
fn told(input: &[u8], check: fn(&[u8])) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
        eprintln!("the input: b\"{}\"", input.escape_ascii());
        resume_unwind(panic);
    }
}
