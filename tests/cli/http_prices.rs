//! Tests of prices over HTTP: of some products, and whole tables.

use serde_json::{Value, json};

use super::http::{Answer, send};
use super::process::Home;

fn get(url: &str, path: &str, headers: &[&str]) -> Answer {
    send(url, &format!("GET {path}"), headers, "")
}

#[test]
fn a_list_page_shows_what_a_quote_would_cost() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let path = "/prices/AAA?product=P1&product=P9&product=P5";
    let cold = get(&url, path, &[]);
    assert_eq!((cold.status, cold.header("retry-after").unwrap()), (202, "1".into()));
    assert_eq!(cold.json()["code"], "calculating");
    let warm = get(&url, path, &["prefer: wait=20"]);
    assert_eq!((warm.status, warm.header("preference-applied").unwrap()), (200, "wait=20".into()));
    assert_eq!(warm.header("cache-control").as_deref(), Some("private, no-cache"));
    let shown = warm.json();
    assert_eq!((&shown["client"], &shown["currency"]), (&json!("AAA"), &json!("USD")));
    assert_eq!((&shown["stale"], &shown["unavailable"]), (&json!(false), &json!(["P9"])));
    let first = &shown["prices"][0];
    assert_eq!((&first["product"], &first["list_price"]), (&json!("P1"), &json!("500.00")));
    assert_eq!(
        (&first["discount_percent"], &first["unit_price"]),
        (&json!("10"), &json!("450.00"))
    );
    // The request is a visit, and makes no quotation.
    assert_eq!(home.json(&["status"])["active_users"][0]["user"], "AAA");

    let body = r#"{"products":["P1","P9","P5"],"quantity":"1"}"#;
    let many = send(&url, "POST /prices/AAA", &[], body);
    assert_eq!((many.status, many.json()), (200, shown.clone()));
    let two = get(&url, "/prices/AAA?product=P1&quantity=2", &[]).json();
    assert_eq!(
        (&two["quantity"], &two["prices"][0]["unit_price"]),
        (&json!("2"), &json!("450.00"))
    );
    let head = send(&url, &format!("HEAD {path}"), &[], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("etag"), warm.header("etag"));
}

#[test]
fn what_a_client_has_already_is_not_sent_again() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let path = "/prices/AAA?product=P1&product=P3";
    let first = get(&url, path, &["prefer: wait=20"]);
    let tag = first.header("etag").unwrap();
    let known = format!("if-none-match: \"x\", {tag}");
    let again = get(&url, path, &[&known]);
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(again.header("etag").unwrap(), tag);
    // Another question or another client has another tag.
    for other in
        ["/prices/AAA?product=P3&product=P1", "/prices/AAA?product=P1&product=P3&quantity=2"]
    {
        assert_eq!(get(&url, other, &[&known]).status, 200, "{other}");
    }
    assert_eq!(
        get(&url, "/prices/BBB?product=P1&product=P3", &["prefer: wait=20", &known]).status,
        200
    );
    // A 304 is a visit too.
    home.ok(&["unsubscribe", "AAA"]);
    let active = || home.json(&["status"])["active_users"].as_array().unwrap().len();
    assert_eq!(active(), 1);
    // A visit that the process remembers is not written again for a tenth of the TTL.
    drop(_up);
    let (_up, url) = home.up(&[]);
    assert_eq!(get(&url, path, &[&known]).status, 304);
    assert_eq!(active(), 2);
    // Other prices have another tag.
    let file = home.file("p.csv", "id,name,price\nP1,Desk,600.00\n");
    home.ok(&["load", &file]);
    let changed = loop {
        let reply = get(&url, path, &[&known]);
        if reply.status == 200 && reply.json()["stale"] == false {
            break reply.json();
        }
    };
    assert_eq!(changed["prices"][0]["unit_price"], "540.00");
}

