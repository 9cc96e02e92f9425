//! Tests of `ocache list` and of `ocache export quotations`.

use serde_json::{Value, json};

use super::process::{Home, text};

const WHOLESALE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/wholesale");

fn wholesale() -> Home {
    let home = Home::new();
    home.ok(&["load", WHOLESALE]);
    home
}

fn ids(listed: &Value, name: &str) -> Vec<String> {
    let rows = listed.as_array().unwrap();
    let mut ids: Vec<_> = rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn what_is_listed_loads_again_as_it_is() {
    let home = wholesale();
    let mut files = vec![];
    for kind in ["products", "customers", "discounts", "price-lists"] {
        let listed = home.ok(&["list", kind, "--output", "ndjson"]);
        assert!(!listed.is_empty(), "{kind}");
        files.push(home.file(&format!("{kind}.ndjson"), listed));
    }
    let load: Vec<&str> = ["load"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let again = home.json(&load);
    for (kind, count) in [("products", 6), ("users", 1), ("customers", 4), ("price_lists", 5)] {
        let expected = json!({ "added": 0, "changed": 0, "unchanged": count, "removed": 0 });
        assert_eq!(again[kind], expected, "{kind}");
    }
}

#[test]
fn lists_are_filtered_and_limited() {
    let home = wholesale();
    let list = |args: &[&str]| home.json(&[&["list"][..], args].concat());
    let tools = list(&["products", "--category", "tools"]);
    assert_eq!(ids(&tools, "id"), ["BIT-SET", "DRILL-18V", "SAW-190"]);
    assert_eq!(ids(&list(&["products", "--match", "saw"]), "id"), ["SAW-190"]);
    assert_eq!(ids(&list(&["customers", "--match", "bauhof"]), "user_id"), ["BAUHOF"]);
    assert_eq!(ids(&list(&["customers", "--group", "gold"]), "user_id"), ["BAUHOF", "NORTHWIND"]);
    let given = ids(&list(&["price-lists", "--client", "BAUHOF"]), "price_list");
    assert_eq!(given, ["gold-eur", "gold-usd", "volume", "winter-de"]);
    let own = list(&["discounts", "--client", "KIOSK"]);
    assert_eq!(ids(&own, "product_id"), ["BIT-SET", "SAW-190", "SAW-190"]);
    assert_eq!(ids(&own, "user_id"), ["KIOSK"; 3]);
    // Customers who have no discounts, but a group, a list of their own, or a visit.
    assert_eq!(list(&["discounts", "--client", "BAUHOF", "--product", "BIT-SET"]), json!([]));
    home.ok(&["subscribe", "VISITOR"]);
    assert_eq!(list(&["discounts", "--client", "VISITOR"]), json!([]));
    assert_eq!(list(&["quotations", "--client", "KIOSK", "--status", "failed"]), json!([]));

    let limited = home.run(&["list", "products", "--limit", "2", "--output", "ndjson"]);
    assert_eq!(text(&limited.stdout).lines().count(), 2);
    assert!(text(&limited.stderr).contains("the first 2 products; there are more"), "{limited:?}");
    let table = home.run(&["list", "products"]);
    let printed = text(&table.stdout);
    let header = printed.lines().next().unwrap();
    assert!(header.contains("product") && header.contains("sold in"), "{header}");
    assert!(printed.contains("SAW-190"), "{printed}");
    let none = home.run(&["list", "products", "--match", "nothing"]);
    assert_eq!((text(&none.stdout), none.status.code()), (String::new(), Some(0)));
    assert!(text(&none.stderr).ends_with("no products\n"), "{none:?}");
    home.fails(2, &["list", "products", "--limit", "0"]);
}

#[test]
fn a_list_of_what_does_not_exist_says_so() {
    let home = wholesale();
    for (args, error, hint) in [
        (["discounts", "--client", "NOBODY"], "there is no customer `NOBODY`", "`ocache list cust"),
        (
            ["discounts", "--client", "KIOKS"],
            "there is no customer `KIOKS`",
            "did you mean `KIOSK`?",
        ),
        (
            ["discounts", "--product", "SAW-191"],
            "there is no product `SAW-191`",
            "did you mean SAW-",
        ),
        // This customer has a record and no list.
        (
            ["discounts", "--client", "BAUHOFF"],
            "there is no customer `BAUHOFF`",
            "did you mean `BAUHOF`?",
        ),
        // Some lists are for everyone.
        (
            ["price-lists", "--client", "NOBODY"],
            "there is no customer `NOBODY`",
            "`ocache list cust",
        ),
        (["quotations", "--client", "NOBODY"], "there is no customer `NOBODY`", "`ocache status"),
        (
            ["products", "--category", "nope"],
            "there is no category `nope`",
            "`ocache list products",
        ),
        (
            ["products", "--category", "tool"],
            "there is no category `tool`",
            "did you mean `tools`?",
        ),
        (["customers", "--group", "golf"], "there is no group `golf`", "did you mean `gold`?"),
    ] {
        let output = home.run(&[&["list"], &args[..], &["--output", "ndjson"]].concat());
        let said = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(4), String::new()),
            "{said}"
        );
        assert!(said.contains(error) && said.contains(hint), "{args:?}: {said}");
    }
    // Something that exists and has no rows is an empty list.
    let none = home.json(&["list", "products", "--category", "tools", "--match", "nothing"]);
    assert_eq!(none, json!([]));
}

