//! What clients were promised, and what they heard.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ocache::protocol::QuotationFrame;

use super::prices;

/// One quotation, from its client's side.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub user: String,
    /// The numbers of the products, and their quantities.
    pub items: Vec<(u64, u64)>,
    /// How often the client has asked. Each time may have one reply.
    pub asked: u64,
    pub accepted: bool,
    /// Every answer or failure that came.
    pub heard: Vec<QuotationFrame>,
}

/// All quotations of one run. Clones share them.
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

    /// Returns how many were asked and have not ended yet.
    pub fn open(&self) -> u64 {
        self.entries().values().filter(|entry| entry.asked > 0 && entry.heard.is_empty()).count()
            as u64
    }

    pub fn all(&self) -> BTreeMap<String, Entry> {
        self.entries().clone()
    }
}

impl Entry {
    /// Returns how often the client heard an outcome without asking again.
    pub fn pushed_twice(&self) -> u64 {
        (self.heard.len() as u64).saturating_sub(self.asked)
    }

    /// Returns the one outcome that the client heard.
    pub fn outcome(&self) -> Result<&QuotationFrame, String> {
        let first = self.heard.first().ok_or("the client was told nothing")?;
        // Whether prices are stale depends on when the outcome is told, so it is not compared.
        let said = |frame: &QuotationFrame| QuotationFrame { stale: false, ..frame.clone() };
        match self.heard.iter().find(|other| said(other) != said(first)) {
            Some(other) => Err(format!("the client was told {first:?} and then {other:?}")),
            None => Ok(first),
        }
    }

    /// Returns the catalogue of the answer, or `None` for a failure with a reason.
    pub fn catalogue(&self) -> Result<Option<u64>, String> {
        let outcome = self.outcome()?;
        match (outcome.status.as_str(), &outcome.reason) {
            ("answered", None) => prices::catalogue_of(&self.user, &self.items, outcome).map(Some),
            ("failed", Some(_)) => Ok(None),
            _ => Err(format!("neither answered nor failed by name: {outcome:?}")),
        }
    }
}