#[test]
fn a_kept_reply_is_that_of_a_new_request() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let path = "/prices/AAA?product=P1&product=P9&quantity=2";
    let first = get(&url, path, &["prefer: wait=20"]);
    let found = || {
        let metrics = get(&url, "/metrics", &[]).body;
        ["memory", "table"].map(|place| {
            let name = format!("ocache_price_replies_total{{found=\"{place}\"}} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
            line.and_then(|count| count.parse::<u32>().ok()).unwrap()
        })
    };
    // A reply is kept from the second time on.
    assert_eq!(get(&url, path, &[]).json(), first.json());
    let before = found();
    let again = get(&url, path, &[]);
    assert_eq!((again.status, again.json()), (200, first.json()));
    for name in ["etag", "cache-control", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    let tag = format!("if-none-match: {}", first.header("etag").unwrap());
    assert_eq!(get(&url, path, &[&tag]).status, 304);
    assert_eq!(found(), [before[0] + 2, before[1]]);
    // The same query of another customer, and a body that asks for the same.
    let other = get(&url, &path.replace("AAA", "BBB"), &["prefer: wait=20"]).json();
    assert_eq!((&other["client"], found()[0]), (&json!("BBB"), before[0] + 2));
    let body = r#"{"products":["P1","P9"],"quantity":"2"}"#;
    assert_eq!(send(&url, "POST /prices/AAA", &[], body).json(), first.json());
    assert_eq!(found()[0], before[0] + 2);
    // A load changes the prices. Until they are calculated, the old ones are shown.
    let file = home.file("p.csv", "id,name,price\nP1,Desk,600.00\n");
    home.ok(&["load", &file]);
    loop {
        let shown = get(&url, path, &[]).json();
        if shown["prices"][0]["unit_price"] == "540.00" {
            assert_eq!(shown["stale"], false);
            break;
        }
        assert_eq!(shown["prices"], first.json()["prices"]);
    }
}

#[test]
fn whole_tables_come_as_ndjson_and_csv() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let generated = home.path().join("data-set");
    let folder = generated.to_str().unwrap();
    home.ok(&["generate", folder, "--products", "3000", "--users", "2", "--seed", "7"]);
    home.ok(&["load", folder]);
    assert_eq!(get(&url, "/prices/AAA", &[]).status, 202);
    let whole = get(&url, "/prices/AAA", &["prefer: wait=20"]);
    assert_eq!(whole.header("content-type").as_deref(), Some("application/x-ndjson"));
    assert_eq!(whole.header("ocache-stale").as_deref(), Some("false"));
    assert!(whole.header("ocache-priced-at").is_some() && whole.header("etag").is_some());
    let lines: Vec<Value> =
        whole.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let table = home.json(&["prices", "AAA"]);
    let prices = table["prices"].as_array().unwrap();
    assert_eq!(lines.len(), prices.len());
    for (line, price) in lines.iter().zip(prices) {
        for field in ["product", "name", "list_price", "unit_price"] {
            assert_eq!(line[field], price[field], "{line} {price}");
        }
        assert_eq!(line["currency"], "USD");
    }

    let by_header = get(&url, "/prices/AAA", &["accept: text/csv"]);
    assert!(by_header.header("content-type").unwrap().starts_with("text/csv"));
    let csv = get(&url, "/prices/AAA?format=csv", &[]);
    assert_eq!(csv.body, by_header.body);
    let mut rows = csv::Reader::from_reader(csv.body.as_bytes());
    let first: Vec<String> =
        rows.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(first[0], lines[0]["product"].as_str().unwrap());
    assert_eq!(csv.body.lines().count(), lines.len() + 1);
    let known = format!("if-none-match: {}", whole.header("etag").unwrap());
    assert_eq!(get(&url, "/prices/AAA", &[&known]).status, 304);

    // Page by page, as on AWS.
    let (mut read, mut path) = (String::new(), "/prices/AAA?limit=999".to_owned());
    let mut pages = 0;
    loop {
        let page = get(&url, &path, &[]);
        assert_eq!(page.status, 200, "{page:?}");
        read.push_str(&page.body);
        pages += 1;
        let Some(link) = page.header("link") else { break };
        let next = link.strip_prefix('<').unwrap().split_once('>').unwrap();
        assert_eq!(next.1, "; rel=\"next\"");
        path = format!("/prices/{}", next.0);
    }
    assert_eq!((read == whole.body, pages), (true, 4));
    let other = path.replace("table=", "table=x");
    let replaced = get(&url, &other, &[]);
    assert_eq!((replaced.status, &replaced.json()["code"]), (409, &json!("table_replaced")));
}

