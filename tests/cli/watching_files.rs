//! Tests of `ocache load --watch`: files that change while it runs.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::process::{Home, Running, text};

const PRODUCTS: &str = "id,name,price\nP1,Lamp,10.00\nP2,Cable,2.00\n";
/// What stderr says when a load is over and the next change is waited for.
const WAITING: &str = "waiting for the next change";

/// A home with a folder of files.
struct Inbox {
    home: Home,
    folder: PathBuf,
}

impl Inbox {
    fn new() -> Self {
        let home = Home::new();
        let folder = home.path().join("inbox");
        fs::create_dir(&folder).unwrap();
        Self { home, folder }
    }

    fn with_products() -> Self {
        let inbox = Self::new();
        inbox.write("products.csv", PRODUCTS);
        inbox
    }

    fn path(&self) -> &str {
        self.folder.to_str().unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).unwrap();
    }

    /// Watches the folder, with further flags.
    fn watch(&self, flags: &[&str]) -> Running {
        let args = ["load", "--watch", self.path(), "--output", "json"];
        self.home.start(&[&args, flags].concat())
    }

    /// Returns the price of a product in the store.
    fn price(&self, id: &str) -> Value {
        let products = self.home.json(&["list", "products", "--match", id]);
        products[0]["price"].clone()
    }
}

