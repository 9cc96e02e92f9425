//! Tests of loading files as spreadsheets, ERPs and DynamoDB write them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::process::{Home, text};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns the products of a store, as ids, names and prices.
fn products(home: &Home) -> Vec<String> {
    let listed = home.json(&["list", "products"]);
    let text = |product: &Value, name: &str| product[name].as_str().unwrap().to_owned();
    let mut rows: Vec<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|product| ["id", "name", "price"].map(|name| text(product, name)).join(" "))
        .collect();
    rows.sort();
    rows
}

/// Loads a file into a new store. Returns its products.
fn load(name: &str, content: impl AsRef<[u8]>, flags: &[&str]) -> Vec<String> {
    let home = Home::new();
    let file = home.file(name, content);
    home.ok(&[&["load", &file][..], flags].concat());
    products(&home)
}

#[test]
fn another_delimiter_is_refused_with_the_flag_that_reads_it() {
    for (delimiter, name, quote) in [(';', "semicolon", "\""), ('\t', "tab", ""), ('|', "pipe", "")]
    {
        let header = ["id", "name", "price"].map(|name| format!("{quote}{name}{quote}"));
        let header = header.join(&delimiter.to_string());
        let content = format!("{header}\nP1{delimiter}Desk{delimiter}10\n");
        let home = Home::new();
        let file = home.file("p.csv", &content);
        let stderr = home.fails(3, &["load", &file]);
        let flag = format!("--delimiter {name}");
        for part in ["p.csv:1: ", "the delimiter is comma", &flag, "columns id, name, price"] {
            assert!(stderr.contains(part), "{part}: {stderr}");
        }
        assert!(!home.path().join("data").exists(), "a load that is refused makes no store");
        assert_eq!(load("p.csv", &content, &["--delimiter", name]), ["P1 Desk 10.00"]);
        let with_line = format!("sep={delimiter}\n{content}");
        assert_eq!(load("p.csv", &with_line, &[]), ["P1 Desk 10.00"], "sep= says the same");
        let both = load("p.csv", &with_line, &["--delimiter", name]);
        assert_eq!(both, ["P1 Desk 10.00"], "they agree");
        let file = home.file("p.csv", with_line);
        let stderr = home.fails(3, &["load", &file, "--delimiter", "comma"]);
        let said =
            format!("p.csv:1: says that the delimiter is {name}, and --delimiter comma says");
        assert!(stderr.contains(&said), "{stderr}");
    }
}

#[test]
fn a_description_that_is_left_out_may_have_line_breaks() {
    let flags = ["--line-breaks", "--ignore", "description"];
    let csv = "id,description,name,price\nP1,\"oak,\n\n\"\"solid\"\"\n\",Desk,10\nP2,,Lamp,5\n";
    let tsv = csv.replace(',', "\t");
    let both = ["P1 Desk 10.00", "P2 Lamp 5.00"];
    assert_eq!(load("p.csv", csv, &flags), both);
    assert_eq!(load("p.csv.gz", gzip(csv.as_bytes()), &flags), both);
    assert_eq!(load("p.tsv", tsv, &[&flags[..], &["--delimiter", "tab"]].concat()), both);
    let home = Home::new();
    let piped = home.piped(&[&["load", "-", "--output", "json"], &flags[..]].concat(), csv);
    assert!(piped.status.success(), "{}", text(&piped.stderr));
    let report: Value = serde_json::from_slice(&piped.stdout).unwrap();
    let longest = json!({ "line": 2, "lines": 4 });
    let several = &report["rows_of_several_lines"];
    assert_eq!((&several[0]["rows"], &several[0]["longest"]), (&json!(1), &longest), "{report}");
    assert_eq!(products(&home), both);

    let named = home.file("named.csv", "id,name,price\nP1,\"Desk,\noak\",10\n");
    let stderr = home.fails(3, &["load", "--line-breaks", &named]);
    let error = "named.csv:2:4: `name` `Desk,\\u{a}oak` has U+000A, a control character";
    assert!(stderr.contains(error), "{stderr}");
    let open = home.file("open.csv", "id,name,price\nP1,Desk,10\nP2,\"Lamp,5\n");
    let stderr = home.fails(3, &["load", &open]);
    assert!(stderr.contains("open.csv:3:4: a quoted field is not closed on its line"), "{stderr}");
    assert!(stderr.contains("load the file with --line-breaks"), "{stderr}");
}

