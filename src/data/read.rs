//! Reads files and folders into one data set.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::collect::{Collector, Sink};
use super::dataset::Dataset;
use super::error::{DataErrors, Fault, Problem};
use super::given::Amounts;
use super::layout::Layout;
use super::lines::FileLines;
use super::sources::STANDARD_INPUT;
use super::{csv, json, sources, text};

/// Large enough that reading is not the bottleneck, small enough that progress is visible.
const BUFFER_BYTES: usize = 256 * 1024;

/// Reads files, and the data files of folders; `-` is standard input. Prices must fit the currency.
/// `progress` is called with the number of bytes read so far from all files; see [`total_bytes`].
///
/// # Errors
/// [`DataErrors`] with every bad row. One bad row refuses all data.
pub fn read(
    paths: &[PathBuf],
    amounts: impl Into<Amounts>,
    layout: &Layout,
    progress: &dyn Fn(u64),
) -> Result<Dataset, DataErrors> {
    let sources = sources::find(paths)?;
    let mut collector = Collector::new(amounts.into(), layout.clone(), sources.notices);
    let total = Cell::new(0);
    for path in sources.files {
        let file = open(&path);
        let mut sink = collector.file(path);
        match file {
            Ok(file) => {
                let counted = CountedReader { inner: file, total: &total, progress };
                read_from(text::unpacked(counted, layout.encoding), &mut sink);
            }
            Err(error) => sink.fault(Fault::of_file(Problem::Unreadable(error))),
        }
        sink.close();
    }
    collector.finish()
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(match path == Path::new(STANDARD_INPUT) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path)?),
    })
}

/// Returns the total size of the files that [`read`] would read, in bytes. A pipe counts as 0.
///
/// # Errors
/// [`DataErrors`] if a path does not exist, or a folder has no data files.
pub fn total_bytes(paths: &[PathBuf]) -> Result<u64, DataErrors> {
    let files = sources::find(paths)?.files;
    // If a file has disappeared meanwhile, [`read`] reports it.
    Ok(files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum())
}

/// Reads texts in memory as if they were files of these names.
pub fn read_texts(
    texts: &[(&Path, &[u8])],
    amounts: impl Into<Amounts>,
) -> Result<Dataset, DataErrors> {
    read_texts_as(texts, amounts, &Layout::default())
}

/// Reads texts in memory with a layout. Compressed texts are refused; a caller decompresses them first,
/// because it knows how large they may become.
pub fn read_texts_as(
    texts: &[(&Path, &[u8])],
    amounts: impl Into<Amounts>,
    layout: &Layout,
) -> Result<Dataset, DataErrors> {
    let mut collector = Collector::new(amounts.into(), layout.clone(), vec![]);
    for (path, bytes) in texts {
        let mut sink = collector.file((*path).to_owned());
        read_from(text::decoded(*bytes, layout.encoding), &mut sink);
        sink.close();
    }
    collector.finish()
}

fn read_from<'a>(source: Result<Box<dyn Read + 'a>, Fault>, sink: &mut Sink<'_>) {
    let read = source.and_then(|source| {
        read_lines(FileLines::new(BufReader::with_capacity(BUFFER_BYTES, source)), sink)
    });
    if let Err(fault) = read {
        sink.fault(fault);
    }
}

/// Recognizes the format by the first character, and reads the rows.
fn read_lines(mut lines: FileLines<impl io::BufRead>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let Some((_, first)) = lines.next()? else { return Ok(()) };
    match first.trim_start().as_bytes().first() {
        Some(b'[') => json::read_array(&lines.rest()?, sink),
        Some(b'{') => json::read_objects(lines, sink),
        _ => csv::read(lines, sink),
    }
}

/// Counts the bytes that are read.
struct CountedReader<'a, R> {
    inner: R,
    total: &'a Cell<u64>,
    progress: &'a dyn Fn(u64),
}

impl<R: Read> Read for CountedReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.total.set(self.total.get().saturating_add(count as u64));
        (self.progress)(self.total.get());
        Ok(count)
    }
}
