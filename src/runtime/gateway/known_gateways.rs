//! The gateways of this machine, for a process that pushes frames. It reads their entries again when
//! these have changed, and opens connections on which the gateways have proven themselves.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::probe::{ProbeError, connect};
use super::registry::{GatewayRecord, GatewayRegistry};
use crate::supervisor::lock;

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
    ///
    /// # Errors
    /// Fails if it finds none and not all entries can be read, as with too many open files. Then nothing
    /// shows that the gateway has ended.
    fn find(&self, endpoint: &str) -> io::Result<Vec<GatewayRecord>> {
        let of_endpoint = |records: &[GatewayRecord]| {
            records.iter().filter(|record| record.endpoint == endpoint).cloned().collect::<Vec<_>>()
        };
        let mut read = lock(&self.read);
        let Some(changed_at) = self.registry.changed_at()? else { return Ok(vec![]) };
        if let Some(entries) = read.as_ref().filter(|entries| entries.changed_at == changed_at) {
            return Ok(of_endpoint(&entries.records));
        }
        let (records, whole) = self.registry.read();
        let found = of_endpoint(&records);
        // A time in the future, which appears when the clock was set back, has not settled either.
        let is_settled = changed_at.elapsed().is_ok_and(|since| since >= SETTLED_AFTER);
        // What is missing may be readable a moment later, without a change of the folder.
        *read = (is_settled && whole.is_ok()).then_some(Entries { changed_at, records });
        match whole {
            Err(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    async fn open(self, to: Uri) -> Result<TokioIo<TcpStream>, ProbeError> {
        let authority = to.authority().map_or("", |authority| authority.as_str());
        let endpoint = format!("http://{authority}");
        let mut last = ProbeError::Unknown { endpoint: endpoint.clone() };
        let found = self
            .find(&endpoint)
            .map_err(|source| ProbeError::Unlisted { endpoint: endpoint.clone(), source })?;
        for record in found {
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
    use std::fs::{self, File};

    use super::*;

    /// Sets the time of the folder's last change.
    fn set_changed_at(registry: &GatewayRegistry, time: SystemTime) {
        File::open(registry.folder()).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn entries_are_read_again_only_when_the_folder_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(folder.path());
        let known = KnownGateways::new(registry.clone());
        let found = |endpoint: &str| known.find(endpoint).unwrap().len();
        assert_eq!(found("http://127.0.0.1:1"), 0, "there is no folder");
        let _first =
            registry.register(&GatewayRecord::of_test("one", "http://127.0.0.1:1")).unwrap();
        assert_eq!(found("http://127.0.0.1:1"), 1);
        // The second entry is made in the same tick of the clock.
        let at = registry.changed_at().unwrap().unwrap();
        let _second =
            registry.register(&GatewayRecord::of_test("two", "http://127.0.0.1:2")).unwrap();
        set_changed_at(&registry, at);
        assert_eq!(found("http://127.0.0.1:2"), 1);
        // The folder has settled: an entry that does not change its time is not seen.
        set_changed_at(&registry, at - SETTLED_AFTER);
        assert_eq!(found("http://127.0.0.1:2"), 1);
        let third =
            registry.register(&GatewayRecord::of_test("three", "http://127.0.0.1:3")).unwrap();
        set_changed_at(&registry, at - SETTLED_AFTER);
        assert_eq!(found("http://127.0.0.1:3"), 0, "nothing was read");
        drop(third);
        let _fourth =
            registry.register(&GatewayRecord::of_test("four", "http://127.0.0.1:2")).unwrap();
        assert_eq!(found("http://127.0.0.1:2"), 2, "with the one before it on its port");
        // The clock was set back.
        set_changed_at(&registry, SystemTime::now() + Duration::from_secs(3600));
        assert_eq!(found("http://127.0.0.1:1"), 1);
        assert!(lock(&known.read).is_none(), "not settled");
    }

    #[tokio::test]
    async fn a_gateway_has_not_ended_if_its_entry_cannot_be_read_now() {
        let folder = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(folder.path());
        let known = KnownGateways::new(registry.clone());
        let entry = registry.folder().join("one.json");
        let settled = SystemTime::now() - SETTLED_AFTER;
        let _registration =
            registry.register(&GatewayRecord::of_test("one", "http://127.0.0.1:1")).unwrap();
        let text = fs::read(&entry).unwrap();
        // Reading it fails, as it does in a process that has too many files open.
        fs::remove_file(&entry).unwrap();
        fs::create_dir(&entry).unwrap();
        set_changed_at(&registry, settled);
        let open = async || known.clone().open(Uri::from_static("http://127.0.0.1:1/")).await;
        let error = open().await.unwrap_err();
        assert!(!error.is_dead(), "{error}");
        // The folder looks as it did.
        fs::remove_dir(&entry).unwrap();
        fs::write(&entry, text).unwrap();
        set_changed_at(&registry, settled);
        assert_eq!(known.find("http://127.0.0.1:1").unwrap().len(), 1);
    }
}