#[test]
fn the_padding_of_spreadsheets_is_nothing() {
    for (what, content) in [
        ("columns", "id,name,price,,\nP1,Desk,10.00,,\n"),
        ("rows", "id,name,price\nP1,Desk,10.00\n,,\n,,\n"),
        ("rows before the header", ",,\nid,name,price\n,,\nP1,Desk,10.00\n"),
        ("fields", "id,name,price\nP1,Desk,10.00,,\n"),
        ("sep=", "sep=,\nid,name,price\nP1,Desk,10.00\n"),
        ("sep= with a mark", "\u{feff}\"sep=,\"\r\nid,name,price\r\nP1,Desk,10.00\r\n"),
        ("CR", "id,name,price\rP1,Desk,10.00\r"),
        ("Ctrl-Z", "id,name,price\r\nP1,Desk,10.00\r\n\u{1a}"),
        ("formulas of texts", "id,name,price\n=\"P1\",\"=\"\"Desk\"\"\",10.00\n"),
    ] {
        assert_eq!(load("p.csv", content, &[]), ["P1 Desk 10.00"], "{what}");
    }
    let home = Home::new();
    for (content, part) in [
        ("id,name,price,\nP1,Desk,10,x\n", "p.csv:2:12: column 4 contains `x`"),
        ("id,name,price\nP1,Desk,#N/A\n", "p.csv:2:9: `#N/A` is the result of a formula"),
        ("id,name,price\n#NV,Desk,1\n", "p.csv:2:1: `#NV` is the result of a formula"),
        ("id,name,price\n4.0E+12,Desk,1\n", "p.csv:2:1: id `4.0E+12` is a long number"),
    ] {
        let stderr = home.fails(3, &["load", &home.file("p.csv", content)]);
        assert!(stderr.contains(part), "{stderr}");
    }
}

#[test]
fn exports_of_dynamodb_are_read() {
    let item = r#"{"id":{"S":"P1"},"name":{"S":"Desk"},"value":{"N":"10"}}"#;
    let plain = r#"{"id":"P1","name":"Desk","price":"10.00"}"#;
    for (what, content) in [
        ("an export to S3", format!("{{\"Item\":{item}}}\n")),
        (
            "an incremental export",
            format!("{{\"Keys\":{{\"id\":{{\"S\":\"P1\"}}}},\"NewImage\":{item}}}\n"),
        ),
        ("a scan", format!("{{\"Items\":[{item}],\"Count\":1,\"ScannedCount\":1}}")),
        (
            "a batch get",
            format!("{{\"Responses\":{{\"x-products\":[{item}]}},\"UnprocessedKeys\":{{}}}}"),
        ),
        ("a transaction that reads", format!("{{\"Responses\":[{{\"Item\":{item}}}]}}")),
        ("a batch write", format!("{{\"x-products\":[{{\"PutRequest\":{{\"Item\":{item}}}}}]}}")),
        ("items alone", format!("[{item}]")),
        ("a table", format!("{{\"products\":[{plain}]}}")),
        ("a page of an API", format!("{{\"data\":[{plain}],\"total\":1,\"next\":null}}")),
    ] {
        assert_eq!(load("p.json", &content, &[]), ["P1 Desk 10.00"], "{what}");
        assert_eq!(load("p.json.gz", gzip(content.as_bytes()), &[]), ["P1 Desk 10.00"], "{what}");
    }
    let named_item = r#"{"products":[{"id":"P1","name":"Desk","price":"10.00","Item":{"k":1}}]}"#;
    assert_eq!(load("p.json", named_item, &["--ignore-unknown"]), ["P1 Desk 10.00"]);
    let home = Home::new();
    let page = format!("{{\"Items\":[{item}],\"LastEvaluatedKey\":{{\"id\":{{\"S\":\"P1\"}}}}}}");
    let output = home.run(&["load", &home.file("p.json", page)]);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("has `LastEvaluatedKey`, so there are more rows"), "{stderr}");
    let gone = home.file("gone.json", "{\"Keys\":{\"id\":{\"S\":\"P1\"}}}\n");
    let stderr = home.fails(3, &["load", &gone]);
    assert!(stderr.contains("gone.json:1: is a deletion without the deleted item"), "{stderr}");
    assert!(stderr.contains("NEW_AND_OLD_IMAGES") && stderr.contains("--prune"), "{stderr}");
}

