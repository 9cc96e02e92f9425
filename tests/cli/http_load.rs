//! Tests of loading products and discounts over HTTP.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::http::{Answer, send};
use super::process::Home;

const PRODUCTS: &str = "id,name,price\nP1,Desk,600.00\nP7,Lamp,9.50\n";
const CSV: &str = "content-type: text/csv";

fn token(home: &Home, args: &[&str]) -> String {
    format!("authorization: Bearer {}", home.ok(&[&["token"], args].concat()).trim())
}

fn load(url: &str, query: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Answer {
    send(url, &format!("POST /load{query}"), headers, body)
}

#[test]
fn what_is_loaded_is_in_force_at_once() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    home.ok(&["quote", "--client", "AAA", "P1:1"]);
    let token = token(&home, &["--load"]);
    let loaded = load(&url, "", &[&token, CSV], PRODUCTS);
    let report = loaded.json();
    assert_eq!(loaded.status, 200, "{report}");
    assert_eq!(
        report["products"],
        json!({ "added": 1, "changed": 1, "unchanged": 0, "removed": 0 })
    );
    assert_eq!(report["tables_ordered"], 1, "of the one active user");
    let of_lines = PRODUCTS.replace("name", "\"\nname\"");
    let again = load(&url, "?line-breaks=true", &[&token, CSV], of_lines).json();
    assert_eq!(again["products"]["unchanged"], 2);
    assert_eq!(again["catalogue_version"], report["catalogue_version"]);
    assert_eq!(
        again["rows_of_several_lines"],
        json!([{
            "path": "body", "rows": 1, "first_line": 1, "longest": { "line": 1, "lines": 2 },
        }])
    );

    // Discounts as NDJSON, compressed, which replace all others.
    let rows = "{\"user_id\":\"BBB\",\"product_id\":\"P7\",\"percentage\":50}\n";
    let mut packed = GzEncoder::new(vec![], Compression::default());
    packed.write_all(rows.as_bytes()).unwrap();
    let headers = [&token, "content-type: application/x-ndjson", "content-encoding: gzip"];
    let loaded = load(&url, "?prune=true", &headers, packed.finish().unwrap());
    assert_eq!(loaded.json()["users"]["changed"], 1, "{loaded:?}");
    assert!(loaded.json()["users"]["removed"].as_u64().unwrap() > 0, "{loaded:?}");
    let quote = home.json(&["quote", "--client", "BBB", "P7:2"]);
    assert_eq!(quote["total"], "9.50");
}

#[test]
fn only_a_token_that_may_load_does() {
    let home = Home::new();
    // Quotes need no token here.
    let (_up, url) = home.up(&["--allow-origin", "https://shop.example.com"]);
    let before = home.json(&["status"])["catalogue"]["version"].clone();
    let (good, every) = (token(&home, &["--load"]), token(&home, &["--every-client"]));
    assert_eq!(load(&url, "", &[CSV], PRODUCTS).status, 401);
    let refused = load(&url, "", &[&every, CSV], PRODUCTS);
    assert_eq!(refused.status, 403);
    assert!(refused.json()["message"].as_str().unwrap().contains("ocache token --load"));
    for origin in ["https://shop.example.com", "https://evil.example", "null"] {
        let page = load(&url, "", &[&good, CSV, &format!("origin: {origin}")], PRODUCTS);
        assert_eq!(page.status, 403, "{origin}");
        assert_eq!(page.header("access-control-allow-origin"), None, "{origin}");
    }
    let asked = ["origin: https://shop.example.com", "access-control-request-method: POST"];
    let preflight = send(&url, "OPTIONS /load", &asked, "");
    assert_eq!(preflight.header("access-control-allow-origin"), None);
    for (headers, name) in [
        (&[&good[..]][..], "accept-post"),
        (&[&good, "content-type: text/plain"], "accept-post"),
        (&[&good, CSV, "content-encoding: br"], "accept-encoding"),
    ] {
        let refused = load(&url, "", headers, PRODUCTS);
        assert_eq!(refused.status, 415, "{headers:?}");
        assert!(refused.header(name).is_some(), "{refused:?}");
    }
    assert_eq!(home.json(&["status"])["catalogue"]["version"], before, "nothing was changed");
    // The token allows a load, and nothing else.
    assert_eq!(load(&url, "", &[&good, CSV], PRODUCTS).status, 200);
    drop(_up);
    let (_up, url) = home.up(&["--require-token"]);
    let quote = r#"{"client":"AAA","items":[{"product":"P1","quantity":1}]}"#;
    assert_eq!(send(&url, "POST /quotes", &[&good], quote).status, 403);
}

#[test]
fn bad_data_are_refused_whole() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let before = home.json(&["status"])["catalogue"]["version"].clone();
    let token = token(&home, &["--load"]);
    let bad = load(&url, "", &[&token, CSV], format!("{PRODUCTS}P8,Sofa,cheap\n"));
    assert_eq!((bad.status, &bad.json()["code"]), (400, &json!("bad_data")));
    let error = &bad.json()["errors"][0];
    assert_eq!((&error["line"], &error["path"]), (&json!(4), &json!("body")), "{error}");
    // The advice can be followed in the same request.
    for (body, advised) in [
        ("sku;name;price\nP1;Desk;5\n", "?delimiter=semicolon"),
        ("sku,name,price\nP1,Desk,5\n", "?map=sku%3DFIELD"),
        ("id,name,price\nP1,Desk,\"5,00\"\n", "?decimal-comma=true"),
    ] {
        let bad = load(&url, "", &[&token, CSV], body).json();
        let (message, problem) = (&bad["message"], &bad["errors"][0]["problem"]);
        for text in [message, problem].map(|text| text.as_str().unwrap()) {
            assert!(text.contains(advised) && !text.contains("--"), "{text}");
        }
    }
    let json = "content-type: application/json";
    for (query, headers, body, status) in [
        ("", &[&token[..], json][..], PRODUCTS, 400),
        ("", &[&token, CSV], "", 400),
        ("", &[&token, CSV, "content-encoding: gzip"], PRODUCTS, 400),
        ("?currency=EUR", &[&token, CSV], PRODUCTS, 409),
        ("?replace=true", &[&token, CSV], PRODUCTS, 400),
    ] {
        let reply = load(&url, query, headers, body);
        assert_eq!(reply.status, status, "{query} {headers:?}: {reply:?}");
    }
    let mut bomb = GzEncoder::new(vec![], Compression::best());
    let blanks = vec![b' '; 1024 * 1024];
    (0..65).for_each(|_| bomb.write_all(&blanks).unwrap());
    let headers = [&token, CSV, "content-encoding: gzip"];
    let large = load(&url, "", &headers, bomb.finish().unwrap());
    assert_eq!((large.status, &large.json()["code"]), (413, &json!("too_large")));
    assert!(large.json()["message"].as_str().unwrap().contains("ocache load"));
    assert_eq!(home.json(&["status"])["catalogue"]["version"], before, "nothing was changed");
}
