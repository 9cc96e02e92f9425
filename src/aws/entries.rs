//! Batches of messages. Batches are cut to fit, every entry of every answer is examined, and refused
//! entries are sent again while that can help.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use thiserror::Error;

use super::backoff::Backoff;
use super::errors::{FailureKind, kind_of_code};
use crate::ports::{FailedEntry, MAX_BODY_BYTES, PortError, Randomness};

/// The greatest number of entries in one call.
pub(super) const ENTRIES_PER_CALL: usize = 10;
/// The greatest number of bytes of all entries in one call, and of one message.
pub(super) const BYTES_PER_CALL: usize = MAX_BODY_BYTES;

/// An entry that a call refused.
#[derive(Clone, Debug, Error)]
#[error("{code}: {message}")]
pub(super) struct RefusedEntry {
    /// The entry's place in the call.
    pub(super) place: usize,
    pub(super) code: String,
    pub(super) message: String,
    /// Whether the entry itself is at fault, so that sending it again is useless.
    pub(super) sender_fault: bool,
}

impl RefusedEntry {
    /// Returns an entry of an answer. Its id is its place in the call. Returns `None` for any other id,
    /// because it was never sent.
    pub(super) fn new(
        id: &str,
        code: &str,
        message: Option<&str>,
        sender_fault: bool,
    ) -> Option<Self> {
        let (code, message) = (code.to_owned(), message.unwrap_or_default().to_owned());
        Some(Self { place: id.parse().ok()?, code, message, sender_fault })
    }

    fn unanswered(place: usize) -> Self {
        let (code, message) = ("Unanswered".to_owned(), "the answer does not name it".to_owned());
        Self { place, code, message, sender_fault: false }
    }

    fn can_be_retried(&self) -> bool {
        match kind_of_code(&self.code) {
            Some(FailureKind::Throttled | FailureKind::Unavailable) => true,
            Some(_) => false,
            None => !self.sender_fault,
        }
    }

    fn error(self, what: &str) -> PortError {
        match kind_of_code(&self.code) {
            Some(FailureKind::Throttled) => PortError::Throttled { what: what.to_owned() },
            Some(FailureKind::Missing) => PortError::Missing { what: what.to_owned() },
            Some(FailureKind::Denied) => {
                PortError::Denied { what: what.to_owned(), source: Box::new(self) }
            }
            Some(FailureKind::Unavailable) => PortError::unavailable(what, self),
            _ if self.sender_fault => {
                PortError::rejected(format!("message to {what}"), self.to_string())
            }
            _ => PortError::unavailable(what, self),
        }
    }
}

/// Returns the entries of a call that were refused. An entry that the answer does not mention counts as
/// refused.
pub(super) fn refusals<'a>(
    count: usize,
    done: impl IntoIterator<Item = &'a str>,
    refused: impl IntoIterator<Item = Option<RefusedEntry>>,
) -> Vec<RefusedEntry> {
    let done: BTreeSet<usize> = done.into_iter().filter_map(|id| id.parse().ok()).collect();
    let mut refused: BTreeMap<usize, RefusedEntry> =
        refused.into_iter().flatten().map(|entry| (entry.place, entry)).collect();
    let of = |place: usize| match refused.remove(&place) {
        Some(entry) => Some(entry),
        None if done.contains(&place) => None,
        None => Some(RefusedEntry::unanswered(place)),
    };
    (0..count).filter_map(of).collect()
}

/// One operation on a batch of entries.
#[async_trait]
pub(super) trait BatchCall: Send + Sync {
    /// Returns what the operation is done to, for messages.
    fn what(&self) -> String;

    /// Calls the operation for the entries with these indices, at most [`ENTRIES_PER_CALL`].
    async fn call(&self, entries: &[usize]) -> Result<Vec<RefusedEntry>, PortError>;
}

/// How refused entries are sent again.
pub(super) struct Retry<'a> {
    pub(super) backoff: Backoff,
    pub(super) randomness: &'a dyn Randomness,
}

/// Cuts entries into calls that have neither too many entries nor too many bytes.
pub(super) fn cut(
    entries: impl IntoIterator<Item = usize>,
    bytes: impl Fn(usize) -> usize,
) -> Vec<Vec<usize>> {
    let mut calls: Vec<Vec<usize>> = vec![];
    let mut filled = 0;
    for entry in entries {
        let size = bytes(entry);
        match calls.last_mut() {
            Some(call) if call.len() < ENTRIES_PER_CALL && filled + size <= BYTES_PER_CALL => {
                call.push(entry);
                filled += size;
            }
            _ => {
                calls.push(vec![entry]);
                filled = size;
            }
        }
    }
    calls
}

/// Runs lanes side by side, and the calls of each lane one after the other. Returns the entries that
/// failed. An error means that none succeeded.
pub(super) async fn run(
    batch: &dyn BatchCall,
    lanes: Vec<Vec<Vec<usize>>>,
    retry: &Retry<'_>,
) -> Result<Vec<FailedEntry>, PortError> {
    let total: usize = lanes.iter().flatten().map(Vec::len).sum();
    let lanes = lanes.into_iter().map(|calls| run_lane(batch, calls, retry));
    let mut failed = vec![];
    let mut whole = None;
    for lane in join_all(lanes).await {
        failed.extend(lane.failed);
        whole = whole.or(lane.error);
    }
    match whole {
        Some(error) if failed.len() == total => {
            drop(failed);
            Err(own(error))
        }
        _ => Ok(failed),
    }
}

