//! The price lists of each customer. All lists are kept in memory, without their rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::model::{CustomerGroup, Digest, DigestBuilder, Timestamp, UserId};
use crate::ports::{AtHead, CatalogueHead, PortError, PriceListStore, all_lists};
use crate::pricing::{Currency, Customer, PRICING_VERSION, PriceList, Rounding};

/// Reads the lists once for each version.
pub(super) struct TermsBooks {
    store: Arc<dyn PriceListStore>,
    kept: Mutex<Arc<TermsBook>>,
    /// Held while the lists are read, so that many tasks that find a new version read them once.
    reading: AsyncMutex<()>,
}

/// The price lists of one version.
#[derive(Default)]
pub(super) struct TermsBook {
    version: u64,
    lists: Vec<Arc<PriceList>>,
    for_everyone: Vec<usize>,
    by_group: HashMap<CustomerGroup, Vec<usize>>,
    by_user: HashMap<UserId, Vec<usize>>,
}

/// The price lists of a customer at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    /// The lists that are priced once for all customers who have the same ones.
    pub(super) shared: Vec<Arc<PriceList>>,
    /// The lists that are priced with each customer.
    pub(super) individual: Vec<Arc<PriceList>>,
    /// The next edge of one of the customer's lists.
    pub(super) until: Option<Timestamp>,
}

impl TermsBooks {
    pub(super) fn new(store: Arc<dyn PriceListStore>) -> Self {
        Self { store, kept: Mutex::default(), reading: AsyncMutex::default() }
    }

    /// Returns the lists in force at a head.
    pub(super) async fn at(
        &self,
        head: &CatalogueHead,
    ) -> Result<AtHead<Arc<TermsBook>>, PortError> {
        if let Some(kept) = self.kept_at(head) {
            return Ok(AtHead::Read(kept));
        }
        let _reading = self.reading.lock().await;
        // Another task may have read them while this one waited for the lock.
        if let Some(kept) = self.kept_at(head) {
            return Ok(AtHead::Read(kept));
        }
        let AtHead::Read(lists) = all_lists(&*self.store, head).await? else {
            return Ok(AtHead::Moved);
        };
        let book = Arc::new(TermsBook::new(head.lists_version, lists));
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = book.clone();
        Ok(AtHead::Read(book))
    }

    fn kept_at(&self, head: &CatalogueHead) -> Option<Arc<TermsBook>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.version == head.lists_version).then(|| kept.clone())
    }
}

impl TermsBook {
    fn new(version: u64, mut lists: Vec<PriceList>) -> Self {
        lists.sort_by(|a, b| a.id.cmp(&b.id));
        let mut book = Self { version, ..Self::default() };
        for (place, list) in lists.into_iter().enumerate() {
            if list.recipients.everyone {
                book.for_everyone.push(place);
            }
            for group in &list.recipients.groups {
                book.by_group.entry(group.clone()).or_default().push(place);
            }
            for user in &list.recipients.users {
                book.by_user.entry(user.clone()).or_default().push(place);
            }
            book.lists.push(Arc::new(list));
        }
        book
    }

    /// Returns the price lists of a customer at a time.
    pub(super) fn terms_of(&self, customer: &Customer, currency: Currency, at: Timestamp) -> Terms {
        let groups = customer.groups.iter().filter_map(|group| self.by_group.get(group));
        let own = self.by_user.get(&customer.user);
        let given: BTreeSet<usize> = self
            .for_everyone
            .iter()
            .chain(groups.flatten())
            .chain(own.into_iter().flatten())
            .copied()
            .collect();
        let mut terms = Terms::default();
        for place in given {
            let list = &self.lists[place];
            if !list.is_for(currency) {
                continue;
            }
            let edge = list.next_edge(at);
            terms.until = terms.until.into_iter().chain(edge).min();
            if !list.is_in_force(at) {
                continue;
            }
            let lists =
                if list.is_individual() { &mut terms.individual } else { &mut terms.shared };
            lists.push(list.clone());
        }
        terms
    }
}

