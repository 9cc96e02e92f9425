//! Durations in the form that people write.

use std::time::Duration;

/// The shortest retention. With less, data could expire while readers still rely on it.
const LEAST_RETENTION: Duration = Duration::from_secs(60);

/// Parses `90s`, `1m30s`, `500ms`, `2h` or `7d`: from a millisecond to a year.
///
/// # Errors
/// A text that says what is wrong.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = || format!("`{text}` is not a time such as 90s, 1m30s or 500ms");
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.parse::<u32>().map_err(|_| refuse())?, rest),
        None => (0, text),
    };
    let parsed: jiff::SignedDuration = match (days, rest) {
        (1.., "") => jiff::SignedDuration::ZERO,
        _ => rest.parse().map_err(|_| refuse())?,
    };
    let rest = Duration::try_from(parsed).map_err(|_| refuse())?;
    let duration = rest.saturating_add(Duration::from_secs(24 * 60 * 60) * days);
    if duration < Duration::from_millis(1) || duration > Duration::from_secs(366 * 24 * 60 * 60) {
        return Err(format!("`{text}` is not between 1ms and a year"));
    }
    Ok(duration)
}

/// Parses how long something stays stored: from a minute to a year.
///
/// # Errors
/// A text that says what is wrong.
pub fn parse_retention(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration < LEAST_RETENTION {
        return Err(format!("`{text}` is less than a minute"));
    }
    Ok(duration)
}

/// Formats a duration in its two largest units: `1m 30s`, `2h`, `350ms`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    if duration.as_secs() == 0 {
        return format!("{}ms", duration.as_millis());
    }
    let [days, hours, minutes, seconds, _] = in_units(duration);
    let parts: Vec<String> = [days, hours, minutes, seconds]
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    parts.join(" ")
}

/// Formats a duration exactly, to the millisecond, in the form that [`parse_duration`] reads: `1m30s`, `7d`,
/// `1s500ms`.
#[must_use]
pub fn write_duration(duration: Duration) -> String {
    let parts = in_units(duration).into_iter().filter(|(count, _)| *count > 0);
    let text: String = parts.map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Returns how many of each unit a duration has, from days to milliseconds.
fn in_units(duration: Duration) -> [(u64, &'static str); 5] {
    let secs = duration.as_secs();
    [
        (secs / 86_400, "d"),
        (secs / 3600 % 24, "h"),
        (secs / 60 % 60, "m"),
        (secs % 60, "s"),
        (duration.subsec_millis().into(), "ms"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_times() {
        for (text, secs, shown) in
            [("90s", 90, "1m 30s"), ("1m30s", 90, "1m 30s"), ("2h", 7200, "2h"), ("1m", 60, "1m")]
        {
            let duration = parse_duration(text).unwrap();
            assert_eq!((duration.as_secs(), show_duration(duration)), (secs, shown.to_owned()));
        }
        assert_eq!(show_duration(parse_duration("500ms").unwrap()), "500ms");
        for (text, written) in [
            ("90s", "1m30s"),
            ("1500ms", "1s500ms"),
            ("36h", "1d12h"),
            ("7d", "7d"),
            ("8784h", "366d"),
        ] {
            assert_eq!(write_duration(parse_duration(text).unwrap()), written);
            assert_eq!(parse_duration(written), parse_duration(text), "{written}");
        }
        for (text, hours) in [("1d", 24), ("1d12h", 36), ("30d", 720)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(hours * 3600)), "{text}");
        }
        assert_eq!(parse_retention("1m"), Ok(Duration::from_secs(60)));
        for bad in ["59s", "400d", "soon"] {
            assert!(parse_retention(bad).is_err(), "{bad}");
        }
        for bad in ["", "5", "0s", "-1s", "soon", "99999h", "d", "0d", "-1d", "1d-1s", "400d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