/// Returns a line of an incremental export, for an item before and after its change.
fn changed(keys: &str, old: Option<&str>, new: Option<&str>) -> String {
    let image = |name: &str, item: Option<&str>| match item {
        Some(item) => format!(",\"{name}\":{item}"),
        None => String::new(),
    };
    let (old, new) = (image("OldImage", old), image("NewImage", new));
    let written = "{\"WriteTimestampMicros\":{\"N\":\"1795378466000000\"}}";
    format!("{{\"Metadata\":{written},\"Keys\":{keys}{old}{new}}}\n")
}

#[test]
fn incremental_exports_delete_what_they_say_is_deleted() {
    let product = |id: &str| {
        format!(
            "{{\"id\":{{\"S\":\"{id}\"}},\"name\":{{\"S\":\"Desk\"}},\"price\":{{\"N\":\"10\"}}}}"
        )
    };
    let keys = |id: &str| format!("{{\"pk\":{{\"S\":\"{id}\"}}}}");
    let (p1, p2, p3) = (product("P1"), product("P2"), product("P3"));
    let home = Home::new();
    let before = "id,name,price\nP1,Desk,10\nP2,Desk,10\nP4,Desk,10\n";
    home.ok(&["load", &home.file("p.csv", before)]);
    let lines = [
        // P1 moves to another item, P2 is deleted, and P4 changes its id to P3.
        changed(&keys("a"), Some(&p1), None),
        changed(&keys("b"), None, Some(&p1)),
        changed(&keys("c"), Some(&p2), None),
        changed(&keys("d"), Some(&product("P4")), Some(&p3)),
    ];
    let export = home.file("export.json", lines.concat());
    // `--prune` would remove all rows that are not among the changes, also if none of these is a deletion.
    let update = home.file("update.json", changed(&keys("b"), Some(&p1), Some(&p1)));
    for changes in [&export, &update] {
        let stderr = home.fails(3, &["load", changes, "--prune"]);
        assert!(stderr.contains(":1: is of an incremental export"), "{stderr}");
    }
    assert_eq!(products(&home), ["P1 Desk 10.00", "P2 Desk 10.00", "P4 Desk 10.00"]);
    let report = home.json(&["load", &export]);
    assert_eq!(
        report["products"],
        json!({ "added": 1, "changed": 0, "unchanged": 1, "removed": 2 })
    );
    assert_eq!(products(&home), ["P1 Desk 10.00", "P3 Desk 10.00"]);
    // An export that has only deletions, compressed as it comes from S3.
    let deleted = gzip(changed(&keys("d"), Some(&p3), None).as_bytes());
    home.ok(&["load", &home.file("export.json.gz", deleted)]);
    assert_eq!(products(&home), ["P1 Desk 10.00"]);
}

