//! Prints a line for each event while `ocache up` runs.
//!
//! The stages of this process report quotes and calculations. Customers and loads are polled from the
//! store, because other processes add them too, and no code runs when a customer expires.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::super::args::Backend;
use super::super::engine::Engine;
use super::super::output::Output;
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Timestamp, show_duration};
use crate::ports::{Chain, Clock as _, PortError, Ports, Segment, SystemClock, pages};
use crate::runtime::metrics::{Event, WRITTEN, What};
use crate::runtime::{Shutdown, Worker};

/// Events that wait to be printed; further ones are only counted.
const WAITING: usize = 1024;
/// The most lines that are printed in a second. Nobody reads more.
const LINES_A_SECOND: usize = 20;
/// With more active customers than this, they are not listed one by one.
const KNOWN_USERS: usize = 5_000;
/// How often to poll for customers and loads. On AWS each poll is billed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_EVERY_ON_AWS: Duration = Duration::from_secs(60);
/// Polling takes at most this fraction of the time: one part in fifty.
const SHARE_OF_LOOKING: u32 = 50;

/// Prints what happens from now on, until the shutdown begins.
pub(super) fn tell(
    output: &Output,
    worker: &Worker,
    engine: &Engine,
    backend: Backend,
    shutdown: &Shutdown,
) {
    if !output.tells_events() {
        return;
    }
    let (sender, events) = mpsc::channel(WAITING);
    let gate = Arc::new(Gate::default());
    let lines = EventLines::new(*output, gate.clone());
    worker.metrics.tell(Box::new(move |event| {
        if is_told(event) {
            gate.pass(event, &sender);
        }
    }));
    let every = if backend == Backend::Embedded { LOOK_EVERY } else { LOOK_EVERY_ON_AWS };
    let teller = Teller { lines, seen: None, ports: engine.ports(None), every };
    let (scope, shutdown) = (Scope::new(Stage::Command, Reason::Command), shutdown.clone());
    worker.supervisor.spawn("the list of events", async move {
        tokio::select! {
            () = scope.of(teller.run(events)) => {}
            () = shutdown.begun() => {}
        }
    });
}

/// Whether an event deserves a line. The schedule finds most tables unchanged every time, which does not.
fn is_told(event: &Event) -> bool {
    match event.what {
        What::Calculated { effect, .. } => effect == WRITTEN,
        What::Settled { .. } => true,
    }
}

struct Teller {
    lines: EventLines,
    ports: Ports,
    every: Duration,
    /// The result of the last poll; `None` before the first, which reads the initial state.
    seen: Option<PolledStore>,
}

/// What a poll of the store found.
struct PolledStore {
    version: u64,
    /// When each active customer expires; `None` if there are too many.
    users: Option<BTreeMap<String, Timestamp>>,
}

impl Teller {
    async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut next_look = Instant::now();
        let mut came: Vec<Event> = vec![];
        loop {
            let wakes_at = match self.lines.has_room() {
                true => next_look,
                false => next_look.min(Instant::now() + until_next_second()),
            };
            // All that wait at once, because a timer for each would cost more than the event.
            let is_time = tokio::select! {
                count = events.recv_many(&mut came, WAITING) => match count {
                    0 => return,
                    _ => false,
                },
                () = sleep_until(wakes_at) => wakes_at == next_look,
            };
            // Poll first if a customer is new, so that the arrival is printed before the quote.
            let has_room = self.lines.has_room();
            let is_new = |event: &Event| self.is_new(event.user.as_str());
            let must_look = is_time || (has_room && came.iter().any(is_new));
            if must_look {
                let begun = Instant::now();
                self.look().await;
                next_look = Instant::now() + self.every.max(begun.elapsed() * SHARE_OF_LOOKING);
            }
            for event in came.drain(..) {
                self.lines.say(event.at, kind(&event.what), || in_words(&event));
            }
        }
    }

    fn is_new(&self, user: &str) -> bool {
        let users = self.seen.as_ref().and_then(|seen| seen.users.as_ref());
        // On AWS a new customer causes no poll, because each poll is billed.
        self.every == LOOK_EVERY && users.is_some_and(|users| !users.contains_key(user))
    }

    /// Prints what has changed since the last poll.
    async fn look(&mut self) {
        self.lines.pass_time();
        let now = self.ports.clock.now();
        let (seen, load) = match seen(&self.ports, now).await {
            Ok(found) => found,
            // The stages report failures of the store, and the next poll comes soon.
            Err(error) => {
                return tracing::debug!(error = %Chain(&error), "active customers were not read");
            }
        };
        if let Some(before) = self.seen.replace(seen)
            && let Some(after) = &self.seen
        {
            if after.version > before.version {
                self.lines.say(now, "load", || load);
            }
            if let (Some(before), Some(after)) = (&before.users, &after.users) {
                tell_users(&mut self.lines, now, before, after);
            }
        }
    }
}

