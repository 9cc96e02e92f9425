//! The URL of a websocket on the command line.

use std::str::FromStr as _;

use hyper::Uri;

/// Checks that a text is the URL of a websocket.
pub(super) fn parse_websocket(text: &str) -> Result<String, String> {
    let uri = Uri::from_str(text).ok().filter(|uri| {
        matches!(uri.scheme_str(), Some("ws" | "wss")) && uri.host().is_some_and(|h| !h.is_empty())
    });
    uri.map(|_| text.to_owned())
        .ok_or_else(|| format!("`{text}` is not a websocket such as ws://127.0.0.1:7070"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_websockets_are_taken() {
        for good in ["ws://127.0.0.1:7070", "ws://[::1]:1/x?y=1", "wss://a.example.com/live"] {
            assert_eq!(parse_websocket(good).as_deref(), Ok(good));
        }
        for bad in ["", "127.0.0.1:7070", "http://127.0.0.1:7070", "ws://", "ws:///x", "garbage"] {
            assert!(parse_websocket(bad).is_err(), "{bad}");
        }
    }
}
