//! The whole of it: what is listed, what of it is checked.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use thiserror::Error;

use super::inputs::Inputs;
use super::sample::Sample;
use super::{Ages, Finding, Kind, Report, Subject, answers, tables};
use crate::model::{Timestamp, UserId};
use crate::ports::{PortError, Quotation, QuotationStatus, Segment, Store};

/// What to verify.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// So many tables at most, by chance.
    pub tables: usize,
    /// So many answers at most, the last ones.
    pub answers: usize,
    /// What the chance comes from.
    pub seed: u64,
}

/// Why nothing can be said.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A port failed, or something stored cannot be read at all.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The products kept changing.
    #[error("products are being loaded")]
    Loading,
}

/// Verifies a store as it is at a time. It reads and never writes; what is changed meanwhile by
/// others is no finding.
///
/// # Errors
/// [`VerifyError`].
pub async fn verify(
    store: &dyn Store,
    options: VerifyOptions,
    now: Timestamp,
) -> Result<Report, VerifyError> {
    let inputs = Inputs::read(store).await?;
    let active = active_users(store, now).await?;
    let mut report = Report {
        catalogue_version: inputs.head.version,
        active_users: active.len() as u64,
        ..Report::default()
    };
    for user in sampled_tables(store, &active, options, now, &mut report).await? {
        report.tables_checked += 1;
        if let Some((kind, what)) = tables::check(store, &user, &inputs).await? {
            report.findings.push(Finding { kind, subject: Subject::Table(user), what });
        }
    }
    for quotation in last_answers(store, options.answers, &mut report).await? {
        let QuotationStatus::Answered(answer) = &quotation.status else { continue };
        report.answers_checked += 1;
        if let Some((kind, what)) = answers::check(&quotation, answer, &inputs) {
            let subject = Subject::Answer(quotation.user, quotation.request_id);
            report.findings.push(Finding { kind, subject, what });
        }
    }
    // A load that ended meanwhile makes differences that are none.
    if store.catalogue_head().await?.map_or(0, |head| head.version) != inputs.head.version {
        return Err(VerifyError::Loading);
    }
    report.findings.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    Ok(report)
}

async fn active_users(store: &dyn Store, now: Timestamp) -> Result<HashSet<UserId>, VerifyError> {
    let mut active = HashSet::new();
    let mut from = None;
    loop {
        let page = store.list_active_users(Segment::ALL, now, from).await?;
        let some = page.items.into_iter().filter(|user| user.is_active(now));
        active.extend(some.map(|user| user.user));
        from = page.next;
        if from.is_none() {
            return Ok(active);
        }
    }
}

/// Looks at every head, and chooses the tables that are read.
async fn sampled_tables(
    store: &dyn Store,
    active: &HashSet<UserId>,
    options: VerifyOptions,
    now: Timestamp,
    report: &mut Report,
) -> Result<Vec<UserId>, VerifyError> {
    let mut sample = Sample::new(options.tables, options.seed);
    let mut ages = vec![];
    let mut from = None;
    loop {
        let page = store.list_table_heads(from).await?;
        for (user, head) in page.items {
            report.tables += 1;
            if active.contains(&user) {
                report.active_tables += 1;
                let age = now.since(head.validated_at);
                ages.push(age);
                if !head.is_fresh(now) {
                    report.stale += 1;
                    let late = now.since(head.fresh_until).as_secs();
                    let what = format!("validated {} s ago, {late} s too late", age.as_secs());
                    let subject = Subject::Table(user.clone());
                    report.findings.push(Finding { kind: Kind::Stale, subject, what });
                }
            }
            // What nobody is answered from may have lost its parts.
            if head.is_usable(now) {
                sample.show(user);
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    report.ages = Ages::of(ages);
    Ok(sample.into_kept())
}

/// The answers that were asked for last.
async fn last_answers(
    store: &dyn Store,
    most: usize,
    report: &mut Report,
) -> Result<Vec<Quotation>, VerifyError> {
    let mut last: BinaryHeap<Reverse<Recent>> = BinaryHeap::new();
    let mut from = None;
    loop {
        let page = store.list_quotations(from).await?;
        for quotation in page.items {
            if matches!(quotation.status, QuotationStatus::Answered(_)) {
                report.answers += 1;
                last.push(Reverse(Recent(quotation)));
                if last.len() > most {
                    last.pop();
                }
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(last.into_iter().map(|Reverse(Recent(quotation))| quotation).collect());
        }
    }
}

/// A quotation in the order of when it was asked.
struct Recent(Quotation);

impl Recent {
    fn order(&self) -> (Timestamp, &str) {
        (self.0.accepted_at, self.0.key.as_str())
    }
}

impl PartialEq for Recent {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Recent {}

impl PartialOrd for Recent {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Recent {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}