#[test]
fn standard_input_is_read_whatever_its_format() {
    let csv = "id,name,price\nP1,Desk,10.00\n";
    for input in [csv.as_bytes(), &gzip(csv.as_bytes())] {
        let home = Home::new();
        let output = home.piped(&["load", "-"], input);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(products(&home), ["P1 Desk 10.00"]);
        let refused = home.piped(&["load", "-"], "id,name,price\nP1,,1\n");
        assert_eq!(refused.status.code(), Some(3));
        assert!(text(&refused.stderr).contains("-:2:4: `name` is empty"), "{refused:?}");
    }
    let home = Home::new();
    let refused = home.piped(&["load", "-"], &gzip(csv.as_bytes())[..20]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("the gzip data is truncated"), "{refused:?}");
}

#[test]
fn a_truncated_gzip_is_told_in_the_same_words_by_every_command() {
    let home = Home::new();
    let trace = gzip(b"time,customer,lines\n2026-01-01T00:00:00Z,AAA,1\n");
    let trace = home.file("trace.csv.gz", &trace[..20]);
    let stderr = home.fails(3, &["simulate", &trace]);
    assert!(stderr.contains("the gzip data is truncated"), "{stderr}");
}

#[test]
fn a_column_that_is_named_and_in_no_file_is_noted() {
    let home = Home::new();
    let csv = home.file("p.csv", "sku,name,price\nP1,Desk,1\n");
    let map = ["--map", "sku=id", "--map", "Nome=name", "--ignore", "EAN"];
    let output = home.run(&[&["load", &csv], &map[..]].concat());
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains("no file has the columns `Nome`, `EAN`, which --map or --ignore"),
        "{stderr}"
    );
    home.file("ocache.toml", "[load.columns]\nNome = \"name\"\n");
    let mut load = home.command(&["load", &csv, "--map", "sku=id"]);
    let output = load.current_dir(home.path()).output().unwrap();
    assert!(!text(&output.stderr).contains("no file has"), "a section is for all files");
}

