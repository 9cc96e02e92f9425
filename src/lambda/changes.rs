//! Handles the changes of source tables: the records of their streams, as Lambda delivers them.
//!
//! A batch is one load: the last change of each row counts, and all take effect at one moment. Lambda
//! continues behind the batch, unless the response names a record from which on records come again. That is
//! the first record that cannot be loaded: what is before it is loaded, and it comes again with those
//! behind it. A batch that begins with such a record fails as a whole, because Lambda halves only failed
//! batches. So those behind it are loaded, and it alone is given up, as the event source mapping says.
//!
//! Shards are read side by side, so a row may come before the row that it depends on, such as a price
//! before its list. It is tried again until that row is there, or until it has waited so long that the row
//! will not come.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, info, warn};

use super::EventError;
use super::source_tables::SourceTables;
use crate::data::{
    Amounts, DataErrors, Dataset, Layout, LoadError, LoadOptions, LoadReport, TableChanges,
    load_unread,
};
use crate::model::Timestamp;
use crate::ports::{Chain, Ports};
use crate::pricing::Currency;
use crate::runtime::backoff;
use crate::stages::StageError;
use crate::stages::change;

/// The load is cancelled this long before Lambda would end the function. Then the batch comes again.
const RESERVE: Duration = Duration::from_secs(4);
/// The part of this reserve for ordering tables again, after a load that took until then.
const TO_FOLLOW: Duration = Duration::from_secs(2);

/// How long a record waits for others, from when it was written, or from the start of the function if that
/// is later, because many records are old then. The changes of a table are gathered for up to five minutes.
const PATIENCE: Duration = Duration::from_secs(6 * 60);
/// How often a waiting record is tried again.
const TRY_EVERY: Duration = Duration::from_secs(5);

/// The event of Lambda, with the fields that are needed.
#[derive(Debug, Deserialize)]
pub(super) struct StreamEvent {
    #[serde(rename = "Records", default)]
    records: Vec<StreamRecord>,
}

#[derive(Debug, Deserialize)]
struct StreamRecord {
    #[serde(rename = "eventName")]
    kind: EventKind,
    #[serde(rename = "eventSourceARN")]
    stream: String,
    dynamodb: Images,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventKind {
    Insert,
    Modify,
    Remove,
}

/// An item before and after its change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images {
    /// When the item was written, in seconds.
    approximate_creation_date_time: Option<f64>,
    sequence_number: String,
    old_image: Option<Value>,
    new_image: Option<Value>,
}

impl Images {
    fn written(&self) -> Option<Timestamp> {
        let written = Duration::try_from_secs_f64(self.approximate_creation_date_time?).ok()?;
        Some(Timestamp::from_millis(0).plus(written))
    }
}

/// Returns the name of the table to which a stream belongs.
pub(super) fn table_of(stream: &str) -> Option<&str> {
    let (_, rest) = stream.split_once(":table/")?;
    rest.split_once("/stream/").map(|(table, _)| table)
}

/// Loads a batch. Returns the record from which on Lambda shall deliver again. Lambda `started` the
/// function, and ends it at `deadline`.
///
/// # Errors
/// [`EventError`] if the event is not of a source table, if the load failed for another reason than a
/// record, or if the first of several records cannot be loaded. Then the whole batch comes again, in
/// halves.
pub(super) async fn on_changes(
    ports: &Ports,
    tables: &SourceTables,
    event: StreamEvent,
    started: Timestamp,
    deadline: Timestamp,
) -> Result<Value, EventError> {
    let Some(first) = event.records.first() else { return Ok(response(None)) };
    let foreign = || EventError::Table { source_arn: first.stream.clone() };
    let table = table_of(&first.stream).ok_or_else(foreign)?;
    let layout = tables.layout(table).ok_or_else(foreign)?;
    let left = deadline.since(ports.clock.now()).saturating_sub(RESERVE);
    if left.is_zero() {
        return Err(EventError::Stage(StageError::OutOfTime));
    }
    let until = Instant::now() + left;
    let batch = ChangeBatch { ports, table, layout, records: &event.records, started, until };
    match batch.load().await? {
        Some(0) if event.records.len() > 1 => {
            let record = first.dynamodb.sequence_number.clone();
            Err(EventError::FirstRecord { record, of: event.records.len() })
        }
        failed => Ok(response(failed.and_then(|at| event.records.get(at)))),
    }
}

fn response(failed: Option<&StreamRecord>) -> Value {
    let failed = failed.iter().map(|record| &record.dynamodb.sequence_number);
    let failed: Vec<_> = failed.map(|number| json!({ "itemIdentifier": number })).collect();
    json!({ "batchItemFailures": failed })
}

/// The records of one batch, all of one table.
struct ChangeBatch<'a> {
    ports: &'a Ports,
    table: &'a str,
    layout: &'a Layout,
    records: &'a [StreamRecord],
    /// When the function was started.
    started: Timestamp,
    until: Instant,
}

