//! `POST /load`: products and discounts over HTTP, the same for the local gateway and for the function
//! behind API Gateway's HTTP API.
//!
//! A client that may load decides every price, so loads are guarded more closely than quotes. A token that
//! permits loads is always required. Of all pages, only those of the gateway's own host may load. The size of a body is
//! limited, also when it is unpacked. A load is checked as a whole, and takes effect as a whole or not at
//! all. A dry run is guarded in the same way, because it shows the prices of every customer.

mod dry_run;
#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::{info, warn};

use super::http_api::Parameters;
use super::http_reply::{Reply, bad_query, json_reply, later, problem, problem_with_code};
use super::load_layout::{ContentType, flag, parsed};
use crate::data::{
    Amounts, DataErrors, Dataset, Did, Gunzip, Layout, LoadError, LoadOptions, LoadProgress,
    LoadReport, Watched, counts_json, is_gzip, is_json, load, read_texts_as, several_lines_json,
    worded_for_http,
};
use crate::meter::{Reason, Scope, Stage};
use crate::ports::{Chain, PortError, Ports};
use crate::pricing::Currency;
use crate::stages::change;

/// The name of a body in error messages.
const NAME: &str = "body";
/// The most time to look for what a load did that has not ended well. With that of the load itself it is
/// less than API Gateway waits.
const LOOKING: Duration = Duration::from_secs(3);
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/json, application/x-ndjson, text/csv, text/tab-separated-values",
);

/// Accepts loads, one at a time.
pub struct LoadDoor {
    /// The most bytes of a body, packed and unpacked.
    max_bytes: usize,
    /// The most time that a load may take.
    longest: Duration,
    place: Arc<Semaphore>,
}

/// A load whose request head was checked. It keeps other loads out until it is dropped.
pub struct Admitted {
    format: Format,
    is_packed: bool,
    currency: Option<Currency>,
    prune: bool,
    merge: bool,
    layout: Layout,
    is_dry_run: bool,
    _place: OwnedSemaphorePermit,
}

/// The format that a body has by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

impl LoadDoor {
    /// Creates the door of a gateway process.
    pub(super) fn of_gateway() -> Self {
        Self::with(64 * 1024 * 1024, Duration::from_secs(15 * 60))
    }

    /// Creates the door of a function. API Gateway waits half a minute, and passes on 6 MB at most.
    #[must_use]
    pub fn of_function() -> Self {
        Self::with(32 * 1024 * 1024, Duration::from_secs(24))
    }

    fn with(max_bytes: usize, longest: Duration) -> Self {
        Self { max_bytes, longest, place: Arc::new(Semaphore::new(1)) }
    }

    /// Returns the most bytes that a body may have.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Checks the head of a request before its body is read.
    ///
    /// # Errors
    /// Returns the reply to a request that is refused.
    pub fn admit(&self, query: &str, headers: &HeaderMap) -> Result<Admitted, Reply> {
        let content = ContentType::of(headers);
        let format = format_of(&content.media)?;
        let is_packed = is_packed(headers)?;
        let mut parameters = Parameters::read(query)?;
        let currency = parsed(&mut parameters, "currency", "a currency such as USD")?;
        let prune = flag(&mut parameters, "prune")?;
        let merge = flag(&mut parameters, "merge")?;
        let is_dry_run = flag(&mut parameters, "dry-run")?;
        let layout = content.layout(&mut parameters)?;
        parameters.end()?;
        if prune && merge {
            return Err(bad_query("`prune` and `merge` do not go together"));
        }
        let Ok(place) = self.place.clone().try_acquire_owned() else {
            return Err(busy("another load is under way; try again"));
        };
        Ok(Admitted {
            format,
            is_packed,
            currency,
            prune,
            merge,
            layout,
            is_dry_run,
            _place: place,
        })
    }

    /// Loads a body.
    pub async fn load(&self, ports: &Ports, admitted: Admitted, body: Bytes) -> Reply {
        let watched = Watched::default();
        let loading = self.try_load(ports, &admitted, body, &watched);
        let loaded = timeout(self.longest, Scope::new(Stage::Load, Reason::Load).of(loading)).await;
        match loaded {
            Ok(reply) => reply.unwrap_or_else(|refused| refused),
            Err(_) => {
                let nothing = too_large(
                    "this takes too long for one request; nothing was changed; use `ocache load`",
                );
                ended(ports, &watched, nothing).await
            }
        }
    }

