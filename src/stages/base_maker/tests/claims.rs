//! Several processes that need one base. One of them makes it or extends its expiry.

use super::*;

/// Two processes that have read the base of the current version.
async fn both_with_the_base(ports: &Ports, keep_until: Timestamp) -> [BaseMaker; 2] {
    let processes = [process(ports), process(ports)];
    for process in &processes {
        process.current(keep_until).await.unwrap();
    }
    processes
}

#[tokio::test(start_paused = true)]
async fn a_process_sees_that_another_has_stored_a_base_for_longer() {
    let (paged, ports) = large().await;
    let soon = keep_until(&ports);
    let [maker, other] = both_with_the_base(&ports, soon).await;
    let later = soon.plus(2 * HOUR);
    assert!(maker.current(soon).await.unwrap().base.expires_at < later);
    paged.pages();
    paged.writes();
    let extended = maker.current(later).await.unwrap().base.expires_at;
    assert!(extended >= later);
    assert_eq!((paged.pages(), paged.writes()), (0, 1), "it is stored for longer");
    assert_eq!(other.current(later).await.unwrap().base.expires_at, extended);
    assert_eq!(paged.writes(), 0, "it is stored for long enough");
}

#[tokio::test(start_paused = true)]
async fn of_several_processes_one_stores_a_base_for_longer() {
    let (paged, ports) = large().await;
    let makers: Vec<BaseMaker> = (0..5).map(|_| process(&ports)).collect();
    let soon = keep_until(&ports);
    for maker in &makers {
        maker.current(soon).await.unwrap();
    }
    paged.writes();
    paged.is_slow.store(true, Ordering::Relaxed);
    let later = soon.plus(2 * HOUR);
    let all = makers.iter().map(|maker| maker.current(later));
    for made in futures_util::future::join_all(all).await {
        assert!(made.unwrap().base.expires_at >= later);
    }
    assert_eq!(paged.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_waits_for_another_process_once() {
    let (paged, ports) = large().await;
    let (maker, other) = (process(&ports), process(&ports));
    paged.page_takes(Duration::from_secs(12));
    let making = async { drop(current(&maker, &ports).await.unwrap()) };
    let trying = async {
        sleep(PAGE_TAKES).await;
        let begun = Instant::now();
        let crowd = (0..10).map(|_| current(&other, &ports));
        for claimed in futures_util::future::join_all(crowd).await {
            assert!(matches!(claimed, Err(MakeBaseError::Claimed)));
        }
        // Another task of the same batch does not wait either.
        assert!(matches!(current(&other, &ports).await, Err(MakeBaseError::Claimed)));
        assert!(begun.elapsed() <= Duration::from_secs(2), "{:?}", begun.elapsed());
    };
    tokio::join!(making, trying);
    let made = current(&other, &ports).await.unwrap();
    is_right(&ports, &made).await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_renewed_while_one_page_takes_longer_than_it_lasts() {
    let (paged, ports) = large().await;
    let (maker, other) = (process(&ports), process(&ports));
    paged.page_takes(Duration::from_secs(12));
    let making = async {
        let made = current(&maker, &ports).await.unwrap();
        is_right(&ports, &made).await;
    };
    let trying = async {
        // The claim would expire at each of these times if it were not renewed.
        for _ in 0..8 {
            sleep(Duration::from_secs(5)).await;
            let claimed = current(&other, &ports).await.unwrap_err();
            assert!(matches!(claimed, MakeBaseError::Claimed), "{claimed}");
        }
    };
    tokio::join!(making, trying);
    assert_eq!(paged.pages(), PAGES, "nobody else read any");
}

#[tokio::test(start_paused = true)]
async fn work_goes_on_while_a_renewal_gets_no_answer() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    paged.page_takes(Duration::from_secs(1));
    let begun = Instant::now();
    let (made, ()) = tokio::join!(current(&maker, &ports), async {
        // The claim is made, and then no renewal gets an answer.
        sleep(PAGE_TAKES).await;
        paged.is_silent.store(true, Ordering::Relaxed);
    });
    is_right(&ports, &made.unwrap()).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(5), "a page and four of each segment");
}

#[tokio::test(start_paused = true)]
async fn work_stops_when_another_process_has_claimed_it() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    paged.page_takes(Duration::from_secs(3));
    let stolen = async {
        // The claim expired without notice, as if the process had been stopped meanwhile.
        sleep(Duration::from_secs(7)).await;
        let (name, now) = (name(&ports).await, ports.clock.now());
        let gone = BaseClaim { maker: paged.maker(), until: now };
        assert!(ports.store.claim_base(&name, &gone, now).await.unwrap());
        let until = now.plus(Duration::from_secs(8));
        let stolen = BaseClaim { maker: MakerId("another".to_owned()), until };
        assert!(ports.store.claim_base(&name, &stolen, now).await.unwrap());
    };
    let (lost, ()) = tokio::join!(current(&maker, &ports), stolen);
    assert!(matches!(lost, Err(MakeBaseError::Claimed)), "{lost:?}");
    assert!(paged.pages() < PAGES);
    assert_eq!(paged.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_base_that_was_stored_for_longer_needs_no_claim() {
    let (paged, ports) = large().await;
    let soon = keep_until(&ports);
    let [maker, other] = both_with_the_base(&ports, soon).await;
    let later = soon.plus(2 * HOUR);
    maker.current(later).await.unwrap();
    // The owner of the claim does not release it.
    let until = ports.clock.now().plus(Duration::from_secs(5));
    let claim = BaseClaim { maker: MakerId("another".to_owned()), until };
    let (name, now) = (name(&ports).await, ports.clock.now());
    assert!(ports.store.claim_base(&name, &claim, now).await.unwrap());
    paged.writes();
    assert!(other.current(later).await.unwrap().base.expires_at >= later);
    assert_eq!(paged.writes(), 0);
}
