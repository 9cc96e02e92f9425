//! The ports of one process. Any of their calls may fail, take long, do half of its work, or be the last
//! one of the process.
//!
//! Faults stay within the contracts of the ports and of the services behind them: a FIFO queue keeps the
//! order of each group, a message comes back only after its visibility timeout, and several writes are
//! not atomic.

use std::sync::Arc;

use async_trait::async_trait;

use super::FaultKind;
use super::NEVER;
use super::process::Process;
use super::witness::Witness;
use super::world::World;
use crate::ports::prelude::*;
use crate::ports::{Connections, Ports, Queues, Store, publish};

/// The unreliable ports of one process.
pub(super) struct Unreliable {
    world: Arc<World>,
    process: Arc<Process>,
    inner: Below,
}

struct Below {
    store: Arc<dyn Store>,
    queues: Arc<dyn Queues>,
    topic: Arc<dyn Topic>,
    connections: Arc<dyn Connections>,
}

/// A topic that publishes nothing, because the message is published later.
struct NotYet;

#[async_trait]
impl Topic for NotYet {
    async fn publish(&self, _bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        Ok(vec![])
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    FailedBefore,
    Throttled,
    FailedAfter,
    KilledBefore,
    KilledAfter,
}

/// Returns the ports of a process on a world's engine.
pub(super) fn ports(world: &Arc<World>, process: &Arc<Process>) -> Ports {
    let witness = Witness::new(world.clone(), process.clone());
    let inner = Below {
        store: witness.clone(),
        queues: witness.clone(),
        topic: witness.clone(),
        connections: witness,
    };
    let unreliable = Arc::new(Unreliable { world: world.clone(), process: process.clone(), inner });
    Ports {
        store: unreliable.clone(),
        queues: unreliable.clone(),
        dead_letters: world.engine.dead_letters.clone(),
        topic: unreliable.clone(),
        connections: unreliable,
        usage: world.engine.usage.clone(),
        presence: world.engine.presence.clone(),
        clock: process.clock.clone(),
        randomness: world.chance.clone(),
    }
}

impl Unreliable {
    /// Makes one call: its effect, and the faults around it.
    async fn call<T>(
        &self,
        name: &'static str,
        effect: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let Self { world, process, .. } = self;
        world.count_call();
        process.live().await;
        let end = self.end(name);
        self.linger(name).await;
        match end {
            End::FailedBefore => return Err(unavailable(name)),
            End::Throttled => return Err(PortError::Throttled { what: name.to_owned() }),
            End::KilledBefore => self.die(name).await,
            End::Well | End::FailedAfter | End::KilledAfter => {}
        }
        let outcome = tokio::select! {
            biased;
            () = process.killed() => std::future::pending().await,
            outcome = effect => outcome,
        };
        if end == End::KilledAfter {
            self.die(name).await;
        }
        self.linger(name).await;
        match end {
            End::FailedAfter => Err(unavailable(name)),
            _ => outcome,
        }
    }

    fn end(&self, name: &'static str) -> End {
        let Self { world, process, .. } = self;
        if !world.is_faulty() {
            return End::Well;
        }
        let (chance, rates) = (&world.chance, &world.plan.rates);
        let end = if world.is_out() {
            End::FailedBefore
        } else if chance.happens(rates.killed) && world.may_kill() {
            chance.pick([End::KilledBefore, End::KilledAfter])
        } else if chance.happens(rates.failed_before) {
            End::FailedBefore
        } else if chance.happens(rates.throttled) {
            End::Throttled
        } else if chance.happens(rates.failed_after) {
            End::FailedAfter
        } else {
            return End::Well;
        };
        world.count_fault(match end {
            End::FailedBefore if world.is_out() => FaultKind::Outage,
            End::FailedBefore | End::Well => FaultKind::FailedBefore,
            End::Throttled => FaultKind::Throttled,
            End::FailedAfter => FaultKind::FailedAfter,
            End::KilledBefore | End::KilledAfter => FaultKind::Killed,
        });
        world.tell(&process.name, || format!("{name}: {end:?}"));
        end
    }

