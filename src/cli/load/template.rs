//! `ocache load --template`: writes files with every column and no rows, to be filled in.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::failure::{ExitCode, Failure, Result};
use crate::cli::named_file::unwritable;
use crate::cli::output::Output;
use crate::cli::paths::expanded;
use crate::data::csv_templates;

/// Writes one file for each kind of row. Existing files are not overwritten.
pub(super) fn write(output: &Output, template: &[String]) -> Result<()> {
    let [format, folder] = template else {
        return Err(Failure::new(ExitCode::Usage, "--template takes a format and a folder"));
    };
    if format != "csv" {
        let message = format!("there are no templates in format `{format}`");
        return Err(Failure::new(ExitCode::Usage, message).hint("ocache load --template csv DIR"));
    }
    let folder = expanded(folder.into());
    let cannot = |path: &Path, error: io::Error| {
        let failure = unwritable(path, &error);
        match error.kind() {
            io::ErrorKind::AlreadyExists => failure.hint("give another folder"),
            _ => failure,
        }
    };
    fs::create_dir_all(&folder).map_err(|error| cannot(&folder, error))?;
    let files: Vec<(PathBuf, String)> =
        csv_templates().map(|(name, header)| (folder.join(name), header)).collect();
    // Check before the first write, so that either all files are written or none.
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "there is such a file already");
        return Err(cannot(path, source));
    }
    for (path, header) in &files {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let written = file.and_then(|mut file| file.write_all(header.as_bytes()));
        written.map_err(|error| cannot(path, error))?;
    }
    let paths: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    output.data(&json!({ "templates": paths }), |_| paths.join("\n"))
}
