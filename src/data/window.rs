//! Parses the times at which a price list begins and ends.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::error::Problem;
use crate::model::{PriceListId, Timestamp};

/// A date or time in a time zone, and the instant that it was converted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The list.
    pub list: PriceListId,
    /// `from` or `until`.
    pub field: &'static str,
    /// The text that was given.
    pub given: String,
    /// The time zone.
    pub time_zone: String,
    /// The instant.
    pub instant: Timestamp,
    /// How often the clocks of the time zone show the time.
    pub occurs: Occurs,
}

/// How often the clocks of a time zone show a local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// Once, as almost all times.
    Once,
    /// Not at all, because they are put forward over it.
    Never {
        /// The time, also if only a date was given.
        local: String,
        /// What they show at the instant.
        instead: String,
    },
    /// Twice, because they are put back over it.
    Twice {
        /// The time, also if only a date was given.
        local: String,
    },
}

/// Returns the time zone with a name.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(name).map_err(|_| Problem::TimeZone { name: name.to_owned() })
}

/// Returns an instant and, if a time zone was needed for it, how often the time occurs there.
///
/// A local time that is skipped when clocks change becomes the instant as long after the change as the time
/// is after the last moment before it. A local time that occurs twice becomes the first of the two. So a
/// date is its first instant.
pub(super) fn instant(
    field: &'static str,
    text: &str,
    zone: Option<&TimeZone>,
) -> Result<(Timestamp, Option<Occurs>), Problem> {
    let malformed = || Problem::Time { field, text: text.to_owned() };
    if !is_rfc_3339(text) {
        return Err(malformed());
    }
    let (instant, occurs) = match text.parse::<jiff::Timestamp>() {
        Ok(instant) => (instant, None),
        Err(_) => {
            let local: DateTime = text.parse().map_err(|_| malformed())?;
            let zone = zone.ok_or_else(|| Problem::NoTimeZone { field, text: text.to_owned() })?;
            let found = zone.to_ambiguous_timestamp(local);
            let instant = found.compatible().map_err(|_| malformed())?;
            let occurs = match found.offset() {
                AmbiguousOffset::Unambiguous { .. } => Occurs::Once,
                AmbiguousOffset::Gap { .. } => {
                    Occurs::Never { local: shown(local), instead: shown(zone.to_datetime(instant)) }
                }
                AmbiguousOffset::Fold { .. } => Occurs::Twice { local: shown(local) },
            };
            (instant, Some(occurs))
        }
    };
    if instant.subsec_nanosecond() % 1_000_000 != 0 {
        return Err(Problem::FineTime { field, text: text.to_owned() });
    }
    let at = Timestamp::from_millis(instant.as_millisecond());
    if at < Timestamp::default() {
        return Err(Problem::BeforeEpoch { field, text: text.to_owned(), instant: at });
    }
    Ok((at, occurs))
}

/// Formats a local time, without its seconds if it has none.
fn shown(local: DateTime) -> String {
    let text = local.to_string();
    text.strip_suffix(":00").map_or_else(|| text.clone(), str::to_owned)
}

