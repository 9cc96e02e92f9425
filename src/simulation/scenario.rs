//! One run: starts a system, uses it and breaks it. Then the faults stop, and every promise must come
//! true.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::clients::{self, SimulatedClient, Socket};
use super::fleet::Fleet;
use super::loads::{load_some, some_data, some_discounts_of};
use super::messages::POISON;
use super::report::Breach;
use super::settle::settle;
use super::world::World;
use super::{FaultKind, PlantedBug, SimulationReport, Violation};
use crate::model::{DeduplicationId, GroupId, UserId};
use crate::ports::{Clock, Outgoing, Posting, Queue, Randomness};

/// A run to be made.
#[derive(Clone, Copy, Debug)]
pub struct Simulation {
    /// The seed, which determines the whole run.
    pub seed: u64,
    /// A bug to plant.
    pub bug: Option<PlantedBug>,
    /// The number of last events in a violation. They make a run slower, but do not change it.
    pub story_lines: usize,
}

impl Simulation {
    /// Creates the run of a seed, without a bug or a story.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self { seed, bug: None, story_lines: 0 }
    }

    /// Makes the run. It needs a current-thread runtime of its own with paused time, because left-over
    /// tasks would change the schedule of the next run.
    ///
    /// # Errors
    /// Returns [`Violation`] if an invariant does not hold.
    pub async fn run(&self) -> Result<SimulationReport, Violation> {
        self.tell().await.0
    }

    /// Makes the run, and also returns its last events if it succeeds.
    pub async fn tell(&self) -> (Result<SimulationReport, Violation>, Vec<String>) {
        let world = World::new(self.seed, self.bug, self.story_lines);
        let fleet = Fleet::start(&world);
        let mut run = SimulationRun { clients: vec![], world: world.clone(), fleet };
        let outcome = run.everything().await;
        let story = world.story();
        let outcome = outcome.map(|()| report(&world)).map_err(|breach| Violation {
            seed: self.seed,
            bug: self.bug,
            invariant: breach.invariant,
            what: breach.what,
            story: story.clone(),
        });
        (outcome, story)
    }
}

/// A run under way.
struct SimulationRun {
    world: Arc<World>,
    fleet: Arc<Fleet>,
    clients: Vec<SimulatedClient>,
}

impl SimulationRun {
    async fn everything(&mut self) -> Result<(), Breach> {
        let Self { world, fleet, .. } = self;
        self.clients = world.plan.users.iter().cloned().map(SimulatedClient::new).collect();
        if !world.chance.one_in(8) {
            let first = load_some(world.clone(), fleet.clone(), some_data(world, true), false);
            // The load may take long to fail. Then the clients begin without products.
            let _ = timeout(Duration::from_secs(30), first).await;
        }
        for _ in 0..world.plan.actions {
            Self::act(&self.world, &self.fleet, &mut self.clients).await;
            let gap = self.world.chance.pick([0, 200, 5_000, 30_000]);
            sleep(self.world.chance.millis(0, gap)).await;
            if self.world.chance.one_in(20) {
                // A night, after which no user is active and no table is usable.
                sleep(self.world.plan.night()).await;
            }
            self.world.check()?;
        }
        settle(&self.world, &self.fleet).await?;
        self.world.check()
    }

    /// Does one random action from outside.
    async fn act(world: &Arc<World>, fleet: &Arc<Fleet>, clients: &mut [SimulatedClient]) {
        let chance = &world.chance;
        let at = chance.index(clients.len());
        let Some(client) = clients.get_mut(at) else { return };
        let user = client.user.clone();
        match chance.below(100) {
            0..46 => ask(world, fleet, client),
            46..54 => ask_again(world, fleet, client),
            54..58 => client.leave(world),
            58..64 => {
                if let Some(gateway) = fleet.gateway() {
                    tokio::spawn(clients::come(world.clone(), gateway, user));
                }
            }
            64..66 => {
                if let Some(gateway) = fleet.gateway() {
                    tokio::spawn(clients::go(gateway, user));
                }
            }
            66..72 => bargain(world, fleet, client),
            72..90 => {
                let data = some_data(world, false);
                let prune = chance.one_in(4);
                tokio::spawn(load_some(world.clone(), fleet.clone(), data, prune));
            }
            90..93 => fleet.drain_one(),
            93..96 => break_everything(world),
            _ => poison(world).await,
        }
    }
}

