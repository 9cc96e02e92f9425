//! A session: sends quotes as they are typed or piped, and prints the replies.

use std::collections::{HashSet, VecDeque};
use std::io::{self, IsTerminal as _};

use tokio::io::BufReader;
use tokio::time::{Instant, sleep_until};

use super::input::InputLines;
use super::line;
use super::pace::Pace;
use super::{LOOK_AFTER, Quoter, refused, timed_out};
use crate::cli::failure::{ExitCode, Failure, Result};
use crate::cli::reader;
use crate::protocol::{Frame, QuotationFrame};
use crate::runtime::client::GatewayClient;
use crate::runtime::gateway::Limits;

/// The help inside a session.
const HELP: &str = "\
P1:2 P3:1   a quote: products, each with a quantity after a colon; without one it is 1
\"a b\":2     a product with a blank in its id; in quotation marks, two of the same are one
a:b:2       a product with a colon in its id needs a quantity
help        this
exit        ends the session, as Ctrl-D does";
/// The byte order mark that some programs write at the beginning of a file.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The most lines of a file that wait for an answer. Further ones are read later.
const MOST_ASKED: usize = 1000;

pub(super) struct Session<'a> {
    client: GatewayClient,
    quoter: &'a Quoter<'a>,
    /// Whether a person types the lines, reads each error and continues.
    is_typed: bool,
    /// The number of lines that were read.
    read: usize,
    /// The number of lines that are quotes, or should be.
    quotes: usize,
    /// The number of these without a price.
    failed: usize,
    /// The largest exit code of a line.
    worst: Option<ExitCode>,
    /// The quotes for which nothing is printed yet, in the order of their lines.
    asked: VecDeque<AskedLine>,
    /// When the next line of a file may be sent.
    pace: Pace,
    /// When to check whether any process works on the quotes.
    look_at: Option<Instant>,
    /// Whether a process does.
    is_worked: bool,
    /// Quotations that were received already, or are not waited for any more. A quotation may be pushed
    /// twice.
    seen: HashSet<String>,
    /// The hints that were printed. For a file each is printed once.
    hinted: HashSet<String>,
}

/// A line that is a quote, or should be.
struct AskedLine {
    line: usize,
    sent_at: Instant,
    /// The id, once the gateway has replied.
    request_id: Option<String>,
    outcome: Option<LineOutcome>,
}

enum LineOutcome {
    Settled(Box<QuotationFrame>),
    Failed(Failure),
}

impl AskedLine {
    const fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// Whether the gateway has not replied yet.
    const fn awaits_reply(&self) -> bool {
        self.is_open() && self.request_id.is_none()
    }

    /// Whether others have to answer, because the gateway has not for a while. A quote that was sent just now
    /// may be answered where it arrived.
    fn waits_for_others(&self, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.sent_at);
        self.request_id.is_some() && waited >= LOOK_AFTER / 2
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(client: GatewayClient, quoter: &'a Quoter<'a>) -> Self {
        Self {
            client,
            quoter,
            is_typed: io::stdin().is_terminal(),
            read: 0,
            quotes: 0,
            failed: 0,
            worst: None,
            asked: VecDeque::new(),
            pace: Pace::below(Limits::DEFAULT.frames_per_sec),
            look_at: None,
            is_worked: false,
            seen: HashSet::new(),
            hinted: HashSet::new(),
        }
    }

    /// Runs until the input ends, or nobody reads the answers any more.
    pub(super) async fn run(mut self) -> Result<()> {
        let done = tokio::select! {
            done = self.quote_all() => done,
            () = reader::left() => return Ok(()),
        };
        if let Err(failure) = done {
            return Err(self.broken_off(failure).await);
        }
        self.client.close().await;
        match self.worst {
            Some(code) if !self.is_typed => {
                let (failed, quotes) = (self.failed, self.quotes);
                let message = format!("no price for {failed} of {quotes} quotes");
                Err(Failure::new(code, message))
            }
            _ => Ok(()),
        }
    }

    /// Names the lines of a file that have no answer because the session ends before them.
    async fn broken_off(&mut self, failure: Failure) -> Failure {
        if self.is_typed || self.read == 0 {
            return failure;
        }
        let sent = format!("no line after line {} was sent", self.read);
        if !self.asked.iter().any(AskedLine::is_open) {
            return failure.of_a(&sent);
        }
        self.give_up(AskedLine::is_open, |_| failure.clone());
        self.print().await;
        let (failed, quotes) = (self.failed, self.quotes);
        let message = format!("no price for {failed} of {quotes} quotes; {sent}");
        Failure::new(self.worst.unwrap_or(failure.code()), message)
    }