#[test]
fn a_changed_file_is_loaded_as_one_load_and_says_what_it_did() {
    let inbox = Inbox::with_products();
    let mut watch = inbox.watch(&[]);
    let first = watch.stdout_line_json();
    assert_eq!((&first["products"]["added"], &first["catalogue_version"]), (&json!(2), &json!(1)));
    watch.stderr_line(WAITING);

    inbox.write("products.csv", "id,name,price\nP1,Lamp,11.00\nP2,Cable,2.50\nP3,Fan,30.00\n");
    assert!(watch.stderr_line("changed:").contains("products.csv"));
    let second = watch.stdout_line_json();
    let expected = json!({ "added": 1, "changed": 2, "unchanged": 0, "removed": 0 });
    assert_eq!((&second["products"], &second["catalogue_version"]), (&expected, &json!(2)));
    assert_eq!(inbox.price("P1"), "11.00");
    watch.stderr_line(WAITING);

    // A new file is read together with the others, because a row of one may be about a row of another.
    inbox.write("discounts.csv", "user_id,product_id,percentage\nAAA,P3,10\n");
    let third = watch.stdout_line_json();
    assert_eq!((&third["users"]["added"], &third["products"]["unchanged"]), (&json!(1), &json!(3)));
    assert_eq!(third["unknown_products"], json!([]));
    let (code, stderr) = watch.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn a_bad_file_is_reported_and_the_watch_goes_on() {
    let inbox = Inbox::with_products();
    let mut watch = inbox.home.start(&["load", "--watch", inbox.path()]);
    watch.stderr_line(WAITING);
    inbox.write("products.csv", "id,name,price\nP1,Lamp,11.00\nP2,Cable,cheap\n");
    let error = watch.stderr_line("error:");
    assert!(error.contains("products.csv:3:10: ") && error.contains("`cheap`"), "{error}");
    watch.stderr_line(WAITING);
    assert_eq!(inbox.price("P1"), "10.00", "nothing of the file is loaded");

    inbox.write("products.csv", "id,name,price\nP1,Lamp,12.00\nP2,Cable,2.00\n");
    watch.stderr_line(WAITING);
    assert_eq!(inbox.price("P1"), "12.00");
    assert_eq!(watch.interrupt().0, Some(0));
}

#[test]
fn errors_are_json_for_programs() {
    let inbox = Inbox::new();
    inbox.write("products.csv", "id,name,price\nP1,Lamp,cheap\n");
    let mut watch = inbox.watch(&[]);
    let error: Value = serde_json::from_str(&watch.stderr_line("\"error\"")).unwrap();
    assert_eq!(error["error"]["exit_code"], 3);
    watch.stderr_line(WAITING);
    assert!(!inbox.home.path().join("data").exists(), "a bad file makes no store");
    inbox.write("products.csv", PRODUCTS);
    assert_eq!(watch.stdout_line_json()["products"]["added"], 2);
    assert_eq!(watch.interrupt().0, Some(0));
}

#[test]
fn a_file_that_takes_the_name_of_another_is_loaded() {
    let inbox = Inbox::with_products();
    let mut watch = inbox.watch(&[]);
    watch.stdout_line_json();
    watch.stderr_line(WAITING);
    // A file that is being written does not have the name of a data file.
    inbox.write("products.csv.part", "id,name,price\nP1,La");
    inbox.write("products.csv.part", "id,name,price\nP1,Lamp,13.00\nP2,Cable,2.00\n");
    let folder = &inbox.folder;
    fs::rename(folder.join("products.csv.part"), folder.join("products.csv")).unwrap();
    let report = watch.stdout_line_json();
    assert_eq!(
        (&report["products"]["changed"], &report["catalogue_version"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(inbox.price("P1"), "13.00");
    assert_eq!(watch.interrupt().0, Some(0));
}

#[test]
fn a_removed_file_removes_rows_only_with_prune() {
    for (flags, removed) in [(&[][..], 0), (&["--prune"][..], 1)] {
        let inbox = Inbox::with_products();
        inbox.write("more.csv", "id,name,price\nP3,Fan,30.00\n");
        let mut watch = inbox.watch(flags);
        assert_eq!(watch.stdout_line_json()["products"]["added"], 3);
        watch.stderr_line(WAITING);
        inbox.remove("more.csv");
        assert!(watch.stderr_line("changed:").contains("more.csv"));
        assert_eq!(watch.stdout_line_json()["products"]["removed"], removed);
        watch.stderr_line(WAITING);
        // An empty folder does not mean that everything shall be removed.
        inbox.remove("products.csv");
        watch.stderr_line("there are no data files");
        assert_eq!(inbox.price("P1"), "10.00");
        inbox.write("products.csv", PRODUCTS);
        assert_eq!(watch.stdout_line_json()["products"]["unchanged"], 2);
        assert_eq!(watch.interrupt().0, Some(0));
    }
}

#[test]
fn the_layout_and_the_flags_of_a_load_hold_for_each_of_them() {
    let inbox = Inbox::new();
    inbox.write("own.csv", "kunde;artikel;price\nAAA;P1;9,00\n");
    inbox.write("artikel.csv", "sku;name;price\nP1;Lampe;10,00\n");
    let flags = [
        "--delimiter",
        "semicolon",
        "--decimal-comma",
        "--map",
        "sku=id",
        "--map",
        "kunde=user_id",
        "--map",
        "artikel=product_id",
        "--currency",
        "EUR",
        "--merge",
    ];
    let mut watch = inbox.watch(&flags);
    let first = watch.stdout_line_json();
    assert_eq!((&first["products"]["added"], &first["users"]["added"]), (&json!(1), &json!(1)));
    watch.stderr_line(WAITING);
    inbox.write("artikel.csv", "sku;name;price\nP1;Lampe;10,50\nP2;Kabel;2,00\n");
    inbox.write("own.csv", "kunde;artikel;price\nAAA;P2;1,50\n");
    // The files may have been seen one after the other.
    while inbox.home.json(&["list", "discounts"]).as_array().unwrap().len() < 2 {
        let report = watch.stdout_line_json();
        assert_eq!(report["own_rows_removed"], 0, "--merge keeps what the files do not name");
    }
    assert_eq!(inbox.price("P1"), "10.50");
    assert_eq!(watch.interrupt().0, Some(0));
}

#[test]
fn a_second_process_quotes_what_was_loaded_last() {
    let inbox = Inbox::with_products();
    let mut watch = inbox.watch(&[]);
    watch.stdout_line_json();
    watch.stderr_line(WAITING);
    let (up, _) = inbox.home.up(&[]);
    let total = || {
        let quote = inbox.home.json(&["quote", "--client", "AAA", "P1:2"]);
        quote["total"].as_str().map(str::to_owned)
    };
    assert_eq!(total().as_deref(), Some("20.00"));
    inbox.write("products.csv", "id,name,price\nP1,Lamp,14.00\nP2,Cable,2.00\n");
    let report = watch.stdout_line_json();
    assert_eq!(report["tables_ordered"], 1, "{report}");
    // The ordered table is calculated a moment later. Until then the old one is used.
    while total().as_deref() != Some("28.00") {}
    assert_eq!(watch.interrupt().0, Some(0));
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn single_files_are_watched_too() {
    let inbox = Inbox::with_products();
    inbox.write("other.csv", "id,name,price\nP9,Other,1.00\n");
    let file = inbox.folder.join("products.csv");
    let args = ["load", file.to_str().unwrap(), "--watch", "--output", "ndjson"];
    let mut watch = inbox.home.start(&args);
    assert_eq!(watch.stdout_line_json()["products"]["added"], 2);
    watch.stderr_line(WAITING);
    inbox.write("other.csv", "id,name,price\nP9,Other,2.00\n");
    inbox.write("products.csv", "id,name,price\nP1,Lamp,15.00\nP2,Cable,2.00\n");
    assert_eq!(watch.stdout_line_json()["products"]["changed"], 1);
    assert_eq!(watch.interrupt().0, Some(0));
}

#[test]
fn an_empty_folder_waits_for_its_first_file() {
    let inbox = Inbox::new();
    let mut watch = inbox.watch(&[]);
    watch.stderr_line("there are no data files; waiting for the first one");
    inbox.write("products.csv", PRODUCTS);
    assert_eq!(watch.stdout_line_json()["products"]["added"], 2);
    assert_eq!(watch.interrupt().0, Some(0));
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let home = Home::new();
    let stderr = home.fails(2, &["load", "--watch", "-"]);
    assert!(stderr.contains("standard input cannot be watched"), "{stderr}");
    let stderr = home.fails(4, &["load", "--watch", "no-such-folder"]);
    assert!(stderr.contains("`no-such-folder` does not exist"), "{stderr}");
    let stderr = home.fails(2, &["load", "--watch", "--dry-run", "."]);
    assert!(stderr.contains("--dry-run"), "{stderr}");
    let stderr = home.fails(2, &["load", "--watch", "/dev/null"]);
    assert!(stderr.contains("`/dev/null` is neither a file nor a folder"), "{stderr}");
    let inbox = Inbox::with_products();
    // The user sees at once that it cannot work.
    let data = inbox.home.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("store.db"), "this is a letter, not a store").unwrap();
    let output = inbox.home.run(&["load", "--watch", inbox.path()]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output.stderr));
}

#[test]
fn a_store_that_cannot_be_reached_is_tried_again() {
    let inbox = Inbox::with_products();
    let mut watch = inbox.watch(&[]);
    watch.stdout_line_json();
    watch.stderr_line(WAITING);
    let (data, away) = (inbox.home.path().join("data"), inbox.home.path().join("away"));
    fs::rename(&data, &away).unwrap();
    fs::write(&data, "a file where the store should be").unwrap();
    inbox.write("products.csv", "id,name,price\nP1,Lamp,16.00\nP2,Cable,2.00\n");
    watch.stderr_line("the files are loaded again in 1s");
    fs::remove_file(&data).unwrap();
    fs::rename(&away, &data).unwrap();
    assert_eq!(
        watch.stdout_line_json()["products"]["changed"],
        1,
        "the file has not changed again"
    );
    assert_eq!(inbox.price("P1"), "16.00");
    assert_eq!(watch.interrupt().0, Some(0));
}
