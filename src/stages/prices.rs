//! Prices: a customer's prices of some products, or of all, for a caller that only shows them. Nothing is
//! stored.
//!
//! Reading prices is a visit, as a quote is. If the table is not usable, its calculation is ordered as for a
//! cold quote: ahead of all scheduled work, and replacing a table that cannot be read. But the order has no
//! stored quotation, so nothing is settled when it is done.

use std::sync::Arc;

use futures_util::future::join;
use quick_cache::sync::Cache;
use tracing::warn;

use super::lookup::{Lookup, UsableTable};
use super::quotation_handler::QuotationHandler;
use super::quotation_provider::order_table;
use super::quote_inputs::{CustomerTable, PriceRequest, Priced};
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

/// The scope of its calls for the meter. It reads what a quote reads, so it counts as a quote.
const ACCOUNT: Scope = Scope::new(Stage::QuotationHandler, Reason::Quote);
/// How many orders are remembered at most.
const REMEMBERED: usize = 8_192;

/// The stage that shows prices.
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
    /// The time until which a customer's table counts as ordered by this process.
    ordered: Arc<Cache<UserId, Timestamp>>,
}

/// A request for prices. It may be repeated. The prices are those that a quote for the same items would have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The customer.
    pub user: UserId,
    /// The products, each with its quantity.
    pub items: Vec<Item>,
}

impl Question {
    fn asked(&self) -> PriceRequest<'_> {
        PriceRequest { user: &self.user, items: &self.items }
    }
}

/// Some prices of a usable table.
pub struct SomePrices<'a> {
    /// The head of the table. It says when and from which version the table was calculated.
    pub head: &'a TableHead,
    /// Whether the table is stale.
    pub stale: bool,
    /// The price and name of each item.
    pub prices: Vec<Priced<'a>>,
    /// The steps of each item's ladder; empty if its product has none or is not sold in the quantity.
    pub ladders: Vec<&'a [Step]>,
    /// When the table was looked up.
    pub at: Timestamp,
}

/// What `show` returned for a usable table.
struct Shown<T> {
    shown: T,
    /// The version of the table's head, if the table is stale.
    stale: Option<u64>,
}

impl<T> Shown<T> {
    /// Calls `show` with the prices. Returns `show` as the error if a part of the table is missing.
    fn of<F: FnOnce(&SomePrices<'_>) -> T>(
        &UsableTable { ref table, is_stale: stale }: &UsableTable<CustomerTable>,
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

/// A usable table with all its rows.
pub struct WholeTable {
    store: Arc<dyn Store>,
    user: UserId,
    /// The head of the table. It says when and from which version the table was calculated.
    pub head: TableHead,
    /// Whether the table is stale.
    pub stale: bool,
    /// When the table was looked up.
    pub at: Timestamp,
}

impl Prices {
    /// Creates the stage beside the handler of the same process. They share visits.
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

    /// Returns the same stage with another policy.
    #[must_use]
    pub fn with_policy(&self, policy: impl Into<PolicyInForce>) -> Self {
        Self { policy: policy.into(), ..self.clone() }
    }

    /// Returns what `show` makes of the prices. If there is no usable table, orders it and returns `None`.
    ///
    /// # Errors
    /// [`StageError`] if the table cannot be read, or cannot be ordered.
    pub async fn of<T>(
        &self,
        question: &Question,
        show: impl FnOnce(&SomePrices<'_>) -> T,
    ) -> Result<Option<T>, StageError> {
        ACCOUNT.of(self.look(question, show)).await
    }

    /// Returns the whole table of a question's customer. If there is no usable table, orders it and returns
    /// `None`.
    ///
    /// # Errors
    /// [`StageError`] if the head of the table cannot be read, or the table cannot be ordered.
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

    /// Looks up the table, and stores the visit at the same time.
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
                Box::pin(self.order(question, unreadable, now)).await?;
                Ok(None)
            }
        }
    }

    /// Returns what `show` makes of the table, if it is usable. Otherwise returns the table's generation, if
    /// a part of it is missing.
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
        let (found, at) = Box::pin(self.lookup.find_again(question.asked(), at)).await?;
        let Some(found) = found else { return Ok(Err(None)) };
        let shown = Shown::of(&found, &question.items, at, show);
        Ok(shown.map_err(|_| Some(found.table.head.generation)))
    }

    /// Orders a stale table. If that fails or the table is from before the last load, and the visitor is new,
    /// orders the calculation that a new visitor gets.
    async fn see_to(&self, user: &UserId, stale: Option<u64>, visit: Option<Subscribed>) {
        let seen_to = self.lookup.order_stale(Stage::QuotationHandler, user, stale).await;
        self.lookup.follow_visit(user, visit, seen_to).await;
    }

    /// Orders a missing table, unless this process has ordered it and its deadline has not passed. Each order
    /// has a new id and deadline, because the queue would drop an equal one as a duplicate.
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
    /// Starts to read the rows of the table: those after a product, or all.
    ///
    /// # Errors
    /// [`TableError`] if a part of the table is missing or cannot be read.
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

/// The rows of a table, part by part, sorted by product.
pub struct TableRows<'a> {
    reader: TableReader<'a>,
    parts: std::vec::IntoIter<u32>,
    after: Option<ProductId>,
}

impl TableRows<'_> {
    /// Returns the next rows; `None` after the last.
    ///
    /// # Errors
    /// [`TableError`] if a part of the table is missing now, or cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<TableRow>>, TableError> {
        let Some(number) = self.parts.next() else { return Ok(None) };
        let mut rows = ACCOUNT.of(self.reader.rows(&[number])).await?;
        if let Some(after) = self.after.take() {
            rows.retain(|row| row.product > after);
        }
        Ok(Some(rows))
    }
}