    async fn quote_all(&mut self) -> Result<()> {
        let output = self.quoter.output;
        let mut lines = InputLines::new(BufReader::new(tokio::io::stdin()));
        output.note(match self.is_typed {
            true => {
                "a line such as P1:2 P3:1 is a quote; `help` says more, Ctrl-D ends the session"
            }
            false => "a line such as P1:2 P3:1 is a quote; end of input ends the session",
        });
        self.prompt();
        // `None` while there may be more lines.
        let mut deadline = None;
        while deadline.is_none() || !self.asked.is_empty() {
            let far = Instant::now() + self.quoter.args.timeout;
            let reply_by = self.reply_by();
            tokio::select! {
                line = self.pace.next_line(&mut lines), if deadline.is_none() && self.takes_lines() => {
                    let goes_on = match line.map_err(Failure::internal)? {
                        Some(line) => self.take_line(&line).await?,
                        None => false,
                    };
                    if !goes_on {
                        deadline = Some(far);
                    }
                }
                received = self.client.next() => self.take(received?.frame),
                () = sleep_until(self.look_at.unwrap_or(far)), if self.look_at.is_some() => {
                    self.look_for_workers().await;
                }
                () = sleep_until(reply_by.unwrap_or(far)), if reply_by.is_some() => {
                    self.give_up(AskedLine::awaits_reply, |session| timed_out(session.quoter, None));
                }
                () = sleep_until(deadline.unwrap_or(far)), if deadline.is_some() => {
                    self.give_up(AskedLine::is_open, |session| timed_out(session.quoter, None));
                }
            }
            self.print().await;
            if deadline.is_none() {
                self.prompt();
            }
        }
        Ok(())
    }

    /// Whether the next line may be read. A line of a file is sent only after the reply to the one
    /// before, because an error does not say which quote it refuses.
    fn takes_lines(&self) -> bool {
        let is_replied = self.asked.back().is_none_or(|last| !last.awaits_reply());
        self.is_typed || (is_replied && self.asked.len() < MOST_ASKED)
    }

    /// Returns when a line of a file is given up if the gateway has not replied.
    fn reply_by(&self) -> Option<Instant> {
        let last = self.asked.back().filter(|last| !self.is_typed && last.awaits_reply())?;
        Some(last.sent_at + self.quoter.args.timeout)
    }

    /// Gives up quotes that have waited for other processes for a while, if there are none. A quote that
    /// was just sent may still be answered by the gateway itself.
    async fn look_for_workers(&mut self) {
        self.look_at = None;
        let asked_at = Instant::now();
        match self.quoter.nobody_works().await {
            Some(failure) => {
                self.give_up(|asked| asked.waits_for_others(asked_at), |_| failure.clone());
                let waits = |asked: &AskedLine| asked.is_open() && asked.request_id.is_some();
                self.look_at = self.asked.iter().any(waits).then(|| asked_at + LOOK_AFTER);
            }
            None => self.is_worked = true,
        }
    }

    /// Gives up waiting for the selected quotes, all for the same reason.
    fn give_up(&mut self, which: impl Fn(&AskedLine) -> bool, why: impl Fn(&Self) -> Failure) {
        let failure = why(self);
        for asked in self.asked.iter_mut().filter(|asked| asked.is_open() && which(asked)) {
            self.seen.extend(asked.request_id.take());
            asked.outcome = Some(LineOutcome::Failed(failure.clone()));
        }
    }

    /// Prompts a person for a line, once all quotes are answered.
    fn prompt(&self) {
        if self.is_typed && self.asked.is_empty() {
            let client = &self.quoter.args.client;
            self.quoter.output.prompt(&format!("{client}> "));
        }
    }

    /// Handles one line. Returns whether the session continues.
    async fn take_line(&mut self, line: &[u8]) -> Result<bool> {
        self.read += 1;
        let Ok(line) = std::str::from_utf8(line) else {
            self.quotes += 1;
            self.asked(Some("it is not UTF-8"));
            return Ok(true);
        };
        let line = match self.read {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
            _ => line,
        };
        match line.trim() {
            "" => {}
            // In a file these words are products.
            "help" | "?" if self.is_typed => self.quoter.output.note(HELP),
            "exit" | "quit" if self.is_typed => return Ok(false),
            line => self.ask(line).await?,
        }
        Ok(true)
    }

    async fn ask(&mut self, line: &str) -> Result<()> {
        self.quotes += 1;
        match line::items(line) {
            Ok(items) => {
                let sent = self.client.quote(&self.quoter.args.client, &items, None).await;
                if !self.is_typed {
                    self.pace.sent();
                }
                self.asked(None);
                sent?;
            }
            Err(error) => self.asked(Some(&error.to_string())),
        }
        Ok(())
    }

