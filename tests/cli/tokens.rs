//! Tests of who is let in if tokens are required.

use std::time::Duration;

use serde_json::json;

use super::forged::SigningKey;
use super::gateway::{Socket, http, http_status};
use super::process::{Home, Running, text};

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
const QUOTE_AAA: &str =
    r#"{"action":"quote","client":"AAA","items":[{"product":"P1","quantity":2}]}"#;
const QUOTE_BBB: &str =
    r#"{"action":"quote","client":"BBB","items":[{"product":"P1","quantity":2}]}"#;

/// Returns a token for a user, as `ocache token` makes it.
fn token(home: &Home, user: &str) -> String {
    home.ok(&["token", "--client", user]).trim().to_owned()
}

/// Returns the key that signs.
fn first_key(home: &Home) -> SigningKey {
    SigningKey::of(&std::fs::read(home.path().join("data/token-keys.json")).unwrap())
}

/// Returns the arguments of a quote for `AAA` by a client that knows only the gateway's address.
fn quote_of<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["quote", "--client", "AAA", "--url", url, "P1:2"], more].concat()
}

#[test]
fn with_tokens_required_nobody_else_gets_in() {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token"]);
    // `up` needed a token to become ready, and so do these commands. They make one, because they may read
    // the keys.
    assert_eq!(home.json(&["quote", "--client", "AAA", "P1:2", "P3:1"])["total"], "1805.52");
    let output = home.piped(&["quote", "--client", "BBB"], "P1:2\n");
    assert!(text(&output.stdout).contains("for BBB"), "{}", text(&output.stderr));

    // A client that only knows the address gets nothing.
    let stderr = home.fails(7, &quote_of(&url, &[]));
    assert!(stderr.contains("a token is needed") && stderr.contains("ocache token"), "{stderr}");
    let (own, foreign) = (token(&home, "AAA"), token(&home, "BBB"));
    assert_eq!(home.json(&quote_of(&url, &["--token", &own]))["total"], "900.00");
    let stderr = home.fails(7, &quote_of(&url, &["--token", &foreign]));
    assert!(stderr.contains("may not quote for customer `AAA`"), "{stderr}");
    for (what, bad) in first_key(&home).bad_tokens() {
        let stderr = home.fails(7, &quote_of(&url, &["--token", &bad]));
        assert!(stderr.contains("hint:") && !stderr.contains(&bad), "{what}: {stderr}");
    }
    // The token is in the URL, as browsers send it.
    let in_url = format!("{url}/?token={own}");
    let by_url = ["quote", "--client", "AAA", "--url", &in_url, "P1:2"];
    assert_eq!(home.json(&by_url)["total"], "900.00");
    let stderr =
        home.fails(7, &["quote", "--client", "AAA", "--url", &format!("{url}/?token=a.b.c"), "P1"]);
    assert!(!stderr.contains("a.b.c"), "{stderr}");
    let every = home.ok(&["token", "--every-client", "--subject", "shop"]);
    assert_eq!(home.json(&quote_of(&url, &["--token", every.trim()]))["total"], "900.00");
}

#[test]
fn the_page_is_for_everybody_and_what_it_shows_is_not() {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token"]);
    let (own, every) = (token(&home, "AAA"), home.ok(&["token", "--every-client"]));
    let status = |path: &str, token: Option<&str>| {
        let authorization =
            token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
        http_status(&url, &format!("GET {path} HTTP/1.1\r\n{authorization}"))
    };
    for (path, nobodys, own_users, everybodys) in [
        ("/", 200, 200, 200),
        ("/products?search=P", 401, 200, 200),
        ("/clients?search=A", 401, 403, 200),
        ("/clients/active?search=A", 401, 403, 200),
        ("/explain?client=AAA&product=P1", 401, 403, 200),
        ("/worth", 401, 403, 200),
        ("/live", 401, 403, 200),
        ("/metrics", 200, 200, 200),
    ] {
        assert_eq!(status(path, None), nobodys, "{path}");
        assert_eq!(status(path, Some(&own)), own_users, "{path}");
        assert_eq!(status(path, Some(every.trim())), everybodys, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_frames_are_refused_and_leave_no_trace() {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token"]);
    let mut socket = Socket::open(&format!("{url}/?token={}", token(&home, "AAA"))).await;
    let get = r#"{"action":"get","client":"BBB","request_id":"7"}"#;
    let original = r#"{"action":"MESSAGE","payload":{"message":{"user_id":"BBB",
        "products":[{"id":"P1","qtd":2}]}}}"#;
    for frame in [QUOTE_BBB, get, original] {
        socket.say(frame).await;
        let reply = socket.hear().await;
        assert_eq!((&reply["type"], &reply["code"]), (&json!("error"), &json!("forbidden")));
    }
    assert_eq!(home.json(&["status"])["active_users"], json!([]));
    socket.say(QUOTE_AAA).await;
    assert_eq!(socket.hear().await["type"], "accepted");
    assert_eq!(socket.hear().await["total"], "900.00");
}

