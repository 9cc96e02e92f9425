//! `POST /load`: products and discounts over HTTP, the same for the local gateway and for the function
//! behind API Gateway's HTTP API.
//!
//! Whoever may load decides every price, so loads are guarded more closely than quotes. A token that
//! permits loads is always required. Of all pages, only the gateway's own may load. The size of a body is
//! limited, also when it is unpacked. A load is checked as a whole, and takes effect as a whole or not at
//! all. A dry run is guarded in the same way, because it shows the prices of every customer.

mod dry_run;

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    Amounts, DataErrors, Dataset, Gunzip, Layout, LoadError, LoadOptions, LoadProgress, LoadReport,
    counts_json, is_gzip, is_json, load, read_texts_as, worded_for_http,
};
use crate::meter::{Reason, Scope, Stage};
use crate::ports::{Chain, PortError, Ports};
use crate::pricing::Currency;
use crate::stages::change;

/// The name of a body in error messages.
const NAME: &str = "body";
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
    #[must_use]
    pub fn new() -> Self {
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
        let in_force = AtomicU64::new(0);
        let loading = self.try_load(ports, &admitted, body, &in_force);
        let loaded = timeout(self.longest, Scope::new(Stage::Load, Reason::Load).of(loading)).await;
        match (loaded, in_force.into_inner()) {
            (Ok(reply), _) => reply.unwrap_or_else(|refused| refused),
            // Others fold the rows, and the schedule orders the tables.
            (Err(_), version) if version > 0 => {
                info!(version, "a load is in force, and was left to be folded by others");
                let message =
                    "in force; its rows are being folded, and tables follow by the schedule";
                let body = json!({ "catalogue_version": version, "message": message });
                json_reply(StatusCode::ACCEPTED, &body)
            }
            (Err(_), _) => too_large(
                "this takes too long for one request; nothing was changed; use `ocache load`",
            ),
        }
    }

    async fn try_load(
        &self,
        ports: &Ports,
        admitted: &Admitted,
        body: Bytes,
        in_force: &AtomicU64,
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
        let progress = |progress: LoadProgress<'_>| {
            if let LoadProgress::InForce(version) = progress {
                in_force.store(version, Ordering::Relaxed);
            }
        };
        let (store, clock, randomness) = (&*ports.store, &*ports.clock, &*ports.randomness);
        let report = load(store, clock, randomness, &dataset, options, &progress).await;
        let report = report.map_err(|error| not_loaded(&error))?;
        let ordered = order_tables(ports, &report).await;
        Ok(json_reply(StatusCode::OK, &summary(&report, ordered)))
    }
}

impl Default for LoadDoor {
    fn default() -> Self {
        Self::new()
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

/// The reason why pages are refused: a page would load in the name of whoever has it open.
pub const NO_PAGES: &str = "pages may not load";
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
fn summary(report: &LoadReport, ordered: usize) -> Value {
    let mut summary = counts_json(&report.counts);
    let mut add = |name: &str, value: Value| drop(summary.insert(name.to_owned(), value));
    add("catalogue_version", report.version.into());
    add("tables_ordered", ordered.into());
    add("own_rows_removed", report.lost.rows.into());
    add("unknown_products", json!(report.mentions.unknown_products));
    add("unreadable", json!(report.unreadable));
    add("unfolded", json!(report.unfolded));
    Value::Object(summary)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use hyper::header::CONTENT_TYPE;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn packed(bytes: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(vec![], Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn heads_are_checked_before_bodies() {
        let door = LoadDoor::new();
        let admit = |query: &str, pairs: &[(HeaderName, &str)]| {
            door.admit(query, &headers(pairs)).map_err(|reply| reply.status().as_u16())
        };
        let csv = (CONTENT_TYPE, "Text/CSV; charset=utf-8");
        let only_csv = std::slice::from_ref(&csv);
        let gzip = (CONTENT_ENCODING, "GZIP");
        let admitted = admit("currency=EUR&prune=true", &[csv.clone(), gzip]).unwrap();
        assert!(
            !admitted.is_dry_run
                && admitted.prune
                && admitted.is_packed
                && admitted.format == Format::Csv
        );
        // The door admits one load at a time.
        assert_eq!(admit("", only_csv).err(), Some(503));
        drop(admitted);
        assert!(admit("dry-run=true", only_csv).unwrap().is_dry_run);
        for (query, pairs, status) in [
            ("", &[][..], 415),
            ("", &[(CONTENT_TYPE, "text/plain")], 415),
            ("", &[(CONTENT_TYPE, "application/x-www-form-urlencoded")], 415),
            ("", &[csv.clone(), (CONTENT_ENCODING, "br")], 415),
            ("currency=EURO", only_csv, 400),
            ("prune=yes", only_csv, 400),
            ("dry-run=", only_csv, 400),
            ("dry_run=true", only_csv, 400),
            ("force=true", only_csv, 400),
        ] {
            assert_eq!(admit(query, pairs).err(), Some(status), "{query} {pairs:?}");
        }
    }

    #[test]
    fn what_is_unpacked_is_bounded() {
        let bomb = packed(&vec![b' '; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert_eq!(unpacked(&bomb, 1_000_000).unwrap_err().status(), 413);
        assert_eq!(unpacked(&bomb, 10_000_000).unwrap().len(), 10_000_000);
        assert_eq!(unpacked(b"plain", 100).unwrap_err().status(), 400);
        assert_eq!(unpacked(&bomb[..100], 10_000_000).unwrap_err().status(), 400, "cut off");
    }

    #[test]
    fn a_body_is_what_it_says_that_it_is() {
        let read = |format, body: &'static str| {
            let layout = Layout::default();
            read(Bytes::from(body), format, false, 1000, Currency::USD.into(), &layout).is_ok()
        };
        let (csv, json) =
            ("id,name,price\nP1,Desk,5.00\n", r#" [{"id":"P1","name":"D","price":5}]"#);
        assert!(read(Format::Csv, csv) && read(Format::Json, json));
        assert!(!read(Format::Json, csv) && !read(Format::Csv, json));
        assert!(!read(Format::Csv, "") && !read(Format::Json, ""));
    }
}
