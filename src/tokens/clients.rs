//! The customers that a token is for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::UserId;

/// The text of the claim that means every customer.
const EVERY: &str = "*";

/// The customers that a connection may quote for and subscribe.
///
/// As a claim, this is a list of customer ids, or the text `"*"`. In a list, `*` is the id of a customer. So
/// no customer id can be mistaken for all customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Claim", into = "Claim")]
pub enum Clients {
    /// Every customer, for back ends that are trusted with all prices.
    Every,
    /// These customers.
    Named(BTreeSet<UserId>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Claim {
    Word(String),
    List(BTreeSet<UserId>),
}

impl Clients {
    /// No customer, for a connection without any rights to quote.
    #[must_use]
    pub const fn nobody() -> Self {
        Self::Named(BTreeSet::new())
    }

    /// Reads a claim that is not ocache's own: a text is one customer, a list several. It can never mean
    /// every customer, because an identity provider may let users choose the value of such a claim.
    pub(super) fn of_foreign_claim(claim: &Value) -> Option<Self> {
        match Claim::deserialize(claim).ok()? {
            Claim::Word(user) => UserId::new(user).ok().map(|user| Self::from_iter([user])),
            Claim::List(users) => Some(Self::Named(users)),
        }
    }

    /// Whether a customer is among them.
    #[must_use]
    pub fn cover(&self, user: &UserId) -> bool {
        match self {
            Self::Every => true,
            Self::Named(users) => users.contains(user),
        }
    }
}

impl FromIterator<UserId> for Clients {
    fn from_iter<T: IntoIterator<Item = UserId>>(users: T) -> Self {
        Self::Named(users.into_iter().collect())
    }
}

impl TryFrom<Claim> for Clients {
    type Error = &'static str;

    fn try_from(claim: Claim) -> Result<Self, Self::Error> {
        match claim {
            Claim::Word(word) if word == EVERY => Ok(Self::Every),
            Claim::Word(_) => Err("the clients are a list, or \"*\""),
            Claim::List(users) => Ok(Self::Named(users)),
        }
    }
}

impl From<Clients> for Claim {
    fn from(clients: Clients) -> Self {
        match clients {
            Clients::Every => Self::Word(EVERY.to_owned()),
            Clients::Named(users) => Self::List(users),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Clients> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn a_list_names_users_and_a_star_all_of_them() {
        let [ann, star] = ["ann", "*"].map(|user| UserId::new(user).unwrap());
        let every = read(r#""*""#).unwrap();
        assert!(every.cover(&ann) && every.cover(&star));
        let named = read(r#"["ann","bob","ann"]"#).unwrap();
        assert!(named.cover(&ann) && !named.cover(&star));
        let only_star = read(r#"["*"]"#).unwrap();
        assert!(only_star.cover(&star) && !only_star.cover(&ann));
        assert!(!Clients::nobody().cover(&ann));
        for clients in [every, named, only_star, Clients::nobody()] {
            assert_eq!(read(&serde_json::to_string(&clients).unwrap()), Some(clients));
        }
        for bad in [r#""ann""#, r#"[""]"#, "null", "{}", "[1]", "true", r#"["a\nb"]"#] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_foreign_claim_names_users_and_never_all_of_them() {
        let of = |json: &str| Clients::of_foreign_claim(&serde_json::from_str(json).unwrap());
        let [ann, star] = ["ann", "*"].map(|user| UserId::new(user).unwrap());
        assert_eq!(of(r#""ann""#), Some(Clients::from_iter([ann.clone()])));
        assert_eq!(of(r#"["ann","*"]"#), Some(Clients::from_iter([ann, star.clone()])));
        assert_eq!(of(r#""*""#), Some(Clients::from_iter([star])));
        for bad in [r#""""#, r#"[""]"#, "null", "{}", "7", "[7]", "true"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