fn ask(world: &Arc<World>, fleet: &Fleet, client: &mut SimulatedClient) {
    // Sometimes send several at once, which one calculation must serve.
    let times = if world.chance.one_in(6) { 5 } else { 1 };
    for _ in 0..times {
        let Some(socket) = client.socket(world, fleet) else { return };
        let ask = client.ask(world, socket.connection);
        world.record(|ledger, _| ledger.promises.asked += 1);
        tokio::spawn(clients::quote(world.clone(), socket.gateway, ask));
    }
}

/// Loads other discounts for a customer, who quotes as soon as they are in force.
fn bargain(world: &Arc<World>, fleet: &Arc<Fleet>, client: &mut SimulatedClient) {
    let Some(Socket { gateway, connection }) = client.socket(world, fleet) else { return };
    let ask = client.ask(world, connection);
    let discounts = some_discounts_of(world, &client.user);
    world.record(|ledger, _| ledger.promises.asked += 1);
    let (world, fleet) = (world.clone(), fleet.clone());
    tokio::spawn(async move {
        load_some(world.clone(), fleet, discounts, false).await;
        clients::quote(world, gateway, ask).await;
    });
}

fn ask_again(world: &Arc<World>, fleet: &Fleet, client: &mut SimulatedClient) {
    let known = world.look(|ledger| ledger.promises.of(&client.user));
    let Some(request_id) = known.get(world.chance.index(known.len())).cloned() else { return };
    if let Some(socket) = client.socket(world, fleet) {
        tokio::spawn(clients::get(world.clone(), socket, client.user.clone(), request_id));
    }
}

fn break_everything(world: &World) {
    if world.plan.rates.failed_before > 0 {
        let lasts = world.chance.millis(1_000, 90_000);
        world.tell("world", || format!("everything fails for {} ms", lasts.as_millis()));
        world.begin_outage(world.clock.now().plus(lasts));
    }
}

/// Sends messages that nobody can read.
async fn poison(world: &World) {
    let Ok(nobody) = UserId::new("nobody") else { return };
    if !world.plan.poisons_queues {
        return;
    }
    let queue = world.chance.pick(Queue::ALL);
    let posting = match queue.is_fifo() {
        true => Posting::Fifo {
            group: GroupId::of(&nobody),
            deduplication: DeduplicationId::from_random(world.chance.bits()),
        },
        false => Posting::Standard { delay: Duration::ZERO },
    };
    let message = Outgoing { body: POISON.to_owned(), posting };
    if world.engine.queues.send(queue, &[message]).await.is_ok_and(|failed| failed.is_empty()) {
        world.count_fault(FaultKind::PoisonedMessage);
        world.tell("world", || format!("poisons queue {queue}"));
        world.record(|ledger, _| ledger.messages.poisoned(queue));
    }
}

fn report(world: &World) -> SimulationReport {
    let faults = world.faults();
    world.look(|ledger| {
        let all = || ledger.promises.all().map(|(_, promise)| promise);
        let count = |number: usize| number as u64;
        SimulationReport {
            runs: 1,
            calls: world.calls(),
            asked: ledger.promises.asked,
            accepted: count(all().filter(|promise| promise.accepted).count()),
            answered: count(all().filter(|promise| promise.answered).count()),
            failed: count(
                all().filter(|promise| promise.settled_at.is_some() && !promise.answered).count(),
            ),
            flips: ledger.tables.flips(),
            loads: ledger.inputs.loads(),
            seconds: world.seconds(),
            faults,
            checks: ledger.checks.counts().clone(),
        }
    })
}
