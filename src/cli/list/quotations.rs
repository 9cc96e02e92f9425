//! Lists past quotations: all as they are read, or only the latest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use serde_json::{Value, json};

use super::absent;
use super::listing::Listing;
use crate::cli::args::{ListQuotationsArgs, StatusName};
use crate::cli::engine::Engine;
use crate::cli::failure::Result;
use crate::cli::output::{Output, name, number};
use crate::cli::table::{TableCell, whole};
use crate::model::Timestamp;
use crate::ports::{Ports, Quotation, QuotationStatus, pages};

const HEADER: [&str; 7] =
    ["request id", "customer", "status", "asked at", "lines", "total", "reason"];

/// Lists the quotations. A listing has no promised order, so the latest ones are known only at its end.
/// Until then only as many as needed are kept.
pub(super) async fn list(
    engine: &Engine,
    ports: &Ports,
    output: &Output,
    args: &ListQuotationsArgs,
) -> Result<()> {
    let now = ports.clock.now();
    let mut listing = Listing::begin(output, &HEADER, args.limit.limit);
    let mut latest = args.limit.limit.map(Latest::new);
    let mut has_asked = false;
    let mut pages = pages(|from| ports.store.list_quotations(from));
    while listing.goes_on()
        && let Some(page) = pages.next().await?
    {
        has_asked |= page.iter().any(|quotation| is_of_client(quotation, args));
        let kept = page.iter().filter(|quotation| is_asked_in(quotation, args.over, now));
        for quotation in kept.filter(|quotation| is_wanted(quotation, args, now)) {
            let row = QuotationRow::new(quotation, now);
            match &mut latest {
                Some(latest) => latest.show(row),
                None => row.add_to(&mut listing)?,
            }
        }
        listing.end_page()?;
    }
    for row in latest.into_iter().flat_map(Latest::into_rows) {
        row.add_to(&mut listing)?;
    }
    let absent = match listing.is_empty() && !has_asked {
        true => absent::customer(engine, &*ports.store, args.client.as_ref()).await?,
        false => None,
    };
    listing.end_without(absent, "latest", "quotation")
}

fn is_of_client(quotation: &Quotation, args: &ListQuotationsArgs) -> bool {
    args.client.as_ref().is_none_or(|client| *client == quotation.user)
}

/// Whether a quotation is still kept, and was accepted within the given time.
pub(in crate::cli) fn is_asked_in(
    quotation: &Quotation,
    over: Option<Duration>,
    now: Timestamp,
) -> bool {
    let is_in = |over| quotation.accepted_at >= now.minus(over);
    quotation.is_kept(now) && over.is_none_or(is_in)
}

fn is_wanted(quotation: &Quotation, args: &ListQuotationsArgs, now: Timestamp) -> bool {
    is_of_client(quotation, args)
        && args.status.is_none_or(|status| status == name_of(&quotation.status_at(now)))
}

const fn name_of(status: &QuotationStatus) -> StatusName {
    match status {
        QuotationStatus::Pending => StatusName::Pending,
        QuotationStatus::Answered(_) => StatusName::Answered,
        QuotationStatus::Failed(_) => StatusName::Failed,
    }
}

/// A row of the list. Rows are ordered by the time of acceptance, then by id.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct QuotationRow {
    asked_at: Timestamp,
    request_id: String,
    client: String,
    lines: usize,
    status: &'static str,
    total: Option<(String, String)>,
    reason: Option<String>,
}

impl QuotationRow {
    fn new(quotation: &Quotation, now: Timestamp) -> Self {
        let (status, total, reason) = match quotation.status_at(now) {
            QuotationStatus::Pending => ("pending", None, None),
            QuotationStatus::Failed(reason) => ("failed", None, Some(reason.to_string())),
            QuotationStatus::Answered(answer) => {
                let total = (answer.total.format(answer.currency), answer.currency.to_string());
                ("answered", Some(total), None)
            }
        };
        Self {
            asked_at: quotation.accepted_at,
            request_id: quotation.request_id.to_string(),
            client: quotation.user.to_string(),
            lines: quotation.items.len(),
            status,
            total,
            reason,
        }
    }

    fn add_to(self, listing: &mut Listing<'_>) -> Result<()> {
        listing.row(|| self.data(), || self.cells())
    }

    fn data(&self) -> Value {
        let (total, currency) = self.total.clone().unzip();
        json!({
            "request_id": self.request_id,
            "client": self.client,
            "status": self.status,
            "accepted_at": self.asked_at.to_string(),
            "lines": self.lines,
            "total": total,
            "currency": currency,
            "reason": self.reason,
        })
    }

    fn cells(&self) -> Vec<TableCell> {
        let total = self.total.as_ref();
        vec![
            whole(self.request_id.as_str()),
            name(self.client.as_str()),
            self.status.into(),
            self.asked_at.to_string().into(),
            number(self.lines),
            number(
                total.map_or_else(String::new, |(total, currency)| format!("{total} {currency}")),
            ),
            self.reason.as_deref().unwrap_or_default().into(),
        ]
    }
}

/// The latest rows of many.
struct Latest {
    most: usize,
    /// The wanted rows and one more, which shows whether there are others. The earliest is on top.
    rows: BinaryHeap<Reverse<QuotationRow>>,
}

impl Latest {
    fn new(most: u64) -> Self {
        Self { most: usize::try_from(most).unwrap_or(usize::MAX), rows: BinaryHeap::new() }
    }

    fn show(&mut self, row: QuotationRow) {
        self.rows.push(Reverse(row));
        if self.rows.len() > self.most.saturating_add(1) {
            self.rows.pop();
        }
    }

    /// Returns the rows, the latest first.
    fn into_rows(self) -> impl Iterator<Item = QuotationRow> {
        self.rows.into_sorted_vec().into_iter().map(|Reverse(row)| row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_and_one_more() {
        let mut latest = Latest::new(2);
        for at in [3, 1, 5, 2, 4] {
            latest.show(QuotationRow {
                asked_at: Timestamp::from_millis(at),
                request_id: String::new(),
                client: String::new(),
                lines: 1,
                status: "pending",
                total: None,
                reason: None,
            });
            assert!(latest.rows.len() <= 3);
        }
        let times: Vec<_> = latest.into_rows().map(|row| row.asked_at.millis()).collect();
        assert_eq!(times, [5, 4, 3]);
    }
}
