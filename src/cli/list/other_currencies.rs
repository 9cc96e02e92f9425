//! Finds own prices in another currency than their customer's. A row of the files does not name a
//! currency, so such a price would be in the customer's currency once it is loaded again.

use std::collections::HashMap;

use crate::cli::output::Output;
use crate::model::UserId;
use crate::ports::{AtHead, CatalogueHead, PortError, Store};
use crate::pricing::{Currency, Customer};

/// The customers whose listed prices are in another currency than their own.
#[derive(Default)]
pub(super) struct OtherCurrencies {
    first: Option<Other>,
    customers: u64,
}

struct Other {
    user: UserId,
    /// The currency of the customer's own prices.
    stored: Currency,
    /// The currency of the customer.
    own: Currency,
}

impl OtherCurrencies {
    /// Compares the currencies of customers' own prices with those of the customers.
    pub(super) async fn compare(
        &mut self,
        store: &dyn Store,
        head: &CatalogueHead,
        stated: &[(UserId, Currency)],
    ) -> Result<AtHead<()>, PortError> {
        if stated.is_empty() {
            return Ok(AtHead::Read(()));
        }
        let users: Vec<UserId> = stated.iter().map(|(user, _)| user.clone()).collect();
        let AtHead::Read(customers) = store.customers(&users, head).await? else {
            return Ok(AtHead::Moved);
        };
        let customers: HashMap<UserId, Customer> =
            customers.into_iter().map(|customer| (customer.user.clone(), customer)).collect();
        for (user, stored) in stated {
            let own = customers.get(user).and_then(|customer| customer.currency);
            let own = own.unwrap_or(head.currency);
            if own != *stored {
                self.customers += 1;
                let other = || Other { user: user.clone(), stored: *stored, own };
                self.first.get_or_insert_with(other);
            }
        }
        Ok(AtHead::Read(()))
    }

    /// Prints the first of the customers, and how many more there are.
    pub(super) fn tell(&self, output: &Output) {
        let Some(Other { user, stored, own }) = &self.first else { return };
        let more = match self.customers - 1 {
            0 => String::new(),
            1 => "; 1 more customer has prices in another currency".to_owned(),
            more => format!("; {more} more customers have prices in another currency"),
        };
        output.note(&format!(
            "note: own prices of customer `{user}` are in {stored}, but the customer's currency is \
             {own}: loaded again, they would be in {own}{more}"
        ));
    }
}
