//! The keys of tokens, in a file that only its owner may read.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tracing::warn;

use super::files::{create_dir, create_private};
use crate::ports::{KeySource, PortError, Randomness as _, SystemRandomness, TokenKeys};
use crate::tokens::KeyRing;

/// The name of the file beside the store.
const FILE: &str = "token-keys.json";

/// A file of keys.
#[derive(Clone, Debug)]
pub struct KeysFile(PathBuf);

impl KeysFile {
    /// Returns the file of keys in a data folder.
    #[must_use]
    pub fn of_folder(data_dir: &Path) -> Self {
        Self(data_dir.join(FILE))
    }

    /// Returns the file of keys at a path.
    #[must_use]
    pub const fn new(file: PathBuf) -> Self {
        Self(file)
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the keys to a draft beside the file and moves it into place, so that nobody ever reads half
    /// of them.
    fn write(
        &self,
        keys: &KeyRing,
        place: impl Fn(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let document = keys.to_document()?;
        if let Some(folder) = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            create_dir(folder)?;
        }
        // A name from the process id would be that of a draft that a killed process left: in containers ids repeat.
        let name = u128::from_be_bytes(SystemRandomness.bits());
        let draft = self.0.with_extension(format!("{name:032x}.draft"));
        let placed = create_private(&draft, true)
            .and_then(|()| fs::OpenOptions::new().write(true).open(&draft))
            .and_then(|mut file| {
                file.write_all(document.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| place(&draft, &self.0));
        // The draft still exists if it was linked, or if something failed.
        let _ = fs::remove_file(&draft);
        placed
    }

    fn failed(&self, error: io::Error) -> PortError {
        let what = self.place();
        match error.kind() {
            io::ErrorKind::PermissionDenied => PortError::Denied { what, source: Box::new(error) },
            _ => PortError::unavailable(what, error),
        }
    }
}

#[async_trait]
impl KeySource<KeyRing> for KeysFile {
    fn place(&self) -> String {
        format!("the key file `{}`", self.0.display())
    }

    async fn read(&self) -> Result<Option<KeyRing>, PortError> {
        let document = match fs::read_to_string(&self.0) {
            Ok(document) => document,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        if is_open_to_others(&self.0) {
            warn!(file = %self.0.display(), "other users of this machine can read these keys, and so sign tokens for any customer; run chmod 600");
        }
        let keys = KeyRing::parse(&document);
        keys.map(Some).map_err(|error| PortError::corrupt(self.place(), error))
    }
}

#[async_trait]
impl TokenKeys for KeysFile {
    async fn create(&self, keys: &KeyRing) -> Result<bool, PortError> {
        // A link is made only if the name is free, even if another process does the same right now.
        match self.write(keys, |draft, file| fs::hard_link(draft, file)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn replace(&self, keys: &KeyRing) -> Result<(), PortError> {
        let placed = self.write(keys, |draft, file| fs::rename(draft, file));
        placed.map_err(|error| self.failed(error))
    }
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// Returns false: on systems other than Unix the folder decides.
#[cfg(not(unix))]
const fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Key;

    fn ring(number: u8) -> KeyRing {
        KeyRing::new(Key::from_random([number; 16], [[number; 16]; 2]).unwrap())
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_may_read_it_and_nothing_else_is_left() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let keys = KeysFile::of_folder(&dir.path().join("new"));
        assert!(keys.create(&ring(1)).await.unwrap());
        fs::set_permissions(keys.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(is_open_to_others(keys.path()));
        keys.replace(&ring(2)).await.unwrap();
        assert!(!is_open_to_others(keys.path()));
        assert_eq!(fs::read_dir(keys.path().parent().unwrap()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_draft_that_a_killed_process_left_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeysFile::of_folder(dir.path());
        let left = keys.path().with_extension(format!("{}.draft", std::process::id()));
        fs::write(left, "half of a docum").unwrap();
        assert!(keys.create(&ring(1)).await.unwrap());
        keys.replace(&ring(2)).await.unwrap();
        assert!(keys.read().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_is_no_key_ring_is_named_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeysFile::of_folder(dir.path());
        fs::write(keys.path(), r#"{"keys":"hush"}"#).unwrap();
        let error = keys.read().await.unwrap_err();
        assert!(matches!(error, PortError::Corrupt { .. }), "{error:?}");
        let text = crate::ports::Chain(&error).to_string();
        assert!(text.contains(FILE) && !text.contains("hush"), "{text}");
        assert!(!keys.create(&ring(1)).await.unwrap(), "it is not overwritten");
    }
}
