//! Tests of invisible characters: no entry point accepts an id with one, and no name brings one to a
//! terminal.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::gateway::http;
use super::process::{Home, text};
use super::raw_socket::RawSocket;

/// Ids that look like `AAA` or `P1`, or like one of two equal names, each with the code point that is
/// wrong. No blank is at an end, because CSV would trim it.
const LOOKALIKES: [(&str, &str); 18] = [
    ("AAA\u{200b}", "U+200B"),
    ("P1\u{ad}", "U+00AD"),
    ("\u{feff}AAA", "U+FEFF"),
    ("A\u{feff}AA", "U+FEFF"),
    ("A\u{202e}AA", "U+202E"),
    ("A\u{2066}AA\u{2069}", "U+2066"),
    ("\u{200e}AAA", "U+200E"),
    ("A\u{200d}AA", "U+200D"),
    ("A\u{200c}AA", "U+200C"),
    ("A\u{2060}AA", "U+2060"),
    ("A\u{2063}AA", "U+2063"),
    ("A\u{fe0f}AA", "U+FE0F"),
    ("A\u{e0041}AA", "U+E0041"),
    ("A\u{3164}AA", "U+3164"),
    ("A\u{2800}AA", "U+2800"),
    ("A\u{a0}A", "U+00A0"),
    ("AAA\u{ffff}", "U+FFFF"),
    ("Jose\u{301}", "U+0065 U+0301"),
];

/// Ids with a blank at an end.
const BLANK_ENDS: [(&str, &str); 4] =
    [("AAA ", "U+0020"), (" AAA", "U+0020"), ("AAA\u{a0}", "U+00A0"), ("\u{3000}AAA", "U+3000")];

fn lookalikes() -> impl Iterator<Item = (&'static str, &'static str)> {
    LOOKALIKES.into_iter().chain(BLANK_ENDS)
}

#[test]
fn files_with_them_are_refused_by_line_and_code_point() {
    let home = Home::new();
    let good = home.file("good.csv", "id,name,price\nP1,Desk,100.00\n");
    let refused = |name: &str, content: &str, place: &str, code_point: &str| {
        let file = home.file(name, content);
        let error = home.fails(3, &["load", &good, &file]);
        assert!(error.contains(&format!("{name}:{place}:")), "{code_point}: {error}");
        assert!(error.contains(code_point), "{code_point}: {error}");
    };
    for (id, code_point) in lookalikes() {
        let csv = format!("user_id,product_id,percentage\nDDD,P1,20\n\"{id}\",P1,20\n");
        refused("user.csv", &csv, "3", code_point);
        let csv = format!("id,name,price\nP2,Lamp,1\n\"{id}\",Desk,1\n");
        refused("product.csv", &csv, "3", code_point);
        let of_another = json!([{ "product_id": id, "percentage": "20" }]);
        let list = json!({ "user_id": "DDD", "discounts": of_another });
        refused("list.ndjson", &format!("{list}\n"), "1", code_point);
        let item = json!({ "id": { "S": id }, "name": { "S": "Desk" }, "value": { "N": "1" } });
        let batch = json!({ "products": [{ "PutRequest": { "Item": item } }] });
        refused("batch.json", &batch.to_string(), "1", code_point);
    }
    assert!(!home.path().join("data").exists(), "nothing was written");
}

