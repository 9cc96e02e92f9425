//! Prices: a client's prices of some products, or of all, for whoever shows them. Nothing is stored.
//!
//! Looking is a visit, as a quote is. Where the table is not usable, it is ordered as a cold quote orders
//! it: ahead of all other work, and in place of one that cannot be read. No quotation is stored for that
//! order, so nothing is settled when it is done.

use std::sync::Arc;

use futures_util::future::join;
use quick_cache::sync::Cache;
use tracing::warn;

use super::lookup::{Lookup, UsableTable};
use super::quotation_handler::QuotationHandler;
use super::quotation_provider::order_table;
use super::quote_inputs::{Asked, Priced, Table};
use super::subscribe::{self, Subscribed};
use super::{PolicyInForce, StageError, Visits};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{
    Generation, Item, ProductId, QuotationKey, QuotationRequest, RequestId, Timestamp, UserId,
};
use crate::ports::{
    ActiveUsers, Chain, Clock, Ports, Queues, Randomness, Store, TableError, TableHead,
    TableReader, TableRow,
};
use crate::pricing::Step;

/// On which its calls go: it reads what a quote reads.
const ACCOUNT: Scope = Scope::new(Stage::QuotationHandler, Reason::Quote);
/// So many orders are remembered at most.
const REMEMBERED: usize = 8_192;

/// The stage, with the ports it needs.
#[derive(Clone)]
pub struct Prices {
    lookup: Arc<Lookup>,
    store: Arc<dyn Store>,
    users: Arc<dyn ActiveUsers>,
    visits: Arc<Visits>,
    queues: Arc<dyn Queues>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    policy: PolicyInForce,
    /// Until when a user's table counts as ordered by this process.
    ordered: Arc<Cache<UserId, Timestamp>>,
}

/// Which prices are asked for, as often as it takes: those that a quote of the same would have.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose.
    pub user: UserId,
    /// Of what, and how much of it.
    pub items: Vec<Item>,
}

impl Question {
    fn asked(&self) -> Asked<'_> {
        Asked { user: &self.user, items: &self.items }
    }
}

/// Some prices of a usable table.
pub struct SomePrices<'a> {
    /// Says when and against what the table was calculated.
    pub head: &'a TableHead,
    /// Whether the prices are past their freshness, or of an older version of the products.
    pub stale: bool,
    /// What each item costs, and what its product is called.
    pub prices: Vec<Priced<'a>>,
    /// The steps of each item's product that has a price at the quantity, and steps.
    pub ladders: Vec<&'a [Step]>,
    /// When they were looked at.
    pub at: Timestamp,
}

/// What was made of a usable table.
struct Shown<T> {
    shown: T,
    /// The version of its head, if it is stale.
    stale: Option<u64>,
}

impl<T> Shown<T> {
    /// Gives `show` back if something of the table is missing.
    fn of<F: FnOnce(&SomePrices<'_>) -> T>(
        &UsableTable { ref table, is_stale: stale }: &UsableTable<Table>,
        items: &[Item],
        now: Timestamp,
        show: F,
    ) -> Result<Self, F> {
        let head = &table.head;
        let Some((prices, ladders)) = table.prices_and_ladders(items, now) else {
            return Err(show);
        };
        let shown = show(&SomePrices { head, stale, prices, ladders, at: now });
        Ok(Self { shown, stale: stale.then_some(head.version) })
    }
}

/// A usable table as a whole.
pub struct WholeTable {
    store: Arc<dyn Store>,
    user: UserId,
    /// Says when and against what it was calculated.
    pub head: TableHead,
    /// Whether it is past its freshness, or of an older version of the products.
    pub stale: bool,
    /// When it was looked at.
    pub at: Timestamp,
}

impl Prices {
    /// The stage on an engine, beside the handler of the same process: a visit by either way is a visit.
    #[must_use]
    pub fn new(
        ports: &Ports,
        lookup: Arc<Lookup>,
        handler: &QuotationHandler,
        policy: impl Into<PolicyInForce>,
    ) -> Self {
        Self {
            lookup,
            store: ports.store.clone(),
            users: ports.store.clone(),
            visits: handler.visits().clone(),
            queues: ports.queues.clone(),
            clock: ports.clock.clone(),
            randomness: ports.randomness.clone(),
            policy: policy.into(),
            ordered: Arc::new(Cache::new(REMEMBERED)),
        }
    }

    /// The same stage for visits of others, with times of their own.
    #[must_use]
    pub fn with_policy(&self, policy: impl Into<PolicyInForce>) -> Self {
        Self { policy: policy.into(), ..self.clone() }
    }

    /// The prices that are asked for, as `show` shows them; `None` while there is no usable table, which is
    /// then ordered.
    ///
    /// # Errors
    /// When the table cannot be read, or not be ordered.
    pub async fn of<T>(
        &self,
        question: &Question,
        show: impl FnOnce(&SomePrices<'_>) -> T,
    ) -> Result<Option<T>, StageError> {
        ACCOUNT.of(self.look(question, show)).await
    }

    /// The whole table of a question's user; `None` while there is none that is usable, which is then
    /// ordered.
    ///
    /// # Errors
    /// When the head of the table cannot be read, or the table not be ordered.
    pub async fn table(&self, question: &Question) -> Result<Option<WholeTable>, StageError> {
        let whole = |found: &SomePrices<'_>| WholeTable {
            store: self.store.clone(),
            user: question.user.clone(),
            head: found.head.clone(),
            stale: found.stale,
            at: found.at,
        };
        self.of(question, whole).await
    }

