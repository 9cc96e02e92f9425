//! The counters of one process.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::answers::{AnswerHistory, Answers, Settled};
use super::feed::{Event, EventListener, Feed, What};
use super::history::{History, REASONS, Slot};
use crate::model::{Cause, Timestamp, UserId};
use crate::ports::{
    Backlog, Clock as _, Depth, ProcessRecord, ProcessRole, Queue, Quotation, QuotationStatus,
    SystemClock, TickDone, Upkeep,
};
use crate::stages::{BaseShelf, Effect, Observer, ShelfUse, Warmth};
use crate::supervisor::lock;

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Bucket bounds of times, in seconds. A warm answer takes a millisecond, a cold one of a large catalogue
/// seconds. After half a minute a quotation has failed.
const TIMES: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Bucket bounds of the age of prices, in seconds. With the default settings, prices are fresh for two
/// intervals and usable for a quarter of an hour.
const AGES: [f64; 10] = [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 3600.0];

const OUTCOMES: [&str; 2] = ["answered", "failed"];

/// The counters of a process. Clones share them.
///
/// Each counter is found by an index and not by its labels, so that counting is one atomic addition. All
/// counters exist from the beginning, at zero. They are rendered only on request.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Counters>);

struct Counters {
    registry: Registry,
    /// By outcome and warmth.
    quotations: [[Counter; Warmth::ALL.len()]; OUTCOMES.len()],
    acknowledgement: Histogram,
    /// By warmth.
    answer: [Histogram; Warmth::ALL.len()],
    price_age: Histogram,
    /// By reason and effect.
    recalculations: [[Counter; Effect::ALL.len()]; REASONS.len()],
    recalculation: Histogram,
    depths: Family<Labels<2>, Gauge>,
    breakers: Family<Labels<1>, Gauge>,
    /// By queue.
    stage_panics: [Counter; Queue::ALL.len()],
    sockets: Gauge,
    backlog: Family<Labels<1>, Gauge>,
    backlog_late: Family<Labels<1>, Gauge<f64, AtomicU64>>,
    store_bytes: Family<Labels<1>, Gauge>,
    /// Parts of bases that were found in memory, and parts that had to be read from the store.
    base_parts: [Counter; 2],
    base_bytes: Gauge,
    /// The bases that this process keeps, once there are some. The reference is weak, because their store
    /// may hold these metrics: with a cycle neither would ever be dropped.
    bases: OnceLock<Weak<BaseShelf>>,
    /// Replies with the prices of some products that were kept, and those for which prices were looked up.
    price_replies: [Counter; 2],
    /// The latest known tick, of this process or another.
    tick: Mutex<Option<TickDone>>,
    /// Has no value until a tick is known.
    active_users: Family<Labels<0>, Gauge>,
    tick_age: Family<Labels<0>, Gauge<f64, AtomicU64>>,
    processes: Family<Labels<1>, Gauge>,
    calculates: AtomicBool,
    history: History,
    answers: AnswerHistory,
    feed: Feed,
}

impl Metrics {
    /// Creates counters at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that tables are calculated in this process.
    pub fn calculates_here(&self) {
        self.0.calculates.store(true, Ordering::Relaxed);
    }

    /// Whether tables are calculated in this process. If not, other processes count the recalculations.
    #[must_use]
    pub fn is_calculating(&self) -> bool {
        self.0.calculates.load(Ordering::Relaxed)
    }

    /// Records the time from a quote's frame to its acceptance.
    pub fn acknowledged(&self, after: Duration) {
        self.0.acknowledgement.observe(after.as_secs_f64());
    }

    /// Records whether a breaker has paused receiving from a queue.
    pub fn breaker(&self, queue: Queue, is_open: bool) {
        self.0.breakers.get_or_create(&[("queue", queue.name())]).set(is_open.into());
    }

    /// Counts a panic of a stage over a message of a queue.
    pub fn stage_panicked(&self, queue: Queue) {
        self.0.stage_panics[queue as usize].inc();
    }

