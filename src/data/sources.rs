//! Finds the files that a list of files and folders stands for.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::dataset::Notice;
use super::error::{DataErrors, MAX_LISTED_ERRORS, Problem, RowError};

const EXTENSIONS: [&str; 5] = ["json", "ndjson", "jsonl", "csv", "tsv"];
/// The extension that a compressed file has after its own.
const PACKED: &str = "gz";
/// The path that stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// The files to read, and notices about entries that are passed over.
pub(super) struct Sources {
    pub(super) files: Vec<PathBuf>,
    pub(super) notices: Vec<Notice>,
}

/// Finds the files: those given, with any name, and the data files of the folders given, sorted by name. A
/// file that is reached twice is read once.
pub(super) fn find(paths: &[PathBuf]) -> Result<Sources, DataErrors> {
    let mut sources = Sources { files: vec![], notices: vec![] };
    let mut seen = HashSet::new();
    let mut errors = DataErrors { errors: vec![], more: 0 };
    for path in paths {
        let found = look_at(path, &mut sources.notices);
        match found {
            Ok(files) => {
                // A pipe has no canonical path, so it counts as a file of its own.
                let is_new = |file: &PathBuf| {
                    seen.insert(fs::canonicalize(file).unwrap_or_else(|_| file.clone()))
                };
                sources.files.extend(files.into_iter().filter(is_new));
            }
            Err(_) if errors.errors.len() >= MAX_LISTED_ERRORS => errors.more += 1,
            Err(problem) => {
                let path = path.clone();
                errors.errors.push(RowError { path, line: None, column: None, problem });
            }
        }
    }
    if errors.errors.is_empty() { Ok(sources) } else { Err(errors) }
}

fn look_at(path: &Path, notices: &mut Vec<Notice>) -> Result<Vec<PathBuf>, Problem> {
    if path == Path::new(STANDARD_INPUT) {
        return Ok(vec![path.to_owned()]);
    }
    if !fs::metadata(path).map_err(Problem::Unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (files, others) = data_files(path).map_err(Problem::Unreadable)?;
    if files.is_empty() {
        return Err(Problem::EmptyFolder);
    }
    notices.extend(others.into_iter().map(|path| Notice::PassedOver { path }));
    Ok(files)
}

/// Returns the data files of a folder and its other entries, both sorted and without hidden ones. Folders
/// in it are not entered, because their files were put aside.
pub(super) fn data_files(folder: &Path) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut paths = vec![];
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths.into_iter().partition(|path| is_data_file(path)))
}

fn is_data_file(path: &Path) -> bool {
    let has = |path: &Path, extensions: &[&str]| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension
            .is_some_and(|given| extensions.iter().any(|known| known.eq_ignore_ascii_case(given)))
    };
    let unpacked = if has(path, &[PACKED]) { path.with_extension("") } else { path.to_owned() };
    has(&unpacked, &EXTENSIONS) && !path.is_dir()
}
