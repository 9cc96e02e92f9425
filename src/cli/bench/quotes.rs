//! Quotes over many websockets, at a set rate or as fast as they are answered.
//!
//! At a set rate a quote's time begins when it was to be sent, not when it could be: what waits
//! behind a slow answer has waited, and is counted so.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use super::super::failure::Failure;
use super::super::output::Output;
use super::figures::Figures;
use super::guests::Guests;
use crate::data::Draws;
use crate::model::{Item, ProductId, Quantity, RequestId, UserId};
use crate::protocol::Frame;
use crate::runtime::client::{Client, Destination};
use crate::tokens::Token;

/// Where quotes are sent, and what is in them.
pub(super) struct Quotes<'a> {
    pub(super) gateway: &'a Destination,
    /// What the gateway wants to see, if it does.
    pub(super) token: Option<&'a Token>,
    pub(super) sockets: usize,
    pub(super) lines: usize,
    pub(super) products: &'a [ProductId],
    pub(super) patience: Duration,
    pub(super) output: &'a Output,
}

/// Whose quotes, and how many.
pub(super) struct Plan {
    pub(super) phase: &'static str,
    pub(super) users: Vec<UserId>,
    pub(super) count: u32,
}

/// A quote to send: by whom, under which name, and when, if that is set.
struct Ask {
    user: UserId,
    request_id: RequestId,
    at: Option<Instant>,
}

/// What a socket saw.
enum Event {
    Acknowledged(Duration),
    Answered(Duration),
    /// Refused, or answered with something else than a price.
    Refused,
}

impl Quotes<'_> {
    /// Sends the quotes of a plan, and waits for their answers.
    pub(super) async fn run(
        &self,
        plan: Plan,
        rate: Option<u32>,
        guests: &mut Guests,
    ) -> Result<Figures, Failure> {
        let sockets = self.sockets.min(plan.count as usize);
        let clients =
            try_join_all((0..sockets).map(|_| Client::connect(self.gateway, self.token))).await?;
        let mut asks: Vec<Vec<Ask>> = (0..sockets).map(|_| vec![]).collect();
        let begun = Instant::now();
        for (number, user) in (0..plan.count).zip(plan.users.iter().cycle()) {
            let at = rate.map(|rate| begun + Duration::from_secs(number.into()) / rate);
            let request_id = RequestId::new(format!("{}-{number}", plan.phase.replace(' ', "-")));
            let request_id = request_id.map_err(Failure::internal)?;
            asks[number as usize % sockets].push(Ask { user: user.clone(), request_id, at });
        }
        guests.quoted(asks.iter().flatten().map(|ask| (ask.user.clone(), ask.request_id.clone())));
        let bar = self.output.progress(plan.phase, plan.count.into());
        let mut figures = Figures::begin(plan.phase, plan.count.into())?;
        let (events, mut seen) = mpsc::unbounded_channel();
        let counting = count(&mut seen, &mut figures, &bar);
        let sending = async {
            let sockets = clients.into_iter().zip(asks).enumerate();
            let sockets = sockets.map(|(number, (client, asks))| {
                let draws = Draws::new(number as u64, plan.count.into(), 0);
                let (waiting, told) = (HashMap::new(), false);
                let socket = Socket { client, waiting, draws, quotes: self, told };
                socket.run(asks, events.clone())
            });
            let sent = try_join_all(sockets).await;
            drop(events);
            sent
        };
        let (sent, ()) = tokio::join!(sending, counting);
        bar.finish_and_clear();
        sent?;
        Ok(figures)
    }
}

async fn count(
    seen: &mut mpsc::UnboundedReceiver<Event>,
    figures: &mut Figures,
    bar: &ProgressBar,
) {
    while let Some(event) = seen.recv().await {
        match event {
            Event::Acknowledged(took) => figures.acknowledged(took),
            Event::Answered(took) => {
                figures.answered(took);
                figures.done();
                bar.inc(1);
            }
            Event::Refused => bar.inc(1),
        }
    }
}

/// One websocket, and when the quotes that wait on it began.
struct Socket<'a> {
    client: Client,
    waiting: HashMap<String, Instant>,
    draws: Draws,
    quotes: &'a Quotes<'a>,
    told: bool,
}

impl Socket<'_> {
    async fn run(
        mut self,
        asks: Vec<Ask>,
        events: mpsc::UnboundedSender<Event>,
    ) -> Result<(), Failure> {
        for ask in asks {
            match ask.at {
                None => self.drain(&events, self.patience_ends()).await?,
                Some(at) => self.listen_until(at, &events).await?,
            }
            let items = self.items();
            self.waiting.insert(ask.request_id.to_string(), ask.at.unwrap_or_else(Instant::now));
            self.client.quote(&ask.user, &items, Some(&ask.request_id)).await?;
        }
        self.drain(&events, self.patience_ends()).await?;
        self.client.close().await;
        Ok(())
    }

    fn patience_ends(&self) -> Instant {
        Instant::now() + self.quotes.patience
    }

    /// Takes frames until nothing is waited for any more, or patience ends.
    async fn drain(
        &mut self,
        events: &mpsc::UnboundedSender<Event>,
        end: Instant,
    ) -> Result<(), Failure> {
        while !self.waiting.is_empty() {
            let Ok(received) = tokio::time::timeout_at(end, self.client.next()).await else {
                // What was not answered counts as asked and not done.
                self.tell("no answer came");
                self.waiting.clear();
                return Ok(());
            };
            self.take(received?.frame, events);
        }
        Ok(())
    }

    async fn listen_until(
        &mut self,
        at: Instant,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<(), Failure> {
        loop {
            tokio::select! {
                () = sleep_until(at) => return Ok(()),
                received = self.client.next() => self.take(received?.frame, events),
            }
        }
    }

    fn take(&mut self, frame: Frame, events: &mpsc::UnboundedSender<Event>) {
        let event = match frame {
            Frame::Accepted { request_id, .. } => {
                self.waiting.get(&request_id).map(|begun| Event::Acknowledged(begun.elapsed()))
            }
            // A second push of the same answer finds nobody waiting.
            Frame::Quotation(quotation) => {
                self.waiting.remove(&quotation.request_id).map(|begun| {
                    match quotation.status.as_str() {
                        "answered" => Event::Answered(begun.elapsed()),
                        _ => {
                            self.tell(quotation.reason.as_deref().unwrap_or("for no reason given"));
                            Event::Refused
                        }
                    }
                })
            }
            // It does not say of which quote it is: of the longest waiting one, most likely.
            Frame::Error { message, .. } => {
                self.tell(&message);
                let oldest = self.waiting.iter().min_by_key(|(_, begun)| **begun);
                let oldest = oldest.map(|(id, _)| id.clone());
                oldest.and_then(|id| self.waiting.remove(&id)).map(|_| Event::Refused)
            }
            Frame::Pong => None,
        };
        if let Some(event) = event {
            // Whoever counts outlives the sockets.
            let _ = events.send(event);
        }
    }

    /// Says why there is no price, once: the rest of a socket's quotes mostly have the same reason.
    fn tell(&mut self, why: &str) {
        if !std::mem::replace(&mut self.told, true) {
            warn!(why, "a quote has no price");
        }
    }

    /// Different products, chosen by chance, one of each.
    fn items(&mut self) -> Vec<Item> {
        let products = self.quotes.products;
        let count = self.quotes.lines.min(products.len());
        let chosen = self.draws.distinct(count as u64, products.len() as u64);
        let item =
            |index| Item { product: products[index as usize].clone(), quantity: Quantity::ONE };
        chosen.into_iter().map(item).collect()
    }
}
