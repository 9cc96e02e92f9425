//! Tests of tokens of an identity provider, beside ocache's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::forged::{Key, SigningKey};
use super::gateway::http_status;
use super::process::Home;

const ISSUER: &str = "https://id.example.com/";

/// Returns a key of the provider.
fn key(kid: &str, key: Key) -> SigningKey {
    let more = json!({ "iss": ISSUER, "aud": ["ocache", "other"] });
    SigningKey { kid: kid.to_owned(), key, more }
}

fn document(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// Returns the flags of a gateway that accepts the provider's tokens.
fn accepting(jwks: &str) -> [&str; 7] {
    ["--require-token", "--jwks", jwks, "--issuer", ISSUER, "--audience", "ocache"]
}

/// Returns the status of a gateway's answer to a subscription of `AAA` with a token.
fn subscribed(url: &str, token: &str) -> u16 {
    let body = r#"{"user_id":"AAA"}"#;
    let request = format!("PUT /subscribe HTTP/1.1\r\nauthorization: Bearer {token}");
    super::gateway::http(url, &request, body).0
}

/// Waits until a token gets this status.
fn until(url: &str, token: &str, status: u16) {
    while subscribed(url, token) != status {
        std::thread::yield_now();
    }
}

#[test]
fn tokens_of_both_kinds_of_keys_come_in_and_no_forged_one_does() {
    let home = Home::new();
    let (rsa, p256) = (key("rsa-1", Key::rsa()), key("ec-1", Key::p256()));
    let file = home.file("jwks.json", document(&[&rsa, &p256]));
    let (_up, url) = home.up(&accepting(&file));
    let own = home.ok(&["token", "--client", "AAA"]);
    let quote = |token: &str| {
        home.json(&["quote", "--client", "AAA", "--url", &url, "--token", token, "P1:2"])
    };
    for token in [&rsa.token(60), &p256.token(60), own.trim()] {
        assert_eq!(quote(token)["total"], "900.00");
    }
    for signer in [&rsa, &p256] {
        let mut bad = signer.bad_tokens();
        // The public key is known to everybody, so it must not be accepted as a secret.
        let public = signer.jwk();
        let texts = ["n", "x"].iter().filter_map(|part| public[*part].as_str());
        for secret in texts.map(str::to_owned).chain([public.to_string()]) {
            let forged = Key::Secret(secret);
            for alg in ["HS256", "RS256", "ES256"] {
                let header = signer.header(alg, &signer.kid);
                bad.push(("public key as a secret", forged.forged(&header, &signer.claims(60))));
            }
        }
        let alg = signer.jwk()["alg"].as_str().unwrap().to_owned();
        let header = signer.header(&alg, &signer.kid);
        for (name, absent, null) in
            [("aud", "no aud", "null for aud"), ("iss", "no iss", "null for iss")]
        {
            let mut claims = signer.claims(60);
            claims[name] = Value::Null;
            bad.push((null, signer.key.forged(&header, &claims)));
            claims.as_object_mut().unwrap().remove(name);
            bad.push((absent, signer.key.forged(&header, &claims)));
        }
        for (what, token) in bad {
            assert_eq!(subscribed(&url, &token), 401, "{what}");
        }
    }
    // The token is valid for its own customers only.
    let foreign = ["quote", "--client", "BBB", "--url", &url, "--token", &rsa.token(60), "P1:2"];
    assert!(home.fails(7, &foreign).contains("may not quote for customer `BBB`"));
}

#[test]
fn a_file_is_read_again_when_it_changed() {
    let home = Home::with_fixtures();
    home.set("require-token", "true");
    let (first, second) = (key("1", Key::p256()), key("2", Key::p256()));
    let file = home.file("jwks.json", document(&[&first]));
    let args =
        [&["serve", "--port", "0", "-v", "--output", "json"][..], &accepting(&file)].concat();
    let mut serve = home.start(&args);
    let url = serve.stdout_json()["websocket"].as_str().unwrap().to_owned();
    assert_eq!(subscribed(&url, &first.token(60)), 202);
    assert_eq!(subscribed(&url, &second.token(60)), 401);
    home.file("jwks.json", document(&[&second]));
    until(&url, &second.token(60), 202);
    assert_eq!(subscribed(&url, &first.token(60)), 401, "the key was taken away");
    // An unreadable file is reported, without a token, and removes no key.
    home.file("jwks.json", "half of it");
    let (knock, is_told) = (second.token(60), AtomicBool::new(false));
    let told = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_told.load(Ordering::Relaxed) {
                assert_eq!(subscribed(&url, &knock), 202);
            }
        });
        let told = serve.stderr_line("the keys of tokens cannot be read");
        is_told.store(true, Ordering::Relaxed);
        told
    });
    assert!(told.contains("jwks.json") && told.contains("line 1"), "{told}");
    let (code, log) = serve.interrupt();
    assert_eq!(code, Some(0), "{log}");
    for part in knock.split('.').skip(1) {
        assert!(!told.contains(part) && !log.contains(part), "{log}");
    }
}

