//! The customers that a run makes up, subscribes, refreshes, and removes with all their data.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use tokio::time::{Instant, sleep, timeout};

use super::super::args::BenchArgs;
use super::super::failure::{ExitCode, Failure, Result};
use super::super::output::Output;
use super::figures::PhaseFigures;
use crate::model::{ProductId, QuotationKey, RequestId, UserId, plural};
use crate::ports::{ActiveUser, MAX_BATCH, NewTable, PortError, Ports, TableHead, first_products};
use crate::stages::refresh::{Tick, order};
use crate::stages::subscribe::{subscribe, unsubscribe};

/// Longer than any run. Customers that a killed run leaves behind expire after it.
const TTL: Duration = Duration::from_secs(15 * 60);
/// The most customers that are written, read or removed concurrently.
const AT_ONCE: usize = 32;
/// The number of heads that are read with one call.
const HEADS_AT_ONCE: usize = 100;
/// How often to check whether the tables exist.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The most products that are used. No quote has more lines.
const PRODUCTS: usize = 10_000;

/// The customers of one run, and the quotations that are stored for them.
pub(super) struct Guests {
    ports: Ports,
    prefix: String,
    warm: Vec<UserId>,
    cold: Vec<UserId>,
    wanted: u32,
    quotations: Vec<(UserId, RequestId)>,
    patience: Duration,
}

impl Guests {
    pub(super) fn new(ports: Ports, args: &BenchArgs) -> Self {
        let run = RequestId::made(ports.clock.now(), ports.randomness.bits());
        // The end of the id, because it begins with the time, which two runs may share.
        let name = &run.as_str()[run.as_str().len() - 8..];
        let prefix = format!("ocache-bench-{name}-");
        let (wanted, patience) = (args.users, args.timeout);
        let (warm, cold, quotations) = (vec![], vec![], vec![]);
        Self { ports, prefix, warm, cold, wanted, quotations, patience }
    }

