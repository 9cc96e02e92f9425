//! Where traces go: OpenTelemetry's own environment variables, the same for every program.

use std::time::Duration;

use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use thiserror::Error;

use super::sampler::Sampler;

/// The path of traces below an endpoint that is for all signals.
const TRACES: &str = "v1/traces";
const TIMEOUT: Duration = Duration::from_secs(10);
const EXPORT_EVERY: Duration = Duration::from_secs(5);

/// What the environment says of traces.
#[derive(Debug)]
pub struct TraceSettings {
    pub(super) url: Uri,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) timeout: Duration,
    pub(super) every: Duration,
    pub(super) sampler: Sampler,
    pub(super) resource: Vec<(String, String)>,
}

/// A variable that cannot be understood.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{variable}: {why}")]
pub struct SettingsError {
    variable: &'static str,
    why: String,
}

impl SettingsError {
    fn new(variable: &'static str, why: impl Into<String>) -> Self {
        Self { variable, why: why.into() }
    }
}

impl TraceSettings {
    /// Those of the environment; `None` when nothing is traced, because no endpoint is named or
    /// tracing is switched off.
    ///
    /// # Errors
    /// A variable that has no meaning here.
    pub fn from_environment() -> Result<Option<Self>, SettingsError> {
        Self::new(|name| std::env::var(name).ok())
    }

    fn new(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let says = |name, word: &str| get(name).is_some_and(|is| is.eq_ignore_ascii_case(word));
        if says("OTEL_SDK_DISABLED", "true") || says("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let Some(url) = url(&get)? else { return Ok(None) };
        let headers = get("OTEL_EXPORTER_OTLP_TRACES_HEADERS")
            .or_else(|| get("OTEL_EXPORTER_OTLP_HEADERS"))
            .unwrap_or_default();
        let timeout = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
        Ok(Some(Self {
            url,
            headers: pairs("OTEL_EXPORTER_OTLP_HEADERS", &headers)?
                .into_iter()
                .map(header)
                .collect::<Result<_, _>>()?,
            timeout: millis(&get, &timeout)?.unwrap_or(TIMEOUT),
            every: millis(&get, &["OTEL_BSP_SCHEDULE_DELAY"])?.unwrap_or(EXPORT_EVERY),
            sampler: sampler(&get)?,
            resource: resource(&get)?,
        }))
    }

    /// Where traces go, for people.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.to_string()
    }
}

type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

fn url(get: Get<'_>) -> Result<Option<Uri>, SettingsError> {
    const OWN: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const SHARED: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let (variable, url) = match (get(OWN), get(SHARED)) {
        (Some(url), _) => (OWN, url),
        (None, Some(url)) => (SHARED, format!("{}/{TRACES}", url.trim_end_matches('/'))),
        (None, None) => return Ok(None),
    };
    let uri = url.parse::<Uri>().ok().filter(|uri| {
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        is_http && uri.authority().is_some_and(|it| !it.as_str().contains('@'))
    });
    // It may have a password in it, so it is not repeated.
    let why = "it is not a URL such as http://localhost:4318";
    uri.map(Some).ok_or_else(|| SettingsError::new(variable, why))
}

fn sampler(get: Get<'_>) -> Result<Sampler, SettingsError> {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    let Some(name) = get(NAME) else { return Ok(Sampler::default()) };
    let argument = get("OTEL_TRACES_SAMPLER_ARG");
    // What is no number is no share either.
    let share = argument.as_ref().map(|share| share.parse().unwrap_or(f64::NAN));
    Sampler::new(&name, share).ok_or_else(|| {
        let argument = argument.map(|share| format!(" with `{share}`")).unwrap_or_default();
        SettingsError::new(NAME, format!("there is no sampler `{name}`{argument}"))
    })
}

