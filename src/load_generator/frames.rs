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
pub(super) enum FrameMeaning<'a> {
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

    pub(super) fn seen(&self) -> FrameMeaning<'_> {
        match (&*self.kind, &*self.status) {
            ("accepted", _) => FrameMeaning::Accepted(&self.request_id),
            ("quotation", "answered") => FrameMeaning::Answered(&self.request_id),
            ("quotation", _) => FrameMeaning::Failed(&self.request_id, &self.reason),
            ("error", _) => FrameMeaning::Refused(&self.message),
            ("", _) => FrameMeaning::Echo,
            _ => FrameMeaning::Nothing,
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
            (accepted, FrameMeaning::Accepted("a-7")),
            (answered, FrameMeaning::Answered("a-7")),
            (failed, FrameMeaning::Failed("a\"7", "late")),
            (r#"{"type":"error","code":"bad","message":"no"}"#, FrameMeaning::Refused("no")),
            (r#"{"action":"quote","client":"A"}"#, FrameMeaning::Echo),
            (r#"{"type":"pong"}"#, FrameMeaning::Nothing),
        ] {
            assert_eq!(Glance::at(text).unwrap().seen(), seen);
        }
        let glance = Glance::at(answered).unwrap();
        assert!(matches!(glance.request_id, Cow::Borrowed(_)));
        assert!(matches!(glance.status, Cow::Borrowed(_)));
    }
}
