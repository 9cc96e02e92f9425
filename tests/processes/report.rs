//! The results of a run, and the promises that were broken.

use std::collections::BTreeMap;
use std::fmt;

use ocache::model::{QuotationKey, RequestId, UserId};
use ocache::ports::{Ports, QuotationStatus};

use super::account::{Account, Entry};

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Report {
    pub engine: &'static str,
    pub seed: u64,
    pub kills: u64,
    pub catalogues: u64,
    /// How many quotations were open when something was killed, summed over the kills.
    pub in_flight: u64,
    pub accepted: u64,
    pub answered: u64,
    pub failed: u64,
    pub lost: u64,
    pub pushed_twice: u64,
    pub wrong: u64,
    /// Every broken promise in words.
    pub violations: Vec<String>,
}

impl Report {
    /// Checks every quotation, as its client heard of it and as it is stored.
    pub async fn take(&mut self, account: &Account, ports: &Ports) {
        let mut newest: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (id, entry) in account.all() {
            if !entry.accepted {
                self.violations.push(format!("`{id}` was asked for and never accepted"));
                continue;
            }
            self.accepted += 1;
            self.pushed_twice += entry.pushed_twice();
            match entry.catalogue() {
                Ok(Some(catalogue)) => {
                    self.answered += 1;
                    if catalogue == 0 || catalogue > self.catalogues {
                        self.wrong(format!("`{id}` is of catalogue {catalogue}, which never was"));
                    }
                    // The quotations of one user in the order asked. Each began after the one before had
                    // ended.
                    let number = id.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0);
                    newest
                        .entry(format!("{}/{number:09}", entry.user))
                        .or_insert((number, catalogue));
                }
                Ok(None) => self.failed += 1,
                Err(why) => self.wrong(format!("`{id}`: {why}")),
            }
            if let Err(why) = matches_store(&id, &entry, ports).await {
                self.lost += 1;
                self.violations.push(format!("`{id}`: {why}"));
            }
        }
        self.check_order(&newest);
        if self.pushed_twice > self.in_flight {
            let (twice, in_flight) = (self.pushed_twice, self.in_flight);
            self.violations.push(format!("{twice} pushed twice, only {in_flight} were in flight"));
        }
    }

    fn wrong(&mut self, why: String) {
        self.wrong += 1;
        self.violations.push(why);
    }

    /// Checks that no user gets an older catalogue after a newer one.
    fn check_order(&mut self, answers: &BTreeMap<String, (u64, u64)>) {
        let answers: Vec<_> = answers
            .iter()
            .map(|(key, answer)| (key.split('/').next().unwrap_or_default(), answer))
            .collect();
        for pair in answers.windows(2) {
            let [(user, (_, older)), (next, (number, newer))] = pair else { continue };
            if user == next && newer < older {
                self.wrong(format!("{user}: catalogue {newer} after {older}, at number {number}"));
            }
        }
    }

    pub fn assert_kept(&self) {
        println!("{self}");
        assert!(
            self.violations.is_empty(),
            "engine {}, seed {}, after {} kills:\n{}",
            self.engine,
            self.seed,
            self.kills,
            self.violations.join("\n")
        );
    }
}

/// Checks that the stored outcome is what the client heard, and is not pending.
async fn matches_store(id: &str, entry: &Entry, ports: &Ports) -> Result<(), String> {
    let user = UserId::new(&*entry.user).map_err(|error| error.to_string())?;
    let request_id = RequestId::new(id).map_err(|error| error.to_string())?;
    let key = QuotationKey::new(&user, &request_id);
    let stored = ports.store.quotation(&key).await.map_err(|error| error.to_string())?;
    let status = match stored.map(|stored| stored.status) {
        None => "not there",
        Some(QuotationStatus::Pending) => "pending",
        Some(QuotationStatus::Answered(_)) => "answered",
        Some(QuotationStatus::Failed(_)) => "failed",
    };
    let told = entry.outcome().map_or("nothing", |outcome| outcome.status.as_str());
    if status == told { Ok(()) } else { Err(format!("it is stored as {status}, told was {told}")) }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, seed, kills, catalogues, in_flight, accepted, .. } = self;
        let Self { answered, failed, lost, pushed_twice, wrong, .. } = self;
        writeln!(
            f,
            "| engine | seed | kills | catalogues | accepted | answered | failed by name | lost \
             | in flight at kills | pushed twice | wrong prices |"
        )?;
        write!(
            f,
            "| {engine} | {seed} | {kills} | {catalogues} | {accepted} | {answered} | {failed} \
             | {lost} | {in_flight} | {pushed_twice} | {wrong} |"
        )
    }
}
