//! The files of the page. They are built into the binary, and a browser fetches them again only when they
//! have changed.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::Uri;

use super::query::value;
use crate::model::DigestBuilder;
use crate::runtime::gateway::Reply;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The path, the content type and the content of each file.
const FILES: [(&str, &str, &str); 24] = [
    ("/", HTML, include_str!("files/index.html")),
    ("/icon.svg", SVG, include_str!("files/icon.svg")),
    ("/page.css", CSS, include_str!("files/page.css")),
    ("/quote.css", CSS, include_str!("files/quote.css")),
    ("/views.css", CSS, include_str!("files/views.css")),
    ("/print.css", CSS, include_str!("files/print.css")),
    ("/text.js", SCRIPT, include_str!("files/text.js")),
    ("/api.js", SCRIPT, include_str!("files/api.js")),
    ("/share.js", SCRIPT, include_str!("files/share.js")),
    ("/connection.js", SCRIPT, include_str!("files/connection.js")),
    ("/notice.js", SCRIPT, include_str!("files/notice.js")),
    ("/combo.js", SCRIPT, include_str!("files/combo.js")),
    ("/pager.js", SCRIPT, include_str!("files/pager.js")),
    ("/paste.js", SCRIPT, include_str!("files/paste.js")),
    ("/basket.js", SCRIPT, include_str!("files/basket.js")),
    ("/lines.js", SCRIPT, include_str!("files/lines.js")),
    ("/quotation.js", SCRIPT, include_str!("files/quotation.js")),
    ("/prices.js", SCRIPT, include_str!("files/prices.js")),
    ("/load.js", SCRIPT, include_str!("files/load.js")),
    ("/worth.js", SCRIPT, include_str!("files/worth.js")),
    ("/chart.js", SCRIPT, include_str!("files/chart.js")),
    ("/clients.js", SCRIPT, include_str!("files/clients.js")),
    ("/live.js", SCRIPT, include_str!("files/live.js")),
    ("/page.js", SCRIPT, include_str!("files/page.js")),
];

/// The files, each with an entity tag that changes with its content.
pub(super) struct Files(Vec<File>);

struct File {
    path: &'static str,
    content: &'static str,
    text: &'static str,
    tag: String,
}

impl Files {
    pub(super) fn new() -> Self {
        let files = FILES.map(|(path, content, text)| {
            let digest = DigestBuilder::new("page").part(text.as_bytes()).finish();
            File { path, content, text, tag: format!("\"{digest}\"") }
        });
        Self(files.into())
    }

    /// Whether there is a file at a path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|file| file.path == path)
    }

    /// The file at a path, if there is one.
    pub(super) fn get(&self, uri: &Uri, headers: &HeaderMap) -> Option<Reply> {
        let file = self.0.iter().find(|file| file.path == uri.path())?;
        let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let known = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == file.tag));
        let body = if known { "" } else { file.text };
        let mut reply = Reply::new(Bytes::from_static(body.as_bytes()).into());
        if known {
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let set = reply.headers_mut();
        set.insert(CONTENT_TYPE, HeaderValue::from_static(file.content));
        // The browser keeps the file but checks its tag every time, so a new version of ocache is seen at
        // once.
        set.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        set.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        set.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        let opener = HeaderName::from_static("cross-origin-opener-policy");
        set.insert(opener, HeaderValue::from_static("same-origin"));
        if let Ok(tag) = HeaderValue::from_str(&file.tag) {
            set.insert(ETAG, tag);
        }
        if let Ok(policy) = HeaderValue::from_str(&policy(uri, headers)) {
            set.insert(CONTENT_SECURITY_POLICY, policy);
        }
        Some(reply)
    }
}

/// Returns the content security policy: what the page may load, and where it may connect. It may connect
/// to this gateway, and to the websocket in the page's own address.
fn policy(uri: &Uri, headers: &HeaderMap) -> String {
    // Not every browser includes websockets in 'self'.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = [format!("ws://{host}"), format!("wss://{host}")].into_iter();
    let named = value(uri, "url").and_then(|url| origin_of(&url));
    let others: Vec<String> = own.filter_map(|own| origin_of(&own)).chain(named).collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self' {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        others.join(" ")
    )
}

/// Returns the scheme, host and port of a websocket's URL.
fn origin_of(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let scheme = url.scheme_str().filter(|scheme| matches!(*scheme, "ws" | "wss"))?;
    let host = url.host()?;
    // Refuse every character that could make the host read as several sources.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(fits) {
        return None;
    }
    let port = url.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(uri: &str, headers: &[(HeaderName, &str)]) -> Option<Reply> {
        let pairs = headers.iter();
        let headers = pairs.map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        Files::new().get(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn a_file_is_not_sent_again() {
        let first = get("/page.css", &[]).unwrap();
        let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
        let again = get("/page.css", &[(IF_NONE_MATCH, &format!("\"x\", {tag}"))]).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let changed = get("/page.css", &[(IF_NONE_MATCH, "\"x\"")]).unwrap();
        assert_eq!(changed.status(), StatusCode::OK);
        assert!(get("/files.rs", &[]).is_none());
    }

    #[test]
    fn the_page_talks_to_its_gateway_and_to_whom_its_address_names() {
        let connects = |uri: &str| {
            let reply = get(uri, &[(HOST, "127.0.0.1:7070")]).unwrap();
            let policy = reply.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            let connects = policy.split("; ").find(|part| part.starts_with("connect-src")).unwrap();
            connects.trim_start_matches("connect-src ").to_owned()
        };
        let own = "'self' ws://127.0.0.1:7070 wss://127.0.0.1:7070";
        assert_eq!(connects("/"), own);
        let named = connects("/?url=wss%3A%2F%2Fa.example.com%3A8443%2Flive%3Fx%3D1");
        assert_eq!(named, format!("{own} wss://a.example.com:8443"));
        for bad in ["https://a.example.com", "wss://", "*", "wss://*", "wss://a;script-src+*"] {
            assert_eq!(connects(&format!("/?url={bad}")), own, "{bad}");
        }
    }

    #[test]
    fn the_files_name_only_each_other() {
        let (_, _, html) = FILES[0];
        for (path, ..) in &FILES[1..] {
            assert!(html.contains(&format!("\"{}\"", &path[1..])), "{path} is not used");
        }
        for (path, _, text) in FILES {
            for elsewhere in ["https://", "//cdn", "@import", "eval("] {
                assert!(!text.contains(elsewhere), "{path} has {elsewhere}");
            }
        }
    }
}