struct Lane {
    failed: Vec<FailedEntry>,
    error: Option<Arc<PortError>>,
}

async fn run_lane(batch: &dyn BatchCall, calls: Vec<Vec<usize>>, retry: &Retry<'_>) -> Lane {
    let mut lane = Lane { failed: vec![], error: None };
    for entries in calls {
        // If the downstream is in trouble, the rest is not even tried.
        let error = match &lane.error {
            Some(error) if error.is_downstream() => Arc::clone(error),
            _ => match run_call(batch, &entries, retry).await {
                Ok(failed) => {
                    lane.failed.extend(failed);
                    continue;
                }
                Err(error) => Arc::new(error),
            },
        };
        lane.failed.extend(
            entries.into_iter().map(|index| FailedEntry { index, error: own(Arc::clone(&error)) }),
        );
        lane.error = Some(error);
    }
    lane
}

/// Makes one call, and further ones with the entries that were refused but not at fault.
async fn run_call(
    batch: &dyn BatchCall,
    entries: &[usize],
    retry: &Retry<'_>,
) -> Result<Vec<FailedEntry>, PortError> {
    let mut failed = vec![];
    let mut pending = entries.to_vec();
    let mut rounds = 0;
    loop {
        let refused = match batch.call(&pending).await {
            Ok(refused) => refused,
            Err(error) if rounds == 0 => return Err(error),
            // What earlier rounds have sent stays sent.
            Err(error) => {
                let error = Arc::new(error);
                let fail = |index| FailedEntry { index, error: own(Arc::clone(&error)) };
                failed.extend(pending.into_iter().map(fail));
                return Ok(failed);
            }
        };
        let (again, hopeless): (Vec<_>, Vec<_>) =
            refused.into_iter().partition(RefusedEntry::can_be_retried);
        let fail = |refused: RefusedEntry| {
            let index = pending.get(refused.place).copied()?;
            Some(FailedEntry { index, error: refused.error(&batch.what()) })
        };
        failed.extend(hopeless.into_iter().filter_map(fail));
        if again.is_empty() {
            return Ok(failed);
        }
        rounds += 1;
        if !retry.backoff.wait(rounds, retry.randomness).await {
            failed.extend(again.into_iter().filter_map(fail));
            return Ok(failed);
        }
        let places = again.iter().filter_map(|refused| pending.get(refused.place).copied());
        pending = places.collect();
    }
}

/// Returns one of several copies of an error. It has the same message, and the original as its source.
fn own(error: Arc<PortError>) -> PortError {
    let error = match Arc::try_unwrap(error) {
        Ok(error) => return error,
        Err(shared) => shared,
    };
    let source = || Box::new(Arc::clone(&error));
    match &*error {
        PortError::Unavailable { what, .. } => PortError::unavailable(what, Arc::clone(&error)),
        PortError::Corrupt { what, .. } => PortError::corrupt(what, Arc::clone(&error)),
        PortError::Denied { what, .. } => {
            PortError::Denied { what: what.clone(), source: source() }
        }
        PortError::Refused { what, .. } => {
            PortError::Refused { what: what.clone(), source: source() }
        }
        PortError::Throttled { what } => PortError::Throttled { what: what.clone() },
        PortError::Missing { what } => PortError::Missing { what: what.clone() },
        PortError::Rejected { what, why } => PortError::rejected(what, why),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::ports::SystemRandomness;

    #[test]
    fn an_entry_without_an_answer_is_not_done() {
        let refused =
            [RefusedEntry::new("2", "X", None, true), RefusedEntry::new("?", "X", None, true)];
        let refused = refusals(4, ["0", "9"], refused);
        let places: Vec<_> = refused.iter().map(|entry| (entry.place, &*entry.code)).collect();
        assert_eq!(places, [(1, "Unanswered"), (2, "X"), (3, "Unanswered")]);
    }

    /// A batch that refuses its last entry at first, and then cannot be reached.
    #[derive(Default)]
    struct Ends(AtomicBool);

    #[async_trait]
    impl BatchCall for Ends {
        fn what(&self) -> String {
            "a queue".to_owned()
        }

        async fn call(&self, entries: &[usize]) -> Result<Vec<RefusedEntry>, PortError> {
            match self.0.swap(true, Ordering::Relaxed) {
                true => Err(PortError::Throttled { what: self.what() }),
                false => Ok(vec![RefusedEntry::unanswered(entries.len() - 1)]),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_before_the_trouble_is_sent() {
        let retry = Retry { backoff: Backoff::default(), randomness: &SystemRandomness };
        let failed = run_call(&Ends::default(), &[3, 4, 5], &retry).await.unwrap();
        assert_eq!(failed.iter().map(|entry| entry.index).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn calls_are_cut_by_count_and_by_size() {
        let lengths = |calls: Vec<Vec<usize>>| calls.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(cut(0..25, |_| 1)), [10, 10, 5]);
        assert_eq!(lengths(cut(0..4, |_| BYTES_PER_CALL / 2)), [2, 2]);
        assert_eq!(lengths(cut(0..2, |_| BYTES_PER_CALL)), [1, 1]);
        assert!(cut(0..0, |_| 1).is_empty());
    }
}