    async fn try_load(
        &self,
        ports: &Ports,
        admitted: &Admitted,
        body: Bytes,
        watched: &Watched,
    ) -> Result<Reply, Reply> {
        let stored = ports.store.catalogue_head().await.map_err(|error| unavailable(&error))?;
        let unit_decimals = stored.as_ref().map_or(0, |head| head.rounding.unit_decimals);
        let stored = stored.filter(|head| head.version > 0).map(|head| head.currency);
        let currency = admitted.currency.or(stored).unwrap_or(Currency::USD);
        let amounts = Amounts { currency, unit_decimals };
        let (format, is_packed, most) = (admitted.format, admitted.is_packed, self.max_bytes);
        let layout = admitted.layout.clone();
        let reading = move || read(body, format, is_packed, most, amounts, &layout);
        let dataset = tokio::task::spawn_blocking(reading).await;
        let dataset = dataset.map_err(|panic| {
            warn!(error = %panic, "a load was not read");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "the body was not read")
        })??;
        let options = LoadOptions { currency, prune: admitted.prune, merge: admitted.merge };
        if admitted.is_dry_run {
            return dry_run::reply(ports, &dataset, options).await;
        }
        let progress = |progress: LoadProgress<'_>| watched.note(&progress);
        let (store, clock, randomness) = (&*ports.store, &*ports.clock, &*ports.randomness);
        let report = load(store, clock, randomness, &dataset, options, &progress).await;
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                let refused = not_loaded(&error);
                return Err(match error {
                    LoadError::Port(_) => ended(ports, watched, refused).await,
                    _ => refused,
                });
            }
        };
        let ordered = order_tables(ports, &report).await;
        Ok(json_reply(StatusCode::OK, &summary(&dataset, &report, ordered)))
    }
}

/// Returns the reply to a load that has not ended well: `nothing` if it did nothing. The store may have
/// brought it into force all the same, and only its answer was lost.
async fn ended(ports: &Ports, watched: &Watched, nothing: Reply) -> Reply {
    if watched.has_no_effect() {
        return nothing;
    }
    let looking = Scope::new(Stage::Load, Reason::Load).of(watched.did(&*ports.store));
    match timeout(LOOKING, looking).await.unwrap_or(Did::Unknown) {
        Did::Nothing => nothing,
        // Others fold the rows, and the schedule orders the tables.
        Did::All(version) => {
            info!(version, "a load is in force; another process folds its rows");
            let message = "in force; its rows are being folded, and tables follow by the schedule";
            let body = json!({ "catalogue_version": version, "message": message });
            json_reply(StatusCode::ACCEPTED, &body)
        }
        Did::Unknown => busy(
            "it is not known whether the whole load came into force or nothing of it; load it again: \
             only what differs is written",
        ),
    }
}

/// Returns the reply to a body that is too large.
#[must_use]
pub fn too_large(message: &str) -> Reply {
    problem(StatusCode::PAYLOAD_TOO_LARGE, message)
}

/// Returns the reply to a page, or to a client whose token does not permit loads.
#[must_use]
pub fn may_not_load(why: &str) -> Reply {
    info!(why, "a load was refused");
    problem(StatusCode::FORBIDDEN, why)
}

/// The reason why pages are refused: a page would load in the name of the person who has it open.
pub const NO_PAGES: &str = "this page's origin may not load";
/// The reason why a token that does not permit loads is refused.
pub const NO_CLAIM: &str = "the token may not load; `ocache token --load` makes one that may";

fn busy(message: &str) -> Reply {
    later(StatusCode::SERVICE_UNAVAILABLE, message)
}

fn unavailable(error: &PortError) -> Reply {
    warn!(error = %Chain(error), "a load failed");
    busy("nothing was changed; try again")
}

fn format_of(media: &str) -> Result<Format, Reply> {
    match media {
        "application/json"
        | "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl" => Ok(Format::Json),
        "text/csv" | "text/tab-separated-values" => Ok(Format::Csv),
        _ => {
            let message = format!(
                "content type `{media}` is not loaded; send application/json, application/x-ndjson, \
                 text/csv or text/tab-separated-values"
            );
            Err(unsupported(&message, ACCEPT_POST, ACCEPTED))
        }
    }
}

fn is_packed(headers: &HeaderMap) -> Result<bool, Reply> {
    let given = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    match given.map(str::trim).map(str::to_ascii_lowercase).as_deref() {
        None | Some("identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(other) => {
            let message = format!("content encoding `{other}` is not unpacked; send gzip, or none");
            Err(unsupported(&message, ACCEPT_ENCODING, HeaderValue::from_static("gzip")))
        }
    }
}

