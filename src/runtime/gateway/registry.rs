//! Which gateways run on this machine for one store: how `ocache quote` finds one, and the
//! allow-list of endpoints that answers may be pushed to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::debug;

/// A running gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRecord {
    /// Where clients connect: `ws://127.0.0.1:7070`.
    pub websocket: String,
    /// Where answers are pushed: `http://127.0.0.1:7070`.
    pub endpoint: String,
    /// What its `/health` says, so that another server on a reused port is not taken for it.
    pub instance: String,
    /// Which engine and target it works on.
    pub engine: String,
    /// Its process.
    pub pid: u32,
}

/// The folder in which gateways of one store enter themselves, one small file each.
#[derive(Clone, Debug)]
pub struct GatewayRegistry(PathBuf);

/// A gateway's entry, for as long as the gateway runs.
#[derive(Debug)]
pub struct Registration(PathBuf);

impl GatewayRegistry {
    /// The registry of a data folder.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("gateways"))
    }

    /// Enters a gateway.
    ///
    /// # Errors
    /// When the entry cannot be written.
    pub fn register(&self, record: &GatewayRecord) -> io::Result<Registration> {
        fs::create_dir_all(&self.0)?;
        let path = self.0.join(format!("{}.json", record.instance));
        // Written whole under another name first, so that nobody reads half of it.
        let draft = path.with_extension("draft");
        fs::write(&draft, serde_json::to_vec(record)?)?;
        fs::rename(&draft, &path)?;
        Ok(Registration(path))
    }

    /// All entries, also those of gateways that died.
    #[must_use]
    pub fn records(&self) -> Vec<GatewayRecord> {
        let Ok(entries) = fs::read_dir(&self.0) else { return vec![] };
        let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
            .collect()
    }

    /// Removes the entry of a gateway that is known to be dead.
    pub fn forget(&self, record: &GatewayRecord) {
        drop(Registration(self.0.join(format!("{}.json", record.instance))));
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            // Somebody saw that the gateway was gone before it said so itself.
            debug!(path = %self.0.display(), %error, "a gateway's entry was not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lives_as_long_as_its_gateway() {
        let dir = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(dir.path());
        assert_eq!(registry.records(), []);
        let record = GatewayRecord {
            websocket: "ws://127.0.0.1:1".into(),
            endpoint: "http://127.0.0.1:1".into(),
            instance: "abc".into(),
            engine: "embedded".into(),
            pid: 1,
        };
        let registration = registry.register(&record).unwrap();
        assert_eq!(registry.records(), [record]);
        drop(registration);
        assert_eq!(registry.records(), []);
    }
}