    /// Waits for a moment or for long, so that other tasks go first.
    async fn linger(&self, name: &'static str) {
        let Self { world, process, .. } = self;
        let (chance, plan) = (&world.chance, &world.plan);
        let delay = world.is_faulty().then(|| plan.delay(name, chance)).flatten();
        if let Some(delay) = delay {
            world.count_fault(FaultKind::Delayed);
            world.tell(&process.name, || format!("{name}: takes {} ms", delay.as_millis()));
            tokio::time::sleep(delay).await;
        } else {
            match chance.below(8) {
                0 => tokio::time::sleep(chance.millis(1, 20)).await,
                1 => tokio::task::yield_now().await,
                _ => {}
            }
        }
        process.live().await;
    }

    async fn die(&self, name: &'static str) {
        self.world.tell(&self.process.name, || format!("killed at {name}"));
        self.process.kill();
        self.process.live().await;
    }

    /// Draws whether a fault happens, and counts it.
    fn breaks(&self, kind: FaultKind, rate: u64) -> bool {
        let breaks = self.world.is_faulty() && self.world.chance.happens(rate);
        if breaks {
            self.world.count_fault(kind);
        }
        breaks
    }

    /// Draws how many of the remaining writes are done at once.
    fn share(&self, left: usize) -> usize {
        if self.world.is_faulty() { 1 + self.world.chance.index(left) } else { left }
    }

    /// Draws which entries of a batch are sent.
    fn sendable(&self, count: usize) -> Vec<usize> {
        if !self.breaks(FaultKind::PartlySent, self.world.plan.rates.partly_sent) {
            return (0..count).collect();
        }
        (0..count).filter(|_| self.world.chance.one_in(2)).collect()
    }

    /// Notes that the topic accepted messages and delivers them to nobody.
    fn drop_published<'a>(&self, bodies: impl Iterator<Item = &'a str>) {
        for body in bodies {
            self.world.tell(&self.process.name, || format!("the topic drops {body}"));
            self.world.record(|ledger, _| ledger.messages.dropped(body));
        }
    }

    /// Shuffles a batch. In a FIFO queue the messages of each group keep their order.
    fn reorder(&self, queue: Queue, batch: &mut Vec<Received>) {
        if batch.len() < 2 || !self.breaks(FaultKind::Reordered, self.world.plan.rates.reordered) {
            return;
        }
        let mut shuffled = vec![];
        while !batch.is_empty() {
            let mut at = self.world.chance.index(batch.len());
            if queue.is_fifo() {
                let group = &batch[at].group;
                at = batch.iter().position(|other| other.group == *group).unwrap_or(at);
            }
            shuffled.push(batch.remove(at));
        }
        *batch = shuffled;
    }
}

/// Returns the entries that were not sent, by their index in the whole batch. The entries in `failed`
/// have indexes among the delivered ones.
fn failed_entries(
    count: usize,
    (sent, delivered): (&[usize], &[usize]),
    failed: Vec<FailedEntry>,
) -> Vec<FailedEntry> {
    let unsent = (0..count).filter(|index| !sent.contains(index)).map(|index| FailedEntry {
        index,
        error: PortError::Throttled { what: "an entry of a batch".to_owned() },
    });
    let refused = failed.into_iter().filter_map(|entry| {
        delivered.get(entry.index).map(|index| FailedEntry { index: *index, ..entry })
    });
    unsent.chain(refused).collect()
}

fn unavailable(name: &str) -> PortError {
    PortError::unavailable(name, "simulated")
}

layer!(
    #[over(inner.store, through = call)]
    impl ActiveUsers, CatalogueStore, CustomerStore, PriceListStore, SettingsStore, Bases for Unreliable {}
);

layer!(
    #[over(inner.store, through = call)]
    impl DiscountStore for Unreliable {
        async fn discounts(&self, users: _, at: _) -> _ {
            let poisoned = self.world.plan.poisoned.as_ref();
            if let Some(user) = users.iter().find(|user| poisoned == Some(user)) {
                self.world.count_fault(FaultKind::PoisonedRow);
                return Err(PortError::corrupt(format!("the discounts of {user:?}"), "simulated"));
            }
            self.call("discounts", self.inner.store.discounts(users, at)).await
        }
    }
);