#[test]
fn a_table_has_only_what_its_customer_can_buy() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let rows = r#"[{"id": "BOTH", "name": "a", "prices": {"USD": "1.00", "EUR": "2.00"}},
        {"id": "DOLLARS", "name": "b", "price": "3.00"}, {"id": "MANY", "name": "c", "price": "4.00", "step": "2"},
        {"user_id": "EURO", "currency": "EUR"},
        {"price_list": "L", "currency": "EUR", "everyone": true},
        {"price_list": "L", "product_id": "MANY", "min_quantity": 10, "price": "4.00"}]"#;
    home.ok(&["load", &home.file("rows.json", rows)]);
    let whole = get(&url, "/prices/EURO", &["prefer: wait=20"]);
    let lines = whole.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<Value> = lines.map(|line| line["product"].clone()).collect();
    let table = home.json(&["prices", "EURO"]);
    let rows = table["prices"].as_array().unwrap();
    let rows: Vec<Value> = rows.iter().map(|row| row["product"].clone()).collect();
    assert_eq!((&rows, &lines), (&vec![json!("BOTH")], &rows));
    let shown = home.ok(&["prices", "EURO", "--quantity", "10"]);
    assert!(shown.contains("MANY") && !shown.contains("DOLLARS"), "{shown}");
    assert!(shown.contains("2 of 8 products with a price in EUR"), "{shown}");
    // Of a product that is named, its ladder is shown, and which quantities can be bought.
    let shown = home.ok(&["prices", "EURO", "--product", "MANY", "--quantity", "13"]);
    assert!(shown.contains("4.00 from 10"), "{shown}");
    let invalid = "\n`MANY` is not sold in a quantity of 13; 12 and 14 are next to it\n";
    assert!(shown.ends_with(invalid), "{shown}");
    let stderr = home.fails(4, &["prices", "EURO", "--product", "DOLLARS"]);
    assert!(stderr.contains("the table of `EURO` has no DOLLARS"), "{stderr}");
}

#[test]
fn mistakes_are_named() {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token"]);
    let token = home.ok(&["token", "--client", "AAA"]);
    let token = format!("authorization: Bearer {}", token.trim());
    assert_eq!(get(&url, "/prices/AAA?product=P1", &[]).status, 401);
    assert_eq!(get(&url, "/prices/BBB?product=P1", &[&token]).status, 403);
    let many: String = (0..401).map(|number| format!("product=P{number}&")).collect();
    for (path, code) in [
        ("/prices/AAA?product=P1&product=P1", "bad_items"),
        (&format!("/prices/AAA?{}", many.trim_end_matches('&')), "bad_items"),
        ("/prices/AAA?product=P1&quantity=0", "bad_items"),
        ("/prices/AAA?format=xml", "bad_query"),
        ("/prices/AAA?products=P1", "bad_query"),
        ("/prices/AAA?product=P%zz", "bad_query"),
        ("/prices/%20?product=P1", "bad_id"),
        ("/prices/A%zz?product=P1", "bad_id"),
    ] {
        let reply = get(&url, path, &[&token]);
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!(code)), "{path:.60}");
    }
    let bad = send(&url, "POST /prices/AAA", &[&token], r#"{"product":"P1"}"#);
    assert_eq!((bad.status, &bad.json()["code"]), (400, &json!("bad_frame")));
    let none = send(&url, "POST /prices/AAA", &[&token], r#"{"products":[]}"#).json();
    assert_eq!(none["message"], "the request names no product");
    let put = send(&url, "PUT /prices/AAA", &[], "");
    assert_eq!(put.header("allow").as_deref(), Some("GET, HEAD, POST, OPTIONS"));
}
