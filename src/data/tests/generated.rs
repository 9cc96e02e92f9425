//! Tests that generated files are always the same, can be read, and never overwrite others unasked.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use crate::data::{
    Dataset, Existing, Format, GenerateError, Generated, GivenRule, Layout, ListSpec, Spec,
    generate, read,
};
use crate::model::DigestBuilder;
use crate::pricing::Currency;

const FORMATS: [Format; 3] = [Format::Ndjson, Format::Csv, Format::Json];

fn spec(format: Format) -> Spec {
    let (currency, lists) = (Currency::USD, ListSpec::NONE);
    Spec { seed: 42, products: 500, users: 30, discounts_per_user: 7, currency, format, lists }
}

const fn go_on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn write(spec: &Spec, folder: &Path) -> Generated {
    generate(spec, folder, Existing::Keep, &go_on).unwrap()
}

fn read_back(spec: &Spec) -> Dataset {
    let folder = tempfile::tempdir().unwrap();
    write(spec, folder.path());
    read(&[folder.path().to_owned()], spec.currency, &Layout::default(), &|_| {}).unwrap()
}

#[test]
fn every_format_reads_back_equal() {
    let [ndjson, csv, json] = FORMATS.map(|format| read_back(&spec(format)));
    assert_eq!((ndjson.products.len(), ndjson.discounts.len()), (500, 30));
    for other in [csv, json] {
        assert_eq!(other.products, ndjson.products);
        assert_eq!(other.discounts, ndjson.discounts);
    }
}

#[test]
fn discounts_are_for_generated_products_in_steps_of_a_half() {
    let dataset = read_back(&spec(Format::Csv));
    let products: HashSet<_> = dataset.products.iter().map(|product| &product.id).collect();
    assert_eq!(products.len(), 500);
    for list in &dataset.discounts {
        let discounts = list.discounts.as_slice();
        assert_eq!(discounts.len(), 7);
        for discount in discounts {
            assert!(products.contains(&discount.product_id));
            let millionths = discount.percentage.millionths();
            assert!(millionths.is_multiple_of(500_000), "{millionths}");
            assert!((1_000_000..=35_000_000).contains(&millionths), "{millionths}");
        }
    }
}

#[test]
fn any_currency_reads_back() {
    for code in ["JPY", "KWD"] {
        let spec = Spec { currency: code.parse().unwrap(), ..spec(Format::Json) };
        let minors: Vec<_> =
            read_back(&spec).products.iter().map(|p| p.price.unwrap().minor()).collect();
        let usd = read_back(&self::spec(Format::Json));
        assert_eq!(
            minors,
            usd.products.iter().map(|p| p.price.unwrap().minor()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn one_seed_gives_one_text_forever() {
    let folder = tempfile::tempdir().unwrap();
    let generated = write(&spec(Format::Csv), folder.path());
    let texts: Vec<_> =
        generated.files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    // A change here breaks a promise to users who keep a seed instead of the files.
    let firsts: Vec<_> = texts.iter().filter_map(|text| text.lines().nth(1)).collect();
    assert_eq!(
        firsts,
        ["4OIRIGLB,Ergonomic Rubber Bowl 20 cm,17.99", "summit-electric-00000,CKZYTEMF,3.5"]
    );
    let digest =
        texts.iter().fold(DigestBuilder::new("files"), |digest, text| digest.part(text.as_bytes()));
    assert_eq!(digest.finish().to_string(), "f3747608fadb651f139ff478927893ae");
    let size = |path: &std::path::PathBuf| fs::metadata(path).unwrap().len();
    assert_eq!(generated.bytes, generated.files.iter().map(size).sum::<u64>());
    assert_eq!(generated.discounts, 210);

    let other = Spec { seed: 43, ..spec(Format::Csv) };
    assert_ne!(read_back(&other).products, read_back(&spec(Format::Csv)).products);
}

#[test]
fn data_files_are_not_overwritten_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("README.md"), "mine").unwrap();
    write(&spec(Format::Csv), folder.path());
    let smaller = Spec { products: 10, ..spec(Format::Csv) };
    let error = generate(&smaller, folder.path(), Existing::Keep, &go_on).unwrap_err();
    assert!(matches!(error, GenerateError::NotEmpty { .. }), "{error}");
    generate(&smaller, folder.path(), Existing::Replace, &go_on).unwrap();
    let dataset =
        read(&[folder.path().to_owned()], Currency::USD, &Layout::default(), &|_| {}).unwrap();
    assert_eq!(dataset.products.len(), 10);
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3, "no partial file stays");
}

#[test]
fn files_of_an_earlier_run_do_not_stay_beside_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let lists = ListSpec { lists: 2, tiers: 1, currencies: vec![] };
    let with_lists = Spec { lists, ..spec(Format::Csv) };
    let earlier = write(&with_lists, folder.path()).files;
    assert_eq!(earlier.len(), 5);
    fs::write(folder.path().join("mine.csv"), "id,name,price\nP1,Desk,5\n").unwrap();
    let replace = |spec: &Spec| generate(spec, folder.path(), Existing::Replace, &go_on);
    let left = |spec: &Spec| match replace(spec) {
        Err(GenerateError::Left { files }) => files,
        other => panic!("{other:?}"),
    };
    assert_eq!(left(&spec(Format::Csv)), earlier[2..], "other kinds");
    assert_eq!(left(&spec(Format::Json)), earlier, "another format");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6, "nothing was written or deleted");
    assert_eq!(replace(&with_lists).unwrap().files, earlier, "the same files again");
}

