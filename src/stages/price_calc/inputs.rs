//! The inputs of calculations, read for a whole batch at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;

use super::super::StageError;
use super::super::base_maker::{AsOf, Current};
use super::super::made_bases::MakeBaseError;
use super::super::terms_book::{Terms, TermsBook};
use super::super::terms_maker::Wanted;
use super::{MAX_TRIES, PriceCalc, as_of, unreadable};
use crate::model::{Calculation, Digest, DigestBuilder, Generation, Timestamp, UserId};
use crate::ports::{AtHead, BaseName, CatalogueHead, StoredBase, TableHead, UserDiscounts};
use crate::pricing::{
    Currency, Customer, Discounts, ListRows, OwnLadders, PRICING_VERSION, PriceList, fingerprint,
};

/// The inputs of one calculation. The head of the table is read first: if another process reads newer inputs
/// and replaces the head, our own write fails.
pub(super) struct CalculationInputs {
    pub(super) head: Option<TableHead>,
    /// The catalogue's head at which all other inputs were read.
    pub(super) at: CatalogueHead,
    /// The base in the currency of the customer.
    pub(super) base: Arc<StoredBase>,
    pub(super) currency: Currency,
    /// The customer's own inputs. `None` if the stored table is still right: no load came into force since it
    /// was calculated or validated, and no price list begins or ends soon.
    pub(super) own: Option<Arc<OwnInputs>>,
    /// The earliest expiry of the terms' bases that the table names or will name.
    pub(super) terms_expire_at: Option<Timestamp>,
}

/// The inputs that decide one customer's prices beside the base.
pub(super) struct OwnInputs {
    pub(super) discounts: Discounts,
    pub(super) ladders: OwnLadders,
    /// The terms that are in force now.
    pub(super) now: TermsInputs,
    /// The terms after each edge that is soon, with the time of the edge.
    pub(super) next: Vec<(Timestamp, TermsInputs)>,
    /// When the last of these terms end.
    pub(super) valid_until: Option<Timestamp>,
}

/// The terms of a customer, with the data that they are priced from.
#[derive(Default)]
pub(super) struct TermsInputs {
    /// The base of the price lists that are shared with other customers.
    pub(super) shared: Option<(BaseName, Arc<StoredBase>)>,
    /// The price lists that are priced with the customer alone, with their rows.
    pub(super) individual: Vec<(Arc<PriceList>, Arc<ListRows>)>,
}

/// How many edges are prepared ahead at most. If more of them fall within two intervals, quotes after the
/// last one are cold.
const MAX_AHEAD: usize = 8;

/// The inputs of some customers, read at one head of the catalogue. If the inputs of one customer cannot be
/// read or made, only that customer has an error.
pub(super) type InputsByUser = BTreeMap<UserId, Result<Arc<CalculationInputs>, StageError>>;

/// The data that is read once for all customers of a batch.
struct BatchInputs {
    at: CatalogueHead,
    /// The base in the currency of the catalogue.
    base: Arc<StoredBase>,
    now: Timestamp,
    keep_until: Timestamp,
}

/// A customer's currency and own inputs.
type OwnInCurrency = (Currency, OwnInputs);

impl PriceCalc {
    /// Reads the inputs of a whole batch: first the heads of the tables, then the catalogue's head, then all
    /// other data as of that head.
    pub(super) async fn inputs(
        &self,
        users: &[UserId],
        unreadable: &BTreeSet<&Generation>,
        as_of: AsOf,
        sent_at: Timestamp,
    ) -> Result<InputsByUser, StageError> {
        for _ in 0..MAX_TRIES {
            let inputs = self.try_inputs(users, unreadable, as_of, self.now(sent_at)).await?;
            if let AtHead::Read(inputs) = inputs {
                return Ok(inputs);
            }
            self.bases.forget_head();
        }
        Err(StageError::Base(MakeBaseError::Unsettled))
    }

