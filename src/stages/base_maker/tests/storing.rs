//! The storing of a base, and processes that are cut off during it.

use super::*;

/// Enough products for two full steps and a rest.
const MANY: usize = 2 * PRODUCTS;

#[tokio::test(start_paused = true)]
async fn parts_that_are_stored_are_not_stored_again() {
    let (paged, ports) = large_of(long_named(MANY)).await;
    paged.most_stored.store(STORED_AT_ONCE, Ordering::Relaxed);
    cut_off(&process(&ports), &ports, Duration::from_secs(30)).await;
    let first: Vec<u32> = (0..STORED_AT_ONCE as u32).collect();
    assert_eq!(paged.stored(), first);
    assert_eq!(ports.store.base(&name(&ports).await).await.unwrap(), None, "not all are stored");
    let longest = ports.clock.now().plus(2 * HOUR);

    paged.most_stored.store(usize::MAX, Ordering::Relaxed);
    sleep(Duration::from_secs(5)).await;
    let made = current(&process(&ports), &ports).await.unwrap();
    is_of(&ports, &made, long_named(MANY)).await;
    let ahead = paged.stored();
    let parts = made.base.index.parts.len();
    assert_eq!(ahead.first(), Some(&(STORED_AT_ONCE as u32)), "{ahead:?}");
    assert_eq!(ahead.len(), parts - STORED_AT_ONCE);
    assert!(made.base.expires_at <= longest, "no part lasts for longer than when it was written");
}

#[tokio::test(start_paused = true)]
async fn a_base_that_is_stored_for_longer_goes_on_where_it_was_cut_off() {
    let (paged, ports) = large_of(long_named(MANY)).await;
    let made = current(&process(&ports), &ports).await.unwrap();
    let all_ahead = paged.stored();
    assert!(paged.pages() > 0);

    // The stored base expires before the time that is needed now.
    sleep(HOUR + Duration::from_secs(60)).await;
    paged.most_stored.store(STORED_AT_ONCE, Ordering::Relaxed);
    cut_off(&process(&ports), &ports, Duration::from_secs(30)).await;
    assert_eq!(paged.stored(), all_ahead[..STORED_AT_ONCE]);
    paged.most_stored.store(usize::MAX, Ordering::Relaxed);
    sleep(Duration::from_secs(5)).await;
    let longer = current(&process(&ports), &ports).await.unwrap();
    assert_eq!(paged.stored(), all_ahead[STORED_AT_ONCE..]);
    assert!(longer.base.expires_at >= made.base.expires_at.plus(HOUR));
    is_of(&ports, &longer, long_named(MANY)).await;
    assert_eq!(paged.pages(), 0, "nobody has read the products again");
}

#[tokio::test(start_paused = true)]
async fn a_base_in_doubt_has_all_its_parts_stored_again() {
    let (paged, ports) = large_of(long_named(MANY)).await;
    let maker = process(&ports);
    current(&maker, &ports).await.unwrap();
    let all_ahead = paged.stored();
    maker.doubt([name(&ports).await]);
    current(&maker, &ports).await.unwrap();
    assert_eq!(paged.stored(), all_ahead);
}

#[tokio::test(start_paused = true)]
async fn parts_that_go_too_soon_are_stored_again() {
    let (paged, ports) = large_of(long_named(MANY)).await;
    paged.most_stored.store(STORED_AT_ONCE, Ordering::Relaxed);
    let maker = process(&ports);
    cut_off(&maker, &ports, Duration::from_secs(30)).await;
    assert_eq!(paged.stored().len(), STORED_AT_ONCE);
    paged.most_stored.store(usize::MAX, Ordering::Relaxed);
    // The parts stored so far would expire within two hours.
    let late = ports.clock.now().plus(3 * HOUR);
    let made = maker.current(late).await.unwrap();
    assert_eq!(paged.stored().first(), Some(&0));
    assert!(made.base.expires_at >= late);
    is_of(&ports, &made, long_named(MANY)).await;
}
