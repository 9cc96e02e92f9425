//! The registry of the gateways that run on this machine for one store. `ocache quote` finds a gateway
//! here, and answers are pushed only to endpoints that are listed here.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracing::debug;

use super::secret::Secret;

/// A running gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRecord {
    /// The URL to which clients connect: `ws://127.0.0.1:7070`.
    pub websocket: String,
    /// The URL to which answers are pushed: `http://127.0.0.1:7070`.
    pub endpoint: String,
    /// The name in its `/health`.
    pub instance: String,
    /// The secret with which the gateway and a reader of this entry recognise each other, so that another
    /// server on a reused port is not mistaken for the gateway.
    pub secret: Secret,
    /// The engine and its target.
    pub engine: String,
    /// The process id.
    pub pid: u32,
    /// Where the keys of its tokens are; `None` if it requires no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysPlace>,
}

/// Where a gateway has its keys from. A program that may read them can sign tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysPlace {
    /// This file.
    File(PathBuf),
    /// The secret of its stack on AWS.
    Stack,
}

/// The folder in which the gateways of one store register, with one small file each.
#[derive(Clone, Debug)]
pub struct GatewayRegistry(PathBuf);

/// A gateway's entry, for as long as the gateway runs.
#[derive(Debug)]
pub struct Registration(PathBuf);

impl GatewayRegistry {
    /// Creates the registry of a data folder.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("gateways"))
    }

    /// Returns the folder of the entries.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Writes the entry of a gateway. Only the owner of the folder may write to it or read the secrets in
    /// it. Anybody else who could would receive other people's answers.
    ///
    /// # Errors
    /// Fails when the entry cannot be written.
    pub fn register(&self, record: &GatewayRecord) -> io::Result<Registration> {
        make_private_folder(&self.0)?;
        let path = self.0.join(format!("{}.json", record.instance));
        // Write the file under another name first, so that nobody reads half of it.
        let draft = path.with_extension("draft");
        write_private(&draft, &serde_json::to_vec(record)?)?;
        fs::rename(&draft, &path)?;
        Ok(Registration(path))
    }

    /// Returns all entries that can be read, including those of gateways that died.
    #[must_use]
    pub fn records(&self) -> Vec<GatewayRecord> {
        self.read().0
    }

    /// Returns the entries that can be read, and an error if there may be others. Entries that are not
    /// those of a gateway of this version are left out.
    pub(super) fn read(&self) -> (Vec<GatewayRecord>, io::Result<()>) {
        let (mut records, mut whole) = (vec![], Ok(()));
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) => return (records, unless_missing(error)),
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    whole = Err(error);
                    continue;
                }
            };
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match fs::read(path) {
                Ok(bytes) => records.extend(serde_json::from_slice::<GatewayRecord>(&bytes).ok()),
                // The gateway ended while the others were read.
                Err(error) => whole = whole.and(unless_missing(error)),
            }
        }
        (records, whole)
    }

    /// Returns when an entry was last made or removed, by the clock of the file system; `None` if there
    /// is no registry.
    ///
    /// # Errors
    /// Fails when the file system does not tell.
    pub fn changed_at(&self) -> io::Result<Option<SystemTime>> {
        match fs::metadata(&self.0).and_then(|folder| folder.modified()) {
            Ok(time) => Ok(Some(time)),
            Err(error) => unless_missing(error).map(|()| None),
        }
    }

    /// Removes the entry of a gateway that is known to be dead.
    pub fn forget(&self, record: &GatewayRecord) {
        drop(Registration(self.0.join(format!("{}.json", record.instance))));
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            // Another process removed the entry first, because it saw that the gateway was gone.
            debug!(path = %self.0.display(), %error, "a gateway's entry was not removed");
        }
    }
}

/// Returns an error, unless it says that there is no such file.
fn unless_missing(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // The folder may have been made with other permissions.
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(bytes)
}

#[cfg(test)]
impl GatewayRecord {
    /// Returns the record of a gateway that does not run.
    pub(super) fn of_test(instance: &str, endpoint: &str) -> Self {
        Self {
            websocket: endpoint.replacen("http", "ws", 1),
            endpoint: endpoint.to_owned(),
            instance: instance.to_owned(),
            secret: Secret::from_random([[1; 16], [2; 16]]),
            engine: "embedded".into(),
            pid: 1,
            keys: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> GatewayRecord {
        let keys = Some(KeysPlace::File("keys.json".into()));
        GatewayRecord { keys, ..GatewayRecord::of_test("abc", "http://127.0.0.1:1") }
    }

    #[cfg(unix)]
    #[test]
    fn folder_and_entries_are_private_to_their_owner() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(dir.path());
        // The permissions of an existing folder are corrected too.
        fs::create_dir(registry.folder()).unwrap();
        fs::set_permissions(registry.folder(), fs::Permissions::from_mode(0o755)).unwrap();
        let registration = registry.register(&record()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(registry.folder()), 0o700);
        assert_eq!(mode(&registration.0), 0o600);
    }

    #[test]
    fn an_entry_lives_as_long_as_its_gateway() {
        let dir = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(dir.path());
        assert_eq!(registry.records(), []);
        let record = record();
        let registration = registry.register(&record).unwrap();
        assert_eq!(registry.records(), [record]);
        drop(registration);
        assert_eq!(registry.records(), []);
    }
}
