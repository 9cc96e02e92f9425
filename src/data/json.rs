//! JSON: arrays of rows, one row per line, and objects that hold rows.

use std::io::BufRead;

use serde_json::value::RawValue;

use super::collect::Sink;
use super::error::{Fault, Problem};
use super::json_parts::for_each_element;
use super::kinds::Expected;
use super::lines::{FileLines, FileText, LineFinder};
use super::row::FileRow;
use super::wrapped;

/// Reads an array of rows.
pub(super) fn read_array(whole: &FileText, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let mut finder = LineFinder::new(&whole.text, whole.first_line);
    for_each_element(&whole.text, &mut |raw| object(raw.get(), &mut finder, sink))
        .map_err(|error| Fault::json(whole.first_line, error))
}

/// Reads a file whose current line starts with an object. The file has one object per line, or any number
/// of objects that extend over several lines.
pub(super) fn read_objects<R: BufRead>(
    lines: FileLines<R>,
    sink: &mut Sink<'_>,
) -> Result<(), Fault> {
    let (number, line) = lines.current()?;
    if !is_cut_off(line) {
        read_line(number, line, sink);
        return read_lines(lines, sink);
    }
    let whole = lines.rest()?;
    if is_one_per_line(&whole.text) {
        return read_lines(FileLines::numbered(whole.text.as_bytes(), whole.first_line), sink);
    }
    let mut finder = LineFinder::new(&whole.text, whole.first_line);
    for raw in serde_json::Deserializer::from_str(&whole.text).into_iter::<&RawValue>() {
        let raw = raw.map_err(|error| Fault::json(whole.first_line, error))?;
        object(raw.get(), &mut finder, sink);
    }
    Ok(())
}

fn is_cut_off(json: &str) -> bool {
    serde_json::from_str::<&RawValue>(json).is_err_and(|error| error.is_eof())
}

/// Whether an incomplete first line is a bad row, and not the start of an object over several lines. It is
/// a bad row if the next line is a whole object, where JSON allows none.
fn is_one_per_line(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    !first.ends_with([',', ':', '['])
        && second.starts_with('{')
        && serde_json::from_str::<&RawValue>(second).is_ok()
}

fn read_lines<R: BufRead>(mut lines: FileLines<R>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    while let Some((number, line)) = lines.next()? {
        read_line(number, line, sink);
    }
    Ok(())
}

fn read_line(number: u32, line: &str, sink: &mut Sink<'_>) {
    object(line, &mut LineFinder::new(line, number), sink);
}

/// Reads one object: a row, or an object that holds rows.
fn object(json: &str, finder: &mut LineFinder<'_>, sink: &mut Sink<'_>) {
    match FileRow::parse(json, &sink.layout().columns) {
        Ok(row) if row.holds_rows() => wrapped::read(json, finder, sink),
        Ok(row) => wrapped::take(json, finder, Ok(row.typed()), Expected::Any, sink),
        Err(error) if error.is_data() => sink.fault(finder.fault(json, Problem::NotAnObject)),
        Err(error) => sink.fault(Fault::json(finder.line_of(json), error)),
    }
}
