//! A large catalogue on an engine that waits for each page, and processes that are cut off.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use super::super::base_packing::{CHECKPOINT, PARTS_AT_ONCE};
use super::super::base_storing::{STORED_AT_ONCE, STORING};
use super::*;
use crate::data::apply;
use crate::memory::{Memory, TokioClock};
use crate::ports::prelude::*;
use crate::ports::{BaseClaim, MakerId, Ports, Record, SystemRandomness};
use crate::pricing::{BaseError, Money, PackedBase, pack_runs};

mod claims;
mod packing;
mod paged;
mod storing;

use paged::Paged;

const PRODUCTS: usize = 40_000;
const SEGMENTS: u32 = 4;
/// The number of products in a page of a segment, and the time that the page takes.
const PAGE: usize = 3_000;
const PAGE_TAKES: Duration = Duration::from_millis(100);
/// The pages read without a failure: the first page of all, and four of each segment.
const PAGES: usize = 1 + 4 * SEGMENTS as usize;
const HOUR: Duration = Duration::from_secs(3600);

fn products(count: usize) -> Vec<Product> {
    let of = |number: usize| {
        let (id, price) = (format!("P{number:06}"), Money::from_minor(100 + number as i64));
        Product::new(id.parse().unwrap(), format!("Product {number}"), price)
    };
    (0..count).map(of).collect()
}

/// Products with long names, so that the parts of the base are packed in three steps.
fn long_named(count: usize) -> Vec<Product> {
    let mut products = products(count);
    for product in &mut products {
        product.name = product.name.repeat(15);
    }
    products
}

async fn load(ports: &Ports, products: Vec<Product>) {
    let changes = products.into_iter().map(RowChange::from).collect();
    apply(ports, changes, Currency::USD).await.unwrap();
}

/// A large catalogue, and the ports through which processes see it.
async fn large() -> (Arc<Paged>, Ports) {
    large_of(products(PRODUCTS)).await
}

async fn large_of(products: Vec<Product>) -> (Arc<Paged>, Ports) {
    let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
    let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    load(&ports, products).await;
    let paged = Arc::new(Paged::over(ports.clone()));
    let seen = Ports { store: paged.clone(), ..ports };
    (paged, seen)
}

/// The maker of bases in a process of its own.
fn process(ports: &Ports) -> BaseMaker {
    BaseMaker::new(ports, Arc::new(BaseShelf::new(ports.store.clone())))
}

fn keep_until(ports: &Ports) -> Timestamp {
    ports.clock.now().plus(HOUR)
}

async fn current(maker: &BaseMaker, ports: &Ports) -> Result<Current, MakeBaseError> {
    maker.current(keep_until(ports)).await
}

/// Returns the name of the base of the products in force.
async fn name(ports: &Ports) -> BaseName {
    let head = ports.store.catalogue_head().await.unwrap().unwrap();
    BaseName { version: head.base_version, currency: Currency::USD, terms: None }
}

/// Loads a change of one product.
async fn rename(ports: &Ports) {
    let mut last = products(PRODUCTS).pop().unwrap();
    last.name = "Another name".to_owned();
    load(ports, vec![last]).await;
}

/// Loads a change that is not of a product.
async fn change_customer(ports: &Ports) {
    let customer = Customer::unknown("AAA".parse().unwrap());
    let change = RowChange::Put(Record::Customer(Customer {
        groups: ["gold".parse().unwrap()].into(),
        ..customer
    }));
    apply(ports, vec![change], Currency::USD).await.unwrap();
}

/// Runs a process for a time and then ends it, as Lambda ends a function.
async fn cut_off(maker: &BaseMaker, ports: &Ports, after: Duration) {
    assert!(timeout(after, current(maker, ports)).await.is_err(), "it takes longer than that");
}

/// Asserts that the stored base equals one packed from the products.
async fn is_right(ports: &Ports, made: &Current) {
    is_of(ports, made, products(PRODUCTS)).await;
}

async fn is_of(ports: &Ports, Current { head, base }: &Current, products: Vec<Product>) {
    let name = BaseName { version: head.base_version, currency: Currency::USD, terms: None };
    let expected = PackedBase::in_currency(Currency::USD, Currency::USD, products).unwrap();
    assert_eq!(base.index, expected.index);
    let numbers: Vec<u32> = (0..expected.parts.len() as u32).collect();
    let parts = ports.store.base_parts(&name, &numbers).await.unwrap();
    let parts: Vec<Vec<u8>> = parts.into_iter().map(|part| part.unwrap().to_vec()).collect();
    assert!(parts == expected.parts, "the parts differ");
}