/// Whether a time has the form of RFC 3339, though it may end after the date, the minutes or the seconds. The parser
/// takes more: other forms of ISO 8601, offsets of more than a day, and a second 60, which it takes for 59.
fn is_rfc_3339(text: &str) -> bool {
    let is_like = |text: &str, form: &str| {
        let fits = |(byte, form): (u8, u8)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        };
        text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
    };
    let Some((date, time)) = text.split_at_checked("2026-04-01".len()) else { return false };
    let Some(time) = time.strip_prefix(['T', 't', ' ']) else {
        return is_like(date, "0000-00-00") && time.is_empty();
    };
    let (time, offset) = time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len()));
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_clock = is_like(clock, "00:00") || is_like(clock, "00:00:00") && !clock.ends_with(":60");
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_offset = match offset.strip_prefix(['+', '-']) {
        Some(offset) => is_like(offset, "00:00") && offset < "24:00",
        None => offset.len() <= 1,
    };
    is_like(date, "0000-00-00") && is_clock && is_fraction && is_offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str) -> String {
        let zone = (!zone.is_empty()).then(|| time_zone(zone).unwrap());
        match instant("from", text, zone.as_ref()) {
            Ok((instant, _)) => instant.to_string(),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn a_date_is_its_first_instant_in_the_time_zone() {
        for (text, zone, expected) in [
            ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z"),
            ("2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00.000Z"),
            ("2026-03-08", "America/New_York", "2026-03-08T05:00:00.000Z"),
            ("2026-03-09", "America/New_York", "2026-03-09T04:00:00.000Z"),
            // The first is skipped by the change to summer time, the second occurs twice at the change
            // back.
            ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00.000Z"),
            ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z"),
            // Midnight is skipped in Cairo.
            ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00.000Z"),
            ("2026-04-01T00:00:00.001+02:00", "Europe/Berlin", "2026-03-31T22:00:00.001Z"),
            ("2026-04-01T00:00:00Z", "", "2026-04-01T00:00:00.000Z"),
            ("1970-01-01", "America/New_York", "1970-01-01T05:00:00.000Z"),
            ("2026-04-01t12:30:59.5z", "", "2026-04-01T12:30:59.500Z"),
            ("2026-04-01 12:30+23:59", "", "2026-03-31T12:31:00.000Z"),
        ] {
            assert_eq!(at(text, zone), expected, "{text} {zone}");
        }
    }

    #[test]
    fn a_time_that_clocks_skip_or_show_twice_is_known_as_such() {
        let never = |local: &str, instead: &str| Occurs::Never {
            local: local.to_owned(),
            instead: instead.to_owned(),
        };
        let twice = |local: &str| Occurs::Twice { local: local.to_owned() };
        for (text, zone, expected) in [
            ("2027-03-28T01:59", "Europe/Berlin", Some(Occurs::Once)),
            (
                "2027-03-28 02:30",
                "Europe/Berlin",
                Some(never("2027-03-28T02:30", "2027-03-28T03:30")),
            ),
            (
                "2027-03-28T02:00:07",
                "Europe/Berlin",
                Some(never("2027-03-28T02:00:07", "2027-03-28T03:00:07")),
            ),
            ("2027-03-28T03:00", "Europe/Berlin", Some(Occurs::Once)),
            ("2026-04-24", "Africa/Cairo", Some(never("2026-04-24T00:00", "2026-04-24T01:00"))),
            ("2027-10-31T02:30", "Europe/Berlin", Some(twice("2027-10-31T02:30"))),
            ("2027-10-31T03:00", "Europe/Berlin", Some(Occurs::Once)),
            ("2026-11-01", "America/Havana", Some(twice("2026-11-01T00:00"))),
            ("2027-03-28T02:30Z", "Europe/Berlin", None),
        ] {
            let zone = time_zone(zone).unwrap();
            let (_, occurs) = instant("from", text, Some(&zone)).unwrap();
            assert_eq!(occurs, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused_with_what_would_be() {
        for (text, zone, expected) in [
            (
                "2026-04-01",
                "",
                "`from` `2026-04-01` has no time zone; name one in `time_zone`, such as Europe/Berlin, or write an instant, such as 2026-04-01T00:00:00Z",
            ),
            (
                "01.04.2026",
                "Europe/Berlin",
                "`from` `01.04.2026` is not a time; write 2026-04-01, or an instant, such as 2026-04-01T00:00:00Z",
            ),
            (
                "2026-04-01T00:00:00.0001Z",
                "",
                "`from` `2026-04-01T00:00:00.0001Z` is finer than a millisecond",
            ),
            (
                "1969-12-31T23:59:59.999Z",
                "",
                "`from` `1969-12-31T23:59:59.999Z` is before 1970 (it is 1969-12-31T23:59:59.999Z); without `from` the list is in force from the start",
            ),
            (
                "1970-01-01",
                "Europe/Berlin",
                "`from` `1970-01-01` is before 1970 (it is 1969-12-31T23:00:00.000Z); without `from` the list is in force from the start",
            ),
        ] {
            assert_eq!(at(text, zone), expected);
        }
        // What is not written as RFC 3339 says, and would be understood in silence.
        for text in [
            "2026-04-01T00:00:00+24:00",
            "2026-04-01T00:00:00-25:59",
            "2026-04-01T00:00:00+02:00:30",
            "2026-04-01T00:00:00+02",
            "2026-04-01T23:59:60Z",
            "2026-04-01T23:59:60",
            "2026-04-01T00:00:00Z[Europe/Berlin]",
            "20260401T000000Z",
            "2026-04-01T00Z",
        ] {
            let refused = format!("`from` `{text}` is not a time; ");
            assert!(at(text, "Europe/Berlin").starts_with(&refused), "{text}");
        }
        assert_eq!(
            time_zone("Europe/Berln").unwrap_err().to_string(),
            "`time_zone` `Europe/Berln` is not a time zone of the IANA database, such as Europe/Berlin"
        );
    }
}
