//! What was promised to clients, and what they have heard.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ocache::protocol::QuotationFrame;

use super::prices;

/// One quotation, from its client's side.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub user: String,
    /// Products by number, and how many of each.
    pub items: Vec<(u64, u64)>,
    /// How often the client has asked: each may be replied to once.
    pub asked: u64,
    pub accepted: bool,
    /// Every answer or failure that came.
    pub heard: Vec<QuotationFrame>,
}

/// Everything of one run. Clones share it.
#[derive(Clone, Default)]
pub struct Account(Arc<Mutex<BTreeMap<String, Entry>>>);

impl Account {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self, request_id: &str, user: &str, items: &[(u64, u64)]) {
        let entry = Entry { user: user.to_owned(), items: items.to_vec(), ..Entry::default() };
        self.entries().insert(request_id.to_owned(), entry);
    }

    pub fn asked(&self, request_id: &str) {
        self.entries().entry(request_id.to_owned()).or_default().asked += 1;
    }

    pub fn accepted(&self, request_id: &str) {
        self.entries().entry(request_id.to_owned()).or_default().accepted = true;
    }

    /// Notes an answer or a failure.
    pub fn heard(&self, frame: &QuotationFrame) {
        let mut entries = self.entries();
        entries.entry(frame.request_id.clone()).or_default().heard.push(frame.clone());
    }

    pub fn has_ended(&self, request_id: &str) -> bool {
        self.entries().get(request_id).is_some_and(|entry| !entry.heard.is_empty())
    }

    /// How many were asked and have not ended yet.
    pub fn open(&self) -> u64 {
        self.entries().values().filter(|entry| entry.asked > 0 && entry.heard.is_empty()).count()
            as u64
    }

    pub fn all(&self) -> BTreeMap<String, Entry> {
        self.entries().clone()
    }
}

impl Entry {
    /// How often the client heard what it had not asked for again.
    pub fn pushed_twice(&self) -> u64 {
        (self.heard.len() as u64).saturating_sub(self.asked)
    }

    /// The one outcome that the client was told.
    pub fn outcome(&self) -> Result<&QuotationFrame, String> {
        let first = self.heard.first().ok_or("the client was told nothing")?;
        // Whether prices were stale is said as of the time of telling.
        let said = |frame: &QuotationFrame| QuotationFrame { stale: false, ..frame.clone() };
        match self.heard.iter().find(|other| said(other) != said(first)) {
            Some(other) => Err(format!("the client was told {first:?} and then {other:?}")),
            None => Ok(first),
        }
    }

    /// The catalogue that the answer is of; `None` for a failure with a reason.
    pub fn catalogue(&self) -> Result<Option<u64>, String> {
        let outcome = self.outcome()?;
        match (outcome.status.as_str(), &outcome.reason) {
            ("answered", None) => prices::catalogue_of(&self.user, &self.items, outcome).map(Some),
            ("failed", Some(_)) => Ok(None),
            _ => Err(format!("neither answered nor failed by name: {outcome:?}")),
        }
    }
}
