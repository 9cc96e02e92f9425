//! Checks files that the command line names.

use std::path::Path;

use super::failure::{ExitCode, Failure};

/// Refuses a path that does not exist, with the same message and exit code for every command and flag.
/// `-` is standard input. Other errors are left to the reader of the file.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