    async fn try_inputs(
        &self,
        users: &[UserId],
        unreadable: &BTreeSet<&Generation>,
        as_of: AsOf,
        now: Timestamp,
    ) -> Result<AtHead<InputsByUser>, StageError> {
        let heads = self.tables.table_heads(users).await?;
        let heads: BTreeMap<UserId, TableHead> = heads.into_iter().collect();
        // It is unknown which part could not be read, one of the table's own or one of a base. So all bases
        // that the table names are made again.
        let in_doubt = heads.values().filter(|head| unreadable.contains(&head.generation));
        self.bases.doubt(in_doubt.flat_map(TableHead::bases));
        let keep_until = now.plus(self.policy.now().keep_tables());
        let Current { head: at, base } = self.bases.current_as_of(as_of, keep_until).await?;
        let shared = BatchInputs { at, base, now, keep_until };
        let mut unchanged: BTreeMap<&UserId, Result<Option<Timestamp>, StageError>> =
            BTreeMap::new();
        for (user, head) in &heads {
            if !self.is_unchanged(head, &shared, unreadable) {
                continue;
            }
            if let Some(again) = self.terms_again(head, &shared).await.transpose() {
                unchanged.insert(user, again);
            }
        }
        let changed: Vec<UserId> =
            users.iter().filter(|user| !unchanged.contains_key(user)).cloned().collect();
        let AtHead::Read(mut own) = self.own_inputs(&changed, &shared).await? else {
            return Ok(AtHead::Moved);
        };
        let mut inputs = InputsByUser::new();
        for user in users {
            let head = heads.get(user);
            let found = match (own.remove(user), unchanged.remove(user), head) {
                (Some(own), ..) => own
                    .map(|(currency, own)| (currency, own.terms_expire_at(), Some(Arc::new(own)))),
                (None, Some(terms), Some(head)) => terms.map(|terms| (head.currency, terms, None)),
                _ => continue,
            };
            let of_user = match found {
                Err(error) => Err(error),
                Ok((currency, terms_expire_at, own)) => {
                    match self.base_in(currency, &shared).await {
                        Ok(AtHead::Moved) => return Ok(AtHead::Moved),
                        Err(error) => Err(error),
                        Ok(AtHead::Read(base)) => {
                            let (head, at) = (head.cloned(), shared.at.clone());
                            Ok(CalculationInputs { head, at, base, currency, own, terms_expire_at })
                        }
                    }
                }
            };
            match of_user {
                // The table is of a later load than our catalogue's head, which was read before that load.
                // The inputs of this customer are read again.
                Ok(inputs) if inputs.is_behind() => self.bases.forget_head(),
                of_user => drop(inputs.insert(user.clone(), of_user.map(Arc::new))),
            }
        }
        Ok(AtHead::Read(inputs))
    }

    pub(super) async fn inputs_of(
        &self,
        order: &Calculation,
        sent_at: Timestamp,
    ) -> Result<Arc<CalculationInputs>, StageError> {
        let users = std::slice::from_ref(&order.user);
        let unreadable = unreadable(&order.cause).into_iter().collect();
        for _ in 0..MAX_TRIES {
            let as_of = as_of(&order.cause);
            let mut inputs = self.inputs(users, &unreadable, as_of, sent_at).await?;
            if let Some(inputs) = inputs.remove(&order.user) {
                return inputs;
            }
        }
        Err(StageError::Contended { tries: MAX_TRIES })
    }

    /// Whether nothing that a table depends on has changed or is about to. A table whose worker has a clock
    /// that is ahead counts as changed, because by that clock, lists may have ended that are still in force.
    fn is_unchanged(
        &self,
        head: &TableHead,
        shared: &BatchInputs,
        unreadable: &BTreeSet<&Generation>,
    ) -> bool {
        head.catalogue_version == shared.at.version
            && head.pricing_version == PRICING_VERSION
            && !unreadable.contains(&head.generation)
            && !self.is_fading(head, shared.now)
            && head.validated_at <= shared.now
            && head.valid_until.is_none_or(|until| until > self.soon(shared.now))
    }

