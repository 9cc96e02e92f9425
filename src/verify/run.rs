//! A whole verification: lists what is stored and checks all of it or a sample.
//!
//! Everything is read in pages. Of each page only counts and the chosen sample are kept, so a store of
//! any size can be verified. Only list prices are kept completely, in little memory.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use super::ages::AgeCounts;
use super::error::VerifyError;
use super::inputs::SharedInputs;
use super::recent::Recent;
use super::sample::Sample;
use super::tables::CheckOutcome;
use super::{
    Audience, Finding, FindingKind, FindingSubject, VerifyReport, VerifyStep, answers, tables,
};
use crate::model::{Timestamp, UserId};
use crate::ports::{Quotation, QuotationStatus, Segment, Store, TableHead, pages};

/// The number of heads that are read at once. Hardly any head has more than a kilobyte.
const HEADS_AT_ONCE: usize = 100;
/// The most times that a verification starts over because a load came into force.
const MAX_RESTARTS: u32 = 3;

/// What to verify.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// The size of the random sample of tables; `None` for all tables.
    pub tables: Option<usize>,
    /// How many of the latest answers are checked; `None` for all answers.
    pub answers: Option<usize>,
    /// The seed of the random sample.
    pub seed: u64,
}

/// Verifies a store as of a time. It reads and never writes. Concurrent changes are no findings. The
/// audience receives each finding as soon as it is made.
///
/// # Errors
/// Returns [`VerifyError`].
pub async fn verify(
    store: &dyn Store,
    options: VerifyOptions,
    now: Timestamp,
    audience: &mut dyn Audience,
) -> Result<VerifyReport, VerifyError> {
    let inputs = SharedInputs::read(store, audience).await?;
    let report = VerifyReport { catalogue_version: inputs.head.version, ..VerifyReport::default() };
    let mut run = Verification { store, inputs, now, audience, report, told: HashSet::new() };
    for _ in 0..MAX_RESTARTS {
        match run.all(options).await {
            Err(VerifyError::Loading) => run.start_over().await?,
            done => return done.map(|()| run.report),
        }
    }
    run.all(options).await?;
    Ok(run.report)
}

/// A verification under way.
struct Verification<'a> {
    store: &'a dyn Store,
    inputs: SharedInputs,
    now: Timestamp,
    audience: &'a mut dyn Audience,
    report: VerifyReport,
    /// Hashes of the reported findings, so that none is reported twice after starting over.
    told: HashSet<u64>,
}

