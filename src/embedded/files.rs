//! The files of a store: their names, sizes and permissions.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Returns the path at which SQLite keeps the log of a store.
pub(super) fn log_of(file: &Path) -> PathBuf {
    beside(file, "-wal")
}

/// Returns the path of a file beside another one, whose name has this end.
pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(end);
    path.into()
}

/// Returns the size of a file in bytes, or 0 if it does not exist.
pub(super) fn bytes(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

/// Creates a file that only its owner may read. An existing file is left alone, or is an error if
/// `must_be_new` is true.
pub(super) fn create_private(file: &Path, must_be_new: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).create_new(must_be_new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
