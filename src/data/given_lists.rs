//! Which price lists customers have now, and which they would have after a load.

use std::collections::HashMap;

use super::difference::Difference;
use super::planned::Planned;
use super::stored::{Halt, StoreAt, still};
use crate::model::{CustomerGroup, Timestamp, UserId};
use crate::ports::{RecordKind, pages};
use crate::pricing::{Currency, Customer, PriceList};

/// The price lists in force at one instant, found by recipient.
#[derive(Debug, Default)]
pub(super) struct GivenLists {
    lists: Vec<PriceList>,
    everyone: Vec<usize>,
    by_group: HashMap<CustomerGroup, Vec<usize>>,
    by_user: HashMap<UserId, Vec<usize>>,
}

impl GivenLists {
    /// Reads the lists before and after a load.
    pub(super) async fn read(
        at: StoreAt<'_>,
        difference: &Difference<'_>,
        now: Timestamp,
    ) -> Result<(Self, Self), Halt> {
        let (mut before, mut after) = (Self::default(), Self::default());
        let mut pages = pages(|from| at.store.list_price_lists(at.head, from));
        while let Some(page) = pages.next().await? {
            for list in still(page)? {
                if difference.find(RecordKind::PriceList, list.id.as_str(), None).is_none() {
                    after.add(&list, now);
                }
                before.add(&list, now);
            }
        }
        for planned in difference.planned() {
            if let Planned::List(list) = planned {
                after.add(list, now);
            }
        }
        Ok((before, after))
    }

    fn add(&mut self, list: &PriceList, now: Timestamp) {
        if !list.is_in_force(now) {
            return;
        }
        let place = self.lists.len();
        if list.recipients.everyone {
            self.everyone.push(place);
        }
        for group in &list.recipients.groups {
            self.by_group.entry(group.clone()).or_default().push(place);
        }
        for user in &list.recipients.users {
            self.by_user.entry(user.clone()).or_default().push(place);
        }
        self.lists.push(list.clone());
    }

    /// Returns the places of the lists that a customer has when buying in a currency.
    pub(super) fn of(&self, customer: &Customer, currency: Currency) -> Vec<usize> {
        let mut places = self.everyone.clone();
        let of_groups = customer.groups.iter().filter_map(|group| self.by_group.get(group));
        places.extend(of_groups.flatten());
        places.extend(self.by_user.get(&customer.user).into_iter().flatten());
        places.sort_unstable();
        places.dedup();
        places.retain(|place| self.lists[*place].is_for(currency));
        places
    }

    pub(super) fn get(&self, place: usize) -> &PriceList {
        &self.lists[place]
    }
}