    /// Returns the prefix of all their ids.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn warm(&self) -> Vec<UserId> {
        self.warm.clone()
    }

    /// Makes up customers that no process has seen.
    pub(super) fn newcomers(&mut self, count: u32) -> Result<Vec<UserId>> {
        self.cold = self.named("cold", count)?;
        Ok(self.cold.clone())
    }

    fn named(&self, kind: &str, count: u32) -> Result<Vec<UserId>> {
        let named = |number| UserId::new(format!("{}{kind}-{number}", self.prefix));
        (0..count).map(named).collect::<Result<_, _>>().map_err(Failure::internal)
    }

    /// Notes a quote whose stored quotation must be removed.
    pub(super) fn quoted(&mut self, user: UserId, request_id: RequestId) {
        self.quotations.push((user, request_id));
    }

    /// Returns products to quote.
    pub(super) async fn products(&self) -> Result<Vec<ProductId>> {
        let first = first_products(&*self.ports.store, PRODUCTS).await?;
        let mut products: Vec<ProductId> =
            first.rows.into_iter().map(|product| product.id).collect();
        if products.is_empty() {
            return Err(Failure::new(ExitCode::NotFound, "there are no products to quote")
                .hint("load some with `ocache load PATH`, or `ocache generate DIR` makes many"));
        }
        products.truncate(PRODUCTS);
        Ok(products)
    }

    /// Makes the customers active, as `PUT /subscribe` does.
    pub(super) async fn subscribe(&mut self, output: &Output) -> Result<PhaseFigures> {
        self.warm = self.named("warm", self.wanted)?;
        let bar = output.progress("subscribe", self.warm.len() as u64);
        let mut figures = PhaseFigures::begin("subscribe", self.warm.len() as u64)?;
        let (ports, shown) = (&self.ports, &bar);
        let visits = stream::iter(&self.warm).map(async |user| {
            let begun = Instant::now();
            let (store, queues) = (&*ports.store, &*ports.queues);
            subscribe(store, queues, user, TTL, ports.clock.now()).await?;
            shown.inc(1);
            Ok::<_, Failure>(begun.elapsed())
        });
        let mut visits = visits.buffer_unordered(AT_ONCE);
        while let Some(took) = visits.try_next().await? {
            figures.acknowledged(took);
        }
        bar.finish_and_clear();
        Ok(figures)
    }

    /// Waits for the table that each subscription orders.
    pub(super) async fn first_tables(&self, output: &Output) -> Result<PhaseFigures> {
        self.tables("first tables", output, &HashMap::new(), Instant::now()).await
    }

    /// Makes every table look as if it was last validated a day ago. Otherwise a refresh would write
    /// nothing that could be waited for. Returns the versions written here, which a refresh will exceed.
    /// A schedule beside the run may already have written later ones.
    pub(super) async fn age_tables(&self) -> Result<HashMap<UserId, u64>> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let store = &self.ports.store;
        let mut versions = HashMap::with_capacity(self.warm.len());
        for users in self.warm.chunks(HEADS_AT_ONCE) {
            let heads = stream::iter(store.table_heads(users).await?);
            let aged = heads.map(async |(user, head)| {
                let (expected, until) = (Some(head.version), head.parts_expire_at);
                let validated_at = head.validated_at.minus(DAY);
                let aged = TableHead { version: head.version + 1, validated_at, ..head };
                let table = NewTable::new(&user, &aged, until).replacing(expected);
                let put = store.put_table(table).await?;
                // If the write was refused, another process has refreshed the table already.
                let version = if put.is_done() { aged.version } else { aged.version - 1 };
                Ok::<_, PortError>((user, version))
            });
            let aged: Vec<_> = aged.buffer_unordered(AT_ONCE).try_collect().await?;
            versions.extend(aged);
        }
        Ok(versions)
    }

    /// Orders one scheduled calculation for each customer, and waits until every table has a later
    /// version than `aged`.
    pub(super) async fn refresh(
        &self,
        aged: &HashMap<UserId, u64>,
        output: &Output,
    ) -> Result<PhaseFigures> {
        let now = self.ports.clock.now();
        let users = self.warm.iter().map(|user| ActiveUser {
            user: user.clone(),
            expires_at: now.plus(TTL),
            first_seen: now,
            last_seen: now,
        });
        // The tick has a number of its own, so that its orders are not taken for duplicates of another
        // tick's.
        let number = now.millis().unsigned_abs();
        let tick = Tick { number, due: now, interval: Duration::from_secs(60) };
        let begun = Instant::now();
        let (_, failed) = order(&*self.ports.queues, users, tick).await?;
        if failed > 0 {
            let message = format!("{failed} of the refreshes could not be ordered");
            return Err(Failure::new(ExitCode::Failure, message));
        }
        self.tables("refresh", output, aged, begun).await
    }

    /// Waits until every customer has a table of a later version than before.
    async fn tables(
        &self,
        phase: &'static str,
        output: &Output,
        before: &HashMap<UserId, u64>,
        begun: Instant,
    ) -> Result<PhaseFigures> {
        let bar = output.progress(phase, self.warm.len() as u64);
        let mut figures = PhaseFigures::begin(phase, self.warm.len() as u64)?;
        let mut missing = self.warm.clone();
        let waiting = async {
            while !missing.is_empty() {
                let next = missing.len().saturating_sub(HEADS_AT_ONCE);
                let looked_at = missing.split_off(next);
                let there = self.versions(&looked_at).await?;
                let took = begun.elapsed();
                for user in looked_at {
                    if there.get(&user) > before.get(&user) {
                        figures.answered(took);
                        bar.inc(1);
                    } else {
                        missing.push(user);
                    }
                }
                if missing.len() > next {
                    sleep(LOOK_EVERY).await;
                }
            }
            Ok::<_, Failure>(())
        };
        let waited = timeout(self.patience, waiting).await;
        bar.finish_and_clear();
        waited.unwrap_or_else(|_| Err(no_tables(missing.len(), phase)))?;
        Ok(figures)
    }

    async fn versions(&self, users: &[UserId]) -> Result<HashMap<UserId, u64>> {
        let mut versions = HashMap::with_capacity(users.len());
        for users in users.chunks(HEADS_AT_ONCE) {
            let heads = self.ports.store.table_heads(users).await?;
            versions.extend(heads.into_iter().map(|(user, head)| (user, head.version)));
        }
        Ok(versions)
    }

    /// Removes the customers, and everything that is stored for them.
    pub(super) async fn remove(&self, output: &Output) -> Result<()> {
        let users = || self.warm.iter().chain(&self.cold);
        let steps = users().count() * 2 + self.quotations.len();
        let bar = output.progress("removing", steps as u64);
        let store = &*self.ports.store;
        // First make all of them inactive, so that no process refreshes what is being deleted.
        each(users(), AT_ONCE, &bar, async |user| {
            Ok(unsubscribe(store, None, user).await.map(drop)?)
        })
        .await?;
        let keys = self.quotations.iter().map(|(user, id)| QuotationKey::new(user, id));
        each(keys, AT_ONCE * MAX_BATCH, &bar, async |key| Ok(store.delete_quotation(&key).await?))
            .await?;
        each(users(), AT_ONCE, &bar, async |user| Ok(store.delete_table(user).await?)).await?;
        bar.finish_and_clear();
        Ok(())
    }
}