    /// Until when edges are prepared ahead. The schedule runs at least once more before that time.
    fn soon(&self, now: Timestamp) -> Timestamp {
        now.plus(self.policy.now().refresh_every * 2)
    }

    /// Extends the expiry of the terms' bases that a table names, and returns the earliest of them. Returns
    /// `None` if a base is missing.
    async fn terms_again(
        &self,
        head: &TableHead,
        shared: &BatchInputs,
    ) -> Result<Option<Option<Timestamp>>, StageError> {
        let mut first = None;
        for prices in head.periods() {
            let Some(name) = head.base_of(prices) else { continue };
            let again = self.terms.again(&name, shared.keep_until).await;
            let Some(base) = again.map_err(StageError::CustomerBase)? else { return Ok(None) };
            first = first.into_iter().chain([base.expires_at]).min();
        }
        Ok(Some(first))
    }

    async fn base_in(
        &self,
        currency: Currency,
        shared: &BatchInputs,
    ) -> Result<AtHead<Arc<StoredBase>>, StageError> {
        if currency == shared.at.currency {
            return Ok(AtHead::Read(shared.base.clone()));
        }
        let base = self.bases.base_in(currency, &shared.at, shared.keep_until).await;
        base.map_err(StageError::CustomerBase)
    }

    /// Reads each customer's currency and own inputs.
    async fn own_inputs(
        &self,
        users: &[UserId],
        shared: &BatchInputs,
    ) -> Result<AtHead<BTreeMap<UserId, Result<OwnInCurrency, StageError>>>, StageError> {
        if users.is_empty() {
            return Ok(AtHead::Read(BTreeMap::new()));
        }
        let AtHead::Read(lists) = self.store.discounts(users, &shared.at).await? else {
            return Ok(AtHead::Moved);
        };
        let customers = match shared.at.has_customers {
            true => self.store.customers(users, &shared.at).await?,
            false => AtHead::Read(vec![]),
        };
        let AtHead::Read(customers) = customers else { return Ok(AtHead::Moved) };
        let AtHead::Read(book) = self.books.at(&shared.at).await? else {
            return Ok(AtHead::Moved);
        };
        let mut lists: HashMap<UserId, UserDiscounts> =
            lists.into_iter().map(|list| (list.user.clone(), list)).collect();
        let mut customers: BTreeMap<UserId, Customer> =
            customers.into_iter().map(|customer| (customer.user.clone(), customer)).collect();
        let of_users = users.iter().map(|user| {
            let customer = customers.remove(user).unwrap_or(Customer::unknown(user.clone()));
            self.own_inputs_of(customer, lists.remove(user), &book, shared)
        });
        // The customers are handled side by side, so that none waits for another's price lists.
        let of_users = join_all(of_users).await;
        let mut inputs = BTreeMap::new();
        for (user, of_user) in users.iter().zip(of_users) {
            match of_user {
                Ok(AtHead::Moved) => return Ok(AtHead::Moved),
                Ok(AtHead::Read(own)) => drop(inputs.insert(user.clone(), Ok(own))),
                Err(error) => drop(inputs.insert(user.clone(), Err(error))),
            }
        }
        Ok(AtHead::Read(inputs))
    }

    async fn own_inputs_of(
        &self,
        customer: Customer,
        list: Option<UserDiscounts>,
        book: &TermsBook,
        shared: &BatchInputs,
    ) -> Result<AtHead<OwnInCurrency>, StageError> {
        let currency = customer.currency.unwrap_or(shared.at.currency);
        let (discounts, ladders) =
            list.map(|list| (list.discounts, list.ladders)).unwrap_or_default();
        let terms = book.terms_of(&customer, currency, shared.now);
        let mut edge = terms.until;
        let AtHead::Read(now) = self.terms_inputs(&terms, currency, shared).await? else {
            return Ok(AtHead::Moved);
        };
        let mut next = vec![];
        while let Some(from) = edge.filter(|edge| *edge <= self.soon(shared.now))
            && next.len() < MAX_AHEAD
        {
            let terms = book.terms_of(&customer, currency, from);
            edge = terms.until;
            match self.terms_inputs(&terms, currency, shared).await? {
                AtHead::Read(terms) => next.push((from, terms)),
                AtHead::Moved => return Ok(AtHead::Moved),
            }
        }
        let own = OwnInputs { discounts, ladders, now, next, valid_until: edge };
        Ok(AtHead::Read((currency, own)))
    }