#[tokio::test(start_paused = true)]
async fn segments_are_read_side_by_side_and_give_the_same_base() {
    let (paged, ports) = large().await;
    let begun = Instant::now();
    let made = current(&process(&ports), &ports).await.unwrap();
    is_right(&ports, &made).await;
    assert_eq!(paged.pages(), PAGES);
    assert!(begun.elapsed() < PAGE_TAKES * PAGES as u32 / 2, "{:?}", begun.elapsed());
    // No process reads the catalogue again.
    current(&process(&ports), &ports).await.unwrap();
    assert_eq!(paged.pages(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_process_goes_on_where_it_was_cut_off() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    cut_off(&maker, &ports, PAGE_TAKES * 7 / 2).await;
    assert_eq!(paged.pages(), 1 + 2 * SEGMENTS as usize);
    is_right(&ports, &current(&maker, &ports).await.unwrap()).await;
    assert_eq!(paged.pages(), 2 * SEGMENTS as usize, "the pages that were left");
}

#[tokio::test(start_paused = true)]
async fn another_process_goes_on_where_one_has_ended() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    cut_off(&maker, &ports, PAGE_TAKES * 7 / 2).await;
    drop(maker);
    paged.pages();
    // The other process cannot know that this one has ended, so the claim stays until it expires.
    let other = process(&ports);
    let claimed = current(&other, &ports).await.unwrap_err();
    assert!(matches!(claimed, MakeBaseError::Claimed), "{claimed}");
    assert_eq!(paged.pages(), 0);
    sleep(Duration::from_secs(5)).await;
    is_right(&ports, &current(&other, &ports).await.unwrap()).await;
    assert_eq!(paged.pages(), 1 + 2 * SEGMENTS as usize, "the first, and those that were left");
}

#[tokio::test(start_paused = true)]
async fn of_several_processes_one_reads_the_catalogue() {
    let (paged, ports) = large().await;
    let makers: Vec<BaseMaker> = (0..5).map(|_| process(&ports)).collect();
    let all = makers.iter().map(|maker| current(maker, &ports));
    for made in futures_util::future::join_all(all).await {
        is_right(&ports, &made.unwrap()).await;
    }
    assert_eq!(paged.pages(), PAGES);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_counts_until_a_load_changes_a_product() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    cut_off(&maker, &ports, PAGE_TAKES * 7 / 2).await;
    change_customer(&paged.inner).await;
    paged.pages();
    cut_off(&maker, &ports, PAGE_TAKES * 3 / 2).await;
    assert_eq!(paged.pages(), SEGMENTS as usize, "the third page of each segment");

    rename(&paged.inner).await;
    let made = current(&maker, &ports).await.unwrap();
    assert_eq!((made.head.version, made.base.index.products), (3, PRODUCTS as u32));
    assert_eq!(paged.pages(), PAGES, "all of them");
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_nobody_can_unpack_is_read_anew() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    cut_off(&maker, &ports, PAGE_TAKES * 7 / 2).await;
    let name = name(&ports).await;
    // The first run of the second segment, and the checkpoint with its checksum.
    let [run, checkpoint] = [200_001, 200_000];
    let stored = ports.store.drafts(&name, &[run, checkpoint]).await.unwrap();
    let stored: Vec<Bytes> = stored.into_iter().map(Option::unwrap).collect();
    let no_run = Bytes::from_static(b"no run");
    let mut proof: serde_json::Value = serde_json::from_slice(&stored[1]).unwrap();
    assert_eq!(proof["sums"][0], crc32fast::hash(&stored[0]));
    proof["sums"][0] = crc32fast::hash(&no_run).into();
    let pieces = [(run, no_run), (checkpoint, proof.to_string().into())];
    ports.store.put_drafts(&name, &pieces, keep_until(&ports)).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    paged.pages();
    let other = process(&ports);
    let error = current(&other, &ports).await.unwrap_err();
    assert!(matches!(error, MakeBaseError::Base(BaseError::Pack(_))), "{error}");
    paged.pages();
    is_right(&ports, &current(&other, &ports).await.unwrap()).await;
    assert_eq!(paged.pages(), PAGES, "all of it");
}

#[tokio::test(start_paused = true)]
async fn the_schedule_makes_do_with_a_head_that_was_read_lately() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    current(&maker, &ports).await.unwrap();
    paged.heads();
    let version =
        async |as_of| maker.current_as_of(as_of, keep_until(&ports)).await.unwrap().head.version;
    sleep(Duration::from_secs(2)).await;
    for _ in 0..3 {
        assert_eq!(version(AsOf::Lately(0)).await, 1);
    }
    assert_eq!(paged.heads(), 1, "in one second");
    assert_eq!(version(AsOf::Now).await, 1);
    assert_eq!(paged.heads(), 1, "who asks for the one in force gets it");
    load(&paged.inner, products(1)).await;
    assert_eq!(version(AsOf::Lately(1)).await, 1);
    assert_eq!(version(AsOf::Lately(2)).await, 2, "that of the load that has ordered it");
    sleep(Duration::from_secs(1)).await;
    paged.heads();
    assert_eq!(version(AsOf::Lately(0)).await, 2);
    assert_eq!(paged.heads(), 1, "a second has passed");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_counts_while_a_load_of_something_else_is_folded() {
    let (paged, ports) = large().await;
    let is_unfolded = |is| paged.is_unfolded.store(is, Ordering::Relaxed);
    let maker = process(&ports);
    cut_off(&maker, &ports, PAGE_TAKES * 7 / 2).await;
    change_customer(&paged.inner).await;
    is_unfolded(true);
    paged.pages();
    cut_off(&maker, &ports, PAGE_TAKES * 3 / 2).await;
    assert_eq!(paged.pages(), SEGMENTS as usize, "the third page of each segment");
    drop(maker);
    sleep(Duration::from_secs(5)).await;
    is_unfolded(false);
    let other = process(&ports);
    is_right(&ports, &current(&other, &ports).await.unwrap()).await;
    assert_eq!(paged.pages(), 1 + 2 * SEGMENTS as usize, "the first, and those that were left");

    // Pages read with a journal of products do not continue in the rows that the journal was folded into.
    rename(&paged.inner).await;
    is_unfolded(true);
    cut_off(&other, &ports, PAGE_TAKES * 7 / 2).await;
    is_unfolded(false);
    paged.pages();
    current(&other, &ports).await.unwrap();
    assert_eq!(paged.pages(), PAGES, "all of them");
}

#[tokio::test(start_paused = true)]
async fn runs_of_another_maker_are_not_taken_for_those_of_a_checkpoint() {
    let (paged, ports) = large().await;
    let maker = process(&ports);
    cut_off(&maker, &ports, PAGE_TAKES * 7 / 2).await;
    // Another maker has cut the second segment into other runs.
    let segment = Segment { index: 1, count: SEGMENTS };
    let mut few = products(PRODUCTS);
    few.retain(|product| segment.has(&product.id));
    few.truncate(10);
    let run = pack_runs(&few, (Currency::USD, Currency::USD)).unwrap().remove(0);
    let runs = [(200_001, Bytes::from(run))];
    ports.store.put_drafts(&name(&ports).await, &runs, keep_until(&ports)).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    paged.pages();
    is_right(&ports, &current(&process(&ports), &ports).await.unwrap()).await;
    assert_eq!(
        paged.pages(),
        1 + 2 * SEGMENTS as usize + 2,
        "the first, those that were left, two again"
    );
}

#[tokio::test(start_paused = true)]
async fn segments_of_another_count_are_not_gone_on_with() {
    let (paged, ports) = large().await;
    cut_off(&process(&ports), &ports, PAGE_TAKES * 7 / 2).await;
    sleep(Duration::from_secs(5)).await;
    paged.segments.store(2, Ordering::Relaxed);
    is_right(&ports, &current(&process(&ports), &ports).await.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn a_doubt_about_one_base_is_about_no_other() {
    let (paged, ports) = large().await;
    let (maker, other) = (process(&ports), process(&ports));
    for process in [&maker, &other] {
        current(process, &ports).await.unwrap();
    }
    let made_by = async |process| {
        paged.pages();
        paged.writes();
        current(process, &ports).await.unwrap();
        (paged.pages() > 0, paged.writes())
    };
    maker.doubt([name(&ports).await]);
    assert_eq!(made_by(&maker).await, (true, 1), "it is made again");
    assert_eq!(made_by(&maker).await, (false, 0), "once");
    rename(&paged.inner).await;
    assert_eq!(made_by(&other).await, (true, 1), "the next one");
    assert_eq!(made_by(&maker).await, (false, 0), "it is not in doubt");
}