/// Tests that an open connection is not checked again, as on API Gateway.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_outlives_its_token() {
    let home = Home::new();
    let (_up, url) = home.up(&["--require-token"]);
    // The token has expired already, but by less than clocks may differ.
    let token = first_key(&home).token(-24);
    let mut socket = Socket::open(&format!("{url}/?token={token}")).await;
    let knock = format!("GET /?token={token} HTTP/1.1\r\n{UPGRADE}");
    while !is_kept_out(&url, &knock) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    socket.say(QUOTE_AAA).await;
    assert_eq!(socket.hear().await["type"], "accepted");
}

/// Whether a websocket is refused.
fn is_kept_out(url: &str, request: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let address = url.strip_prefix("ws://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "{request}\r\nhost: {address}\r\n\r\n").unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    match &status[9..] {
        b"101" => false,
        b"401" => true,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_gateway_answers_with_the_right_codes_and_logs_no_token() {
    let home = Home::with_fixtures();
    home.set("require-token", "true");
    let mut serve = home.start(&["serve", "--port", "0", "-vvv", "--output", "json"]);
    let url = serve.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let log = serve.read_log();
    let (own, bad) = (token(&home, "AAA"), first_key(&home).bad_tokens());
    let connect = |token: Option<&str>| match token {
        Some(token) => {
            let header = format!("GET / HTTP/1.1\r\nauthorization: Bearer {token}\r\n{UPGRADE}");
            let query = format!("GET /live?token={token} HTTP/1.1\r\n{UPGRADE}");
            (http(&url, &header, ""), http(&url, &query, ""))
        }
        None => {
            let request = format!("GET / HTTP/1.1\r\n{UPGRADE}");
            (http(&url, &request, ""), http(&url, &request, ""))
        }
    };
    let put = |authorization: &str, user: &str| {
        let request = format!("PUT /subscribe HTTP/1.1\r\n{authorization}x: y");
        http(&url, &request, &json!({ "user_id": user }).to_string()).0
    };
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    let (first, second) = connect(None);
    assert_eq!((first.0, second.0, &first.1["message"]), (401, 401, &json!("a token is needed")));
    assert_eq!(put("", "AAA"), 401);
    for (what, token) in &bad {
        let (by_header, by_query) = connect(Some(token));
        assert_eq!((by_header.0, by_query.0), (401, 401), "{what}");
        assert_eq!(put(&bearer(token), "AAA"), 401, "{what}");
    }
    assert_eq!(put(&bearer(&own), "BBB"), 403);
    let twice = bearer(&own).repeat(2);
    assert_eq!(put(&twice, "AAA"), 401);
    let in_url = format!("PUT /subscribe?token={own} HTTP/1.1");
    assert_eq!(http(&url, &in_url, r#"{"user_id":"AAA"}"#).0, 401, "a page can send a header");
    assert_eq!(home.json(&["status"])["active_users"], json!([]));
    assert_eq!(put(&bearer(&own), "AAA"), 202);
    let in_url = format!("{url}/?token={own}");
    home.fails(5, &["quote", "--client", "AAA", "--url", &in_url, "--timeout", "1ms", "P1"]);
    // Neither public routes nor those for this machine alone need a token.
    assert_eq!(http(&url, "GET /health HTTP/1.1", "").0, 200);
    assert_eq!(http(&url, "POST /@connections/nobody HTTP/1.1", "{}").0, 403);

    assert_eq!(serve.interrupt().0, Some(0));
    let log = log.join().unwrap();
    assert!(log.contains("kept out") && log.contains("let in"), "{log}");
    assert!(!log.contains(first_key(&home).secret()), "{log}");
    for token in bad.iter().map(|(_, token)| token).chain([&own]) {
        for part in token.split('.').skip(1).chain([token.as_str()]) {
            assert!(!log.contains(part), "{part} in {log}");
        }
    }
}

#[test]
fn keys_are_private_and_rotate() {
    let home = Home::with_fixtures();
    home.fails(4, &["keys", "list"]);
    let old = token(&home, "AAA");
    let first = first_key(&home);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = home.path().join("data/token-keys.json").metadata().unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    home.set("require-token", "true");
    let is_let_in = |expected: i32| {
        let mut serve = home.start(&["serve", "--port", "0", "--output", "json"]);
        let url = serve.stdout_json()["websocket"].as_str().unwrap().to_owned();
        let args = ["quote", "--client", "AAA", "--url", &url, "--timeout", "1ms", "P1"];
        let output = home.command(&args).env("OCACHE_TOKEN", &old).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{}", text(&output.stderr));
        assert_eq!(serve.interrupt().0, Some(0));
    };
    // Nobody answers within a millisecond, so a client that is let in times out.
    is_let_in(5);
    let rotated = home.json(&["keys", "rotate"]);
    assert_eq!((&rotated[0]["state"], &rotated[1]["state"]), (&json!("signs"), &json!("accepted")));
    assert_eq!(rotated[1]["kid"], first.kid.as_str());
    is_let_in(5);
    assert_eq!(home.json(&["keys", "rotate", "--revoke"]).as_array().unwrap().len(), 1);
    is_let_in(7);
    let list = home.ok(&["keys", "list"]);
    assert!(!list.contains(first.secret()) && !list.contains(first_key(&home).secret()), "{list}");
    // A file of keys is not made by other commands.
    let file = home.path().join("our own.json").to_str().unwrap().to_owned();
    let stderr = home.fails(4, &["token", "--client", "AAA", "--keys", &file]);
    assert!(stderr.contains(&format!("ocache keys rotate --keys '{file}'")), "{stderr}");
    home.ok(&["keys", "rotate", "--keys", &file]);
    home.ok(&["token", "--client", "AAA", "--keys", &file]);
    home.set("require-token", "false");
    let stderr = home.fails(2, &["serve", "--keys", &file]);
    assert!(stderr.contains("require-token true"), "{stderr}");
}

#[test]
fn a_gateway_with_keys_elsewhere_is_found_too() {
    let home = Home::new();
    let file = home.path().join("own.json").to_str().unwrap().to_owned();
    home.ok(&["keys", "rotate", "--keys", &file]);
    let (_up, _) = home.up(&["--require-token", "--keys", &file]);
    assert_eq!(home.json(&["quote", "--client", "AAA", "P1:2"])["total"], "900.00");
    // If a command may not read the keys, the error says what to do.
    std::fs::remove_file(&file).unwrap();
    let stderr = home.fails(7, &["quote", "--client", "AAA", "P1:2"]);
    assert!(stderr.contains("--token"), "{stderr}");
}

#[test]
fn the_keys_of_a_relative_folder_are_found_from_another_one() {
    let home = Home::new();
    let mut command = home.command(&["up", "--port", "0", "--output", "json", "--require-token"]);
    command.args(["--data-dir", "ours"]).current_dir(home.path());
    let mut up = Running::of(command);
    up.stdout_json();
    let dir = home.path().join("ours");
    let dir = dir.to_str().unwrap();
    home.ok(&["quote", "--client", "AAA", "P1:2", "--data-dir", dir]);
}

#[test]
fn the_environment_can_require_tokens_too() {
    let mut home = Home::with_fixtures();
    home.environment = &[("OCACHE_REQUIRE_TOKEN", "1")];
    let (up, url) = home.up(&[]);
    home.fails(7, &quote_of(&url, &[]));
    drop(up);
    home.environment = &[("OCACHE_REQUIRE_TOKEN", "perhaps")];
    let stderr = home.fails(2, &["serve", "--port", "0"]);
    assert!(stderr.contains("OCACHE_REQUIRE_TOKEN"), "{stderr}");
}

#[test]
fn the_help_shows_no_token() {
    let home = Home::new();
    for (asked, names_variable) in [(["quote", "--help"], false), (["help", "quote"], true)] {
        let output = home.command(&asked).env("OCACHE_TOKEN", "hush-hush").output().unwrap();
        let help = text(&output.stdout);
        assert!(!help.contains("hush-hush"), "{help}");
        assert_eq!(help.contains("OCACHE_TOKEN"), names_variable, "{help}");
    }
}

#[test]
fn what_no_token_can_say_is_a_mistake_of_usage() {
    let home = Home::with_fixtures();
    let stderr = home.fails(2, &["token"]);
    assert!(stderr.contains("<--client <USER>|--every-client|--load>"), "{stderr}");
    home.fails(2, &["token", "--client", "AAA", "--every-client"]);
    let users: Vec<String> =
        (0..1000).flat_map(|n| ["--client".to_owned(), format!("U{n}")]).collect();
    let args: Vec<&str> =
        std::iter::once("token").chain(users.iter().map(String::as_str)).collect();
    let stderr = home.fails(2, &args);
    assert!(stderr.contains("several tokens"), "{stderr}");
}
