//! Lookup: answers quotes from a customer's table.
//!
//! A process has one, which all its stages share. So unpacked parts are kept once, and a stale table is
//! ordered once.

use std::borrow::Borrow;
use std::slice;
use std::sync::Arc;

use futures_util::future::try_join;
use tracing::warn;

use super::StageError;
use super::base_shelf::BaseShelf;
use super::large_work::LargeWork;
use super::own_shelf::OwnShelf;
use super::quote_inputs::{CustomerTable, PriceRequest, Priced, QuoteInputs, Sources};
use super::recent_orders::RecentOrders;
use super::shared_in_force::{SharedInForce, Versions};
use super::subscribe::{Subscribed, Visit, order_unless_known, send};
use crate::meter::{Reason, Scope, Stage};
use crate::model::{Calculation, Cause, Generation, QuotationRequest, Timestamp, UserId};
use crate::ports::{
    Chain, Clock, FailureReason, PortError, Ports, PriceTables, Queue, Queues, TableHead, Verdict,
};
use crate::pricing::{Answer, AnswerLine, ItemPrice, quote};
use crate::protocol::fits_one_message;

/// Looks up price tables for all stages of a process.
pub struct Lookup {
    tables: Arc<dyn PriceTables>,
    in_force: SharedInForce,
    queues: Arc<dyn Queues>,
    clock: Arc<dyn Clock>,
    bases: Arc<BaseShelf>,
    own: OwnShelf,
    stale_orders: RecentOrders,
    work: LargeWork,
}

/// The result of looking up a quote in the customer's table.
pub(super) enum Look {
    /// An answer, or a failure that no retry would change. The number is the version of the head if the table
    /// is stale.
    Verdict(Verdict, Option<u64>),
    /// There is no usable table. The generation is that of a head whose parts are missing.
    Missing(Option<Generation>),
}

/// What the quote of a visit has done about the customer's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeenTo {
    /// Nothing.
    Nothing,
    /// The table is fresh, or the provider finds out.
    Fresh,
    /// The calculation of the table is ordered, or the provider orders it.
    Ordered,
}

/// A customer's table that is usable now. Quotes and prices that are only shown both use this decision.
pub(super) struct UsableTable<T> {
    pub(super) table: T,
    /// Whether it was not checked within `fresh-for`, or not since the last load that changed shared data.
    pub(super) is_stale: bool,
}

impl<T: Borrow<CustomerTable>> UsableTable<T> {
    fn of(table: Option<T>, shared_version: u64, now: Timestamp) -> Option<Self> {
        let table = table?;
        let head = &table.borrow().head;
        if !head.is_usable(now) {
            return None;
        }
        let is_stale = !head.is_fresh(now) || head.catalogue_version < shared_version;
        Some(Self { table, is_stale })
    }

    /// Whether the table has no products. It may have been calculated before the first load.
    fn is_empty(&self) -> bool {
        self.table.borrow().head.products == 0
    }
}

impl Lookup {
    /// Creates the lookup for the stages of one process.
    #[must_use]
    pub fn new(ports: &Ports) -> Arc<Self> {
        Arc::new(Self {
            tables: ports.store.clone(),
            in_force: SharedInForce::new(ports.store.clone(), ports.clock.clone()),
            queues: ports.queues.clone(),
            clock: ports.clock.clone(),
            bases: Arc::new(BaseShelf::new(ports.store.clone())),
            own: OwnShelf::new(),
            stale_orders: RecentOrders::new(),
            work: LargeWork::new(),
        })
    }

    /// The bases that the process keeps in memory.
    #[must_use]
    pub const fn bases(&self) -> &Arc<BaseShelf> {
        &self.bases
    }