    async fn terms_inputs(
        &self,
        terms: &Terms,
        currency: Currency,
        shared: &BatchInputs,
    ) -> Result<AtHead<TermsInputs>, StageError> {
        let AtHead::Read(rows) = self.lists.rows(&terms.individual, &shared.at).await? else {
            return Ok(AtHead::Moved);
        };
        let individual = terms.individual.iter().cloned().zip(rows).collect();
        let digest = terms.digest(currency, shared.at.rounding.rounding);
        let Some(digest) = digest else {
            return Ok(AtHead::Read(TermsInputs { shared: None, individual }));
        };
        let AtHead::Read(base) = self.base_in(currency, shared).await? else {
            return Ok(AtHead::Moved);
        };
        let version = shared.at.base_version;
        let name = BaseName { version, currency, terms: Some(digest) };
        let wanted = Wanted {
            name,
            base: &base,
            lists: &terms.shared,
            at: &shared.at,
            keep_until: shared.keep_until,
        };
        let made = self.terms.base(&wanted).await.map_err(StageError::CustomerBase)?;
        Ok(made.map(|made| TermsInputs { shared: Some((name, made)), individual }))
    }
}

impl CalculationInputs {
    fn is_behind(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.catalogue_version > self.at.version)
    }
}

impl OwnInputs {
    /// The current terms, then the next ones.
    pub(super) fn periods(&self) -> impl Iterator<Item = &TermsInputs> + Clone {
        std::iter::once(&self.now).chain(self.next.iter().map(|(_, next)| next))
    }

    /// The names of the bases of these terms.
    pub(super) fn bases(&self) -> impl Iterator<Item = BaseName> {
        self.periods().filter_map(|terms| terms.shared.as_ref().map(|(name, _)| *name))
    }

    /// The estimated number of rows to price.
    pub(super) fn size(&self) -> usize {
        self.discounts.len() + self.ladders.ladders.len()
    }

    /// The hash of these inputs. The same hash with the same base gives the same packed rows.
    pub(super) fn fingerprint(&self) -> Digest {
        let discounts = fingerprint(&self.discounts);
        let is_for_ever = self.next.is_empty() && self.valid_until.is_none();
        if self.ladders.is_empty() && self.now.is_plain() && is_for_ever {
            return discounts;
        }
        let builder = DigestBuilder::new("own prices").part(&discounts.bytes());
        let builder = builder.part(&self.ladders.pack().unwrap_or_default());
        let builder = self.now.add_to(builder);
        let millis = |time: Option<Timestamp>| time.map_or(0, |time| time.millis().cast_unsigned());
        let builder = builder.number(millis(self.valid_until));
        let add = |builder: DigestBuilder, (from, next): &(Timestamp, TermsInputs)| {
            next.add_to(builder.number(from.millis().cast_unsigned()))
        };
        self.next.iter().fold(builder, add).finish()
    }

    /// The earliest expiry of the bases of these terms.
    fn terms_expire_at(&self) -> Option<Timestamp> {
        self.periods().filter_map(|terms| Some(terms.shared.as_ref()?.1.expires_at)).min()
    }
}

impl TermsInputs {
    fn is_plain(&self) -> bool {
        self.shared.is_none() && self.individual.is_empty()
    }

    fn add_to(&self, builder: DigestBuilder) -> DigestBuilder {
        let terms = self.shared.as_ref().and_then(|(name, _)| name.terms);
        let builder = builder.part(&terms.map_or([0; 16], |terms| terms.bytes()));
        self.individual.iter().fold(builder, |builder, (list, _)| {
            builder.part(list.id.as_str().as_bytes()).number(list.revision)
        })
    }
}