impl Terms {
    /// Returns the name of the shared lists' prices; `None` without shared lists.
    pub(super) fn digest(&self, currency: Currency, rounding: Rounding) -> Option<Digest> {
        if self.shared.is_empty() {
            return None;
        }
        let builder = DigestBuilder::new("terms")
            .number(u64::from(PRICING_VERSION))
            .part(currency.code().as_bytes())
            .number(u64::from(rounding == Rounding::HalfUp));
        // A list's revision changes whenever the list does.
        let add = |builder: DigestBuilder, list: &Arc<PriceList>| {
            builder.part(list.id.as_str().as_bytes()).number(list.revision)
        };
        Some(self.shared.iter().fold(builder, add).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::testing::price_list as list;
    use crate::pricing::Recipients;

    fn groups(names: &[&str]) -> BTreeSet<CustomerGroup> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn users(names: &[&str]) -> BTreeSet<UserId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn ids(lists: &[Arc<PriceList>]) -> Vec<&str> {
        lists.iter().map(|list| list.id.as_str()).collect()
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_customer_has_the_lists_of_everyone_of_their_groups_and_their_own() {
        let gold = Recipients { groups: groups(&["gold"]), ..Recipients::default() };
        let silver = Recipients { groups: groups(&["silver"]), ..Recipients::default() };
        let ann = Recipients { users: users(&["ann"]), ..Recipients::default() };
        let everyone = Recipients { everyone: true, ..Recipients::default() };
        let narrow = PriceList { is_wide: false, ..list("D", ann.clone()) };
        let lists =
            vec![list("E", everyone), list("G", gold), list("S", silver), list("A", ann), narrow];
        let book = TermsBook::new(1, lists);
        let unknown = |user: &str| Customer::unknown(user.parse().unwrap());
        let ann = Customer { groups: groups(&["gold", "north"]), ..unknown("ann") };
        let terms = book.terms_of(&ann, Currency::USD, at(0));
        assert_eq!(ids(&terms.shared), ["A", "E", "G"]);
        assert_eq!(ids(&terms.individual), ["D"]);
        let bob = book.terms_of(&unknown("bob"), Currency::USD, at(0));
        assert_eq!(ids(&bob.shared), ["E"]);
        assert_eq!(ids(&bob.individual), [""; 0]);
    }

    #[test]
    fn windows_and_currencies_decide_to_the_millisecond() {
        let everyone = || Recipients { everyone: true, ..Recipients::default() };
        let euro: Currency = "EUR".parse().unwrap();
        let windowed =
            PriceList { from: Some(at(10)), until: Some(at(20)), ..list("W", everyone()) };
        let foreign =
            PriceList { currency: Some(euro), until: Some(at(5)), ..list("F", everyone()) };
        let book = TermsBook::new(1, vec![windowed, foreign]);
        let ann = Customer::unknown("ann".parse().unwrap());
        let look = |millis| {
            let terms = book.terms_of(&ann, Currency::USD, Timestamp::from_millis(millis));
            (ids(&terms.shared).concat(), terms.until)
        };
        assert_eq!(look(0), (String::new(), Some(at(10))));
        assert_eq!(look(9_999), (String::new(), Some(at(10))));
        assert_eq!(look(10_000), ("W".to_owned(), Some(at(20))));
        assert_eq!(look(19_999), ("W".to_owned(), Some(at(20))));
        assert_eq!(look(20_000), (String::new(), None));
        let terms = book.terms_of(&ann, euro, at(0));
        assert_eq!((ids(&terms.shared).concat(), terms.until), ("F".to_owned(), Some(at(5))));
    }

    #[test]
    fn equal_terms_have_one_name_and_a_changed_list_another() {
        let everyone = || Recipients { everyone: true, ..Recipients::default() };
        let name_of = |lists: Vec<PriceList>| {
            let ann = Customer::unknown("ann".parse().unwrap());
            let terms = TermsBook::new(1, lists).terms_of(&ann, Currency::USD, at(0));
            terms.digest(Currency::USD, Rounding::HalfEven)
        };
        let two = || vec![list("A", everyone()), list("B", everyone())];
        let turned = || two().into_iter().rev().collect::<Vec<_>>();
        assert_eq!(name_of(two()), name_of(turned()));
        assert_ne!(name_of(two()), name_of(vec![list("A", everyone())]));
        let mut changed = two();
        changed[1].revision = 2;
        assert_ne!(name_of(two()), name_of(changed));
        assert_eq!(name_of(vec![]), None);
    }
}