layer!(
    #[over(inner.store, through = call)]
    impl Loads for Unreliable {
        async fn write_journal(&self, load: _, changes: _) -> _ {
            let mut rest = changes;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(self.share(rest.len()));
                let write = self.inner.store.write_journal(load, now);
                if !self.call("write_journal", write).await? {
                    return Ok(false);
                }
                rest = later;
            }
            Ok(true)
        }

        async fn fold(&self, load: _, version: _, changes: _, forget_at: _) -> _ {
            let mut rest = changes;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(self.share(rest.len()));
                let fold = self.inner.store.fold(load, version, now, forget_at);
                self.call("fold", fold).await?;
                rest = later;
            }
            Ok(())
        }
    }
);

layer!(
    #[over(inner.store, through = call)]
    impl PriceTables for Unreliable {
        /// Writes the parts first and then the head, so that a fault can happen between the two.
        async fn put_table(&self, table: _) -> _ {
            let store = &self.inner.store;
            let parts = table.parts;
            if !parts.is_empty() {
                let torn = self.breaks(FaultKind::Torn, self.world.plan.rates.torn);
                let written = if torn { self.world.chance.index(parts.len()) } else { parts.len() };
                let parts = table.with_parts(&parts[..written]).replacing(NEVER);
                let put = store.put_table(NewTable { awaited: None, ..parts });
                self.call("put_table", put).await?;
                if torn {
                    return Err(unavailable("put_table"));
                }
            }
            self.call("put_table", store.put_table(table.with_parts(&[]))).await
        }

        fn inline_bytes(&self) -> _ {
            self.world.plan.inline_bytes
        }
    }
);

layer!(
    #[over(inner.store, through = call)]
    impl Quotations for Unreliable {
        /// Stores the quotation first and then publishes the message, so that a fault can happen between
        /// the two.
        async fn create_quotation(&self, quotation: _, topic: _, body: _) -> _ {
            let create = self.inner.store.create_quotation(quotation, &NotYet, body);
            let created = self.call("create_quotation", create).await?;
            if created.is_new() {
                publish(topic, body).await?;
            }
            Ok(created)
        }
    }
);

layer!(
    #[over(inner.queues, through = call)]
    impl Queues for Unreliable {
        async fn send(&self, queue: _, messages: _) -> _ {
            let sent = self.sendable(messages.len());
            let some: Vec<Outgoing> = sent.iter().map(|index| messages[*index].clone()).collect();
            let failed = self.call("send", self.inner.queues.send(queue, &some)).await?;
            Ok(failed_entries(messages.len(), (&sent, &sent), failed))
        }

        async fn receive(&self, queue: _, max: _, wait: _, visibility: _) -> _ {
            let echo = self.world.next_echo(queue);
            let (max, wait) = match echo {
                Some(_) => (max.saturating_sub(1), Duration::ZERO),
                None => (max, wait),
            };
            let receive = self.inner.queues.receive(queue, max, wait, visibility);
            let mut batch = self.call("receive", receive).await?;
            batch.extend(echo);
            let repeats = !queue.is_fifo() && !batch.is_empty();
            if repeats && self.breaks(FaultKind::Duplicated, self.world.plan.rates.duplicated) {
                self.world.echo(queue, batch[self.world.chance.index(batch.len())].clone());
            }
            self.reorder(queue, &mut batch);
            Ok(batch)
        }
    }
);

layer!(
    #[over(inner.topic, through = call)]
    impl Topic for Unreliable {
        async fn publish(&self, bodies: _) -> _ {
            let sent = self.sendable(bodies.len());
            let (dropped, delivered): (Vec<usize>, Vec<usize>) = sent
                .iter()
                .partition(|_| self.breaks(FaultKind::Dropped, self.world.plan.rates.dropped));
            let some: Vec<String> = delivered.iter().map(|index| bodies[*index].clone()).collect();
            let publish = async {
                self.drop_published(dropped.iter().map(|index| bodies[*index].as_str()));
                self.inner.topic.publish(&some).await
            };
            let failed = self.call("publish", publish).await?;
            Ok(failed_entries(bodies.len(), (&sent, &delivered), failed))
        }
    }
);

layer!(
    #[over(inner.connections, through = call)]
    impl Connections for Unreliable {
        async fn push(&self, to: _, frame: _) -> _ {
            if self.breaks(FaultKind::ConnectionLost, self.world.plan.rates.connection_lost) {
                self.world.close(to);
            }
            self.call("push", self.inner.connections.push(to, frame)).await
        }
    }
);