impl ChangeBatch<'_> {
    /// Loads what can be loaded. Returns the first record that cannot.
    async fn load(&self) -> Result<Option<usize>, EventError> {
        let mut failed = None;
        loop {
            let records = &self.records[..failed.unwrap_or(self.records.len())];
            if records.is_empty() {
                break;
            }
            match self.try_load(records).await? {
                None => break,
                Some(refused) => {
                    self.say(&refused);
                    failed = Some(refused.at);
                }
            }
        }
        Ok(failed)
    }

    /// Loads some records, all or none. Waits here for the end of an outage and for the rows on which the
    /// first record depends, because Lambda would count a failure against the records.
    async fn try_load(&self, records: &[StreamRecord]) -> Result<Option<Refused>, EventError> {
        let mut failures = 0;
        loop {
            let loading = timeout_at(self.until, self.try_once(records)).await;
            let error = match loading.map_err(|_| StageError::OutOfTime)? {
                Ok(Ok(report)) => {
                    self.follow(&report, records.len()).await;
                    return Ok(None);
                }
                Ok(Err(refused)) => {
                    let is_waited_for = refused.at == 0 && self.may_pass(&refused);
                    if !is_waited_for || Instant::now() + TRY_EVERY >= self.until {
                        return Ok(Some(refused));
                    }
                    debug!(table = self.table, why = refused.why, "a record waits for others");
                    sleep(TRY_EVERY).await;
                    continue;
                }
                Err(error) => error,
            };
            failures += 1;
            let wait = backoff(failures);
            let may_end = match &error {
                LoadError::Port(error) => error.is_downstream(),
                LoadError::Contended | LoadError::Dropped => true,
                _ => false,
            };
            if !may_end || Instant::now() + wait >= self.until {
                return Err(error.into());
            }
            info!(table = self.table, error = %Chain(&error), "the load is tried again");
            sleep(wait).await;
        }
    }

    async fn try_once(
        &self,
        records: &[StreamRecord],
    ) -> Result<Result<LoadReport, Refused>, LoadError> {
        let Ports { store, clock, randomness, .. } = self.ports;
        let head = store.catalogue_head().await?;
        let unit_decimals = head.as_ref().map_or(0, |head| head.rounding.unit_decimals);
        let stored = head.filter(|head| head.version > 0).map(|head| head.currency);
        let currency = stored.unwrap_or(Currency::USD);
        let dataset = match self.read(records, Amounts { currency, unit_decimals }) {
            Ok(dataset) => dataset,
            Err(refused) => return Ok(Err(refused)),
        };
        let options = LoadOptions { currency, prune: false, merge: true };
        let (store, clock, randomness) = (&**store, &**clock, &**randomness);
        // Nobody would be told of unintended rows, so they are not looked for.
        match load_unread(store, clock, randomness, &dataset, options).await {
            Ok(report) => Ok(Ok(report)),
            Err(LoadError::Data(errors)) => Ok(Err(Refused::named(&errors, records.len()))),
            Err(error) => Err(error),
        }
    }

    fn read(&self, records: &[StreamRecord], amounts: Amounts) -> Result<Dataset, Refused> {
        let mut changes = TableChanges::of(self.table, amounts, self.layout.clone());
        for (at, record) in records.iter().enumerate() {
            let StreamRecord { kind, dynamodb: Images { old_image, new_image, .. }, .. } = record;
            let lacks = match kind {
                EventKind::Insert => new_image.is_none().then_some("new"),
                EventKind::Modify if new_image.is_none() => Some("new"),
                EventKind::Modify | EventKind::Remove => old_image.is_none().then_some("old"),
            };
            if let Some(image) = lacks {
                let why = format!(
                    "it has no {image} image; the stream's view type must be NEW_AND_OLD_IMAGES"
                );
                return Err(Refused { at, may_pass: false, why });
            }
            let [old, new] =
                [old_image, new_image].map(|image| image.as_ref().map(Value::to_string));
            let added = changes.add(old.as_deref(), new.as_deref());
            added.map_err(|error| Refused { at, may_pass: false, why: error.to_string() })?;
        }
        changes.into_data().map_err(|errors| Refused::named(&errors, records.len()))
    }

    /// Orders calculations of the tables that the load has made outdated.
    async fn follow(&self, report: &LoadReport, records: usize) {
        let (table, version) = (self.table, report.version);
        info!(table, records, version, wrote = report.counts.wrote(), "changes are in force");
        let Ports { store, queues, clock, .. } = self.ports;
        let ordering = change::order(&**store, &**queues, &report.change, clock.now());
        // The load is in force, so it is not a failure if there is too little time for the orders.
        let left = self.until.saturating_duration_since(Instant::now()) + TO_FOLLOW;
        let ordered = timeout(left, ordering).await.unwrap_or(Err(StageError::OutOfTime));
        if let Err(error) = ordered {
            warn!(error = %Chain(&error), "tables change at the next refresh, not at once");
        }
    }

    /// Whether a refused record may still be loaded, when others have come.
    fn may_pass(&self, refused: &Refused) -> bool {
        let written = self.records[refused.at].dynamodb.written();
        let since = written.map_or(self.started, |written| written.max(self.started));
        refused.may_pass && self.ports.clock.now() < since.plus(PATIENCE)
    }

    /// Logs a refusal. An alarm counts the warnings, so there is none for a record that may still be
    /// loaded.
    fn say(&self, refused: &Refused) {
        let Refused { at, why, .. } = refused;
        let (table, record) = (self.table, &self.records[*at].dynamodb.sequence_number);
        match self.may_pass(refused) {
            true => info!(table, record, why, "records from this one on come again"),
            false => warn!(table, record, why, "a record was not loaded"),
        }
    }
}

/// Why some records are not loaded, and from which one on.
struct Refused {
    at: usize,
    /// Whether other records may make it right.
    may_pass: bool,
    why: String,
}

impl Refused {
    /// Returns the refusal of the first record that errors are about. Their lines are numbers of records,
    /// counted from 1.
    fn named(errors: &DataErrors, records: usize) -> Self {
        let first = errors.errors.iter().min_by_key(|error| error.line.unwrap_or(0));
        let line = first.and_then(|error| error.line).unwrap_or(1);
        let at = usize::try_from(line).unwrap_or(1).saturating_sub(1);
        let why = first.map(ToString::to_string).unwrap_or_default();
        let may_pass = first.is_some_and(|error| error.problem.may_pass());
        Self { at: at.min(records.saturating_sub(1)), may_pass, why }
    }
}