/// Removes each of many things, `at_once` of them concurrently.
async fn each<T>(
    things: impl Iterator<Item = T>,
    at_once: usize,
    bar: &ProgressBar,
    remove: impl AsyncFn(T) -> Result<()>,
) -> Result<()> {
    let removed =
        stream::iter(things).map(async |thing| remove(thing).await.inspect(|()| bar.inc(1)));
    removed.buffer_unordered(at_once).try_collect().await
}

fn no_tables(missing: usize, phase: &str) -> Failure {
    let were = plural(missing, "table was", "tables were");
    let message = format!("{phase}: {missing} {were} not calculated in time");
    Failure::new(ExitCode::TimedOut, message)
        .hint("is a price-calc worker running? Without any gateway running, `ocache bench` brings its own")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::data::apply;
    use crate::memory::{Memory, TokioClock};
    use crate::model::Timestamp;
    use crate::ports::SystemRandomness;
    use crate::pricing::{Currency, Money, Product};
    use crate::runtime::metrics::Metrics;
    use crate::runtime::{LONG_POLL, Role, Shutdown, Slots, Worker};
    use crate::stages::{Lookup, Policy};
    use crate::supervisor::Supervisor;

    #[tokio::test(start_paused = true)]
    async fn a_schedule_beside_the_run_may_refresh_its_tables() {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let product = Product::new("P1".parse().unwrap(), "one".to_owned(), Money::from_minor(100));
        apply(&ports, vec![product.into()], Currency::USD).await.unwrap();
        let worker = Worker {
            lookup: Lookup::new(&ports),
            ports: ports.clone(),
            policy: Policy::default().into(),
            slots: Slots::default(),
            poll_wait: LONG_POLL,
            metrics: Metrics::new(),
            supervisor: Supervisor::new(),
        };
        let shutdown = Shutdown::new();
        let until = shutdown.clone();
        let working = tokio::spawn(async move { worker.run(&[Role::PriceCalc], &until).await });

        let cli = Cli::parse_from(["ocache", "--quiet", "bench", "--users", "3"]);
        let output = Output::new(&cli.global);
        let Command::Bench(args) = cli.command else { panic!("it is `bench`") };
        let mut guests = Guests::new(ports, &args);
        guests.subscribe(&output).await.unwrap();
        guests.first_tables(&output).await.unwrap();
        let aged = guests.age_tables().await.unwrap();
        // The first refresh is that of the schedule. After it, no calculation writes these tables for a
        // while.
        for _ in 0..2 {
            guests.refresh(&aged, &output).await.unwrap();
        }
        shutdown.begin();
        working.await.unwrap();
    }
}
