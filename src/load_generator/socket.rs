//! One websocket, and the quotes that wait on it.
//!
//! At a set rate, the time of a quote begins when it was due to be sent, not when it was actually sent.
//! So the time that it waits behind a slow answer is included.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::warn;

use super::frames::{FrameMeaning, Glance};
use super::plan::{RunState, ServerKind};
use super::quotes::QuoteContent;
use crate::protocol::Frame;
use crate::runtime::client::{ClientError, GatewayClient};

pub(super) struct LoadSocket {
    client: GatewayClient,
    shared: Arc<RunState>,
    /// The waiting quotes by their numbers.
    waiting: HashMap<u64, WaitingQuote>,
    /// The last request id that the gateway chose.
    last_made: String,
}

/// A quote that has no answer yet.
struct WaitingQuote {
    begun: Instant,
    is_accepted: bool,
    /// The content of the quote, if the answer is to be checked.
    checked: Option<QuoteContent>,
}

impl LoadSocket {
    pub(super) fn new(client: GatewayClient, shared: Arc<RunState>) -> Self {
        Self { client, shared, waiting: HashMap::new(), last_made: String::new() }
    }

    /// Sends quotes until none is left, then waits for the last answers.
    pub(super) async fn run(mut self) -> Result<(), ClientError> {
        while let Some((number, at)) = self.shared.next() {
            if let Some(at) = at {
                self.listen_until(at).await?;
            }
            self.send(number, at).await?;
            if at.is_none() {
                self.drain().await?;
            }
        }
        self.drain().await?;
        self.client.close().await;
        Ok(())
    }

    async fn send(&mut self, number: u64, at: Option<Instant>) -> Result<(), ClientError> {
        let run = &self.shared.run;
        let choice = run.mix.choice(number);
        let frame = run.mix.frame(&choice, run.names.name(number).as_deref());
        let is_checked =
            run.peer == ServerKind::Gateway && number.is_multiple_of(run.check_every.max(1));
        self.shared.tally().asked += 1;
        let begun = at.unwrap_or_else(Instant::now);
        let checked = is_checked.then_some(choice);
        self.waiting.insert(number, WaitingQuote { begun, is_accepted: false, checked });
        self.client.send(frame).await
    }

    /// Receives frames until no quote waits any more, or the patience is over.
    async fn drain(&mut self) -> Result<(), ClientError> {
        let end = Instant::now() + self.shared.run.patience;
        while !self.waiting.is_empty() {
            let Ok(received) = timeout_at(end, self.client.next_text()).await else {
                // These quotes count as asked and not as answered.
                self.complain("no answer came in time".to_owned());
                self.waiting.clear();
                return Ok(());
            };
            self.take(&received?)?;
        }
        Ok(())
    }

    async fn listen_until(&mut self, at: Instant) -> Result<(), ClientError> {
        loop {
            tokio::select! {
                () = sleep_until(at) => return Ok(()),
                received = self.client.next_text() => self.take(&received?)?,
            }
        }
    }

    fn take(&mut self, text: &str) -> Result<(), ClientError> {
        let glance = Glance::at(text).map_err(ClientError::Frame)?;
        match glance.seen() {
            FrameMeaning::Accepted(id) => {
                if let Some(waiting) = self.number(id).and_then(|it| self.waiting.get_mut(&it)) {
                    waiting.is_accepted = true;
                    self.shared.tally().until_accepted.add(waiting.begun.elapsed());
                    id.clone_into(&mut self.last_made);
                }
            }
            FrameMeaning::Answered(id) => {
                // A second push of the same answer finds no waiting quote.
                if let Some(waiting) = self.end(self.number(id)) {
                    self.answered(&waiting, text)?;
                }
            }
            FrameMeaning::Failed(id, reason) => {
                if self.end(self.number(id)).is_some() {
                    self.complain(reason.to_owned());
                }
            }
            // The error does not name its quote. Most likely it belongs to the one that has waited
            // longest.
            FrameMeaning::Refused(message) => {
                self.complain(message.to_owned());
                self.end(self.oldest());
            }
            FrameMeaning::Echo => {
                if let Some(waiting) = self.end(self.oldest()) {
                    self.shared.tally().answered(waiting.begun.elapsed());
                }
            }
            FrameMeaning::Nothing => {}
        }
        Ok(())
    }

    fn answered(&self, waiting: &WaitingQuote, text: &str) -> Result<(), ClientError> {
        let after = waiting.begun.elapsed();
        let Some(choice) = &waiting.checked else {
            self.shared.tally().answered(after);
            return Ok(());
        };
        let run = &self.shared.run;
        let frame = serde_json::from_str(text).map_err(ClientError::Frame)?;
        let asked = run.mix.asked(choice);
        let found = match frame {
            Frame::Quotation(answer) => asked.check(&answer, run.expected.as_deref()),
            _ => Err("it is no quotation".to_owned()),
        };
        self.shared.tally().checked += 1;
        match found {
            Ok(()) => self.shared.tally().answered(after),
            Err(why) => self.complain(format!("an answer for `{}` is wrong: {why}", asked.user)),
        }
        Ok(())
    }

    /// Returns the quote that a frame with this id is about.
    fn number(&self, id: &str) -> Option<u64> {
        let names = &self.shared.run.names;
        if !names.is_made() {
            return names.number(id);
        }
        // If the gateway chooses ids, a socket has only one waiting quote. An answer is a second push if
        // its id differs from that of the accepted quote, or is that of the quote before.
        let (number, waiting) = self.waiting.iter().next()?;
        let is_last = self.last_made == id;
        (waiting.is_accepted == is_last).then_some(*number)
    }

    fn oldest(&self) -> Option<u64> {
        self.waiting.iter().min_by_key(|(_, waiting)| waiting.begun).map(|(number, _)| *number)
    }

    fn end(&mut self, number: Option<u64>) -> Option<WaitingQuote> {
        let ended = self.waiting.remove(&number?)?;
        (self.shared.run.on_end)();
        Some(ended)
    }

    /// Logs why a quote has no price, but only once, because most others have the same reason.
    fn complain(&self, why: String) {
        if self.shared.tally().complain(why.clone()) {
            warn!(why, "a quote has no price");
        }
    }
}
