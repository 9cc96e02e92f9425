//! Reads arrivals from a CSV file, which may be compressed with gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::data::{Gunzip, is_gzip};
use crate::model::{IdError, Timestamp, UserId};

/// The columns of a trace.
pub const TRACE_COLUMNS: [&str; 3] = ["time", "customer", "lines"];
/// The most lines of a quote.
pub(super) const MOST_LINES: u32 = 400;

/// The arrival of a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The time.
    pub at: Timestamp,
    /// The customer.
    pub user: UserId,
    /// The number of products.
    pub lines: u32,
}

/// Why arrivals cannot be read.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be read, or is not CSV.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: csv::Error,
    },
    /// The header has no such column.
    #[error("{} has no column `{column}`", path.display())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// A field is invalid for its column.
    #[error("{}:{line}: {problem}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// There is nothing to replay.
    #[error("{} has no arrivals", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Reads arrivals from a file, or from standard input for `-`. The columns are `time` (RFC 3339),
/// `customer` and optionally `lines`. The arrivals are sorted by time.
///
/// # Errors
/// Returns [`TraceError`] at the first invalid row.
pub fn read_trace(path: &Path) -> Result<Vec<Arrival>, TraceError> {
    if path == Path::new("-") {
        return read_from(Path::new("standard input"), io::stdin());
    }
    read_from(path, File::open(path).map_err(|source| unreadable(path, source.into()))?)
}

fn read_from(path: &Path, file: impl Read + 'static) -> Result<Vec<Arrival>, TraceError> {
    let reader = unpacked(file).map_err(|source| unreadable(path, source.into()))?;
    parse(path, reader)
}

fn unreadable(path: &Path, source: csv::Error) -> TraceError {
    TraceError::Unreadable { path: path.to_owned(), source }
}

fn unpacked(file: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut reader = BufReader::new(file);
    let is_packed = is_gzip(reader.fill_buf()?);
    Ok(if is_packed { Box::new(Gunzip::new(reader)) } else { Box::new(reader) })
}

fn parse(path: &Path, reader: impl Read) -> Result<Vec<Arrival>, TraceError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
    let header = reader.headers().map_err(|source| unreadable(path, source))?.clone();
    let place = |column| header.iter().position(|name| name == column);
    let needed = |column| {
        place(column).ok_or_else(|| TraceError::NoColumn { path: path.to_owned(), column })
    };
    let (time, customer, lines) = {
        let [time, customer, lines] = TRACE_COLUMNS;
        (needed(time)?, needed(customer)?, place(lines))
    };
    let mut arrivals = vec![];
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|source| unreadable(path, source))? {
        let text = |place: usize| record.get(place).unwrap_or_default();
        let arrival = arrival(text(time), text(customer), lines.map(text));
        arrivals.push(arrival.map_err(|problem| TraceError::Field {
            path: path.to_owned(),
            line: record.position().map_or(0, csv::Position::line),
            problem,
        })?);
    }
    if arrivals.is_empty() {
        return Err(TraceError::Empty { path: path.to_owned() });
    }
    arrivals.sort_by_key(|arrival| arrival.at);
    Ok(arrivals)
}

fn arrival(time: &str, customer: &str, lines: Option<&str>) -> Result<Arrival, String> {
    let at: jiff::Timestamp =
        time.parse().map_err(|_| format!("`{time}` is not a time such as 2026-01-31T09:30:00Z"))?;
    // A trace may contain quotations that an earlier version stored.
    let user = UserId::stored(customer).map_err(|error: IdError| error.to_string())?;
    let lines: u32 = match lines {
        None => 1,
        Some(lines) => lines
            .parse()
            .ok()
            .filter(|lines| *lines > 0)
            .ok_or_else(|| format!("`{lines}` is not a number of lines"))?,
    };
    // Check before rounding to milliseconds, which would move the last instants of 1969 into 1970.
    if at < jiff::Timestamp::UNIX_EPOCH {
        return Err(format!("`{time}` is before 1970"));
    }
    let at = Timestamp::from_millis(at.as_millisecond());
    Ok(Arrival { at, user, lines: lines.min(MOST_LINES) })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Arrival>, TraceError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read_trace(file.path())
    }

    const TWO: &str = "customer,time,lines\n\"b, c\",2026-01-31T09:31:00Z,7\n\
        a,2026-01-31T10:30:00+01:00,9000\n";

    #[test]
    fn columns_rows_and_gzip_come_in_any_form() {
        let arrivals = read(TWO.as_bytes()).unwrap();
        let seen: Vec<_> = arrivals
            .iter()
            .map(|arrival| (arrival.at.to_string(), arrival.user.as_str(), arrival.lines))
            .collect();
        assert_eq!(
            seen,
            [
                ("2026-01-31T09:30:00.000Z".to_owned(), "a", 400),
                ("2026-01-31T09:31:00.000Z".to_owned(), "b, c", 7),
            ]
        );
        let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        packed.write_all(TWO.as_bytes()).unwrap();
        assert_eq!(read(&packed.finish().unwrap()).unwrap(), arrivals);
        let without = read(b"time,customer\n2026-01-31T09:30:00Z,a\n").unwrap();
        assert_eq!(without[0].lines, 1);
    }

    #[test]
    fn what_is_no_arrival_is_named_with_its_line() {
        for (text, said) in [
            ("time,customer\n", "has no arrivals"),
            ("time,who\n", "has no column `customer`"),
            ("time,customer\n2026-01-31,a\n", ":2: `2026-01-31` is not a time"),
            (
                "time,customer\n1969-12-31T23:59:59Z,a\n",
                ":2: `1969-12-31T23:59:59Z` is before 1970",
            ),
            ("time,customer\n1969-12-31T23:59:59.9999Z,a\n", "is before 1970"),
            ("time,customer\n2026-01-31T09:30:00Z,\n", ":2: customer id is empty"),
            ("time,customer,lines\n2026-01-31T09:30:00Z,a,0\n", ":2: `0` is not a number of lines"),
            ("time,customer\n2026-01-31T09:30:00Z\n", "cannot be read"),
            ("\u{1f}\u{8b}", "has no column"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
        assert!(read(&[0x1f, 0x8b, 8, 0]).is_err(), "cut off");
    }
}
