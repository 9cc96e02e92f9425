//! Whoever reads what is printed, and may leave before all of it is.

use std::sync::LazyLock;

use tokio::sync::watch;

/// Whether it is known that nobody reads stdout any more.
static LEFT: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Somebody found out, by writing to it.
pub(super) fn has_left() {
    LEFT.send_replace(true);
}

/// Waits until nobody reads stdout any more. For commands that go on until they are stopped: they have
/// nobody left to work for.
pub(super) async fn left() {
    #[cfg(unix)]
    watch_pipe();
    // The sender lives as long as the process.
    let _ = LEFT.subscribe().wait_for(|left| *left).await;
}

/// Notices at once, and not only when something is written next. The thread waits until the process ends.
#[cfg(unix)]
fn watch_pipe() {
    use rustix::event::{PollFd, PollFlags, poll};

    let watching = move || {
        let stdout = std::io::stdout();
        // Nothing is asked for: a pipe without a reader is told of all the same.
        let mut pipe = [PollFd::new(&stdout, PollFlags::empty())];
        loop {
            match poll(&mut pipe, None) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) if pipe[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => {
                    return has_left();
                }
                // It cannot be watched. Who writes to it finds out.
                _ => return,
            }
        }
    };
    let thread = std::thread::Builder::new().name("ocache-reader".to_owned()).spawn(watching);
    if let Err(error) = thread {
        tracing::debug!(%error, "a closed stdout is noticed at the next print");
    }
}
