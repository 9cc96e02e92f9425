//! A session: quotes as they are typed or piped, replies as they come.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::{Instant, sleep_until};

use super::line;
use super::{LOOK_AFTER, Quoter, refused, timed_out};
use crate::cli::failure::{ExitCode, Failure};
use crate::cli::reader;
use crate::protocol::Frame;
use crate::runtime::client::Client;

/// What a person is told who asks for help.
const HELP: &str = "\
P1:2 P3:1   a quote: products, each with a quantity after a colon; without one it is 1
\"a b\":2     a product with a blank in its id; in quotation marks, two of the same are one
a:b:2       a product with a colon in its id needs a quantity
help        this
exit        ends the session, as Ctrl-D does";
/// What some programs write before the first character of a file.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(super) struct Session<'a> {
    client: Client,
    quoter: &'a Quoter<'a>,
    /// Whether a person types the lines, who reads each error and goes on.
    is_typed: bool,
    /// How many lines were read.
    read: usize,
    /// How many of them were quotes, or should have been.
    quotes: usize,
    /// How many of those have no price.
    failed: usize,
    /// The exit code of the worst line: the largest.
    worst: Option<ExitCode>,
    /// Quotes sent whose answer has not come.
    due: usize,
    /// Those of them that were accepted.
    open: HashSet<String>,
    /// When to look whether anybody works for them.
    look_at: Option<Instant>,
    /// Whether somebody does.
    is_worked: bool,
    /// Answers that came already, or that nobody waits for: a quotation may be pushed twice.
    seen: HashSet<String>,
}

impl<'a> Session<'a> {
    pub(super) fn new(client: Client, quoter: &'a Quoter<'a>) -> Self {
        Self {
            client,
            quoter,
            is_typed: io::stdin().is_terminal(),
            read: 0,
            quotes: 0,
            failed: 0,
            worst: None,
            due: 0,
            open: HashSet::new(),
            look_at: None,
            is_worked: false,
            seen: HashSet::new(),
        }
    }

    /// Ends with the input, or when nobody reads the answers any more.
    pub(super) async fn run(mut self) -> Result<(), Failure> {
        tokio::select! {
            done = self.quote_all() => done?,
            () = reader::left() => return Ok(()),
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

    async fn quote_all(&mut self) -> Result<(), Failure> {
        let output = self.quoter.output;
        let mut lines = BufReader::new(tokio::io::stdin()).split(b'\n');
        output.note(match self.is_typed {
            true => {
                "a line such as P1:2 P3:1 is a quote; `help` says more, Ctrl-D ends the session"
            }
            false => "a line such as P1:2 P3:1 is a quote; end of input ends the session",
        });
        self.prompt();
        // None while there may be more lines.
        let mut deadline = None;
        while deadline.is_none() || self.due > 0 {
            let far = Instant::now() + self.quoter.args.timeout;
            tokio::select! {
                line = lines.next_segment(), if deadline.is_none() => {
                    let goes_on = match line.map_err(Failure::internal)? {
                        Some(line) => self.take_line(&line).await?,
                        None => false,
                    };
                    if !goes_on {
                        deadline = Some(far);
                    }
                }
                received = self.client.next() => self.take(received?.frame).await?,
                () = sleep_until(self.look_at.unwrap_or(far)), if self.look_at.is_some() => {
                    self.look_for_workers().await;
                }
                () = sleep_until(deadline.unwrap_or(far)), if deadline.is_some() => {
                    self.give_up(self.due, &timed_out(self.quoter, None));
                }
            }
            if deadline.is_none() {
                self.prompt();
            }
        }
        Ok(())
    }

    /// Gives up all quotes that wait for others, if there are no others.
    async fn look_for_workers(&mut self) {
        self.look_at = None;
        match self.quoter.nobody_works().await {
            Some(failure) if !self.open.is_empty() => {
                self.give_up(self.open.len(), &failure);
                self.seen.extend(self.open.drain());
            }
            Some(_) => {}
            None => self.is_worked = true,
        }
    }

    /// No answer is waited for any more for so many quotes, all for the same reason.
    fn give_up(&mut self, quotes: usize, failure: &Failure) {
        self.fail(failure);
        self.failed += quotes.saturating_sub(1);
        self.due = self.due.saturating_sub(quotes);
    }

    /// Asks a person for a line, once everything that was asked for is answered.
    fn prompt(&self) {
        if self.is_typed && self.due == 0 {
            let client = &self.quoter.args.client;
            self.quoter.output.prompt(&format!("{client}> "));
        }
    }

    /// Returns whether the session goes on.
    async fn take_line(&mut self, line: &[u8]) -> Result<bool, Failure> {
        self.read += 1;
        let Ok(line) = std::str::from_utf8(line) else {
            self.quotes += 1;
            self.refuse("it is not UTF-8");
            return Ok(true);
        };
        let line = match self.read {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
            _ => line,
        };
        match line.trim() {
            "" => {}
            // In a file these are products.
            "help" | "?" if self.is_typed => self.quoter.output.note(HELP),
            "exit" | "quit" if self.is_typed => return Ok(false),
            line => self.ask(line).await?,
        }
        Ok(true)
    }

    async fn ask(&mut self, line: &str) -> Result<(), Failure> {
        self.quotes += 1;
        match line::items(line) {
            Ok(items) => {
                self.client.quote(&self.quoter.args.client, &items, None).await?;
                self.due += 1;
            }
            Err(error) => self.refuse(&error.to_string()),
        }
        Ok(())
    }

    /// The line is no quote. A typing error ends no session.
    fn refuse(&mut self, why: &str) {
        let message = match self.is_typed {
            true => why.to_owned(),
            false => format!("line {}: {why}", self.read),
        };
        self.fail(&Failure::new(ExitCode::Usage, message).hint(
            "a line is such as: P1:2 \"a b\":1, with a quantity for a product whose id has a colon",
        ));
    }

    async fn take(&mut self, frame: Frame) -> Result<(), Failure> {
        let output = self.quoter.output;
        match frame {
            Frame::Accepted { request_id, message } => {
                output.note(&format!("{message} ({request_id})"));
                self.open.insert(request_id);
                if !self.is_worked {
                    self.look_at.get_or_insert_with(|| Instant::now() + LOOK_AFTER);
                }
            }
            Frame::Quotation(quotation) => {
                self.open.remove(&quotation.request_id);
                if self.seen.insert(quotation.request_id.clone()) {
                    self.due = self.due.saturating_sub(1);
                    if let Err(failure) = self.quoter.show(&quotation).await {
                        self.fail(&failure);
                    }
                }
            }
            Frame::Error { code, message } => {
                self.due = self.due.saturating_sub(1);
                self.fail(&refused(&code, message));
            }
            Frame::Pong => {}
        }
        Ok(())
    }

    fn fail(&mut self, failure: &Failure) {
        self.quoter.output.error(failure);
        self.failed += 1;
        self.worst = self.worst.into_iter().chain([failure.code()]).max_by_key(|code| *code as u8);
    }
}