fn tell_users(
    lines: &mut EventLines,
    now: Timestamp,
    before: &BTreeMap<String, Timestamp>,
    after: &BTreeMap<String, Timestamp>,
) {
    for (user, expires_at) in before.iter().filter(|(user, _)| !after.contains_key(*user)) {
        match *expires_at <= now {
            true => lines.say(*expires_at, "customer", || format!("{user} has expired")),
            false => lines.say(now, "customer", || format!("{user} is no longer active")),
        }
    }
    for (user, expires_at) in after.iter().filter(|(user, _)| !before.contains_key(*user)) {
        let words = || format!("{user} is active until {}", time_of_day(*expires_at));
        lines.say(now, "customer", words);
    }
}

/// Returns what the store holds, and the line for its last load.
async fn seen(ports: &Ports, now: Timestamp) -> Result<(PolledStore, String), PortError> {
    let head = ports.store.catalogue_head().await?;
    let version = head.as_ref().map_or(0, |head| head.version);
    let load = head.map_or_else(String::new, |head| {
        format!("catalogue version {version} in {} is in force", head.currency)
    });
    Ok((PolledStore { version, users: active_users(ports, now).await? }, load))
}

async fn active_users(
    ports: &Ports,
    now: Timestamp,
) -> Result<Option<BTreeMap<String, Timestamp>>, PortError> {
    let mut users = BTreeMap::new();
    let mut pages = pages(|from| ports.store.list_active_users(Segment::ALL, now, from));
    while let Some(page) = pages.next().await? {
        let active = page.into_iter().filter(|user| user.is_active(now));
        users.extend(active.map(|user| (user.user.to_string(), user.expires_at)));
        if users.len() > KNOWN_USERS {
            return Ok(None);
        }
    }
    Ok(Some(users))
}

const TABLE: &str = "table";
const QUOTE: &str = "quote";

const fn kind(what: &What) -> &'static str {
    match what {
        What::Calculated { .. } => TABLE,
        What::Settled { .. } => QUOTE,
    }
}

/// Counts the events for which no line is left in this second, where they happen: to send each to the task
/// that prints would cost much more.
#[derive(Default)]
struct Gate {
    is_closed: AtomicBool,
    tables: AtomicU64,
    quotes: AtomicU64,
}