    /// Returns how many times a stage panicked, over messages of all queues.
    #[must_use]
    pub fn stage_panics(&self) -> u64 {
        self.0.stage_panics.iter().map(Counter::get).sum()
    }

    /// Records the number of open websockets.
    pub fn sockets(&self, open: usize) {
        self.0.sockets.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// Records the number of messages in a queue.
    pub fn depth(&self, queue: Queue, depth: Depth) {
        let Depth { waiting, in_flight, delayed, dead } = depth;
        for (state, messages) in
            [("waiting", waiting), ("in_flight", in_flight), ("delayed", delayed), ("dead", dead)]
        {
            let gauge = self.0.depths.get_or_create(&[("queue", queue.name()), ("state", state)]);
            gauge.set(i64::try_from(messages).unwrap_or(i64::MAX));
        }
    }

    /// Records how much the store has still to delete, and the size of its files.
    pub fn upkeep(&self, upkeep: &Upkeep) {
        for Backlog { kind, records, late } in &upkeep.backlog {
            let labels = [("kind", *kind)];
            let records = i64::try_from(*records).unwrap_or(i64::MAX);
            self.0.backlog.get_or_create(&labels).set(records);
            self.0.backlog_late.get_or_create(&labels).set(late.as_secs_f64());
        }
        for (file, bytes) in [("store", upkeep.file_bytes), ("log", upkeep.log_bytes)] {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            self.0.store_bytes.get_or_create(&[("file", file)]).set(bytes);
        }
    }

    /// Reports from now on how much memory the bases of this process take.
    pub fn keeps(&self, bases: &Arc<BaseShelf>) {
        // A process has one shelf, so a second call changes nothing.
        let _ = self.0.bases.set(Arc::downgrade(bases));
    }

    /// Counts a reply with prices of some products.
    pub fn prices_shown(&self, was_kept: bool) {
        self.0.price_replies[usize::from(!was_kept)].inc();
    }

    /// Records that a tick of the schedule is done, by this process or another.
    pub fn ticked(&self, tick: TickDone) {
        let mut last = lock(&self.0.tick);
        if last.is_none_or(|last| last.at <= tick.at) {
            *last = Some(tick);
            let users = i64::try_from(tick.active_users).unwrap_or(i64::MAX);
            self.0.active_users.get_or_create(&[]).set(users);
        }
    }

    /// Returns the latest known tick.
    #[must_use]
    pub fn last_tick(&self) -> Option<TickDone> {
        *lock(&self.0.tick)
    }

    /// Records which processes of the stack are alive.
    pub fn living(&self, processes: &[ProcessRecord]) {
        for role in ProcessRole::ALL {
            let count = processes.iter().filter(|process| process.roles.contains(&role)).count();
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.0.processes.get_or_create(&[("role", role.name())]).set(count);
        }
        processes.iter().filter_map(|process| process.tick).for_each(|tick| self.ticked(tick));
    }

    /// Updates the figures that grow with time.
    pub fn time_is(&self, now: Timestamp) {
        if let Some(tick) = self.last_tick() {
            self.0.tick_age.get_or_create(&[]).set(now.since(tick.at).as_secs_f64());
        }
    }

    /// Samples the recalculations, so that their course can be shown later.
    pub fn sample(&self, now: Timestamp) {
        self.0.history.sample(now, self.0.recalculated());
    }

    /// Returns how many tables were recalculated in each slot of the last minutes, the oldest first.
    #[must_use]
    pub fn course(&self, now: Timestamp) -> Vec<Slot> {
        self.0.history.course(now, self.0.recalculated())
    }

    /// Returns how quotations were answered in each slot of the last minutes, the oldest first. Slots
    /// without quotations are left out.
    #[must_use]
    pub fn answers(&self, now: Timestamp) -> Vec<(Timestamp, Answers)> {
        self.0.answers.course(now)
    }

    /// Returns the latest events, the oldest first.
    #[must_use]
    pub fn events(&self, at_most: usize) -> Vec<Event> {
        self.0.feed.last(at_most)
    }

    /// Sets the listener, which gets every event from now on. A second one is ignored.
    pub fn tell(&self, listener: EventListener) {
        self.0.feed.tell(listener);
    }

    /// Renders all metrics in the text format of Prometheus.
    ///
    /// # Errors
    /// Does not fail in practice, because the text is written to memory.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let bases = self.0.bases.get().and_then(Weak::upgrade);
        if let Some(ShelfUse { hits, misses, bytes }) = bases.map(|bases| bases.usage()) {
            for (counter, count) in self.0.base_parts.iter().zip([hits, misses]) {
                counter.inner().store(count, Ordering::Relaxed);
            }
            self.0.base_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

impl Observer for Metrics {
    fn calculated(&self, user: &UserId, cause: &Cause, effect: Effect, took: Duration) {
        let reason = cause.name();
        if let Some(place) = REASONS.iter().position(|other| *other == reason) {
            self.0.recalculations[place][effect as usize].inc();
        }
        if is_recalculation(effect) {
            self.0.recalculation.observe(took.as_secs_f64());
        }
        let effect = effect.name();
        self.0.feed.add(SystemClock.now(), user, What::Calculated { reason, effect, took });
    }

    fn settled(&self, quotation: &Quotation, warmth: Warmth, after: Duration) {
        let settled_at = quotation.accepted_at.plus(after);
        let age = match &quotation.status {
            QuotationStatus::Answered(answer) => {
                let age = settled_at.since(answer.validated_at);
                self.0.price_age.observe(age.as_secs_f64());
                self.0.answer[warmth as usize].observe(after.as_secs_f64());
                Some(age)
            }
            _ => None,
        };
        self.0.answers.add(settled_at, Settled { warmth, after, age });
        let outcome = usize::from(age.is_none());
        self.0.quotations[outcome][warmth as usize].inc();
        let (outcome, warmth) = (OUTCOMES[outcome], warmth.name());
        self.0.feed.add(settled_at, &quotation.user, What::Settled { outcome, warmth, after });
    }
}

impl Counters {
    /// Returns the number of tables that were recalculated, by reason. Tables found unchanged count too.
    fn recalculated(&self) -> [u64; REASONS.len()] {
        std::array::from_fn(|reason| {
            let counters = Effect::ALL.iter().zip(&self.recalculations[reason]);
            counters
                .filter(|(effect, _)| is_recalculation(**effect))
                .map(|(_, counter)| counter.get())
                .sum()
        })
    }
}

impl Default for Counters {
    fn default() -> Self {
        let times: fn() -> Histogram = || Histogram::new(TIMES);
        let mut to = Registry::with_prefix("ocache");

        let quotations = Family::<Labels<2>, Counter>::default();
        let help =
            "Quotations settled, by outcome, and by whether a usable table was found at once";
        to.register("quotations", help, quotations.clone());
        let acknowledgement = times();
        let help = "Time from a quote's frame to its acknowledgement";
        to.register_with_unit("acknowledgement", help, Unit::Seconds, acknowledgement.clone());
        let answer = Family::<Labels<1>, Histogram, fn() -> Histogram>::new_with_constructor(times);
        let help = "Time from a quote's acceptance to its answer";
        to.register_with_unit("answer", help, Unit::Seconds, answer.clone());
        let price_age = Histogram::new(AGES);
        let help = "How long before a quotation was answered its prices were last checked";
        to.register_with_unit("price_age", help, Unit::Seconds, price_age.clone());
        let recalculations = Family::<Labels<2>, Counter>::default();
        let help = "Orders to recalculate a table, by reason, and by what became of the table";
        to.register("recalculations", help, recalculations.clone());
        let recalculation = times();
        let help = "Time that recalculating a table took";
        to.register_with_unit("recalculation", help, Unit::Seconds, recalculation.clone());
        let depths = Family::default();
        let help = "Messages in a queue, by state; on AWS approximate";
        to.register("queue_messages", help, depths.clone());
        let breakers = Family::default();
        let help = "Whether receiving from a queue pauses because the downstream fails";
        to.register("breaker_open", help, breakers.clone());
        let stage_panics = Family::<Labels<1>, Counter>::default();
        let help = "Messages over which a stage panicked, by queue; each is retried or becomes a dead letter";
        to.register("stage_panics", help, stage_panics.clone());
        let sockets = Gauge::default();
        to.register("sockets", "Open websockets", sockets.clone());
        let backlog = Family::default();
        let help = "Records that have expired and are still stored, by kind; embedded store only";
        to.register("expired_records", help, backlog.clone());
        let backlog_late = Family::default();
        let help = "For how long the oldest of them could have been deleted";
        to.register_with_unit("expired_records_late", help, Unit::Seconds, backlog_late.clone());
        let store_bytes = Family::default();
        let help = "Sizes of the embedded store's file and of the log beside it";
        to.register_with_unit("store", help, Unit::Bytes, store_bytes.clone());
        let base_parts = Family::<Labels<1>, Counter>::default();
        let help = "Parts of the catalogue's base that were asked for, by where they were found";
        to.register("base_parts", help, base_parts.clone());
        let base_bytes = Gauge::default();
        let help = "Memory that unpacked parts of the catalogue's base take, about";
        to.register_with_unit("base", help, Unit::Bytes, base_bytes.clone());
        let price_replies = Family::<Labels<1>, Counter>::default();
        let help = "Replies with the prices of some products, by where they were found";
        to.register("price_replies", help, price_replies.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        to.register("build", "The release of this process", build);
        let active_users = Family::default();
        let help = "Customers that were active at the last tick of the schedule";
        to.register("active_users", help, active_users.clone());
        let tick_age = Family::default();
        let help = "How long ago the schedule last ordered what is due, in whatever process";
        to.register_with_unit("last_tick_age", help, Unit::Seconds, tick_age.clone());
        let processes = Family::default();
        let help = "Processes of the stack that live, by what they do; functions count as one each";
        to.register("processes", help, processes.clone());

        Self {
            registry: to,
            quotations: OUTCOMES.map(|outcome| {
                Warmth::ALL.map(|warmth| {
                    let labels = [("outcome", outcome), ("warmth", warmth.name())];
                    quotations.get_or_create_owned(&labels)
                })
            }),
            acknowledgement,
            answer: Warmth::ALL
                .map(|warmth| answer.get_or_create_owned(&[("warmth", warmth.name())])),
            price_age,
            recalculations: REASONS.map(|reason| {
                Effect::ALL.map(|effect| {
                    let labels = [("reason", reason), ("effect", effect.name())];
                    recalculations.get_or_create_owned(&labels)
                })
            }),
            recalculation,
            depths,
            breakers,
            stage_panics: Queue::ALL
                .map(|queue| stage_panics.get_or_create_owned(&[("queue", queue.name())])),
            sockets,
            backlog,
            backlog_late,
            store_bytes,
            base_parts: ["memory", "store"]
                .map(|found| base_parts.get_or_create_owned(&[("found", found)])),
            base_bytes,
            price_replies: ["memory", "table"]
                .map(|found| price_replies.get_or_create_owned(&[("found", found)])),
            bases: OnceLock::new(),
            tick: Mutex::default(),
            active_users,
            tick_age,
            processes,
            calculates: AtomicBool::default(),
            history: History::default(),
            answers: AnswerHistory::default(),
            feed: Feed::default(),
        }
    }
}

const fn is_recalculation(effect: Effect) -> bool {
    matches!(effect, Effect::Calculated | Effect::Validated)
}

/// The effect of a calculation that wrote a new table.
pub const WRITTEN: &str = Effect::Calculated.name();

#[cfg(test)]
mod tests;
