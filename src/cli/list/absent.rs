//! Finds out whether a name by which a list was filtered exists.

use std::collections::BTreeSet;

use crate::cli::engine::Engine;
use crate::cli::failure::{ExitCode, Failure, Result};
use crate::cli::known::{is_known, meant_products, nearest_user};
use crate::model::{ProductId, UserId, nearest};
use crate::ports::{Store, products_now};

/// The most names that are remembered for a suggestion.
const REMEMBERED: usize = 10_000;

/// The names of a kind that were met while a list was read, and the wanted one.
pub(super) struct NamesMet<'a> {
    wanted: Option<&'a str>,
    is_there: bool,
    others: BTreeSet<String>,
}

impl<'a> NamesMet<'a> {
    pub(super) const fn of(wanted: Option<&'a str>) -> Self {
        Self { wanted, is_there: false, others: BTreeSet::new() }
    }

    /// Notes a name. Returns whether it is the wanted one.
    pub(super) fn meets(&mut self, name: &str, is_wanted: bool) -> bool {
        self.is_there |= is_wanted;
        if self.wanted.is_some() && !self.is_there && self.others.len() < REMEMBERED {
            self.others.insert(name.to_owned());
        }
        is_wanted
    }

    /// Returns the failure if the wanted name was not met.
    pub(super) fn absent(&self, kind: &str, see: &str) -> Option<Failure> {
        let wanted = self.wanted.filter(|_| !self.is_there)?;
        let near = nearest(wanted, self.others.iter().map(String::as_str));
        Some(not_there(kind, wanted).suggest(near, see))
    }
}

fn not_there(kind: &str, name: &str) -> Failure {
    Failure::new(ExitCode::NotFound, format!("there is no {kind} `{name}`"))
}

/// Returns the failure if nothing is known of a customer.
pub(super) async fn customer(
    engine: &Engine,
    store: &dyn Store,
    user: Option<&UserId>,
) -> Result<Option<Failure>> {
    let Some(user) = user else { return Ok(None) };
    if is_known(store, user).await? {
        return Ok(None);
    }
    let near = nearest_user(engine, user).await;
    let see = "`ocache list customers` and `ocache status` list customers";
    Ok(Some(not_there("customer", user.as_str()).suggest(near, see)))
}

/// Returns the failure if there is no such product.
pub(super) async fn product(
    engine: &Engine,
    store: &dyn Store,
    id: Option<&ProductId>,
) -> Result<Option<Failure>> {
    let Some(id) = id else { return Ok(None) };
    if !products_now(store, std::slice::from_ref(id)).await?.is_empty() {
        return Ok(None);
    }
    let meant = meant_products(engine, &[id.as_str()]).await;
    let hint = meant.unwrap_or_else(|| "`ocache list products` lists them".to_owned());
    Ok(Some(not_there("product", id.as_str()).hint(hint)))
}
