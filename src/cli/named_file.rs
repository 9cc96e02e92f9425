//! Checks files that the command line names.

use std::io;
use std::path::{Path, PathBuf};

use super::failure::{ExitCode, Failure, Result};

/// Refuses a path that does not exist, with the same message and exit code for every command and flag.
/// `-` is standard input. Other errors are left to the reader of the file.
pub(super) fn check(path: &Path) -> Result<()> {
    if path == Path::new("-") || path.try_exists().unwrap_or(true) {
        return Ok(());
    }
    let message = format!("`{}` does not exist", path.display());
    let hint = match path.is_relative() {
        true => "check the path; it is relative to the current folder",
        false => "check the path",
    };
    Err(Failure::new(ExitCode::NotFound, message).hint(hint))
}

/// Refuses to write to a file that is also read, or into a folder whose files are: what is there would be lost, or the
/// next run would read what this one wrote.
pub(super) fn check_written<'a>(
    written: &Path,
    read: impl IntoIterator<Item = &'a Path>,
) -> Result<()> {
    let place = place_of(written);
    for read in read {
        let (written, read_as) = (written.display(), read.display());
        let message = match place_of(read) {
            found if found == place => format!("`{written}` is also read"),
            found if read.is_dir() && place.starts_with(&found) => {
                format!("`{written}` is in `{read_as}`, so the next run would read it")
            }
            _ => continue,
        };
        let hint = "name a file that is neither read nor in a folder that is";
        return Err(Failure::new(ExitCode::Usage, message).hint(hint));
    }
    Ok(())
}

/// Refuses two results in one file.
pub(super) fn check_apart(one: &Path, other: &Path) -> Result<()> {
    match place_of(one) == place_of(other) {
        false => Ok(()),
        true => {
            let message = format!("`{}` is named for two results", one.display());
            Err(Failure::new(ExitCode::Usage, message).hint("name a file for each"))
        }
    }
}

/// Returns the failure that a file cannot be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(ExitCode::Failure, format!("{} cannot be written: {error}", path.display()))
}

/// Returns where a file is or will be, whichever way its path is written.
fn place_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let will_be = || {
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(will_be).unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("some.csv");
        std::fs::write(&file, "").unwrap();
        let other = folder.path().join("other.csv");
        let refused = |written: &Path, read: &Path| check_written(written, [read]).is_err();
        assert!(refused(&file, &file) && refused(&folder.path().join("./some.csv"), &file));
        assert!(refused(&file, folder.path()) && refused(&other, folder.path()));
        assert!(!refused(&other, &file) && !refused(&other, Path::new("-")));
        assert!(check_apart(&other, &folder.path().join("./other.csv")).is_err());
        assert!(check_apart(&other, &file).is_ok());
    }

    #[test]
    fn only_what_does_not_exist_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("some.csv");
        assert_eq!(check(&file).unwrap_err().code(), ExitCode::NotFound);
        std::fs::write(&file, "").unwrap();
        for path in [&*file, folder.path(), Path::new("-")] {
            assert!(check(path).is_ok(), "{}", path.display());
        }
    }
}