#[test]
fn own_prices_in_another_currency_than_their_customers_are_told() {
    let home = wholesale();
    let told = |args: &[&str]| {
        let output = home.run(&[&["list", "discounts"][..], args].concat());
        assert!(output.status.success(), "{output:?}");
        text(&output.stderr).lines().filter(|line| line.starts_with("note: ")).collect::<String>()
    };
    assert_eq!(told(&["--output", "ndjson"]), "");
    let currency = home.file("currency.csv", "user_id,currency,groups\nKIOSK,USD,de\n");
    home.ok(&["load", &currency]);
    let note = "note: own prices of customer `KIOSK` are in EUR, but the customer's currency is USD: \
                loaded again, they would be in USD";
    for output in ["ndjson", "json"] {
        assert_eq!(told(&["--output", output]), note);
    }
    assert_eq!(told(&["--output", "ndjson", "--product", "SAW-190"]), note);
    assert_eq!(told(&["--output", "ndjson", "--product", "BIT-SET"]), "", "a percentage has none");
    assert_eq!(told(&["--output", "ndjson", "--client", "BAUHOF"]), "");
    assert!(home.ok(&["list", "discounts"]).contains("139.00 EUR"), "people see the currency");
    assert_eq!(told(&[]), "");
    // A second customer: one with a list in dollars, who then pays in euros.
    let own = home.file("own.csv", "user_id,product_id,amount\nCORNERSHOP,SAW-190,4.00\n");
    home.ok(&["load", &own]);
    home.ok(&["load", &home.file("currency.csv", "user_id,currency\nCORNERSHOP,EUR\n")]);
    let told = told(&["--output", "ndjson"]);
    assert!(told.contains("`CORNERSHOP` are in USD"), "{told}");
    assert!(told.ends_with("; 1 more customer has prices in another currency"), "{told}");
}

#[test]
fn a_surcharge_is_listed_as_one() {
    let home = wholesale();
    let own = home.file("own.csv", "user_id,product_id,percentage\nBAUHOF,BIT-SET,-2.5\n");
    home.ok(&["load", &own]);
    let table = home.ok(&["list", "discounts", "--client", "BAUHOF"]);
    assert!(table.contains(" 2.5 % on top"), "{table}");
    let rises =
        "user_id,product_id,min_quantity,percentage\nBAUHOF,BIT-SET,0,-2.5\nBAUHOF,BIT-SET,5,-3\n";
    let stderr = home.fails(3, &["load", &home.file("rises.csv", rises)]);
    assert!(stderr.contains("2.5 % on top") && stderr.contains("3 % on top"), "{stderr}");
}