#[test]
fn encodings_are_those_that_are_named_or_marked() {
    let csv = "id,name,price\nP1,Türgriff €,10.00\n";
    let utf16: Vec<u8> =
        format!("\u{feff}{csv}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let windows: Vec<u8> = csv
        .chars()
        .map(|char| if char == '€' { 0x80 } else { u8::try_from(u32::from(char)).unwrap() })
        .collect();
    assert_eq!(load("p.csv", utf16, &[]), ["P1 Türgriff € 10.00"]);
    assert_eq!(load("p.csv", &windows, &["--encoding", "windows-1252"]), ["P1 Türgriff € 10.00"]);
    let home = Home::new();
    let stderr = home.fails(3, &["load", &home.file("p.csv", &windows)]);
    assert!(stderr.contains("p.csv:2: is not text in UTF-8"), "{stderr}");
    assert!(stderr.contains("--encoding windows-1252"), "{stderr}");
    let stderr = home.fails(2, &["load", "--encoding", "latin-99", "p.csv"]);
    assert!(stderr.contains("`latin-99` is not an encoding"), "{stderr}");
}

#[test]
fn decimal_commas_are_read_only_when_told() {
    let csv = "id;name;price\nP1;Desk;1.234,50\nP2;Lamp;5\n";
    let flags = ["--delimiter", "semicolon", "--decimal-comma"];
    assert_eq!(load("p.csv", csv, &flags), ["P1 Desk 1234.50", "P2 Lamp 5.00"]);
    let home = Home::new();
    let file = home.file("p.csv", csv);
    let stderr = home.fails(3, &["load", &file, "--delimiter", "semicolon"]);
    assert!(stderr.contains("p.csv:2:9: price `1.234,50`"), "{stderr}");
    assert!(stderr.contains("--decimal-comma"), "{stderr}");
    let point = home.file("p.csv", "id;name;price\nP1;Desk;1.234\n");
    let stderr = home.fails(3, &[&["load", &point][..], &flags].concat());
    assert!(stderr.contains("`1.234` is not a number with a decimal comma"), "{stderr}");
    let blank = home.file("p.csv", "id;name;price\nP1;Desk;1 234,50\n");
    let stderr = home.fails(3, &[&["load", &blank][..], &flags].concat());
    assert!(stderr.contains("`1 234,50` is not a number with a decimal comma"), "{stderr}");
}

#[test]
fn columns_are_mapped_and_left_out_as_told() {
    let csv = "sku,Titel,Preis,EAN\nP1,Desk,10,4006\n";
    let home = Home::new();
    let file = home.file("p.csv", csv);
    let stderr = home.fails(3, &["load", &file]);
    assert!(stderr.contains("p.csv:1: unknown columns `sku`, `Titel`, `Preis`, `EAN`"), "{stderr}");
    for part in ["--map sku=FIELD", "--ignore sku", "a product has the columns id, name, price"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    let map = ["--map", "sku=id", "--map", "Titel=name", "--map", "Preis=price"];
    let stderr = home.fails(3, &[&["load", &file][..], &map].concat());
    assert!(stderr.contains("unknown column `EAN`"), "{stderr}");
    assert_eq!(load("p.csv", csv, &[&map[..], &["--ignore", "EAN"]].concat()), ["P1 Desk 10.00"]);

    let output = home.run(&[&["load", &file, "--ignore-unknown"][..], &map].concat());
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("p.csv: left out `EAN`"), "{}", text(&output.stderr));
    let json = r#"[{"sku":"P1","Titel":"Desk","Preis":"10.00","EAN":null}]"#;
    assert_eq!(load("p.json", json, &[&map[..], &["--ignore", "EAN"]].concat()), ["P1 Desk 10.00"]);
    let bad = csv.replace("10", "ten");
    let bad = home.file("p.csv", bad);
    let stderr = home.fails(3, &[&["load", &bad, "--ignore", "EAN"][..], &map].concat());
    assert!(stderr.contains("p.csv:2:9: column `Preis`: price `ten`"), "{stderr}");
    let stderr = home.fails(2, &["load", &file, "--map", "sku=ident"]);
    assert!(stderr.contains("`ident` is not a field"), "{stderr}");
}

#[test]
fn a_settings_file_says_how_files_are_laid_out() {
    let home = Home::new();
    home.file("p.csv", "sku;Titel;Preis;EAN\nP1;Desk;1.234,50;4006\n");
    home.file(
        "ocache.toml",
        "[load]\ndelimiter = \"semicolon\"\ndecimal-comma = true\nignore = [\"EAN\"]\n\
         [load.columns]\nsku = \"id\"\nTitel = \"name\"\nPreis = \"price\"\n",
    );
    let load = |flags: &[&str]| {
        let args = [&["load", "p.csv"][..], flags].concat();
        home.command(&args).current_dir(home.path()).output().unwrap()
    };
    let output = load(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(products(&home), ["P1 Desk 1234.50"]);
    let other = load(&["--delimiter", "comma"]);
    assert_eq!(other.status.code(), Some(3), "a flag takes precedence");
    home.file("ocache.toml", "[load.columns]\nsku = \"ident\"\n");
    let stderr = text(&load(&[]).stderr);
    assert!(stderr.contains("`load.columns` in settings file"), "{stderr}");
    assert!(stderr.contains("`ident` is not a field"), "{stderr}");
}

#[test]
fn a_replaced_list_says_what_it_lost_and_merge_keeps_it() {
    let rows = |count: u32| {
        let rows = (0..count).map(|number| format!("AAA,P{number},5\n"));
        format!("user_id,product_id,percentage\n{}", rows.collect::<String>())
    };
    let home = Home::new();
    let (many, few) = (home.file("many.csv", rows(30)), home.file("few.csv", rows(3)));
    let changed = "user_id,product_id,percentage\nAAA,P0,7\nAAA,P99,8\n";
    let changed = home.file("changed.csv", changed);
    home.ok(&["load", &many]);
    let merged = home.json(&["load", &changed, "--merge"]);
    assert_eq!((&merged["users"]["changed"], &merged["own_rows_removed"]), (&json!(1), &json!(0)));
    let listed = home.json(&["list", "discounts", "--client", "AAA"]);
    let rows = listed.as_array().unwrap();
    assert_eq!(rows.len(), 31);
    let of = |id: &str| rows.iter().find(|row| row["product_id"] == id).unwrap();
    assert_eq!((&of("P0")["percentage"], &of("P99")["percentage"]), (&json!("7"), &json!("8")));

    let said = "28 discounts removed from the list of customer `AAA`";
    let preview = home.run(&["load", &few, "--dry-run"]);
    assert!(text(&preview.stderr).contains("28 discounts would be removed"), "{preview:?}");
    let output = home.run(&["load", &few]);
    let stderr = text(&output.stderr);
    assert!(stderr.contains(said) && stderr.contains("--merge keeps them"), "{stderr}");
    assert_eq!(home.json(&["list", "discounts"]).as_array().unwrap().len(), 3);
    home.fails(2, &["load", &few, "--merge", "--prune"]);
}

#[test]
fn what_no_file_and_no_store_knows_is_mentioned_with_the_nearest() {
    let home = Home::with_fixtures();
    let customers = "{\"user_id\":\"NORTHWIND\",\"groups\":[\"gold\"]}";
    home.ok(&["load", &home.file("customers.json", customers)]);
    let file = home.file("d.csv", "user_id,product_id,percentage\nNORTHWIMD,P11,5\n");
    let output = home.run(&["load", &file, "--output", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["unknown_products"], json!(["P11"]));
    assert_eq!(report["nearest_products"], json!({ "P11": "P1" }));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("such as `P11`, nearest `P1`"), "{stderr}");
    assert!(stderr.contains("NORTHWIMD, nearest `NORTHWIND`"), "{stderr}");
}

#[test]
fn templates_have_every_column_and_are_never_written_over() {
    let home = Home::new();
    let folder = home.path().join("new").to_str().unwrap().to_owned();
    let written = home.json(&["load", "--template", "csv", &folder]);
    assert_eq!(written["templates"].as_array().unwrap().len(), 5);
    let stderr = home.fails(3, &["load", &folder]);
    assert!(stderr.contains("has no"), "{stderr}");
    for (name, row) in [
        ("products", "P1,Desk,10.00,tools,5.00,1,1,100"),
        ("customers", "AAA,USD,gold"),
        ("price_lists", "L,1,USD,2026-01-01,2099-01-01,Europe/Berlin,AAA,gold,false"),
        ("prices", "L,,9.00,,P1,,10"),
        ("user_discounts", "AAA,P1,5,,,"),
    ] {
        let file = home.path().join(format!("new/{name}.csv"));
        let header = std::fs::read_to_string(&file).unwrap();
        let row = row_for(name, header.trim(), row);
        std::fs::write(&file, format!("{header}{row}\n")).unwrap();
    }
    let loaded = home.json(&["load", &folder]);
    for kind in ["products", "users", "customers", "price_lists", "prices"] {
        assert_eq!(loaded[kind]["added"], 1, "{kind}: {loaded}");
    }
    let stderr = home.fails(1, &["load", "--template", "csv", &folder]);
    assert!(stderr.contains("cannot be written"), "{stderr}");
    let stderr = home.fails(2, &["load", "--template", "xlsx", &folder]);
    assert!(stderr.contains("ocache load --template csv DIR"), "{stderr}");
    home.ok(&["load", "--template", "csv", "~/own"]);
    assert!(home.path().join("own/products.csv").is_file());
}

/// Returns the row, after a check that it has as many fields as the template.
fn row_for<'a>(name: &str, header: &str, row: &'a str) -> &'a str {
    let fields = |line: &str| line.split(',').count();
    assert_eq!(fields(header), fields(row), "{name}: {header}");
    row
}
