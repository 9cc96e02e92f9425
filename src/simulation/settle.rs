//! The end of a run: the faults stop, and everything must be in order within a known time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::Invariant;
use super::clients::{come, quote};
use super::fleet::{Fleet, Gateway, RECOVERY};
use super::ledger::Ledger;
use super::messages::MessageContent;
use super::report::Breach;
use super::world::World;
use crate::model::{Dialect, Item, ProviderMessage, Quantity, QuotationKey, Timestamp, UserId};
use crate::ports::{Clock, DeadLetter, Queue};
use crate::stages::Policy;
use crate::stages::quotation_handler::Ask;

/// Within this time a killed process has been replaced, and its messages are visible again.
const SHORTEST: Duration = Duration::from_secs(60);
/// Longer than a message takes to fail all its receives.
const LONGEST: Duration = Duration::from_secs(1_200);
/// The client of a quotation that fails at its deadline is told within this time.
const AFTER_DEADLINE: Duration = Duration::from_secs(5);
/// The most intervals between two calculations of an active user's table.
const FEW_INTERVALS: u32 = 3;

/// Checks that nothing panicked. In production a panic only fails a message, which then comes again, so
/// no other check would notice.
fn check_panics(world: &World) -> Result<(), Breach> {
    let (died, panics) = (world.supervisor.check(), world.metrics.stage_panics());
    world.note(|ledger, _| {
        ledger.checks.hold(Invariant::NothingPanics, died.is_ok() && panics == 0, || match died {
            Err(died) => died.to_string(),
            Ok(()) => format!("stages panicked over {panics} messages"),
        })
    });
    world.check()
}

/// Stops the faults and checks everything that must then come true.
pub(super) async fn settle(world: &Arc<World>, fleet: &Arc<Fleet>) -> Result<(), Breach> {
    let plan = &world.plan;
    world.stop_faults();
    world.tell("world", || "the faults stop".to_owned());
    if plan.clocks_end_right {
        fleet.set_clocks_right();
    }
    let gateway = Gateway::apart(fleet);
    let since = world.clock.now();
    let recovered_by = since.plus(RECOVERY + until_refreshed(&plan.policy) * 2);
    // Visit often enough that nobody expires.
    let step = (plan.policy.ttl / 2).min(Duration::from_secs(30));
    loop {
        visit_all(world, &gateway).await;
        sleep(step).await;
        let now = world.clock.now();
        let may_be_over = now >= recovered_by || is_in_order(world, since).await;
        let is_over = may_be_over && is_drained(world).await && untold(world).await.is_empty();
        if now >= since.plus(LONGEST) || is_over {
            break;
        }
    }
    check_panics(world)?;
    check_messages(world).await?;
    check_refreshed(world, since)?;
    check_promises(world).await?;
    let strangers = UserId::new("stranger");
    let asking = others(world).chain(strangers).map(|user| check_quote(world, &gateway, user));
    try_join_all(asking).await?;
    Ok(())
}

/// Whether everything seems to be in order before the time is up. With poison, effects take longer to
/// show, so the full time is used.
async fn is_in_order(world: &World, since: Timestamp) -> bool {
    let is_poisoned = world.plan.poisoned.is_some() || world.plan.poisons_queues;
    let now = world.clock.now();
    if is_poisoned || now.since(since) < SHORTEST {
        return false;
    }
    let head = world.engine.store.catalogue_head().await;
    let is_folded = head.is_ok_and(|head| head.is_none_or(|head| head.unfolded.is_none()));
    is_folded
        && others(world).all(|user| world.look(|ledger| is_refreshed(world, ledger, &user, since)))
}

/// Returns the users whose rows can be read.
fn others(world: &World) -> impl Iterator<Item = UserId> {
    let poisoned = world.plan.poisoned.as_ref();
    world.plan.users.iter().filter(move |user| poisoned != Some(user)).cloned()
}

async fn visit_all(world: &Arc<World>, gateway: &Arc<Gateway>) {
    for user in others(world) {
        come(world.clone(), gateway.clone(), user).await;
    }
}

async fn dead(world: &World, queue: Queue) -> Vec<DeadLetter> {
    let letters = world.engine.dead_letters.dead_letters(queue, usize::MAX).await;
    letters.unwrap_or_default()
}

async fn is_drained(world: &World) -> bool {
    for queue in [Queue::Quotation, Queue::Provider] {
        let dead = dead(world, queue).await;
        if !world.look(|ledger| ledger.messages.is_drained(queue, &dead)) {
            return false;
        }
    }
    true
}

async fn check_messages(world: &World) -> Result<(), Breach> {
    // The Refresh Queue drops messages unread after ten minutes, and the next tick replaces them. So it
    // is not checked.
    for queue in [Queue::Quotation, Queue::Provider] {
        let dead = dead(world, queue).await;
        let depth = world.engine.queues.depth(queue).await.unwrap_or_default();
        world.note(|ledger, _| {
            ledger.messages.compare(queue, depth, &mut ledger.checks)?;
            ledger.messages.settled(queue, &dead, &mut ledger.checks)
        });
    }
    world.check()
}