/// A provider that publishes its own document.
struct Provider {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
}

impl Provider {
    fn start(document: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((200, document)));
        let said = answer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
                while head.next().is_some_and(|line| !line.unwrap_or_default().is_empty()) {}
                let (status, body) = said.lock().unwrap().clone();
                let length = body.len();
                // A reader that has seen enough has closed the connection.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { url, answer }
    }

    fn answers(&self, status: u16, document: String) {
        *self.answer.lock().unwrap() = (status, document);
    }
}

#[test]
fn a_url_is_asked_again_for_a_key_that_is_not_known() {
    let home = Home::new();
    let (first, second) = (key("1", Key::p256()), key("2", Key::rsa()));
    let provider = Provider::start(document(&[&first]));
    let (up, url) = home.up(&accepting(&provider.url));
    assert_eq!(subscribed(&url, &first.token(60)), 202);
    provider.answers(200, document(&[&first, &second]));
    until(&url, &second.token(60), 202);
    assert_eq!(subscribed(&url, &first.token(60)), 202, "the first key is still published");
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn a_provider_that_is_away_at_the_start_is_told() {
    let home = Home::with_fixtures();
    home.set("require-token", "true");
    let key = key("1", Key::p256());
    let provider = Provider::start(document(&[&key]));
    let start = |code, jwks: &str| {
        let args = [&["serve", "--port", "0"][..], &accepting(jwks)].concat();
        let stderr = home.fails(code, &args);
        assert!(stderr.contains(jwks) && stderr.contains("hint:"), "{stderr}");
        stderr
    };
    assert!(start(6, "http://127.0.0.1:1/jwks.json").contains("cannot be reached"));
    provider.answers(404, String::new());
    assert!(start(6, &provider.url).contains("it answered 404"));
    provider.answers(200, "<html>".to_owned());
    assert!(start(3, &provider.url).contains("line 1"));
    provider.answers(200, " ".repeat(300 * 1024));
    assert!(start(6, &provider.url).contains("more than 262144 bytes"));
    provider.answers(200, r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"1"}]}"#.to_owned());
    assert!(start(3, &provider.url).contains("it has no key that ocache can use ("));
    let missing = home.path().join("none.json").to_str().unwrap().to_owned();
    assert!(start(4, &missing).contains("does not exist"));
}

#[test]
fn a_provider_that_is_named_by_half_is_a_mistake_of_usage() {
    let home = Home::new();
    let file = home.file("jwks.json", document(&[&key("1", Key::p256())]));
    let up = ["up", "--port", "0"];
    for (args, said) in [
        (vec!["--require-token", "--jwks", &file], "--jwks needs --issuer"),
        (vec!["--require-token", "--issuer", ISSUER], "without --jwks"),
        (vec!["--audience", "ocache"], "without --jwks"),
        (vec!["--jwks", &file, "--issuer", ISSUER], "--jwks alone has no effect"),
        (vec!["--jwks", "http://id.example.com/keys", "--issuer", ISSUER], "over https only"),
        (vec!["--jwks", "https://user:word@id.example.com/", "--issuer", ISSUER], "a password"),
    ] {
        let stderr = home.fails(2, &[&up[..], &args].concat());
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    assert!(!home.path().join("data").exists(), "no store was made");
}

#[test]
fn the_settings_file_can_name_a_provider() {
    let home = Home::with_fixtures();
    let key = key("1", Key::p256());
    std::fs::create_dir(home.path().join("shop")).unwrap();
    home.file("shop/jwks.json", document(&[&key]));
    let lines = format!("jwks = \"jwks.json\"\nissuer = \"{ISSUER}\"\nclient-claim = \"sub\"\n");
    let settings = home.file("shop/ocache.toml", lines);
    let shown = home.json(&["config", "show", "--config", &settings]);
    let value = |name: &str| {
        let is_it = |setting: &&Value| setting["setting"] == name;
        shown.as_array().unwrap().iter().find(is_it).unwrap()["value"].clone()
    };
    let file = home.path().join("shop/jwks.json");
    assert_eq!(value("jwks"), file.to_str().unwrap(), "a path of the file is of its folder");
    assert_eq!((value("issuer"), value("client-claim")), (json!(ISSUER), json!("sub")));
    let (_up, url) = home.up(&["--require-token", "--config", &settings, "--audience", "ocache"]);
    // The subject of the token is the customer.
    let mut claims = key.claims(60);
    claims["sub"] = json!("AAA");
    claims["clients"] = json!("*");
    let token = key.key.forged(&key.header("ES256", &key.kid), &claims);
    assert_eq!(subscribed(&url, &token), 202);
    let other = format!("GET /prices/BBB HTTP/1.1\r\nauthorization: Bearer {token}");
    assert_eq!(http_status(&url, &other), 403);
}