#[test]
fn the_customers_of_the_report_are_named_and_once_mended_are_priced() {
    let home = Home::new();
    let products = home.file(
        "products.json",
        r#"[{"id":"P1","name":"Desk","price":"100.00"},{"id":"P2 ","name":"Lamp","price":"5.00"}]"#,
    );
    let rows = "AAA\u{200b},P1,20\nBBB,P1\u{ad} ,20\n\u{feff}CCC,P1,20\nDDD,P1,20\n";
    let csv = home.file("d.csv", format!("user_id,product_id,percentage\n{rows}"));
    let lists = r#"[{"user_id":"EEE ","discounts":[{"product_id":"P1","percentage":"20"}]},
        {"user_id":"FFF","discounts":[{"product_id":" P1","percentage":"20"}]}]"#;
    let json = home.file("d.json", lists);
    let error = home.fails(3, &["load", &products, &csv, &json]);
    for (place, code_point) in [
        ("products.json:1", "U+0020"),
        ("d.csv:2", "U+200B"),
        ("d.csv:3", "U+00AD"),
        ("d.csv:4", "U+FEFF"),
        ("d.json:1", "U+0020"),
        ("d.json:2", "U+0020"),
    ] {
        let line = error.lines().find(|line| line.contains(&format!("{place}:")));
        assert!(line.is_some_and(|line| line.contains(code_point)), "{place}: {error}");
    }

    let users = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];
    let rows: String = users.iter().map(|user| format!("{user},P1,20\n")).collect();
    let csv = home.file("d.csv", format!("user_id,product_id,percentage\n{rows}"));
    let products = home.file("products.csv", "id,name,price\nP1,Desk,100.00\nP2,Lamp,5.00\n");
    home.ok(&["load", &products, &csv]);
    let (_up, _) = home.up(&[]);
    for user in users {
        assert_eq!(home.json(&["quote", "--client", user, "P1"])["total"], "80.00", "{user}");
    }
}

#[test]
fn the_command_line_refuses_them() {
    let home = Home::with_fixtures();
    for (id, code_point) in lookalikes() {
        for args in [
            &["subscribe", id][..],
            &["quote", "--client", id, "P1"],
            &["quote", "--client", "AAA", id],
            &["quote", "--client", "AAA", "P1", "--request-id", id],
            &["token", "--client", id],
        ] {
            let error = home.fails(2, args);
            assert!(error.contains(code_point), "{args:?}: {error}");
            assert!(error.chars().all(is_plain), "{args:?}: {error:?}");
        }
    }
}

/// Whether a character may be printed. Blanks are harmless.
fn is_plain(character: char) -> bool {
    let mut lookalikes = LOOKALIKES.iter().flat_map(|(id, _)| id.chars());
    let is_blank = matches!(character, '\u{a0}' | '\u{2800}');
    let is_mark = character == '\u{301}';
    let is_hidden = !character.is_ascii() && lookalikes.any(|hidden| hidden == character);
    (!is_hidden || is_blank || is_mark) && (character == '\n' || !character.is_control())
}

#[test]
fn the_websocket_and_http_refuse_them() {
    let home = Home::with_fixtures();
    let (_up, websocket) = home.up(&[]);
    let mut socket = RawSocket::open(&websocket);
    for (id, code_point) in lookalikes() {
        let quotes = [
            json!({"action": "quote", "client": id, "items": [{"product": "P1", "quantity": 1}]}),
            json!({"action": "quote", "client": "AAA", "items": [{"product": id, "quantity": 1}]}),
            json!({"action": "quote", "client": "AAA", "request_id": id,
                "items": [{"product": "P1", "quantity": 1}]}),
            json!({"action": "MESSAGE", "payload": {"message": {"user_id": id,
                "products": [{"id": "P1", "qtd": 1}]}}}),
        ];
        for frame in quotes {
            socket.say(&frame.to_string());
            let reply = socket.hear();
            assert!(refusal(&reply).contains(code_point), "{frame}: {reply}");
        }
        let body = json!({ "user_id": id }).to_string();
        let (status, reply) = http(&websocket, "PUT /subscribe HTTP/1.1", &body);
        assert_eq!(status, 400, "{reply}");
        assert!(reply.to_string().contains(code_point), "{reply}");
    }
}

/// Returns the message of an error frame, in either dialect.
fn refusal(reply: &Value) -> &str {
    assert!(reply.get("lines").is_none() && reply["type"] != "accepted", "{reply}");
    reply["message"].as_str().unwrap()
}