impl Gate {
    /// Sends an event to the task that prints. If the gate is closed or too many events wait, counts it
    /// instead: nobody could read more.
    fn pass(&self, event: &Event, to: &mpsc::Sender<Event>) {
        let is_open = !self.is_closed.load(Ordering::Relaxed);
        if is_open && to.try_send(event.clone()).is_ok() {
            return;
        }
        let count = match event.what {
            What::Calculated { .. } => &self.tables,
            What::Settled { .. } => &self.quotes,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what was counted since the last call.
    fn take(&self) -> [(&'static str, u64); 2] {
        [(TABLE, &self.tables), (QUOTE, &self.quotes)]
            .map(|(kind, count)| (kind, count.swap(0, Ordering::Relaxed)))
    }
}

/// Returns how much of this second is left.
fn until_next_second() -> Duration {
    Duration::from_millis(1000 - SystemClock.now().millis().rem_euclid(1000).unsigned_abs())
}

fn in_words(event: &Event) -> String {
    let user = &event.user;
    match event.what {
        What::Calculated { reason, took, .. } => {
            format!("{user} calculated in {}, {}", show_duration(took), why(reason))
        }
        What::Settled { outcome, warmth, after } => {
            format!("{user} {outcome} after {}, {warmth}", show_duration(after))
        }
    }
}

/// Why a table was calculated. An unknown reason is printed as it is.
fn why(reason: &'static str) -> &'static str {
    match reason {
        "quotation" => "for a quote",
        "subscribe" => "for a new customer",
        "stale" => "because it was stale",
        "change" => "because of a load",
        "scheduled" => "on schedule",
        other => other,
    }
}

/// Prints lines, and counts those beyond the limit.
struct EventLines {
    output: Output,
    /// The current second, and the lines printed in it.
    second: i64,
    printed: usize,
    /// The number of dropped lines of each kind.
    left_out: BTreeMap<&'static str, u64>,
    gate: Arc<Gate>,
}

impl EventLines {
    const fn new(output: Output, gate: Arc<Gate>) -> Self {
        Self { output, second: 0, printed: 0, left_out: BTreeMap::new(), gate }
    }

    /// Whether another line would be printed now. Closes the gate if not.
    fn has_room(&mut self) -> bool {
        self.pass_time();
        let has_room = self.printed < LINES_A_SECOND;
        self.gate.is_closed.store(!has_room, Ordering::Relaxed);
        has_room
    }

    /// Prints a line, or counts it if there is no room. The words are written only for a line that is printed.
    fn say(&mut self, at: Timestamp, kind: &'static str, what: impl FnOnce() -> String) {
        if self.has_room() {
            self.printed += 1;
            self.output.note(&format!("{}  {kind:8}  {}", time_of_day(at), what()));
        } else {
            *self.left_out.entry(kind).or_default() += 1;
        }
    }

    /// Resets the count at each new second, and prints how many lines were dropped in the last one.
    fn pass_time(&mut self) {
        let second = SystemClock.now().millis() / 1000;
        if second == self.second {
            return;
        }
        (self.second, self.printed) = (second, 0);
        let mut counts = std::mem::take(&mut self.left_out);
        for (kind, count) in self.gate.take().into_iter().filter(|(_, count)| *count > 0) {
            *counts.entry(kind).or_default() += count;
        }
        if !counts.is_empty() {
            let counts = counts.iter().map(|(kind, count)| format!("{count} {kind}"));
            let counts = counts.collect::<Vec<_>>().join(", ");
            self.output.note(&format!("          more in that second: {counts}"));
        }
    }
}

/// Returns the time of day in this machine's time zone.
fn time_of_day(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(
        |_| at.to_string(),
        |at| at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UserId;

    fn event(what: What) -> Event {
        Event { number: 1, at: Timestamp::default(), user: UserId::new("AAA").unwrap(), what }
    }

    #[test]
    fn what_is_not_sent_is_counted() {
        let took = Duration::ZERO;
        let quote = event(What::Settled { outcome: "answered", warmth: "warm", after: took });
        let table = event(What::Calculated { reason: "subscribe", effect: WRITTEN, took });
        let (gate, (sender, mut events)) = (Gate::default(), mpsc::channel(1));
        gate.pass(&quote, &sender);
        assert_eq!(gate.take(), [(TABLE, 0), (QUOTE, 0)]);
        gate.pass(&quote, &sender);
        assert_eq!(gate.take(), [(TABLE, 0), (QUOTE, 1)], "the channel is full");
        assert!(events.try_recv().is_ok());
        gate.is_closed.store(true, Ordering::Relaxed);
        for event in [&quote, &table, &quote] {
            gate.pass(event, &sender);
        }
        assert_eq!(gate.take(), [(TABLE, 1), (QUOTE, 2)]);
        assert!(events.try_recv().is_err());
    }

    #[test]
    fn the_gate_is_closed_for_the_rest_of_a_second_in_which_all_lines_were_printed() {
        let gate = Arc::new(Gate::default());
        let mut lines = EventLines::new(Output::quiet(), gate.clone());
        let is_closed = || gate.is_closed.load(Ordering::Relaxed);
        while lines.has_room() {
            assert!(!is_closed());
            lines.printed += 1;
        }
        assert!(is_closed());
        gate.quotes.store(7, Ordering::Relaxed);
        // As if that had been another second.
        lines.second = 0;
        assert!(lines.has_room() && !is_closed());
        assert_eq!(gate.take(), [(TABLE, 0), (QUOTE, 0)], "the new second has taken the count");
    }
}