fn unsupported(message: &str, name: HeaderName, accepted: HeaderValue) -> Reply {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let mut reply = problem_with_code(status, "unsupported_type", message);
    reply.headers_mut().insert(name, accepted);
    reply
}

/// Reads the whole body, or refuses it.
fn read(
    body: Bytes,
    format: Format,
    is_packed: bool,
    most: usize,
    amounts: Amounts,
    layout: &Layout,
) -> Result<Dataset, Reply> {
    let body = if is_packed || is_gzip(&body) { unpacked(&body, most)?.into() } else { body };
    if let Some(is_json) = is_json(&body, layout)
        && is_json != (format == Format::Json)
    {
        let (said, is) = if is_json { ("CSV", "JSON") } else { ("JSON", "none") };
        return Err(bad_data(
            &format!("the body should be {said} by its content type, and is {is}"),
            None,
        ));
    }
    read_texts_as(&[(Path::new(NAME), &body)], amounts, layout).map_err(|errors| bad_rows(&errors))
}

/// Unpacks a body. A few kilobytes may unpack to gigabytes, so no more is unpacked than may be loaded.
fn unpacked(body: &[u8], most: usize) -> Result<Vec<u8>, Reply> {
    let mut unpacked = vec![];
    let mut source = Gunzip::new(body).take(most as u64 + 1);
    match source.read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() > most => Err(body_too_large(most)),
        Ok(_) => Ok(unpacked),
        Err(error) => Err(bad_data(&format!("the body cannot be read: {error}"), None)),
    }
}

/// Returns the reply to a body with more bytes than may be loaded at once.
#[must_use]
pub fn body_too_large(most: usize) -> Reply {
    let most = most / 1024 / 1024;
    too_large(&format!("the body has more than {most} MB, unpacked; use `ocache load`"))
}

fn bad_rows(errors: &DataErrors) -> Reply {
    worded_for_http(|| bad_data(&errors.to_string(), Some(errors)))
}

fn bad_data(message: &str, errors: Option<&DataErrors>) -> Reply {
    let mut body = json!({ "message": message, "code": "bad_data" });
    if let Some(Ok(Value::Object(listed))) = errors.map(serde_json::to_value) {
        body.as_object_mut().into_iter().for_each(|body| body.extend(listed.clone()));
    }
    json_reply(StatusCode::BAD_REQUEST, &body)
}

fn not_loaded(error: &LoadError) -> Reply {
    match error {
        LoadError::Port(error) => unavailable(error),
        LoadError::Contended | LoadError::Dropped | LoadError::UnitDecimals { .. } => {
            busy(&error.to_string())
        }
        LoadError::Data(errors) => bad_rows(errors),
        LoadError::DoesNotFit { .. } | LoadError::Changes(_) => {
            bad_data(&worded_for_http(|| error.to_string()), None)
        }
        LoadError::Currency { stored, given } => {
            let message = format!(
                "{error}; load with ?currency={stored}, or replace all prices with \
                 ?prune=true&currency={given}"
            );
            problem_with_code(StatusCode::CONFLICT, "other_currency", &message)
        }
    }
}

/// Orders a calculation for every active customer whose table the load has made outdated.
async fn order_tables(ports: &Ports, report: &LoadReport) -> usize {
    let now = ports.clock.now();
    match change::order(&*ports.store, &*ports.queues, &report.change, now).await {
        Ok(done) => done.ordered,
        Err(error) => {
            warn!(error = %Chain(&error), "tables change at the next refresh, not at once");
            0
        }
    }
}

/// Returns the summary of a load, with the field names of `ocache load`.
fn summary(dataset: &Dataset, report: &LoadReport, ordered: usize) -> Value {
    let mut summary = counts_json(&report.counts);
    let mut add = |name: &str, value: Value| drop(summary.insert(name.to_owned(), value));
    add("catalogue_version", report.version.into());
    add("tables_ordered", ordered.into());
    add("own_rows_removed", report.lost.rows.into());
    add("unknown_products", json!(report.mentions.unknown_products));
    add("rows_of_several_lines", several_lines_json(&dataset.notices));
    add("unreadable", json!(report.unreadable));
    add("unfolded", json!(report.unfolded));
    Value::Object(summary)
}
