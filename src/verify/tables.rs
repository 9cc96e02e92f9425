//! Checks a table against its own head, and against the loaded data.

use std::sync::Arc;

use super::comparison::{Period, PriceDifference, TableComparison};
use super::customer::CustomerInputs;
use super::fingerprints::is_as_calculated;
use super::inputs::SharedInputs;
use super::price_lists::next_edge;
use super::stored_table::read_rows;
use super::{FindingKind, VerifyError};
use crate::model::{PriceListId, Timestamp, UserId};
use crate::ports::{BaseName, NextPrices, OwnStorage, Store, TableHead};
use crate::pricing::{Currency, PRICING_VERSION, PriceList};

/// How many times a head is read again if its parts are gone, because a refresh replaced them.
const MAX_READS: u32 = 3;

/// `None`, or what is wrong with a table or an answer.
pub(super) type CheckOutcome = Option<(FindingKind, String)>;

/// Checks the current table of a customer.
pub(super) async fn check(
    store: &dyn Store,
    user: &UserId,
    inputs: &SharedInputs,
) -> Result<CheckOutcome, VerifyError> {
    let mut verdict = None;
    for _ in 0..MAX_READS {
        let heads = store.table_heads(std::slice::from_ref(user)).await?;
        let Some((_, head)) = heads.into_iter().next() else { return Ok(None) };
        verdict = check_head(store, user, &head, inputs).await?;
        // An error in a table that was replaced while it was read may be in neither version.
        let now = store.table_heads(std::slice::from_ref(user)).await?;
        let is_same = now.first().is_some_and(|(_, now)| now.generation == head.generation);
        if verdict.is_none() || is_same {
            break;
        }
    }
    Ok(verdict)
}

async fn check_head(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    inputs: &SharedInputs,
) -> Result<CheckOutcome, VerifyError> {
    if head.pricing_version != PRICING_VERSION {
        let what = format!(
            "priced by rule version {}, this ocache has version {PRICING_VERSION}",
            head.pricing_version
        );
        return Ok(Some((FindingKind::OtherRules, what)));
    }
    // Read the inputs after the head, so that they are at least as new as those of the table.
    let customer = CustomerInputs::read(store, user, inputs).await?;
    let periods = Periods::of(head, inputs, &customer).await;
    let mut comparison = TableComparison::new(head, inputs, &customer, periods.to_compare());
    let read = read_rows(store, user, head, &mut |row| comparison.add(&row)).await?;
    if let Err(why) = read {
        return Ok(wrong(why));
    }
    let compared = comparison.finish();
    if let Some(why) = compared.contradiction {
        return Ok(wrong(why));
    }
    let difference = compared.difference.or_else(|| periods.wrong_edge(head));
    let Some(difference) = difference else {
        periods.are_known(inputs).await;
        return Ok((head.catalogue_version > inputs.head.version).then(|| {
            let (is, of) = (inputs.head.version, head.catalogue_version);
            (
                FindingKind::Wrong,
                format!("it is of catalogue version {of}, and the last one is {is}"),
            )
        }));
    };
    // A base is of one version, and each version has one state of the products.
    let is_of_base = difference.is_of_base && head.base_version >= inputs.head.base_version;
    let difference = difference.what;
    if is_of_base || !may_be_outdated(store, user, head, &customer).await? {
        return Ok(wrong(difference));
    }
    // The table is what was calculated. If its version is current it is wrong, because each version has
    // one state.
    Ok(match head.catalogue_version >= inputs.head.version {
        true => wrong(format!("{difference}, in the same catalogue version")),
        false => Some((FindingKind::Outdated, difference)),
    })
}

/// Whether older inputs may explain a table. For a table without price lists, its fingerprint decides.
/// They may explain any other table, because the inputs of its ladders and windows no longer exist.
async fn may_be_outdated(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    customer: &CustomerInputs,
) -> Result<bool, VerifyError> {
    let has_ladders =
        head.periods().any(|prices| prices.terms.is_some() || !is_empty(&prices.ladders));
    let ends = !head.next.is_empty() || head.valid_until.is_some();
    if has_ladders || ends || !customer.is_plain() {
        return Ok(true);
    }
    is_as_calculated(store, user, head, &customer.discounts).await
}

fn is_empty(own: &OwnStorage) -> bool {
    matches!(own, OwnStorage::Inline(rows) if rows.is_empty())
}

/// The periods between the edges of the price lists with which a table was made.
struct Periods {
    all: Vec<OnePeriod>,
    lists: Vec<Arc<PriceList>>,
    currency: Currency,
}

struct OnePeriod {
    at: Timestamp,
    /// The key of the period's terms: their name, and the lists in them.
    terms: Option<(BaseName, Vec<PriceListId>)>,
    is_known: bool,
}

impl Periods {
    async fn of(head: &TableHead, inputs: &SharedInputs, customer: &CustomerInputs) -> Self {
        let lists = customer.lists();
        let starts =
            std::iter::once(in_first_period(head)).chain(head.next.iter().map(|next| next.from));
        let known = inputs.known_terms.lock().await;
        let all = starts.zip(head.periods()).map(|(at, prices)| {
            let counts = |list: &&Arc<PriceList>| {
                !list.is_individual() && list.is_for(head.currency) && list.is_in_force(at)
            };
            let ids = || lists.iter().filter(counts).map(|list| list.id.clone()).collect();
            let terms = head.base_of(prices).map(|name| (name, ids()));
            let is_known = terms.as_ref().is_some_and(|terms| known.contains(terms));
            OnePeriod { at, terms, is_known }
        });
        let all = all.collect();
        Self { all, lists, currency: head.currency }
    }

    fn to_compare(&self) -> Vec<Period> {
        let period = |one: &OnePeriod| Period { at: one.at, knows_terms: one.is_known };
        self.all.iter().map(period).collect()
    }

    /// Returns what is wrong with the times at which the table says that its prices change, if anything
    /// is.
    fn wrong_edge(&self, head: &TableHead) -> Option<PriceDifference> {
        let says = head.next.iter().map(|next| Some(next.from)).chain([head.valid_until]);
        for (period, says) in self.all.iter().zip(says) {
            let is = next_edge(&self.lists, self.currency, period.at);
            if is != says {
                let shown = |at: Option<Timestamp>| {
                    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
                };
                let (is, says, at) = (shown(is), shown(says), period.at);
                let what = format!(
                    "the next price list begins or ends after {at}: {is}; the table says {says}"
                );
                return Some(PriceDifference { what, is_of_base: false });
            }
        }
        let is_late = head.valid_until.is_some_and(|until| head.usable_until > until);
        is_late.then(|| {
            let what = "it is usable after a price list begins or ends".to_owned();
            PriceDifference { what, is_of_base: false }
        })
    }

    /// Remembers that the ladders of these terms match the lists, so that they are not compared again.
    async fn are_known(&self, inputs: &SharedInputs) {
        let terms = self.all.iter().filter_map(|one| one.terms.clone());
        inputs.known_terms.lock().await.extend(terms);
    }
}

/// Returns an instant in the first period of a table. A table may be validated after its next prices came
/// into force, and it has the first ones all the same.
fn in_first_period(head: &TableHead) -> Timestamp {
    let last = |next: &NextPrices| Timestamp::from_millis(next.from.millis() - 1);
    head.next.first().map_or(head.validated_at, |next| head.validated_at.min(last(next)))
}

fn wrong(what: String) -> CheckOutcome {
    Some((FindingKind::Wrong, what))
}
