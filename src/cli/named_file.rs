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

/// Refuses to write to a file that is also read, or into a folder whose files are: what is there would be lost, or the
/// next run would read what this one wrote.
pub(super) fn check_written<'a>(
    written: &Path,
    read: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let real = |path: &Path| path.canonicalize().ok();
    let folder = written.parent().filter(|folder| !folder.as_os_str().is_empty());
    let places = [real(written), real(folder.unwrap_or(Path::new(".")))];
    let is_read = |path: &Path| {
        path == written || real(path).is_some_and(|path| places.contains(&Some(path)))
    };
    match read.into_iter().any(is_read) {
        false => Ok(()),
        true => {
            let message = format!("`{}` would be written over what is read", written.display());
            let hint = "name a file that is neither read nor in a folder that is";
            Err(Failure::new(ExitCode::Usage, message).hint(hint))
        }
    }
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
        assert!(check_written(&file, [&*file]).is_err());
        assert!(check_written(&file, [folder.path()]).is_err());
        assert!(check_written(&other, [folder.path()]).is_err(), "the next load would read it");
        assert!(check_written(&other, [&*file, Path::new("-")]).is_ok());
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
