//! The gateways of this machine, for a process that pushes frames. It reads their entries again when
//! these have changed, and opens connections on which the gateways have proven themselves.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::limits::lock;
use super::probe::{ProbeError, connect};
use super::registry::{GatewayRecord, GatewayRegistry};

/// If the folder changed less than this before it was read, it may have changed again within the same
/// tick of the file system's clock. So it is read again.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Opens connections to gateways of this machine. Clones share the entries.
#[derive(Clone)]
pub(super) struct KnownGateways {
    registry: GatewayRegistry,
    read: Arc<Mutex<Option<Entries>>>,
}

/// The entries as read, and the time of the folder's last change before that.
struct Entries {
    changed_at: SystemTime,
    records: Vec<GatewayRecord>,
}

impl KnownGateways {
    pub(super) fn new(registry: GatewayRegistry) -> Self {
        Self { registry, read: Arc::default() }
    }

    /// Returns the entries with this endpoint: the gateway's, and those of dead ones that had its port
    /// before.
    fn find(&self, endpoint: &str) -> Vec<GatewayRecord> {
        let mut read = lock(&self.read);
        let Some(changed_at) = self.registry.changed_at() else { return vec![] };
        if read.as_ref().is_none_or(|entries| entries.changed_at != changed_at) {
            let records = self.registry.records();
            *read = Some(Entries { changed_at, records });
        }
        let records = read.as_ref().map_or(&[][..], |entries| &entries.records);
        let found = records.iter().filter(|record| record.endpoint == endpoint).cloned().collect();
        // A time in the future, which appears when the clock was set back, has not settled either.
        if changed_at.elapsed().is_ok_and(|since| since >= SETTLED_AFTER) {
            return found;
        }
        *read = None;
        found
    }

    async fn open(self, to: Uri) -> Result<TokioIo<TcpStream>, ProbeError> {
        let authority = to.authority().map_or("", |authority| authority.as_str());
        let endpoint = format!("http://{authority}");
        let mut last = ProbeError::Unknown { endpoint: endpoint.clone() };
        for record in self.find(&endpoint) {
            match connect(&record).await {
                Ok(stream) => return Ok(TokioIo::new(stream)),
                Err(error) if error.is_dead() => self.registry.forget(&record),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Service<Uri> for KnownGateways {
    type Response = TokioIo<TcpStream>;
    type Error = ProbeError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ProbeError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ProbeError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().open(to))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::super::secret::Secret;
    use super::*;

    fn record(instance: &str, endpoint: &str) -> GatewayRecord {
        GatewayRecord {
            websocket: endpoint.replacen("http", "ws", 1),
            endpoint: endpoint.to_owned(),
            instance: instance.to_owned(),
            secret: Secret::from_random([[1; 16], [2; 16]]),
            engine: "embedded".into(),
            pid: 1,
            keys: None,
        }
    }

    /// Sets the time of the folder's last change.
    fn set_changed_at(registry: &GatewayRegistry, time: SystemTime) {
        File::open(registry.folder()).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn entries_are_read_again_only_when_the_folder_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(folder.path());
        let known = KnownGateways::new(registry.clone());
        let found = |endpoint: &str| known.find(endpoint).len();
        assert_eq!(found("http://127.0.0.1:1"), 0, "there is no folder");
        let _first = registry.register(&record("one", "http://127.0.0.1:1")).unwrap();
        assert_eq!(found("http://127.0.0.1:1"), 1);
        // The second entry is made in the same tick of the clock.
        let at = registry.changed_at().unwrap();
        let _second = registry.register(&record("two", "http://127.0.0.1:2")).unwrap();
        set_changed_at(&registry, at);
        assert_eq!(found("http://127.0.0.1:2"), 1);
        // The folder has settled: an entry that does not change its time is not seen.
        set_changed_at(&registry, at - SETTLED_AFTER);
        assert_eq!(found("http://127.0.0.1:2"), 1);
        let third = registry.register(&record("three", "http://127.0.0.1:3")).unwrap();
        set_changed_at(&registry, at - SETTLED_AFTER);
        assert_eq!(found("http://127.0.0.1:3"), 0, "nothing was read");
        drop(third);
        let _fourth = registry.register(&record("four", "http://127.0.0.1:2")).unwrap();
        assert_eq!(found("http://127.0.0.1:2"), 2, "with the one before it on its port");
        // The clock was set back.
        set_changed_at(&registry, SystemTime::now() + Duration::from_secs(3600));
        assert_eq!(found("http://127.0.0.1:1"), 1);
        assert!(lock(&known.read).is_none(), "not settled");
    }
}
