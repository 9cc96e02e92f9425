//! The table of quotations.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::engine::Memory;
use super::limits::check_item;
use super::paging::page;
use crate::model::{ConnectionRef, Dialect, QuotationKey, Timestamp};
use crate::ports::{
    Created, Cursor, Page, PortError, Quotation, QuotationStatus, Quotations, Settlement, Topic,
    Verdict, publish,
};

pub(super) type QuotationTable = BTreeMap<QuotationKey, Quotation>;

/// Checks a quotation. Returns the length of its packed form.
fn check(quotation: &Quotation) -> Result<usize, PortError> {
    let what = || format!("quotation `{}`", quotation.key);
    check_item(&what(), quotation)?;
    quotation.packed_bytes().map_err(|error| PortError::rejected(what(), error.to_string()))
}

fn create(table: &mut QuotationTable, quotation: &Quotation, packed: usize) -> Created {
    let existing = table.get(&quotation.key);
    if let Some(existing) = existing.filter(|other| other.expires_at > quotation.accepted_at) {
        return Created::Existing(Box::new(existing.clone()));
    }
    table.insert(quotation.key.clone(), quotation.clone());
    Created::New { packed }
}

/// Returns the status that a verdict gives; `None` if an answer comes after the deadline.
fn status_of(verdict: &Verdict, deadline: Timestamp, now: Timestamp) -> Option<QuotationStatus> {
    match verdict {
        Verdict::Answer(answer) => {
            (now < deadline).then(|| QuotationStatus::Answered(answer.clone()))
        }
        Verdict::Failure(reason) => Some(QuotationStatus::Failed(reason.clone())),
    }
}

#[async_trait]
impl Quotations for Memory {
    async fn create_quotation(
        &self,
        quotation: &Quotation,
        topic: &dyn Topic,
        body: &str,
    ) -> Result<Created, PortError> {
        let packed = check(quotation)?;
        let created = create(&mut self.state().quotations, quotation, packed);
        if created.is_new() {
            publish(topic, body).await?;
        }
        Ok(created)
    }

    async fn store_answered(&self, quotation: &Quotation) -> Result<Created, PortError> {
        let packed = check(quotation)?;
        Ok(create(&mut self.state().quotations, quotation, packed))
    }

    async fn quotation(&self, key: &QuotationKey) -> Result<Option<Quotation>, PortError> {
        Ok(self.state().quotations.get(key).cloned())
    }

    async fn redirect_quotation(
        &self,
        key: &QuotationKey,
        connection: &ConnectionRef,
        dialect: Dialect,
    ) -> Result<bool, PortError> {
        let mut state = self.state();
        let redirected = state.quotations.get_mut(key).map(|quotation| {
            quotation.connection = Some(connection.clone());
            quotation.dialect = dialect;
        });
        Ok(redirected.is_some())
    }

    async fn settle_quotation(
        &self,
        key: &QuotationKey,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<Settlement, PortError> {
        let mut state = self.state();
        let Some(stored) = state.quotations.get_mut(key) else {
            return Ok(Settlement::Missing);
        };
        let status = status_of(verdict, stored.deadline, now);
        let (QuotationStatus::Pending, Some(status)) = (&stored.status, status) else {
            return Ok(Settlement::Refused(Box::new(stored.clone())));
        };
        let settled = Quotation { status, ..stored.clone() };
        check(&settled)?;
        stored.clone_from(&settled);
        Ok(Settlement::Settled(Box::new(settled)))
    }

    async fn list_quotations(&self, from: Option<Cursor>) -> Result<Page<Quotation>, PortError> {
        Ok(page(&self.state().quotations, from.as_ref(), |_, row| Some(row.clone())))
    }

    async fn delete_quotation(&self, key: &QuotationKey) -> Result<(), PortError> {
        self.state().quotations.remove(key);
        Ok(())
    }
}
