//! Tests of files and folders, and of errors that concern several files.

use std::cell::RefCell;
use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::{read_one, rows};
use crate::data::{
    DataErrors, Dataset, Layout, MAX_LISTED_ERRORS, Notice, Problem, read, total_bytes,
};
use crate::pricing::Currency;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read_paths(paths: &[&Path]) -> Result<Dataset, DataErrors> {
    let paths: Vec<PathBuf> = paths.iter().map(|&path| path.to_owned()).collect();
    read(&paths, Currency::USD, &Layout::default(), &|_| {})
}

/// Returns the errors, without the folder's name.
fn errors_in(folder: &tempfile::TempDir) -> String {
    let errors = read_paths(&[folder.path()]).unwrap_err().to_string();
    errors.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_folder_is_its_data_files_in_order_of_names() {
    let folder = folder(&[
        ("b.CSV", "id,name,price\nP2,b,2\n"),
        ("a.jsonl", "{\"id\":\"P1\",\"name\":\"a\",\"price\":1}"),
        ("c.json", "[]"),
        ("notes.txt", "x"),
        (".hidden.json", "{"),
    ]);
    fs::create_dir(folder.path().join("old.json")).unwrap();
    let dataset = read_paths(&[folder.path()]).unwrap();
    assert_eq!(rows(&dataset), ["P1 a 1.00", "P2 b 2.00"]);
    let at = |name: &str| folder.path().join(name);
    let files: Vec<_> = dataset.files.iter().map(|file| file.path.clone()).collect();
    assert_eq!(files, [at("a.jsonl"), at("b.CSV"), at("c.json")]);
    assert_eq!(
        dataset.notices,
        [
            Notice::PassedOver { path: at("notes.txt") },
            Notice::PassedOver { path: at("old.json") },
            Notice::NoRows { path: at("c.json") },
        ]
    );
}

#[test]
fn a_file_is_read_whatever_its_name_and_only_once() {
    let folder = folder(&[("prices.txt", "id,name,price\nP,a,1\n")]);
    let file = folder.path().join("prices.txt");
    let again = folder.path().join(".").join("prices.txt");
    let dataset = read_paths(&[&file, &again]).unwrap();
    assert_eq!(rows(&dataset), ["P a 1.00"]);
}

#[test]
fn what_is_not_there_is_named_with_its_cause() {
    let empty = tempfile::tempdir().unwrap();
    let missing = empty.path().join("nothing.csv");
    let errors = read_paths(&[empty.path(), &missing]).unwrap_err();
    let [folder, file] = errors.errors.as_slice() else { panic!("{errors}") };
    assert_eq!((folder.path.as_path(), folder.problem.code()), (empty.path(), "empty_folder"));
    assert!(matches!(file.problem, Problem::Unreadable(_)), "{file}");
    let cause = file.source().and_then(|problem| problem.source()).unwrap();
    let cause = cause.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
    assert!(total_bytes(&[missing]).is_err());
}

#[test]
fn every_file_is_looked_at_and_nothing_is_given() {
    let folder = folder(&[
        ("a.csv", "id,name,price\nP1,a,1\nP2,,1\nP3,c,x\n"),
        ("b.json", "[{\"id\":\"P4\",\"name\":\"a\",\"price\":1},\n"),
        ("c.ndjson", "{\"id\":\"P1\",\"name\":\"a\",\"price\":1}\n{\"id\":\n"),
    ]);
    assert_eq!(
        errors_in(&folder),
        "a.csv:3:4: `name` is empty\n\
         a.csv:4:6: price `x` is not a decimal number (currency USD)\n\
         b.json:2:1: the JSON is cut off\n\
         c.ndjson:1: product `P1` is already given at a.csv:2\n\
         c.ndjson:2:6: the JSON is cut off"
    );
}

#[test]
fn a_users_rows_may_be_in_many_files_but_a_list_in_one() {
    let rows_1 = "user_id,product_id,percentage\nA,P1,1\nB,P1,1\n";
    let rows_2 = "user_id,product_id,percentage\nA,P2,2\nA,P3,2\n";
    let list = "{\"user_id\":\"A\",\"discounts\":[]}";
    let good = folder(&[("1.csv", rows_1), ("2.csv", rows_2)]);
    let dataset = read_paths(&[good.path()]).unwrap();
    assert_eq!(rows(&dataset), ["A: P1 1", "A: P2 2", "A: P3 2", "B: P1 1"]);
    assert_eq!(dataset.files.iter().map(|file| file.users).collect::<Vec<_>>(), [2, 1]);

    let again = folder(&[("1.csv", rows_1), ("2.csv", rows_1)]);
    assert!(
        errors_in(&again).starts_with(
            "2.csv:2: customer `A` already has a discount for product `P1` at 1.csv:2\n"
        )
    );
    for files in [[("1.json", list), ("2.json", list)], [("1.json", list), ("2.json", rows_2)]] {
        let errors = errors_in(&folder(&files));
        assert!(
            errors.contains("discounts of customer `A` are already given at 1.json:1"),
            "{errors}"
        );
    }
}

#[test]
fn a_file_that_is_not_text_is_named() {
    // The last one is UTF-16 by its byte order mark, and has half a surrogate pair.
    for bytes in
        [&b"\x7fELF\x02\0\0"[..], b"[\"\xff\"]", b"id,name,price\n\xe9", b"\xff\xfe[\0\x00\xd8]\0"]
    {
        let errors = read_one(bytes).unwrap_err();
        assert_eq!(errors.errors[0].problem.code(), "not_text", "{errors}");
    }
    let errors = read_one("id,name,price\nP,a,1\nQ,\u{e9},2\n\0").unwrap_err();
    assert_eq!(
        errors.to_string(),
        "f:4: is not text in UTF-8; if it has another encoding, name it, such as --encoding windows-1252 or --encoding utf-16le"
    );
}

#[test]
fn after_a_bad_line_the_next_ones_are_read() {
    let good = "{\"id\":\"P1\",\"name\":\"a\",\"price\":1}\n";
    let errors = read_one(format!("{{\"id\":\"P\n{good}{{\"id\":7}}\n")).unwrap_err();
    assert_eq!(errors.to_string(), "f:1:8: the JSON is cut off\nf:3: `name` is missing");
}

#[test]
fn errors_beyond_the_first_are_counted() {
    let bad = "P,,1\n".repeat(MAX_LISTED_ERRORS + 5);
    let errors = read_one(format!("id,name,price\n{bad}")).unwrap_err();
    assert_eq!((errors.errors.len(), errors.more), (MAX_LISTED_ERRORS, 5));
    assert!(errors.to_string().ends_with("f:21:3: `name` is empty\nand 5 more"), "{errors}");
}

#[test]
fn decimals_are_those_of_the_currency() {
    let folder = folder(&[("a.csv", "id,name,price\nP,a,1.005\n")]);
    let paths = [folder.path().to_owned()];
    let dataset =
        read(&paths, "KWD".parse::<Currency>().unwrap(), &Layout::default(), &|_| {}).unwrap();
    assert_eq!(dataset.products[0].price.unwrap().minor(), 1005);
    assert!(read(&paths, "JPY".parse::<Currency>().unwrap(), &Layout::default(), &|_| {}).is_err());
}

#[test]
fn progress_ends_at_the_total() {
    let line = "{\"id\":\"P\",\"name\":\"a\",\"price\":1}\n";
    let folder = folder(&[("a.json", line), ("b.csv", &line.repeat(20_000))]);
    let paths = [folder.path().to_owned()];
    let steps = RefCell::new(vec![0]);
    let result =
        read(&paths, Currency::USD, &Layout::default(), &|bytes| steps.borrow_mut().push(bytes));
    assert!(result.is_err());
    let steps = steps.into_inner();
    assert!(steps.is_sorted() && steps.len() > 4, "{steps:?}");
    assert_eq!(steps.last(), total_bytes(&paths).ok().as_ref());
}
