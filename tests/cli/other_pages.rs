//! Tests of pages of other origins, of proxies with a path, and of methods that a path does not accept.

use futures_util::StreamExt as _;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::gateway::Socket;
use super::http::{send, send_to};
use super::process::Home;

const SHOP: &str = "origin: https://shop.example.com";
const BODY: &str = r#"{"user_id":"AAA"}"#;

#[test]
fn a_page_of_an_allowed_origin_may_subscribe() {
    let home = Home::new();
    let (_up, url) = home.up(&["--allow-origin", "https://shop.example.com"]);
    let asked = [
        SHOP,
        "access-control-request-method: PUT",
        "access-control-request-headers: content-type",
    ];
    let preflight = send(&url, "OPTIONS /subscribe", &asked, "");
    assert_eq!(preflight.status, 204);
    let header = |name: &str| preflight.header(name).unwrap_or_default();
    assert_eq!(header("access-control-allow-origin"), "https://shop.example.com");
    assert_eq!(header("access-control-allow-methods"), "PUT");
    assert!(header("access-control-allow-headers").contains("content-type"));

    let put = send(&url, "PUT /subscribe", &[SHOP], BODY);
    assert_eq!(put.status, 202);
    assert_eq!(put.header("access-control-allow-origin").unwrap(), "https://shop.example.com");
    assert!(put.header("access-control-expose-headers").unwrap().contains("retry-after"));
    // A page can show an error only if its browser lets it read the reply.
    for (request, status) in [("PUT /subscribe", 400), ("GET /subscribe", 405), ("GET /x", 404)] {
        let error = send(&url, request, &[SHOP], "[");
        assert_eq!(error.status, status, "{request}");
        let allowed = error.header("access-control-allow-origin");
        assert_eq!(allowed.as_deref(), Some("https://shop.example.com"), "{request}");
    }
    for request in ["OPTIONS /subscribe", "PUT /subscribe"] {
        let foreign = send(&url, request, &["origin: https://evil.example", asked[1]], BODY);
        assert_eq!(foreign.status, 403, "{request}");
        assert_eq!(foreign.header("access-control-allow-origin"), None, "{request}");
        assert!(foreign.header("vary").unwrap().contains("origin"), "{request}");
    }
    let push = send(&url, "OPTIONS /@connections/x", &asked, "");
    assert_eq!(push.header("access-control-allow-origin"), None, "pages may not push");
}

#[test]
fn a_refused_page_is_named_with_the_flag_that_lets_it_in() {
    let home = Home::new();
    let (mut up, url) = home.up(&[]);
    for origin in ["null", "https://shop.example.com:8443"] {
        let header = format!("origin: {origin}");
        assert_eq!(send(&url, "PUT /subscribe", &[&header], BODY).status, 403);
        let said = up.stderr_line("was refused");
        assert!(said.contains(&format!("`--allow-origin {origin}`")), "{said}");
    }
    drop(up);
    let (_up, url) = home.up(&["--allow-origin", "null"]);
    let put = send(&url, "PUT /subscribe", &["origin: null"], BODY);
    assert_eq!(put.status, 202);
    assert_eq!(put.header("access-control-allow-origin").as_deref(), Some("null"));
}

#[test]
fn what_a_page_of_another_origin_embeds_or_opens_makes_nobody_active() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let from = |site: &str, request: &str| {
        send(&url, request, &[&format!("sec-fetch-site: {site}"), "sec-fetch-mode: no-cors"], "")
            .status
    };
    for site in ["cross-site", "same-site"] {
        assert_eq!(from(site, "GET /prices/EVIL?product=P1"), 403);
        assert_eq!(from(site, "GET /"), 200, "a link to the page");
    }
    assert_eq!(home.json(&["status"])["active_users"].as_array().unwrap().len(), 0);
    assert_eq!(from("same-origin", "GET /prices/AAA?product=P1"), 202);
}

#[test]
fn head_is_get_without_a_body_and_other_methods_are_named() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    for path in [
        "/",
        "/page.css",
        "/health",
        "/products",
        "/clients",
        "/clients/active",
        "/worth",
        "/live",
        "/metrics",
    ] {
        let head = send(&url, &format!("HEAD {path}"), &[], "");
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        let get = send(&url, &format!("GET {path}"), &[], "");
        assert_eq!(get.header("content-type"), head.header("content-type"), "{path}");
        assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 0, "{path}");
        let delete = send(&url, &format!("DELETE {path}"), &[], "");
        assert_eq!(delete.status, 405, "{path}");
        assert_eq!(delete.header("allow").as_deref(), Some("GET, HEAD, OPTIONS"), "{path}");
    }
    for (request, allow) in
        [("HEAD /subscribe", "PUT, OPTIONS"), ("GET /@connections/x", "POST, OPTIONS")]
    {
        let refused = send(&url, request, &[], "");
        assert_eq!(refused.status, 405, "{request}");
        assert_eq!(refused.header("allow").as_deref(), Some(allow), "{request}");
    }
    let options = send(&url, "OPTIONS /subscribe", &[], "");
    assert_eq!((options.status, options.header("allow").unwrap()), (204, "PUT, OPTIONS".into()));
    assert_eq!(send(&url, "OPTIONS /nowhere", &[], "").status, 404);
}

/// Tests a proxy that passes on the whole path, and one that strips the prefix.
#[tokio::test(flavor = "multi_thread")]
async fn everything_works_under_a_path() {
    let home = Home::new();
    let (_up, url) = home.up(&["--path-prefix", "/shop/quotes/", "--allow-host", "shop.example"]);
    let address = url.strip_prefix("ws://").unwrap();
    let get = |path: &str| send_to(address, "shop.example", &format!("GET {path}"), &[], "");
    let page = get("/shop/quotes/");
    assert!(page.status == 200 && page.body.contains("page.css"), "{page:?}");
    assert_eq!(get("/shop/quotes/page.css").body, get("/page.css").body);
    assert_eq!(get("/shop/quotes").header("location").as_deref(), Some("quotes/"));
    assert_eq!(get("/shop/quotes/products?limit=1").json()["products"][0]["product"], "P1");
    // The gateway's own page has the origin of the proxy.
    let origin = ["origin: https://shop.example"];
    let own = |request: &str, body: &str| send_to(address, "shop.example", request, &origin, body);
    assert_eq!(own("PUT /shop/quotes/subscribe", BODY).status, 202);
    assert_eq!(own("POST /shop/quotes/load", "").status, 401, "a token is needed, as on loopback");
    let path = format!("{url}/shop/quotes/");
    let mut socket = Socket::of_page(&path, "shop.example", "https://shop.example").await;
    socket
        .say(r#"{"action":"quote","client":"AAA","items":[{"product":"P1","quantity":2}]}"#)
        .await;
    assert_eq!(socket.hear().await["type"], "accepted");
    assert_eq!(socket.hear().await["total"], "900.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn localhost_leads_to_it_by_either_address() {
    let home = Home::new();
    let (_up, url) = home.up(&[]);
    let port = url.rsplit(':').next().unwrap();
    let address = format!("[::1]:{port}");
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("not tried: this machine has no IPv6");
        return;
    }
    for host in [&address, &format!("localhost:{port}")] {
        assert_eq!(send_to(&address, host, "GET /health", &[], "").status, 200, "{host}");
    }
    let mut request = format!("ws://{address}").into_client_request().unwrap();
    request.headers_mut().insert("origin", format!("http://{address}").parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    futures_util::SinkExt::send(&mut socket, r#"{"action":"ping"}"#.into()).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().into_text().unwrap().contains("pong"));
}