    /// Reads the inputs for all requests of a batch at once.
    pub(super) async fn inputs(
        &self,
        requests: &[PriceRequest<'_>],
        now: Timestamp,
    ) -> Result<QuoteInputs, PortError> {
        QuoteInputs::read(self.sources(), &self.in_force, requests, now).await
    }

    /// Looks up a request in the customer's table, in the inputs of its batch or else in the store. The time
    /// of the answer is taken after the read, because the table may have been calculated during it.
    pub(super) async fn look(
        &self,
        request: &QuotationRequest,
        shared: Option<&QuoteInputs>,
        now: Timestamp,
    ) -> Result<Look, StageError> {
        let own;
        let (inputs, now) = match shared {
            Some(inputs) => (inputs, now),
            None => {
                own = self.inputs(&[request.into()], now).await?;
                (&own, self.clock.now())
            }
        };
        if let Ok(look) = look_at(request, inputs.table(&request.user), inputs, now) {
            return Ok(look);
        }
        // The table was replaced during the read, or an edge has passed and other prices are in force now.
        let reread = Box::pin(CustomerTable::reread(self.sources(), request.into(), now)).await?;
        Ok(look_at(request, reread.as_ref(), inputs, self.clock.now())
            .unwrap_or_else(|unreadable| Look::Missing(Some(unreadable))))
    }

    /// Returns the customer's table with the parts for the products asked, and the time after the read.
    /// Returns `None` if no table is usable.
    pub(super) async fn find(
        &self,
        asked: PriceRequest<'_>,
        now: Timestamp,
    ) -> Result<(Option<UsableTable<CustomerTable>>, Timestamp), PortError> {
        let inputs = self.inputs(&[asked], now).await?;
        let shared_version = inputs.shared_version;
        Ok(self.to_show(inputs.into_table(asked.user), shared_version))
    }

    /// Like [`Self::find`], but reads again: the table was replaced during the read, or an edge has passed.
    pub(super) async fn find_again(
        &self,
        asked: PriceRequest<'_>,
        now: Timestamp,
    ) -> Result<(Option<UsableTable<CustomerTable>>, Timestamp), PortError> {
        let table = CustomerTable::reread(self.sources(), asked, now).await?;
        Ok(self.to_show(table, self.in_force.version().await?))
    }

    /// Decides whether a table is usable at the time after the read. Prices that are only shown have no
    /// second attempt, so an empty table is shown unless it is stale.
    fn to_show(
        &self,
        table: Option<CustomerTable>,
        shared_version: u64,
    ) -> (Option<UsableTable<CustomerTable>>, Timestamp) {
        let now = self.clock.now();
        let usable = UsableTable::of(table, shared_version, now);
        (usable.filter(|found| !(found.is_empty() && found.is_stale)), now)
    }

    fn sources(&self) -> Sources<'_> {
        let Self { tables, bases, own, work, .. } = self;
        Sources { tables: &**tables, bases, own, work }
    }

    /// Orders the calculation of a table that is stale, once for each version of its head; `stale` is that
    /// version. The order goes to the Refresh Queue, behind all cold quotes, because the quote is already
    /// answered. A failure is only logged, because the next quote tries again.
    pub(super) async fn order_stale(
        &self,
        stage: Stage,
        user: &UserId,
        stale: Option<u64>,
    ) -> SeenTo {
        let Some(version) = stale else { return SeenTo::Fresh };
        if !self.stale_orders.claim(user, version) {
            return SeenTo::Ordered;
        }
        let calculation = Calculation { user: user.clone(), cause: Cause::Stale { version } };
        let order = send(&*self.queues, Queue::Refresh, &calculation);
        // Few quotes come here. In a box, so that the future of the others stays small.
        let ordered = Box::pin(Scope::new(stage, Reason::Urgent).of(order)).await;
        match ordered {
            Ok(()) => SeenTo::Ordered,
            Err(error) => {
                self.stale_orders.forget(user);
                warn!(error = %Chain(&error), "a stale table was not ordered again");
                SeenTo::Nothing
            }
        }
    }

    /// Orders the first calculation of a new or returned customer, if the visit's quote needs none but the
    /// visit does. A fresh table needs one if a load came into force since it was checked: loads order only
    /// the tables of active customers.
    pub(super) async fn follow_visit(
        &self,
        user: &UserId,
        visit: Option<Subscribed>,
        seen_to: SeenTo,
    ) {
        let Some(visit) = visit.filter(|visit| visit.visit != Visit::Known) else { return };
        // Few visits come here, hence the boxes.
        let is_needed = match seen_to {
            SeenTo::Nothing => true,
            SeenTo::Fresh => {
                let scope = Scope::new(Stage::Subscribe, Reason::Quote);
                let is_outdated = Box::pin(scope.of(self.is_outdated(user)));
                is_outdated.await.unwrap_or_else(|error| {
                    warn!(%user, error = %Chain(&error), "the table of a new customer was not checked");
                    false
                })
            }
            SeenTo::Ordered => false,
        };
        if is_needed {
            Box::pin(order_unless_known(&*self.queues, user, visit)).await;
        }
    }