#[test]
fn a_list_larger_than_a_page_is_whole_and_one_value() {
    let home = Home::new();
    let rows: String = (0..5_000).map(|number| format!("N{number:04},Name {number},1\n")).collect();
    let discounts: String = (0..3_000).map(|number| format!("U{number:04},N0001,5\n")).collect();
    let products = home.file("p.csv", format!("id,name,price\n{rows}"));
    let discounts = home.file("d.csv", format!("user_id,product_id,percentage\n{discounts}"));
    home.ok(&["load", &products, &discounts]);
    let listed = home.json(&["list", "products"]);
    let expected: Vec<String> = (0..5_000).map(|number| format!("N{number:04}")).collect();
    assert_eq!(ids(&listed, "id"), expected);
    assert_eq!(home.json(&["list", "discounts"]).as_array().unwrap().len(), 3_000);
    let table = home.ok(&["list", "discounts", "--product", "N0001"]);
    assert_eq!(table.lines().filter(|line| line.contains("5 % off")).count(), 3_000);
    assert_eq!(table.matches("from quantity").count(), 1, "one header");
}

#[test]
fn a_list_without_a_store_names_it() {
    let home = Home::new();
    home.fails(4, &["list", "products"]);
    home.fails(4, &["export", "quotations"]);
    assert!(!home.path().join("data").exists());
}

#[test]
fn past_quotations_are_listed_and_replayed() {
    let home = Home::with_fixtures();
    let mut worker = home.worker("all");
    let log = worker.read_log();
    for (client, items) in [("AAA", &["P1:2", "P3:1"][..]), ("BBB", &["P2"]), ("AAA", &["P2"])] {
        home.ok(&[&["quote", "--client", client][..], items].concat());
    }
    home.ok(&["quote", "--client", "AAA", "--request-id", "order-7", "P1:2"]);
    assert_eq!(worker.interrupt().0, Some(0));
    log.join().unwrap();

    let all = home.json(&["list", "quotations"]);
    assert_eq!(ids(&all, "client"), ["AAA", "AAA", "AAA", "BBB"]);
    let latest = home.json(&["list", "quotations", "--limit", "1"]);
    assert_eq!(latest[0]["request_id"], "order-7");
    assert_eq!((&latest[0]["lines"], &latest[0]["status"]), (&json!(1), &json!("answered")));
    let shown = home.json(&["quotation", "order-7", "--client", "AAA"]);
    assert_eq!(latest[0]["total"], shown["total"], "by the id that the client chose");
    assert_eq!(home.json(&["list", "quotations", "--client", "BBB"]).as_array().unwrap().len(), 1);
    assert_eq!(home.json(&["list", "quotations", "--status", "failed"]), json!([]));
    assert_eq!(home.json(&["list", "quotations", "--over", "24h"]).as_array().unwrap().len(), 4);
    assert_eq!(home.json(&["list", "quotations", "--over", "1ms"]), json!([]), "all are older");

    let trace = home.ok(&["export", "quotations"]);
    let mut lines: Vec<&str> = trace.lines().collect();
    assert_eq!(lines.remove(0), "time,customer,lines");
    assert_eq!(lines.len(), 4);
    assert_eq!(lines.iter().filter(|line| line.ends_with(",AAA,2")).count(), 1, "{trace}");
    let mut command = home.command(&["export", "quotations"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let unread = command.stdout(writer).output().unwrap();
    let said = text(&unread.stderr);
    assert!(unread.status.success() && !said.contains("no quotations"), "{said}");
    let file = home.file("trace.csv", &trace);
    let simulated = home.json(&["simulate", &file]);
    assert_eq!((&simulated["arrivals"], &simulated["users"]), (&json!(4), &json!(2)));
}
