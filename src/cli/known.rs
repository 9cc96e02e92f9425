//! The customers and products that a store knows, for completion and for suggestions.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use clap_complete::engine::CompletionCandidate;

use super::args::{Backend, Global};
use super::engine::Engine;
use super::parse::{typed, without_empty_variables};
use super::settings::Settings;
use crate::embedded::Embedded;
use crate::memory::MemoryConnections;
use crate::model::{ProductId, UserId, nearest};
use crate::ports::{
    AtHead, CatalogueHead, PortError, Ports, Segment, Store, SystemClock, SystemRandomness,
    all_lists, at_head, discounts_now, first_customers, first_discounted_users, first_products,
    pages, products_now,
};

/// The most rows of a kind that are read, so that the answer is quick on a large store.
const LOOKED_AT: usize = 50_000;
/// The characters by which shells split or change a word.
const SPECIAL: &str = r#"|&;<>()$`\"'*?[]{}!~#"#;
/// The most completions that are offered. A person does not read more.
const OFFERED: usize = 200;

/// Returns the known customer whose id is similar to this one. Returns `None` if the customer exists,
/// however similar another one is.
pub(super) async fn nearest_user(engine: &Engine, user: &UserId) -> Option<String> {
    let store = looked_at(engine)?.store;
    if is_known(&*store, user).await.unwrap_or(true) {
        return None;
    }
    let known = users(&*store).await.unwrap_or_default();
    nearest(user.as_str(), known.iter().map(String::as_str)).map(str::to_owned)
}

/// Whether a store knows a customer: from loaded data, a visit, or a table.
pub(super) async fn is_known(store: &dyn Store, user: &UserId) -> Result<bool, PortError> {
    let one = std::slice::from_ref(user);
    Ok(!discounts_now(store, one).await?.is_empty()
        || store.active_user(user).await?.is_some()
        || !store.table_heads(one).await?.is_empty()
        || is_loaded(store, user).await?)
}

/// Whether a customer has a currency or groups, or receives a price list.
async fn is_loaded(store: &dyn Store, user: &UserId) -> Result<bool, PortError> {
    let read = |head: CatalogueHead| async move {
        let AtHead::Read(customers) = store.customers(std::slice::from_ref(user), &head).await?
        else {
            return Ok(AtHead::Moved);
        };
        if !customers.is_empty() {
            return Ok(AtHead::Read(true));
        }
        let AtHead::Read(lists) = all_lists(store, &head).await? else {
            return Ok(AtHead::Moved);
        };
        Ok(AtHead::Read(lists.iter().any(|list| list.recipients.users.contains(user))))
    };
    at_head(store, |head| Box::pin(read(head))).await
}

/// Returns a question that names the products similar to the given ids. Ids of existing products are left
/// out.
pub(super) async fn meant_products(engine: &Engine, ids: &[&str]) -> Option<String> {
    let store = looked_at(engine)?.store;
    let asked: Vec<ProductId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let existing = products_now(&*store, &asked).await.ok()?;
    let is_missing = |id: &&&str| existing.iter().all(|product| product.id.as_str() != **id);
    let ids: Vec<&str> = ids.iter().filter(is_missing).copied().collect();
    let known = products(&*store).await.unwrap_or_default();
    let near: Vec<&str> =
        ids.iter().filter_map(|id| nearest(id, known.iter().map(ProductId::as_str))).collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")))
}

/// Returns the ports if the store is on this machine. On AWS, reading for a hint would take long and be
/// billed.
fn looked_at(engine: &Engine) -> Option<Ports> {
    engine.file().map(|_| engine.ports(None))
}

async fn users(store: &dyn Store) -> Result<BTreeSet<String>, PortError> {
    let first = first_discounted_users(store, LOOKED_AT).await?;
    let mut known: BTreeSet<String> = first.rows.into_iter().map(String::from).collect();
    let first = first_customers(store, LOOKED_AT).await?;
    known.extend(first.rows.into_iter().map(|customer| String::from(customer.user)));
    let mut pages = pages(|from| store.list_active_users(Segment::ALL, Default::default(), from));
    while let Some(page) = pages.next().await? {
        known.extend(page.into_iter().map(|active| String::from(active.user)));
        if known.len() >= 3 * LOOKED_AT {
            break;
        }
    }
    Ok(known)
}

async fn products(store: &dyn Store) -> Result<Vec<ProductId>, PortError> {
    let first = first_products(store, LOOKED_AT).await?;
    Ok(first.rows.into_iter().map(|product| product.id).collect())
}

/// Completes a customer.
pub(super) fn complete_user(current: &OsStr) -> Vec<CompletionCandidate> {
    offer(current, async |store| users(store).await.map(|users| users.into_iter().collect()))
}

/// Completes a product, or the product of `P1:2`.
pub(super) fn complete_product(current: &OsStr) -> Vec<CompletionCandidate> {
    offer(current, async |store| {
        products(store).await.map(|ids| ids.into_iter().map(String::from).collect())
    })
}

/// Offers the ids that begin with the word so far. On any error nothing is offered, because an error
/// message would be printed into the line that is being typed.
fn offer(
    current: &OsStr,
    known: impl AsyncFnOnce(&dyn Store) -> Result<Vec<String>, PortError>,
) -> Vec<CompletionCandidate> {
    let Some(begun) = current.to_str() else { return vec![] };
    let found = || {
        let settings = settings()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async {
            let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
            let embedded =
                Embedded::open(&settings.data_dir, clock, randomness, &settings.supervisor).ok()?;
            let ports = embedded.ports(Arc::new(MemoryConnections::default()));
            let known = known(&*ports.store).await.ok();
            embedded.close().await;
            known
        })
    };
    let known: Vec<String> = found().unwrap_or_default();
    // Shells insert a completion as it is, and would then read an id with a space as two.
    let is_split = |letter: char| letter.is_whitespace() || SPECIAL.contains(letter);
    let is_one_word = |id: &String| !id.contains(is_split);
    let fitting = known.into_iter().filter(|id| id.starts_with(begun) && is_one_word(id));
    let fitting = fitting.take(OFFERED);
    fitting.map(CompletionCandidate::new).collect()
}

/// Returns the settings of the line that is being typed, if its store is a file that exists. AWS would
/// take too long to answer, and completion must not create a store.
fn settings() -> Option<Settings> {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        global: Global,
    }
    let words: Vec<_> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let flags = ["--data-dir", "--stack", "--backend", "--profile", "--region", "--endpoint-url"];
    let mut line = vec!["ocache".into()];
    for flag in flags {
        if let Some(value) = typed(&words, flag) {
            line.extend([flag.into(), value]);
        }
    }
    let matches = without_empty_variables(Line::command()).try_get_matches_from(line).ok()?;
    let settings = Settings::new(&Line::from_arg_matches(&matches).ok()?.global).ok()?;
    let there = settings.backend == Backend::Embedded && Embedded::is_in(&settings.data_dir);
    there.then_some(settings)
}