/// Returns the time by which the schedule has reached a user and recorded that the table is right.
fn until_refreshed(policy: &Policy) -> Duration {
    policy.refresh_every * FEW_INTERVALS + policy.fresh_for() / 2
}

/// Whether the schedule has reached a user since a time, and did so recently.
fn is_refreshed(world: &World, ledger: &Ledger, user: &UserId, since: Timestamp) -> bool {
    let now = world.clock.now();
    let late = until_refreshed(&world.plan.policy);
    let flipped_at = ledger.tables.flipped_at(user);
    let just_now = flipped_at.is_some_and(|at| now.since(at) <= late);
    just_now && ledger.tables.flips_since(user, since) >= 2
}

fn check_refreshed(world: &World, since: Timestamp) -> Result<(), Breach> {
    for user in others(world) {
        world.note(|ledger, now| {
            let refreshed = is_refreshed(world, ledger, &user, since);
            let flipped_at = ledger.tables.flipped_at(&user);
            ledger.checks.hold(Invariant::ActiveIsRefreshed, refreshed, || {
                format!(
                    "{user:?} is active; it is {now}, and the table was last made {flipped_at:?}"
                )
            })
        });
    }
    world.check()
}

/// Checks that every accepted quotation is settled, and that its client was told.
async fn check_promises(world: &World) -> Result<(), Breach> {
    let untold = untold(world).await;
    world.note(|ledger, _| {
        for (key, promise) in ledger.promises.all().filter(|(_, promise)| promise.accepted) {
            ledger.checks.hold(Invariant::EndsByDeadline, !untold.contains(key), || {
                format!("the client of quotation {key} was never told: {promise:?}")
            })?;
        }
        Ok(())
    });
    world.check()
}

/// Returns the accepted quotations whose deadline has passed and whose clients still wait for an outcome.
async fn untold(world: &World) -> BTreeSet<QuotationKey> {
    let letters = dead(world, Queue::Provider).await;
    let lost = world.lost();
    let now = world.clock.now();
    let key_of = |letter: &DeadLetter| match MessageContent::read(Queue::Provider, &letter.body) {
        MessageContent::Provide(ProviderMessage::Deadline { key, .. }) => Some((key, true)),
        MessageContent::Provide(ProviderMessage::Quote(request)) => Some((request.key, false)),
        MessageContent::Order(_) | MessageContent::Unreadable => None,
    };
    let given_up: Vec<_> = letters.iter().filter_map(key_of).collect();
    world.look(|ledger| {
        let all = ledger.promises.all().filter(|(_, promise)| promise.accepted && !promise.told);
        let untold = all.filter(|(key, promise)| {
            let is_pending = promise.settled_at.is_none();
            let excused = match world.plan.watched {
                // The gateway died together with its sockets.
                true => promise.is_forsaken(&lost),
                // The deadline message failed ten times. Or the outcome was stored, but every push failed
                // since; the deadline message then finds it settled.
                false => given_up
                    .iter()
                    .any(|(of, is_deadline)| of == *key && (*is_deadline || !is_pending)),
            };
            // A deadline message that a wrong clock sent may come much later.
            let later = || world.plan.has_wrong_clocks() && ledger.messages.has_deadline(key);
            now >= promise.deadline.plus(AFTER_DEADLINE) && !excused && !(is_pending && later())
        });
        untold.map(|(key, _)| key.clone()).collect()
    })
}

/// Checks that a quote is answered by a system that works again, whatever poison is left.
async fn check_quote(
    world: &Arc<World>,
    gateway: &Arc<Gateway>,
    user: UserId,
) -> Result<(), Breach> {
    let items = world.plan.products.iter().take(3);
    let items = items.map(|product| Item { product: product.clone(), quantity: Quantity::ONE });
    let ask = Ask {
        user: user.clone(),
        items: items.collect(),
        request_id: None,
        dialect: Dialect::Current,
        connection: Some(gateway.connect(world)),
    };
    // A load may come into force after the answer.
    let has_products = world.look(|ledger| ledger.inputs.has_products());
    let accepted = quote(world.clone(), gateway.clone(), ask).await;
    let asked_at = world.clock.now();
    sleep(world.plan.policy.quote_within + AFTER_DEADLINE).await;
    let key = accepted.and_then(|accepted| QuotationKey::of_made(&accepted.request_id));
    world.note(|ledger, _| {
        let promise = key.as_ref().and_then(|key| ledger.promises.get(key));
        // With wrong clocks, a deadline may have passed as soon as it is set.
        let answers = world.plan.clocks_end_right && has_products;
        let kept = promise.is_some_and(|promise| {
            promise.told && promise.settled_at.is_some() && (promise.answered || !answers)
        });
        let invariant = match world.plan.poisoned.is_some() || world.plan.poisons_queues {
            true => Invariant::PoisonBlocksNobody,
            false => Invariant::EndsByDeadline,
        };
        ledger.checks.hold(
            invariant,
            kept || (promise.is_some() && !world.plan.clocks_end_right),
            || format!("at {asked_at} nothing fails any more, and a quote comes to {promise:?}"),
        )
    });
    world.check()
}