impl Verification<'_> {
    async fn all(&mut self, options: VerifyOptions) -> Result<(), VerifyError> {
        self.active_users().await?;
        self.tables(options).await?;
        self.answers(options.answers).await?;
        self.inputs.check_current(self.store).await
    }

    /// Starts over, and keeps only the findings, each of which was certain when it was reported.
    async fn start_over(&mut self) -> Result<(), VerifyError> {
        self.audience.starts_over();
        self.inputs = SharedInputs::read(self.store, self.audience).await?;
        self.report = VerifyReport {
            catalogue_version: self.inputs.head.version,
            table_findings: self.report.table_findings,
            answer_findings: self.report.answer_findings,
            ..VerifyReport::default()
        };
        Ok(())
    }

    /// Measures the ages of the tables of active customers.
    async fn active_users(&mut self) -> Result<(), VerifyError> {
        let mut ages = AgeCounts::default();
        let (store, now) = (self.store, self.now);
        let mut pages = pages(|from| store.list_active_users(Segment::ALL, now, from));
        while let Some(page) = pages.next().await? {
            let active = page.into_iter().filter(|user| user.is_active(now));
            let users: Vec<UserId> = active.map(|user| user.user).collect();
            self.report.active_users += users.len() as u64;
            for some in users.chunks(HEADS_AT_ONCE) {
                for (user, head) in self.store.table_heads(some).await? {
                    self.report.active_tables += 1;
                    ages.add(self.now.since(head.validated_at));
                    self.look_at_age(user, &head);
                }
                self.audience.progress(VerifyStep::ActiveUsers, some.len() as u64);
            }
        }
        self.report.ages = ages.ages();
        Ok(())
    }

    fn look_at_age(&mut self, user: UserId, head: &TableHead) {
        if head.is_fresh(self.now) {
            return;
        }
        self.report.stale += 1;
        let age = self.now.since(head.validated_at).as_secs();
        let late = self.now.since(head.fresh_until).as_secs();
        let what = format!("last check recorded {age} s ago, {late} s too late");
        self.found(Finding {
            kind: FindingKind::Stale,
            subject: FindingSubject::Table(user),
            what,
        });
    }

    /// Lists every head, and checks all tables or a sample.
    async fn tables(&mut self, options: VerifyOptions) -> Result<(), VerifyError> {
        let mut sample = options.tables.map(|size| Sample::new(size, options.seed));
        let store = self.store;
        let mut pages = pages(|from| store.list_table_heads(from));
        while let Some(page) = pages.next().await? {
            self.audience.progress(VerifyStep::Listing, page.len() as u64);
            self.report.tables += page.len() as u64;
            // Quotes are not answered from an unusable table, so its parts may have expired.
            let usable = page.into_iter().filter(|(_, head)| head.is_usable(self.now));
            let users: Vec<UserId> = usable.map(|(user, _)| user).collect();
            for user in users {
                match &mut sample {
                    Some(sample) => sample.show(user),
                    None => self.check_table(user).await?,
                }
            }
        }
        let mut chosen = sample.map(Sample::into_kept).unwrap_or_default();
        chosen.sort_unstable();
        for user in chosen {
            self.check_table(user).await?;
        }
        Ok(())
    }

    async fn check_table(&mut self, user: UserId) -> Result<(), VerifyError> {
        self.report.tables_checked += 1;
        let verdict = tables::check(self.store, &user, &self.inputs).await?;
        self.conclude(verdict, FindingSubject::Table(user)).await?;
        self.audience.progress(VerifyStep::Tables, 1);
        Ok(())
    }

    /// Reads every quotation, and checks all answers or the latest.
    async fn answers(&mut self, most: Option<usize>) -> Result<(), VerifyError> {
        let mut recent = most.map(Recent::new);
        let store = self.store;
        let mut pages = pages(|from| store.list_quotations(from));
        while let Some(page) = pages.next().await? {
            self.audience.progress(VerifyStep::Quotations, page.len() as u64);
            for quotation in page {
                if !matches!(quotation.status, QuotationStatus::Answered(_)) {
                    continue;
                }
                self.report.answers += 1;
                match &mut recent {
                    Some(recent) => recent.show(&quotation),
                    None => self.check_answer(quotation).await?,
                }
            }
        }
        for key in recent.map(Recent::into_keys).unwrap_or_default() {
            // A quotation that has expired in the meantime is no finding.
            if let Some(quotation) = self.store.quotation(&key).await? {
                self.check_answer(quotation).await?;
            }
        }
        Ok(())
    }

    async fn check_answer(&mut self, quotation: Quotation) -> Result<(), VerifyError> {
        let QuotationStatus::Answered(answer) = &quotation.status else { return Ok(()) };
        self.report.answers_checked += 1;
        let verdict = answers::check(self.store, &quotation, answer, &self.inputs).await?;
        let subject = FindingSubject::Answer(quotation.user, quotation.request_id);
        self.conclude(verdict, subject).await?;
        self.audience.progress(VerifyStep::Answers, 1);
        Ok(())
    }

    /// Reports the result of a check, unless a load that ended in the meantime explains it.
    async fn conclude(
        &mut self,
        verdict: CheckOutcome,
        subject: FindingSubject,
    ) -> Result<(), VerifyError> {
        if let Some((kind, what)) = verdict {
            self.inputs.check_current(self.store).await?;
            self.found(Finding { kind, subject, what });
        }
        Ok(())
    }

    fn found(&mut self, finding: Finding) {
        let hasher = BuildHasherDefault::<DefaultHasher>::new();
        if self.told.insert(hasher.hash_one((finding.kind, &finding.subject))) {
            self.report.add(&finding);
            self.audience.found(finding);
        }
    }
}
