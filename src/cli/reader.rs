//! Notices when the reader of stdout leaves before the end.

use std::sync::LazyLock;

use tokio::sync::watch;

/// Whether nobody reads stdout any more.
static LEFT: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Notes that a write found no reader.
pub(super) fn has_left() {
    LEFT.send_replace(true);
}

/// Waits until nobody reads stdout any more. Commands that run until they are stopped use it, because
/// they then have nobody left to work for.
pub(super) async fn left() {
    #[cfg(unix)]
    watch_pipe();
    // The sender lives as long as the process.
    let _ = LEFT.subscribe().wait_for(|left| *left).await;
}

/// Watches stdout, so that a closed pipe is noticed at once and not only at the next write. The thread
/// waits until the process ends.
#[cfg(unix)]
fn watch_pipe() {
    use rustix::event::{PollFd, PollFlags, poll};

    let watching = move || {
        let stdout = std::io::stdout();
        // No events are requested, because a pipe without a reader is reported in any case.
        let mut pipe = [PollFd::new(&stdout, PollFlags::empty())];
        loop {
            match poll(&mut pipe, None) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) if pipe[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => {
                    return has_left();
                }
                // Stdout cannot be watched. The next write notices.
                _ => return,
            }
        }
    };
    let thread = std::thread::Builder::new().name("ocache-reader".to_owned()).spawn(watching);
    if let Err(error) = thread {
        tracing::debug!(%error, "a closed stdout is noticed at the next print");
    }
}