    /// Notes a line that was sent, or that is not a quote. A typing error does not end the session.
    fn asked(&mut self, wrong: Option<&str>) {
        let outcome = wrong.map(|why| {
            LineOutcome::Failed(Failure::new(ExitCode::Usage, why).hint(
                "write a line such as: P1:2 \"a b\":1; a product whose id has a colon needs a quantity",
            ))
        });
        let (line, sent_at) = (self.read, Instant::now());
        self.asked.push_back(AskedLine { line, sent_at, request_id: None, outcome });
    }

    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Accepted { request_id, message } => {
                self.quoter.output.note(&format!("{message} ({request_id})"));
                // The answer may have come before the acknowledgement.
                if self.seen.contains(&request_id) {
                    return;
                }
                if let Some(asked) = self.unreplied() {
                    asked.request_id = Some(request_id);
                }
                if !self.is_worked {
                    self.look_at.get_or_insert_with(|| Instant::now() + LOOK_AFTER);
                }
            }
            Frame::Quotation(quotation) => {
                let id = quotation.request_id.clone();
                if self.seen.insert(id.clone()) {
                    let same = |asked: &AskedLine| asked.request_id.as_ref() == Some(&id);
                    let asked = match self.asked.iter().position(same) {
                        Some(at) => self.asked.get_mut(at),
                        None => self.unreplied(),
                    };
                    if let Some(asked) = asked {
                        asked.request_id = Some(id);
                        asked.outcome = Some(LineOutcome::Settled(Box::new(quotation)));
                    }
                }
            }
            Frame::Error { code, message } => {
                if let Some(asked) = self.unreplied() {
                    asked.outcome = Some(LineOutcome::Failed(refused(&code, message)));
                }
            }
            Frame::Pong => {}
        }
    }

    /// Returns the quote to which the gateway replies next.
    fn unreplied(&mut self) -> Option<&mut AskedLine> {
        self.asked.iter_mut().find(|asked| asked.awaits_reply())
    }

    /// Prints the outcomes: for a person as they come, for a file in the order of its lines.
    async fn print(&mut self) {
        while let Some(asked) = self.next_to_print() {
            match asked.outcome {
                Some(LineOutcome::Settled(quotation)) => {
                    if let Err(failure) = self.quoter.show(&quotation).await {
                        self.fail(failure, asked.line, asked.line);
                    }
                }
                Some(LineOutcome::Failed(failure)) => {
                    let last = self.drop_same(&failure).unwrap_or(asked.line);
                    self.fail(failure, asked.line, last);
                }
                None => {}
            }
        }
    }

    fn next_to_print(&mut self) -> Option<AskedLine> {
        let at = match self.is_typed {
            true => self.asked.iter().position(|asked| !asked.is_open())?,
            false => 0,
        };
        match self.asked.get(at) {
            Some(asked) if !asked.is_open() => self.asked.remove(at),
            _ => None,
        }
    }

    /// Drops the next lines if they failed for the same reason. Returns the last of them.
    fn drop_same(&mut self, failure: &Failure) -> Option<usize> {
        let mut last = None;
        while let Some(AskedLine { outcome: Some(LineOutcome::Failed(next)), line, .. }) =
            self.asked.front()
            && next == failure
        {
            last = Some(*line);
            self.failed += 1;
            self.asked.pop_front();
        }
        last
    }

    /// Prints why lines have no price.
    fn fail(&mut self, mut failure: Failure, first: usize, last: usize) {
        if !self.is_typed {
            failure = failure.of_a(&match first == last {
                true => format!("line {first}"),
                false => format!("lines {first} to {last}"),
            });
            if failure.hint_text().is_some_and(|hint| !self.hinted.insert(hint.to_owned())) {
                failure = failure.without_hint();
            }
        }
        let code = failure.code();
        self.quoter.output.error(&failure.for_stack(&self.quoter.settings.as_flags));
        self.failed += 1;
        self.worst = self.worst.into_iter().chain([code]).max_by_key(|code| *code as u8);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_quotes_that_were_accepted_a_while_ago_wait_for_others() {
        let sent_at = Instant::now();
        let accepted = || Some("q_1".to_owned());
        let asked = |request_id| AskedLine { line: 1, sent_at, request_id, outcome: None };
        for (request_id, waited, waits) in [
            (accepted(), LOOK_AFTER, true),
            (accepted(), LOOK_AFTER / 2, true),
            (accepted(), LOOK_AFTER / 3, false),
            (accepted(), Duration::ZERO, false),
            (None, LOOK_AFTER, false),
        ] {
            let is_waiting = asked(request_id.clone()).waits_for_others(sent_at + waited);
            assert_eq!(is_waiting, waits, "{request_id:?} after {waited:?}");
        }
    }
}