/// Makes a store as version 0.1.0 left it after it had accepted such ids.
fn as_of_an_earlier_version(home: &Home) {
    home.ok(&["load", &home.file("p.csv", "id,name,price\nP1,Desk,100.00\nP2,Lamp,5.00\n")]);
    let csv = "user_id,product_id,percentage\nAAX,P1,20\nJoX,P2,10\n";
    home.ok(&["load", &home.file("d.csv", csv)]);
    home.ok(&["subscribe", "AAA"]);
    let store = Connection::open(home.path().join("data/store.db")).unwrap();
    for (new, old) in [("AA\u{200b}", "AAX"), ("Jo\u{301}", "JoX")] {
        let renamed = store.execute("UPDATE discounts SET user = ?1 WHERE user = ?2", [new, old]);
        assert_eq!(renamed, Ok(1), "{old}");
    }
    let renamed = store.execute("UPDATE product SET id = 'P2\u{ad}' WHERE id = 'P2'", []);
    assert_eq!(renamed, Ok(1));
}

#[test]
fn what_an_earlier_version_stored_is_read_shown_escaped_and_removed() {
    let home = Home::new();
    as_of_an_earlier_version(&home);
    let (up, _) = home.up(&[]);
    // Such an id does not prevent anybody from being priced.
    assert_eq!(home.json(&["quote", "--client", "AAA", "P1"])["total"], "100.00");
    let table = home.ok(&["prices", "AAA"]);
    assert!(table.contains("P2\\u{ad}") && table.chars().all(is_plain), "{table}");
    let data = home.ok(&["prices", "AAA", "--output", "json"]);
    assert!(data.contains("\"P2\\u00ad\""), "{data}");
    let one = home.ok(&["prices", "AAA", "--product", "P2\u{ad}"]);
    assert!(one.contains("5.00"), "{one}");
    let missing = home.fails(4, &["prices", "AA\u{200b}"]);
    assert!(missing.contains("AA\\u{200b}") && missing.chars().all(is_plain), "{missing}");
    let not_active = home.run(&["unsubscribe", "AA\u{200b}"]);
    assert_eq!(not_active.status.code(), Some(4));
    assert!(text(&not_active.stderr).contains("customer `AA\\u{200b}` was not active"));
    home.ok(&["verify"]);
    up.kill();

    let mended = home.file("d.csv", "user_id,product_id,percentage\nAAA,P1,20\n");
    let load = home.json(&["load", "--prune", &mended]);
    assert_eq!((&load["users"]["added"], &load["users"]["removed"]), (&1.into(), &2.into()));
    let products = home.file("p.csv", "id,name,price\nP1,Desk,100.00\nP2,Lamp,5.00\n");
    let load = home.json(&["load", "--prune", &products]);
    assert_eq!((&load["products"]["added"], &load["products"]["removed"]), (&1.into(), &1.into()));
}

#[test]
fn names_reach_no_terminal_raw() {
    let home = Home::new();
    let name = "Desk\u{202e}ksed\u{200b}\u{fe0f}\u{ffff}";
    let product = json!({ "id": "P1", "name": name, "price": "100.00" });
    home.ok(&["load", &home.file("p.ndjson", product.to_string())]);
    let (_up, _) = home.up(&[]);
    let shown = "Desk\\u{202e}ksed\\u{200b}\\u{fe0f}\\u{ffff}";
    for args in [&["quote", "--client", "AAA", "P1"][..], &["prices", "AAA"]] {
        let output = home.run(args);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(stdout.contains(shown), "{args:?}: {stdout}");
        assert!((stdout.clone() + &stderr).chars().all(is_plain), "{args:?}: {stdout} {stderr}");
        let data = home.ok(&[args, &["--output", "ndjson"]].concat());
        assert!(data.chars().all(is_plain), "{data:?}");
        assert!(data.contains(r"Desk\u202eksed\u200b\ufe0f\uffff"), "{data}");
        let data: Value = serde_json::from_str(data.lines().next().unwrap()).unwrap();
        assert!(data.to_string().contains(name), "as data it is as it was loaded: {data}");
    }
}
