//! Events without a customer: ticks, loads, and the deletion of expired records.

use std::time::Duration;

use super::{ChangeKind, DAY, Driver, REFRESH};
use crate::data::{Dataset, LoadOptions, load};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Timestamp, UserId};
use crate::ports::{ActiveUser, Outgoing, Ports, Posting, Queue, Segment, pages};
use crate::replay::{ReplayError, Scenario};
use crate::stages::change;
use crate::stages::folding::fold_left;
use crate::stages::refresh::{Tick, refresh};

impl Driver<'_> {
    pub(super) async fn tick(&mut self) -> Result<(), ReplayError> {
        let tick = Tick::at(self.now, self.tick_every);
        self.next_tick = tick.next_due();
        if self.witness.ledger().intervals.is_some() {
            REFRESH.of(self.order_due(tick)).await?;
        } else {
            refresh(&*self.ports.store, &*self.ports.queues, tick, 1, self.now).await?;
        }
        fold_left(&*self.ports.store, &*self.ports.clock).await?;
        self.ran(REFRESH, Scenario::CALL);
        self.look_at_queues().await
    }

    /// Orders calculations as a refresh does, but only for the users who are due.
    async fn order_due(&mut self, tick: Tick) -> Result<(), ReplayError> {
        let active = active_users(&self.ports, self.now).await?;
        let due = self.witness.ledger().due(active, self.now);
        let orders = due.into_iter().filter_map(|user| {
            let order = tick.order(user);
            Some(Outgoing {
                body: serde_json::to_string(&order).ok()?,
                posting: Posting::Fifo {
                    group: order.group(),
                    deduplication: order.deduplication(),
                },
            })
        });
        let orders: Vec<Outgoing> = orders.collect();
        if !orders.is_empty() {
            self.ports.queues.send(Queue::Refresh, &orders).await?;
        }
        Ok(())
    }

    /// Loads without the meter, because the cost of a load does not depend on the policy.
    pub(super) async fn load(&self, data: &Dataset) -> Result<change::LoadChange, ReplayError> {
        let options =
            LoadOptions { currency: self.scenario.terms.currency, prune: false, merge: false };
        let Ports { store, clock, randomness, .. } = &self.engine;
        let report = load(&**store, &**clock, &**randomness, data, options, &|_| ()).await?;
        Ok(report.change)
    }

    pub(super) async fn change(&mut self, kind: ChangeKind) -> Result<(), ReplayError> {
        self.editions += 1;
        let edition = self.editions;
        let (data, has_list) = match kind {
            ChangeKind::Prices => (self.goods.other_prices(edition), vec![]),
            ChangeKind::Discounts => (self.goods.other_discounts(edition), vec![]),
            ChangeKind::Lists => self.goods.other_list_prices(edition),
        };
        if let Some(every) = self.every(kind) {
            self.changes.insert((self.now.plus(every), kind));
        }
        let change = self.load(&data).await?;
        let active = active_users(&self.engine, self.now).await?;
        let whose: Option<&[UserId]> = match kind {
            ChangeKind::Prices => None,
            ChangeKind::Discounts => Some(&change.users),
            ChangeKind::Lists => Some(&has_list),
        };
        self.witness.ledger().changed(&active, whose, self.now);
        if self.on_change {
            let ordered = change::order(&*self.ports.store, &*self.ports.queues, &change, self.now);
            Scope::new(Stage::Load, Reason::Load).of(ordered).await?;
        }
        self.look_at_queues().await
    }

    const fn every(&self, kind: ChangeKind) -> Option<Duration> {
        match kind {
            ChangeKind::Prices => self.scenario.prices_every,
            ChangeKind::Discounts => self.scenario.discounts_every,
            ChangeKind::Lists => self.scenario.lists_every,
        }
    }

    /// Deletes expired records as DynamoDB does: late, and without cost.
    pub(super) async fn sweep(&mut self) -> Result<(), ReplayError> {
        self.next_sweep = self.now.plus(DAY);
        let store = &self.engine.store;
        let mut gone = vec![];
        let mut pages = pages(|from| store.list_table_heads(from));
        while let Some(page) = pages.next().await? {
            let is_gone =
                |validated_at: Timestamp| self.now.since(validated_at) > self.policy.keep_tables();
            let some = page.into_iter().filter(|(_, head)| is_gone(head.validated_at));
            gone.extend(some.map(|(user, _)| user));
        }
        for user in gone {
            store.delete_table(&user).await?;
            let active = store.active_user(&user).await?;
            if active.is_some_and(|active| !active.is_active(self.now)) {
                store.remove_active_user(&user).await?;
                self.witness.ledger().swept(&user);
            }
        }
        self.witness.ledger().forget_stored(self.now);
        Ok(())
    }
}

async fn active_users(ports: &Ports, now: Timestamp) -> Result<Vec<ActiveUser>, ReplayError> {
    let mut active = vec![];
    let mut pages = pages(|from| ports.store.list_active_users(Segment::ALL, now, from));
    while let Some(page) = pages.next().await? {
        active.extend(page.into_iter().filter(|user| user.is_active(now)));
    }
    Ok(active)
}
