//! The members of a frame that are read from every frame.

use std::borrow::Cow;

use serde::Deserialize;

/// The members that say which quote a frame is about and how it ended. All others are skipped.
#[derive(Debug, Deserialize)]
pub(super) struct Glance<'a> {
    /// Empty if an echo sent the quote back.
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    request_id: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    reason: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
}

/// The meaning of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    Accepted(&'a str),
    Answered(&'a str),
    /// A quotation that has no price, and the reason.
    Failed(&'a str, &'a str),
    /// An error, which does not say to which quote it belongs.
    Refused(&'a str),
    /// The quote itself, sent back.
    Echo,
    Nothing,
}

impl<'a> Glance<'a> {
    pub(super) fn at(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        match (&*self.kind, &*self.status) {
            ("accepted", _) => Seen::Accepted(&self.request_id),
            ("quotation", "answered") => Seen::Answered(&self.request_id),
            ("quotation", _) => Seen::Failed(&self.request_id, &self.reason),
            ("error", _) => Seen::Refused(&self.message),
            ("", _) => Seen::Echo,
            _ => Seen::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart_and_not_copied() {
        let answered =
            r#"{"type":"quotation","request_id":"a-7","status":"answered","lines":[{}]}"#;
        let failed =
            r#"{"type":"quotation","request_id":"a\"7","status":"failed","reason":"late"}"#;
        let accepted = r#"{"type":"accepted","request_id":"a-7","message":"m"}"#;
        for (text, seen) in [
            (accepted, Seen::Accepted("a-7")),
            (answered, Seen::Answered("a-7")),
            (failed, Seen::Failed("a\"7", "late")),
            (r#"{"type":"error","code":"bad","message":"no"}"#, Seen::Refused("no")),
            (r#"{"action":"quote","client":"A"}"#, Seen::Echo),
            (r#"{"type":"pong"}"#, Seen::Nothing),
        ] {
            assert_eq!(Glance::at(text).unwrap().seen(), seen);
        }
        let glance = Glance::at(answered).unwrap();
        assert!(matches!(glance.request_id, Cow::Borrowed(_)));
        assert!(matches!(glance.status, Cow::Borrowed(_)));
    }
}
