//! Limits how many whole tables are streamed at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::model::UserId;
use crate::supervisor::lock;

/// The most tables that are streamed at once. Each is as much work as thousands of quotes.
const MOST: usize = 8;
/// The most that are of one customer. Otherwise one customer who reads slowly could take all places.
const MOST_OF_A_CUSTOMER: usize = 2;

/// The streams under way, by customer.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<HashMap<UserId, usize>>);

/// A place that a stream has until it ends.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    user: UserId,
}

impl Streams {
    /// Takes a place for a customer's table, if one is free.
    pub(super) fn take(self: &Arc<Self>, user: &UserId) -> Option<Place> {
        let mut streams = lock(&self.0);
        let of_customer = streams.get(user).copied().unwrap_or_default();
        if of_customer >= MOST_OF_A_CUSTOMER || streams.values().sum::<usize>() >= MOST {
            return None;
        }
        streams.insert(user.clone(), of_customer + 1);
        Some(Place { streams: self.clone(), user: user.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = lock(&self.streams.0);
        match streams.get_mut(&self.user) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(streams.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_customer_takes_the_places_of_the_others() {
        let streams = Arc::new(Streams::default());
        let user = |number: usize| format!("U{number}").parse().unwrap();
        let take = |number| streams.take(&user(number));
        let mut slow = vec![take(0).unwrap(), take(0).unwrap()];
        assert!(take(0).is_none());
        let others: Vec<_> = (1..=6).map(|number| take(number).unwrap()).collect();
        assert!(take(7).is_none(), "all places are taken");
        slow.pop();
        assert!(take(7).is_some());
        assert!(take(0).is_some());
        drop((slow, others));
        assert!(lock(&streams.0).is_empty());
    }
}
