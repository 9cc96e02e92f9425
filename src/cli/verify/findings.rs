//! Prints findings as they are made.

use serde_json::{Map, Value, json};

use super::super::failure::{Failure, Result};
use super::super::output::{Output, trimmed};
use super::super::progress::Progress;
use super::super::stream::ObjectStream;
use super::words;
use crate::verify::{Audience, Finding, FindingKind, FindingSubject, VerifyStep};

/// The most findings of each kind that are shown to people. Programs get all.
const SHOWN_OF_A_KIND: u64 = 50;

/// Prints findings, and the progress of the verification.
pub(super) struct Findings<'a> {
    output: &'a Output,
    /// The stream for programs. It begins with the first finding, so that a verification that fails at
    /// once prints nothing.
    stream: Option<ObjectStream<'a>>,
    /// The number of findings of each kind, for people.
    shown: [u64; FindingKind::ALL.len()],
    progress: Option<(VerifyStep, Progress)>,
    failure: Option<Failure>,
}

impl<'a> Findings<'a> {
    pub(super) const fn new(output: &'a Output) -> Self {
        let shown = [0; FindingKind::ALL.len()];
        Self { output, stream: None, shown, progress: None, failure: None }
    }

    /// Prints the summary.
    pub(super) fn end(
        mut self,
        summary: Map<String, Value>,
        show: impl FnOnce() -> String,
    ) -> Result<()> {
        drop(self.progress.take());
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.output.is_json() {
            self.stream()?;
            return match self.stream {
                Some(stream) => stream.end(&summary),
                None => Ok(()),
            };
        }
        let mut text = String::new();
        for kind in FindingKind::ALL {
            let more = self.shown[kind as usize].saturating_sub(SHOWN_OF_A_KIND);
            if more > 0 {
                let kind = words(kind);
                text.push_str(&format!("and {more} more {kind} (see --output json)\n"));
            }
        }
        if self.shown.iter().any(|shown| *shown > 0) {
            text.push('\n');
        }
        text.push_str(&trimmed(&show()));
        text.push('\n');
        self.output.raw(text.as_bytes())
    }

    fn stream(&mut self) -> Result<&mut ObjectStream<'a>> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => ObjectStream::begin(self.output, &Map::new(), "findings")?,
        };
        Ok(self.stream.insert(stream))
    }

    fn print(&mut self, finding: &Finding) -> Result<()> {
        if self.output.is_json() {
            let stream = self.stream()?;
            stream.item(&json(finding))?;
            return self.beside_progress(|findings| findings.stream()?.flush());
        }
        let Finding { kind, subject, what } = finding;
        let shown = &mut self.shown[*kind as usize];
        *shown += 1;
        if *shown > SHOWN_OF_A_KIND {
            return Ok(());
        }
        let line = format!("{}: {subject}: {what}\n", words(*kind));
        self.beside_progress(|findings| findings.output.raw(line.as_bytes()))
    }

    fn beside_progress<T>(&mut self, print: impl FnOnce(&mut Self) -> T) -> T {
        let progress = self.progress.take();
        let printed = match &progress {
            Some((_, progress)) => progress.beside(|| print(self)),
            None => print(self),
        };
        self.progress = progress;
        printed
    }
}

impl Audience for Findings<'_> {
    fn found(&mut self, finding: Finding) {
        if self.failure.is_none() {
            self.failure = self.print(&finding).err();
        }
    }

    fn progress(&mut self, step: VerifyStep, count: u64) {
        let progress = match self.progress.take() {
            Some((current, progress)) if current == step => progress,
            _ => self.output.count(step.name(), None),
        };
        self.progress.insert((step, progress)).1.add(count);
    }

    fn starts_over(&mut self) {
        self.beside_progress(|findings| {
            findings.output.note("a load came into force: verifying everything once more");
        });
    }
}

fn json(finding: &Finding) -> Value {
    let (user, request) = match &finding.subject {
        FindingSubject::Table(user) => (user, None),
        FindingSubject::Answer(user, request) => (user, Some(request.as_str())),
    };
    json!({
        "kind": finding.kind.name(),
        "user": user.as_str(),
        "request_id": request,
        "what": finding.what,
    })
}
