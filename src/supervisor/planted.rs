//! Panics that a test plants in a process from outside. Only builds with debug assertions have them.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// The variable names a folder. A part panics when a file with its name appears there, once for each
/// file.
const VARIABLE: &str = "OCACHE_PLANTED_PANICS";
const LOOK_EVERY: Duration = Duration::from_millis(10);

fn folder() -> Option<&'static PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| std::env::var_os(VARIABLE).map(PathBuf::from)).as_ref()
}

pub(super) fn panic_if_wanted(part: &str) {
    if folder().is_some_and(|folder| fs::remove_file(folder.join(part)).is_ok()) {
        panic!("planted by a test");
    }
}

/// Runs a task, and panics before or during it if a test wants so.
pub(super) async fn or_panic<T>(part: &str, task: impl Future<Output = T>) -> T {
    let watch = async {
        if folder().is_none() {
            std::future::pending::<()>().await;
        }
        loop {
            panic_if_wanted(part);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        biased;
        () = watch => unreachable!("it only panics"),
        done = task => done,
    }
}
