//! The packing of a base, and processes that are cut off during it.

use super::*;

#[tokio::test(start_paused = true)]
async fn parts_that_are_packed_are_not_packed_again() {
    let (paged, ports) = large_of(long_named(PRODUCTS)).await;
    // The first parts are stored. A process that would store the next ones is cut off.
    paged.most_packed.store(1, Ordering::Relaxed);
    let maker = process(&ports);
    cut_off(&maker, &ports, Duration::from_secs(30)).await;
    assert_eq!((paged.pages(), paged.packed()), (PAGES, PARTS_AT_ONCE));

    // The same process continues from memory.
    paged.most_packed.store(PARTS_AT_ONCE, Ordering::Relaxed);
    cut_off(&maker, &ports, Duration::from_secs(30)).await;
    assert_eq!((paged.pages(), paged.runs(), paged.packed()), (0, 0, PARTS_AT_ONCE));

    // Another process resumes from the stored runs and parts, and packs only the rest.
    drop(maker);
    paged.most_packed.store(usize::MAX, Ordering::Relaxed);
    sleep(Duration::from_secs(5)).await;
    let made = current(&process(&ports), &ports).await.unwrap();
    is_of(&ports, &made, long_named(PRODUCTS)).await;
    let rest = made.base.index.parts.len() - 2 * PARTS_AT_ONCE;
    assert_eq!((paged.pages(), paged.packed()), (1, rest));
    assert!((1..=PARTS_AT_ONCE).contains(&rest) && paged.runs() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_base_that_is_packed_is_only_to_be_written() {
    let (paged, ports) = large_of(long_named(PRODUCTS)).await;
    paged.is_full.store(true, Ordering::Relaxed);
    let maker = process(&ports);
    cut_off(&maker, &ports, Duration::from_secs(30)).await;
    assert_eq!(paged.pages(), PAGES);
    let parts = paged.packed();
    let begun = || (paged.pages(), paged.runs(), paged.packed());

    cut_off(&maker, &ports, Duration::from_secs(30)).await;
    assert_eq!(begun(), (0, 0, 0), "the same process has all of it");
    drop(maker);
    sleep(Duration::from_secs(5)).await;
    paged.is_full.store(false, Ordering::Relaxed);
    let other = process(&ports);
    let made = current(&other, &ports).await.unwrap();
    is_of(&ports, &made, long_named(PRODUCTS)).await;
    assert_eq!(
        (made.base.index.parts.len(), begun()),
        (parts, (1, 0, 0)),
        "another reads the parts"
    );

    // An incomplete base is packed again.
    other.doubt([name(&ports).await]);
    current(&other, &ports).await.unwrap();
    assert_eq!(paged.packed(), parts);
}

#[tokio::test(start_paused = true)]
async fn parts_of_another_base_are_not_gone_on_with() {
    let (paged, ports) = large_of(long_named(PRODUCTS)).await;
    paged.most_packed.store(1, Ordering::Relaxed);
    cut_off(&process(&ports), &ports, Duration::from_secs(30)).await;
    paged.most_packed.store(usize::MAX, Ordering::Relaxed);
    assert_eq!(paged.packed(), PARTS_AT_ONCE);
    let damaged = [(CHECKPOINT + 7, Bytes::from_static(b"no part"))];
    ports.store.put_drafts(&name(&ports).await, &damaged, keep_until(&ports)).await.unwrap();
    assert_eq!(paged.packed(), 1);
    sleep(Duration::from_secs(5)).await;
    let made = current(&process(&ports), &ports).await.unwrap();
    is_of(&ports, &made, long_named(PRODUCTS)).await;
    assert_eq!(paged.packed(), made.base.index.parts.len(), "all of it");
}