/// What the process says of itself.
fn resource(get: Get<'_>) -> Result<Vec<(String, String)>, SettingsError> {
    const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut attributes = pairs(NAME, &get(NAME).unwrap_or_default())?;
    let named = attributes.iter().any(|(key, _)| key == "service.name");
    if let Some(name) = get("OTEL_SERVICE_NAME").or_else(|| (!named).then(|| "ocache".to_owned())) {
        attributes.retain(|(key, _)| key != "service.name");
        attributes.push(("service.name".to_owned(), name));
    }
    let own = [
        ("process.pid", std::process::id().to_string()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("telemetry.sdk.name", "ocache".to_owned()),
        ("telemetry.sdk.language", "rust".to_owned()),
    ];
    for (key, value) in own {
        if !attributes.iter().any(|(other, _)| other == key) {
            attributes.push((key.to_owned(), value));
        }
    }
    Ok(attributes)
}

/// `key=value,key=value`, percent-encoded.
fn pairs(variable: &'static str, text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| match entry.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), decoded(value.trim())))
            }
            // It may be a secret, so it is not repeated.
            _ => Err(SettingsError::new(variable, "an entry is not `key=value`")),
        })
        .collect()
}

/// Percent-encoding undone. A `+` is a `+`.
fn decoded(text: &str) -> String {
    let whole = text.replace('+', "%2B");
    let value = form_urlencoded::parse(whole.as_bytes()).next();
    value.map_or_else(String::new, |(key, _)| key.into_owned())
}

fn header((name, value): (String, String)) -> Result<(HeaderName, HeaderValue), SettingsError> {
    let refuse = |_| SettingsError::new("OTEL_EXPORTER_OTLP_HEADERS", "an entry is no header");
    let mut value = HeaderValue::try_from(value).map_err(|_| refuse(()))?;
    value.set_sensitive(true);
    Ok((HeaderName::try_from(name).map_err(|_| refuse(()))?, value))
}

fn millis(get: Get<'_>, names: &[&'static str]) -> Result<Option<Duration>, SettingsError> {
    let set = names.iter().find_map(|name| Some((*name, get(name)?)));
    let Some((name, value)) = set else { return Ok(None) };
    match value.parse() {
        Ok(0) | Err(_) => {
            Err(SettingsError::new(name, format!("`{value}` is not a number of milliseconds")))
        }
        Ok(millis) => Ok(Some(Duration::from_millis(millis))),
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
        assert_eq!(settings.url(), "http://localhost:4318/v1/traces");
        assert_eq!((settings.timeout, settings.every), (TIMEOUT, EXPORT_EVERY));
        assert!(settings.resource.contains(&("service.name".to_owned(), "ocache".to_owned())));
    }

    #[test]
    fn what_is_of_traces_alone_comes_first() {
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example.com/otlp");
        let settings = of(&[
            ENDPOINT,
            own,
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20a+b, x-scope=1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=test"),
            ("OTEL_SERVICE_NAME", "shop"),
        ]);
        let settings = settings.unwrap().unwrap();
        assert_eq!(settings.url(), own.1);
        let headers: Vec<_> = settings.headers.iter().map(|(_, value)| value.as_bytes()).collect();
        assert_eq!(headers, [&b"Bearer a+b"[..], b"1"]);
        assert_eq!(settings.timeout, Duration::from_millis(250));
        let names: Vec<_> =
            settings.resource.iter().filter(|(key, _)| key == "service.name").collect();
        assert_eq!(names, [&("service.name".to_owned(), "shop".to_owned())]);
    }

    #[test]
    fn what_has_no_meaning_is_refused_by_its_name() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://localhost"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:word@localhost"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_BSP_SCHEDULE_DELAY", "0"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "no header"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ] {
            let error = of(&[(name, value), ENDPOINT]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
        let half = [ENDPOINT, ("OTEL_TRACES_SAMPLER", "traceidratio")];
        let wrong = [half[0], half[1], ("OTEL_TRACES_SAMPLER_ARG", "half")];
        assert!(of(&half).is_ok() && of(&wrong).is_err());
    }
}
