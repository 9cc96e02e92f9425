//! Large pieces of work, on separate threads.
//!
//! Stages share their threads with websockets. While a stage prices, packs or unpacks, no other task of its
//! thread runs, so a client's ping waits. Work that takes longer than a ping may wait is therefore moved to
//! another thread. For less work, changing threads costs more than it saves.

use std::panic::resume_unwind;
use std::thread::{self, available_parallelism};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The estimated size of a piece of work, in about 1,000 instructions, or 0.25 µs. The estimates are based on
/// `benches/instructions.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size(usize);

/// The largest work that stays on its thread: about 120 µs. One thread may do the ten pieces of a batch one
/// after the other.
const LARGEST_IN_PLACE: Size = Size(500);

impl Size {
    /// The size of comparing discounts: a fingerprint takes about 700 instructions for each discount.
    pub(super) const fn of_discounts(discounts: usize) -> Self {
        Self(discounts)
    }

    /// The size of pricing and packing own rows: about 500 instructions for each row.
    pub(super) const fn of_table(discounts: usize) -> Self {
        Self(discounts / 2)
    }

    /// The size of unpacking: about 30 instructions for each byte.
    pub(super) const fn of_packed(bytes: usize) -> Self {
        Self(bytes / 32)
    }
}

/// Large work of one kind.
#[derive(Debug)]
pub(super) struct LargeWork {
    /// How many pieces of it may run at the same time.
    slots: Semaphore,
    /// Whether its threads have a lower priority than all others.
    gives_way: bool,
}

impl LargeWork {
    /// Limits the pieces that run at the same time so that one processor is left to the threads that serve
    /// sockets.
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        let slots = Semaphore::new(processors.saturating_sub(1).max(1));
        Self { slots, gives_way: false }
    }

    /// The same, with a lower priority, for work that nobody waits for.
    pub(super) fn in_background() -> Self {
        Self { gives_way: true, ..Self::new() }
    }

    /// Does a piece of work: a small one at once, a large one on a separate thread. A panic of the work
    /// reaches the caller.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        size: Size,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        if size <= LARGEST_IN_PLACE {
            return work();
        }
        // The semaphore is never closed.
        let _permit = self.slots.acquire().await;
        let done = match self.gives_way {
            true => spawn_blocking(|| giving_way(work)),
            false => spawn_blocking(work),
        };
        match done.await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is shutting down, and this task ends with it.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

/// Does a piece of work on a new thread, because a thread that has lowered its priority may not raise it
/// again.
fn giving_way<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let work = || {
        lower_priority();
        work()
    };
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Lowers the priority of the calling thread. Only on Linux: elsewhere this would lower that of the whole
/// process.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        const STEPS: i32 = 10;
        // If this is forbidden, the work competes with other threads at the usual priority.
        let _ = rustix::process::nice(STEPS);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;

    const LARGE: Size = Size(LARGEST_IN_PLACE.0 + 1);

    #[tokio::test]
    async fn only_large_work_leaves_its_thread() {
        let work = LargeWork::new();
        let here = thread::current().id();
        assert_eq!(work.run(LARGEST_IN_PLACE, || thread::current().id()).await, here);
        assert_ne!(work.run(LARGE, || thread::current().id()).await, here);
    }

    #[test]
    fn a_table_with_a_hundred_discounts_is_small_and_one_with_ten_thousand_is_not() {
        assert!(Size::of_table(100) <= LARGEST_IN_PLACE);
        assert!(Size::of_table(10_000) > LARGEST_IN_PLACE);
    }

    #[tokio::test]
    async fn a_panic_is_the_callers_and_the_next_piece_is_done() {
        for work in [LargeWork::new(), LargeWork::in_background()] {
            let panics = AssertUnwindSafe(work.run(LARGE, || panic!("planted"))).catch_unwind();
            let panic = panics.await.unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"planted"));
            assert_eq!(work.run(LARGE, || 1).await, 1);
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_in_the_background_gives_way_and_other_work_does_not() {
        const LOWEST: i32 = 19;
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let ours = priority();
        assert_eq!(LargeWork::in_background().run(LARGE, priority).await, LOWEST.min(ours + 10));
        assert_eq!(LargeWork::new().run(LARGE, priority).await, ours);
        assert_eq!(priority(), ours);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_processor_is_left_to_others() {
        let work = LargeWork { slots: Semaphore::new(2), gives_way: false };
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let pieces = (0..50).map(|_| {
            let (now, most) = (now.clone(), most.clone());
            work.run(LARGE, move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
            })
        });
        join_all(pieces).await;
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }
}
