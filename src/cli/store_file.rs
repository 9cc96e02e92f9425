//! Checks whether the store's file is still the one that was opened.
//!
//! A deleted file keeps working for the process that has it open, but no other process sees it. What is
//! accepted then is lost when the process ends.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

/// The interval of the checks.
const EVERY: Duration = Duration::from_secs(1);

/// A file, and the identity that distinguishes it from another file at its path.
#[derive(Clone, Debug)]
pub(super) struct StoreFile {
    path: PathBuf,
    identity: Option<FileIdentity>,
}

/// The device and inode numbers of a file.
type FileIdentity = (u64, u64);

impl StoreFile {
    /// Returns the file as it is now.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path).ok() }
    }

    /// Waits until the file is deleted or replaced. Returns its path.
    pub(super) async fn gone(self) -> PathBuf {
        while self.is_there() {
            sleep(EVERY).await;
        }
        self.path
    }

    fn is_there(&self) -> bool {
        match identity(&self.path) {
            Ok(found) => self.identity.is_none_or(|identity| identity == found),
            // A temporary error of the disk does not mean that the file is gone.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<FileIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().map(|file| (file.dev(), file.ino()))
}

/// On other systems an open file cannot be replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<FileIdentity> {
    path.metadata().map(|_| (0, 0))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deleted_and_a_replaced_file_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        std::fs::write(&path, "one").unwrap();
        let file = StoreFile::new(&path);
        assert!(file.clone().gone().now_or_never().is_none());
        let other = dir.path().join("other.db");
        std::fs::write(&other, "two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        let replaced = StoreFile::new(&path);
        assert_eq!(file.gone().await, path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(replaced.gone().await, path);
    }
}