    /// Looks at the table, and at the same time has the visit written down.
    async fn look<T>(
        &self,
        question: &Question,
        show: impl FnOnce(&SomePrices<'_>) -> T,
    ) -> Result<Option<T>, StageError> {
        let (now, user) = (self.clock.now(), &question.user);
        let policy = self.policy.now();
        let visit = subscribe::touch(&*self.users, &self.visits, &policy, user, now);
        let (found, visit) = join(self.find(question, show, now), visit).await;
        match found? {
            Ok(Shown { shown, stale }) => {
                self.see_to(user, stale, visit).await;
                Ok(Some(shown))
            }
            Err(unreadable) => {
                self.order(question, unreadable, now).await?;
                Ok(None)
            }
        }
    }

    /// What `show` makes of the table, if it is usable; else the name of its generation, if something of
    /// that is missing.
    async fn find<T, F: FnOnce(&SomePrices<'_>) -> T>(
        &self,
        question: &Question,
        show: F,
        now: Timestamp,
    ) -> Result<Result<Shown<T>, Option<Generation>>, StageError> {
        let (found, at) = self.lookup.find(question.asked(), now).await?;
        let Some(found) = found else { return Ok(Err(None)) };
        let show = match Shown::of(&found, &question.items, at, show) {
            Ok(shown) => return Ok(Ok(shown)),
            Err(show) => show,
        };
        let (found, at) = self.lookup.find_again(question.asked(), at).await?;
        let Some(found) = found else { return Ok(Err(None)) };
        let shown = Shown::of(&found, &question.items, at, show);
        Ok(shown.map_err(|_| Some(found.table.head.generation)))
    }

    /// Has a stale table calculated anew: by an order of its own or, where that fails, by the visit of a user
    /// who is new.
    async fn see_to(&self, user: &UserId, stale: Option<u64>, visit: Option<Subscribed>) {
        let is_provided = match stale {
            Some(version) => self.lookup.order_stale(Stage::QuotationHandler, user, version).await,
            None => true,
        };
        if let Some(visit) = visit.filter(|_| !is_provided) {
            subscribe::order_unless_known(&*self.queues, user, visit).await;
        }
    }

    /// Has a missing table calculated, unless this process has ordered it already and may still get it. Each
    /// order has an id and a deadline of its own, or its queue would drop the second as a repetition.
    async fn order(
        &self,
        question: &Question,
        unreadable: Option<Generation>,
        now: Timestamp,
    ) -> Result<(), StageError> {
        let user = &question.user;
        if self.ordered.get(user).is_some_and(|until| now < until) {
            return Ok(());
        }
        let now = self.clock.now();
        let request_id = RequestId::made(now, self.randomness.bits());
        let order = QuotationRequest {
            key: QuotationKey::new(user, &request_id),
            request_id,
            user: user.clone(),
            items: question.items.clone(),
            deadline: now.plus(self.policy.now().quote_within),
            attempt: 0,
            unreadable: None,
        };
        self.ordered.insert(user.clone(), order.deadline);
        let sent = order_table(&*self.queues, order, unreadable).await;
        if let Err(error) = &sent {
            self.ordered.remove(user);
            warn!(%user, error = %Chain(error), "the table was not ordered");
        }
        sent
    }
}

impl WholeTable {
    /// Begins to read its rows, those behind a product or all of them.
    ///
    /// # Errors
    /// When something of it is not there, or cannot be read.
    pub async fn rows(&self, after: Option<ProductId>) -> Result<TableRows<'_>, TableError> {
        let opened = TableReader::open(&*self.store, &self.user, &self.head, self.at);
        let reader = ACCOUNT.of(opened).await?;
        let first = after
            .as_ref()
            .and_then(|after| reader.parts(Some(std::slice::from_ref(after))).first().copied());
        let parts = reader.parts(None).into_iter().skip(first.unwrap_or(0) as usize);
        Ok(TableRows { parts: parts.collect::<Vec<u32>>().into_iter(), reader, after })
    }
}

/// The rows of a table, some at a time, in the order of their products.
pub struct TableRows<'a> {
    reader: TableReader<'a>,
    parts: std::vec::IntoIter<u32>,
    after: Option<ProductId>,
}

impl TableRows<'_> {
    /// The next rows; `None` behind the last.
    ///
    /// # Errors
    /// When something of the table is not there any more, or cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<TableRow>>, TableError> {
        let Some(number) = self.parts.next() else { return Ok(None) };
        let mut rows = ACCOUNT.of(self.reader.rows(&[number])).await?;
        if let Some(after) = self.after.take() {
            rows.retain(|row| row.product > after);
        }
        Ok(Some(rows))
    }
}