    /// Whether a customer's table is usable, but from before the last load.
    async fn is_outdated(&self, user: &UserId) -> Result<bool, PortError> {
        let users = slice::from_ref(user);
        let (heads, versions) = match self.tables.heads_with_catalogue(users).await? {
            Some((heads, catalogue)) => (heads, Versions::of(&catalogue)),
            None => try_join(self.tables.table_heads(users), self.in_force.versions()).await?,
        };
        let now = self.clock.now();
        let is_outdated =
            |head: &TableHead| head.is_usable(now) && head.catalogue_version < versions.all;
        Ok(heads.first().is_some_and(|(_, head)| is_outdated(head)))
    }
}

impl Look {
    const fn failure(reason: FailureReason, stale: Option<u64>) -> Self {
        Self::Verdict(Verdict::Failure(reason), stale)
    }
}

/// Answers a request from a table. Returns the table's generation if a part is missing.
fn look_at(
    request: &QuotationRequest,
    table: Option<&CustomerTable>,
    inputs: &QuoteInputs,
    now: Timestamp,
) -> Result<Look, Generation> {
    let Some(usable) = UsableTable::of(table, inputs.shared_version, now) else {
        return Ok(Look::Missing(None));
    };
    if usable.is_empty() {
        // On the first attempt the table is calculated. The next attempt uses the result of that.
        return Ok(match request.attempt {
            0 => Look::Missing(None),
            _ => Look::failure(FailureReason::EmptyCatalogue, None),
        });
    }
    let UsableTable { table, is_stale } = usable;
    let Some(prices) = table.prices(&request.items, now) else {
        return Err(table.head.generation.clone());
    };
    Ok(answer(request, &table.head, prices, (now, is_stale)))
}

fn answer(
    request: &QuotationRequest,
    head: &TableHead,
    prices: Vec<Priced<'_>>,
    (answered_at, is_stale): (Timestamp, bool),
) -> Look {
    let stale = is_stale.then_some(head.version);
    let priced = prices.iter().filter(|(found, _)| matches!(found, ItemPrice::Price(_)));
    let names: Vec<&str> = priced.map(|(_, name)| *name).collect();
    let mut found = prices.into_iter().map(|(found, _)| found);
    let price_of = |_: &_| found.next().unwrap_or(ItemPrice::Unavailable);
    let quoted = match quote(&request.items, head.rounding, price_of) {
        Ok(quoted) => quoted,
        Err(error) => {
            return Look::failure(FailureReason::TotalTooLarge(error.to_string()), stale);
        }
    };
    let lines =
        quoted.lines.into_iter().zip(names).map(|((item, entry, total), name)| AnswerLine {
            name: name.to_owned(),
            product: item.product,
            quantity: item.quantity,
            list_price: entry.list_price,
            discount: entry.discount,
            unit_price: entry.unit_price,
            total,
            rule: entry.rule,
            next_tier: entry.next_tier,
        });
    let answer = Answer {
        lines: lines.collect(),
        unavailable: quoted.unavailable,
        invalid: quoted.invalid,
        total: quoted.total,
        currency: head.currency,
        unit_decimals: head.rounding.unit_decimals,
        priced_at: head.priced_at,
        validated_at: head.validated_at,
        answered_at,
        stale: is_stale,
        generation: head.generation.clone(),
        catalogue_version: head.catalogue_version,
        pricing_version: head.pricing_version,
    };
    if !fits_one_message(&answer) {
        return Look::failure(FailureReason::AnswerTooLarge, stale);
    }
    Look::Verdict(Verdict::Answer(Box::new(answer)), stale)
}

#[cfg(test)]
mod tests;