#[test]
fn impossible_sizes_are_refused_before_anything_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new");
    let none = Spec { products: 0, ..spec(Format::Csv) };
    let too_many = Spec { products: 6, ..spec(Format::Csv) };
    let error = |spec| generate(spec, &folder, Existing::Keep, &go_on).unwrap_err();
    assert!(matches!(error(&none), GenerateError::Products { count: 0 }));
    assert!(matches!(error(&too_many), GenerateError::Discounts { discounts: 7, products: 6 }));
    assert!(!folder.exists());
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("products.csv/in the way")).unwrap();
    let error = generate(&spec(Format::Csv), folder.path(), Existing::Keep, &go_on).unwrap_err();
    assert!(matches!(error, GenerateError::Io { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_interruption_leaves_only_complete_files() {
    // The products are complete after 500 rows, the discounts of 30 users after 30 more.
    for (last, complete) in [(500, 0), (530, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let progress = |rows: u64| match rows < last {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        };
        let error =
            generate(&spec(Format::Csv), folder.path(), Existing::Keep, &progress).unwrap_err();
        assert!(matches!(error, GenerateError::Interrupted { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), complete);
    }
}

#[test]
fn without_discounts_there_is_no_file_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Cell::new(0);
    let spec = Spec { users: 0, ..spec(Format::Json) };
    let progress = |count: u64| {
        rows.set(count);
        ControlFlow::Continue(())
    };
    let generated = generate(&spec, folder.path(), Existing::Keep, &progress);
    assert_eq!(generated.unwrap().files, [folder.path().join("products.json")]);
    assert_eq!(rows.get(), 500);
}

fn with_lists(format: Format) -> Spec {
    let currencies = vec!["EUR".parse().unwrap(), "JPY".parse().unwrap()];
    Spec { lists: ListSpec { lists: 7, tiers: 4, currencies }, ..spec(format) }
}

#[test]
fn price_lists_read_back_equal_in_every_format() {
    let [ndjson, csv, json] = FORMATS.map(|format| read_back(&with_lists(format)));
    assert_eq!((ndjson.customers.len(), ndjson.lists.len()), (30, 7));
    let rungs = ndjson.prices.iter().map(|prices| prices.rungs.len());
    assert_eq!((ndjson.prices.len(), rungs.sum::<usize>()), (7 * 50, 7 * 50 * 4));
    let without_places = |dataset: &Dataset| -> Vec<_> {
        let prices = dataset.prices.iter().flat_map(|prices| {
            let key = (prices.list.clone(), prices.scope.clone());
            prices.rungs.iter().map(move |rung| (key.clone(), rung.min_quantity, rung.rule.clone()))
        });
        prices.collect()
    };
    let headers =
        |dataset: &Dataset| dataset.lists.iter().map(|(list, _)| list.clone()).collect::<Vec<_>>();
    for other in [csv, json] {
        assert_eq!(other.products, ndjson.products);
        assert_eq!(other.discounts, ndjson.discounts);
        assert_eq!(other.customers, ndjson.customers);
        assert_eq!(headers(&other), headers(&ndjson));
        assert_eq!(without_places(&other), without_places(&ndjson));
    }
    let stated = ndjson.prices.iter().flat_map(|prices| &prices.rungs);
    let stated = stated.filter(|rung| matches!(rung.rule, GivenRule::Price(_))).count();
    assert_eq!(stated, 3 * 50 * 4, "every other list states prices");
}

#[test]
fn lists_change_nothing_of_what_is_generated_without_them() {
    let folders = [spec(Format::Csv), with_lists(Format::Csv)].map(|spec| {
        let folder = tempfile::tempdir().unwrap();
        let generated = write(&spec, folder.path());
        let sizes = generated.files.iter().map(|file| fs::metadata(file).unwrap().len());
        assert_eq!(generated.bytes, sizes.sum::<u64>());
        folder
    });
    let [plain, lists] =
        folders.map(|folder| fs::read_to_string(folder.path().join("discounts.csv")).unwrap());
    assert_eq!(plain, lists);
}

#[test]
fn a_count_of_tiers_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for tiers in [0, 21] {
        let lists = ListSpec { tiers, ..ListSpec::NONE };
        let error =
            generate(&Spec { lists, ..spec(Format::Csv) }, folder.path(), Existing::Keep, &go_on);
        assert!(matches!(error.unwrap_err(), GenerateError::Tiers { .. }), "{tiers}");
    }
}
