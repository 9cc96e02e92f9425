//! Holds requests until there is a result.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::runtime::Shutdown;

/// The pause before the store is asked again; later pauses grow. Most calculations are quick, and a
/// client that waits longer hardly notices a quarter of a second.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Looks until there is a result, the time is over, or the shutdown begins. Returns what the last look
/// gave.
///
/// Polling is enough, because another process may settle the quotation without notice to this one, and
/// only clients that ask for it need to know.
pub(super) async fn held<T, E, F: Future<Output = Result<T, E>>>(
    wait: Duration,
    shutdown: &Shutdown,
    mut look: impl FnMut() -> F,
    is_ready: impl Fn(&T) -> bool,
) -> Result<T, E> {
    let until = Instant::now() + wait;
    let mut pause = FIRST_PAUSE;
    loop {
        let seen = look().await?;
        if is_ready(&seen) || Instant::now() >= until {
            return Ok(seen);
        }
        let next = (Instant::now() + pause).min(until);
        if shutdown.unless_begun(sleep_until(next)).await.is_none() {
            return Ok(seen);
        }
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    async fn looks(wait: Duration, ready_after: u32) -> (u32, u32) {
        let count = Cell::new(0);
        let look = || {
            count.set(count.get() + 1);
            let seen = count.get();
            async move { Ok::<_, Infallible>(seen) }
        };
        let Ok(seen) = held(wait, &Shutdown::new(), look, |seen| *seen > ready_after).await;
        (seen, count.get())
    }

    #[tokio::test(start_paused = true)]
    async fn it_looks_until_there_is_something() {
        assert_eq!(looks(Duration::ZERO, 9).await, (1, 1));
        assert_eq!(looks(Duration::from_secs(5), 0).await, (1, 1));
        assert_eq!(looks(Duration::from_secs(5), 3).await, (4, 4));
        let begun = Instant::now();
        let (seen, _) = looks(Duration::from_secs(5), u32::MAX - 1).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
        assert!((20..40).contains(&seen), "{seen} looks");
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_ends_holds_nothing() {
        let shutdown = Shutdown::new();
        let (begun, ending) = (Instant::now(), shutdown.clone());
        let never = held(
            Duration::from_secs(25),
            &shutdown,
            || async {
                ending.begin();
                Ok::<_, Infallible>(())
            },
            |()| false,
        );
        let Ok(()) = never.await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
