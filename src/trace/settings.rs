//! The settings of traces. OpenTelemetry's libraries read most of its environment variables. This module
//! reads those that the libraries leave to the program.

use std::time::Duration;

use hyper::Uri;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use thiserror::Error;

/// The path of traces below an endpoint for all signals.
const TRACES: &str = "v1/traces";
const SERVICE_NAME: Key = Key::from_static_str("service.name");

/// The settings of traces in the environment.
#[derive(Debug)]
pub(super) struct TraceSettings {
    pub(super) url: Uri,
    pub(super) timeout: Duration,
    pub(super) resource: Resource,
}

/// A variable that is invalid.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{variable}: {why}")]
pub struct SettingsError {
    variable: &'static str,
    why: String,
}

impl TraceSettings {
    /// Reads the environment. Returns `None` if nothing is traced, because no endpoint is named or
    /// tracing is switched off.
    pub(super) fn from_environment() -> Result<Option<Self>, SettingsError> {
        Self::new(|name| std::env::var(name).ok())
    }

    fn new(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let says = |name, word: &str| get(name).is_some_and(|is| is.eq_ignore_ascii_case(word));
        if says("OTEL_SDK_DISABLED", "true") || says("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let Some(url) = url(&get)? else { return Ok(None) };
        Ok(Some(Self { url, timeout: timeout(&get)?, resource: resource(&get) }))
    }
}

type VariableReader<'a> = &'a dyn Fn(&str) -> Option<String>;

fn url(get: VariableReader<'_>) -> Result<Option<Uri>, SettingsError> {
    let own = OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
    let shared = OTEL_EXPORTER_OTLP_ENDPOINT;
    let (variable, url) = match (get(own), get(shared)) {
        (Some(url), _) => (own, url),
        (None, Some(url)) => (shared, format!("{}/{TRACES}", url.trim_end_matches('/'))),
        (None, None) => return Ok(None),
    };
    let uri = url.parse::<Uri>().ok().filter(|uri| {
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        is_http && uri.authority().is_some_and(|it| !it.as_str().contains('@'))
    });
    // The error does not repeat the value, which may contain a password.
    let why = "it is not a URL such as http://localhost:4318";
    uri.map(Some).ok_or_else(|| SettingsError { variable, why: why.to_owned() })
}

/// Returns the time limit of a request. The library leaves it to the HTTP client.
fn timeout(get: VariableReader<'_>) -> Result<Duration, SettingsError> {
    let names = [OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT];
    let set = names.iter().find_map(|name| Some((*name, get(name)?)));
    let Some((variable, value)) = set else { return Ok(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT) };
    match value.parse() {
        Ok(0) | Err(_) => {
            let why = format!("`{value}` is not a number of milliseconds");
            Err(SettingsError { variable, why })
        }
        Ok(millis) => Ok(Duration::from_millis(millis)),
    }
}

/// Returns the attributes of this process. The environment may replace them.
fn resource(get: VariableReader<'_>) -> Resource {
    let own = [
        KeyValue::new(SERVICE_NAME, "ocache"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("process.pid", i64::from(std::process::id())),
    ];
    let resource = Resource::builder_empty()
        .with_attributes(own)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match get("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<TraceSettings>, SettingsError> {
        TraceSettings::new(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/");

    #[test]
    fn nothing_is_traced_unless_an_endpoint_is_named() {
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).unwrap().is_none());
        assert!(of(&[ENDPOINT, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        assert!(of(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().is_none());
        let settings = of(&[ENDPOINT]).unwrap().unwrap();
        assert_eq!(settings.url, "http://localhost:4318/v1/traces");
        assert_eq!(settings.timeout, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT);
        assert_eq!(settings.resource.get(&SERVICE_NAME), Some("ocache".into()));
    }

    #[test]
    fn what_is_of_traces_alone_comes_first() {
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example.com/otlp");
        let settings = of(&[
            ENDPOINT,
            own,
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "9"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
            ("OTEL_SERVICE_NAME", "shop"),
        ]);
        let settings = settings.unwrap().unwrap();
        assert_eq!(settings.url, own.1);
        assert_eq!(settings.timeout, Duration::from_millis(250));
        assert_eq!(settings.resource.get(&SERVICE_NAME), Some("shop".into()));
    }

    #[test]
    fn what_has_no_meaning_is_refused_by_its_name() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://localhost"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:word@localhost"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ] {
            let error = of(&[(name, value), ENDPOINT]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
