//! Tests of what one transaction contains, of records that an earlier version wrote, and of what is deleted
//! when.

use super::super::testing::{
    fresh, old_store, open, open_with, secs, stopped, stopped_clock, user,
};
use super::*;
use crate::model::{ConnectionId, Generation, RequestId};
use crate::ports::{Clock as _, FailedEntry, FailureReason, Housekeeping as _, Queues as _};
use crate::pricing::{Answer, Currency, Money};

/// The version of the store in which quotations were JSON.
const VERSION_OF_JSON: usize = 5;
/// The last version of the store in which an index had all keys.
const VERSION_OF_KEYS: usize = 12;

fn quotation() -> Quotation {
    named("1", Timestamp::from_secs(1_800_000_000))
}

fn named(id: &str, accepted_at: Timestamp) -> Quotation {
    let (user, request_id) = (user("ann"), RequestId::new(id).unwrap());
    Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: vec![],
        connection: Some(ConnectionRef {
            endpoint: "e".into(),
            id: ConnectionId::from_random([1; 16]),
        }),
        dialect: Dialect::Current,
        accepted_at,
        deadline: accepted_at.plus(secs(30)),
        expires_at: accepted_at.plus(secs(3600)),
        status: QuotationStatus::Pending,
    }
}

/// Returns quotations whose keys ocache made, and which have the same place.
fn in_one_place<const N: usize>(accepted_at: Timestamp) -> [Quotation; N] {
    std::array::from_fn(|number| {
        let mut random = [7; 16];
        random[15] = number as u8;
        let (request_id, key) = QuotationKey::make(accepted_at, random);
        Quotation { key, request_id, ..named("1", accepted_at) }
    })
}

fn answer(at: Timestamp) -> Box<Answer> {
    Box::new(Answer {
        lines: vec![],
        unavailable: vec![],
        invalid: vec![],
        total: Money::ZERO,
        currency: Currency::USD,
        unit_decimals: 0,
        priced_at: at,
        validated_at: at,
        answered_at: Timestamp::default(),
        stale: false,
        generation: Generation::from_random([1; 16]),
        catalogue_version: 1,
        pricing_version: 1,
    })
}

/// A topic that must not be used.
struct Unused;

#[async_trait]
impl Topic for Unused {
    async fn publish(&self, _: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        panic!("the message goes with the quotation")
    }
}

#[tokio::test]
async fn a_quotation_and_its_message_are_one_transaction() {
    let (store, _dir) = fresh();
    let refused = store.create(&quotation(), |_| Err(Failure::rejected("it", "a test"))).await;
    assert!(refused.is_err());
    assert_eq!(store.quotation(&quotation().key).await.unwrap(), None);

    let created = store.create_quotation(&quotation(), &Unused, "body").await.unwrap();
    assert!(created.is_new());
    let wait = std::time::Duration::ZERO;
    let messages = store.receive(Queue::Provider, 10, wait, secs(30)).await.unwrap();
    assert_eq!(messages.len(), 1);
}

/// Makes a store as the earlier version left it.
fn write_as_json(dir: &std::path::Path, quotations: &[Quotation]) {
    let old = old_store(dir, VERSION_OF_JSON);
    let put = "
        INSERT INTO quotation (key, deadline, expires_at, record, status) VALUES (?1, ?2, ?3, ?4, ?5)";
    for quotation in quotations {
        let asked = Quotation { status: QuotationStatus::Pending, ..quotation.clone() };
        let settled = (quotation.status != QuotationStatus::Pending)
            .then(|| serde_json::to_string(&quotation.status).unwrap());
        old.execute(
            put,
            params![
                quotation.key.as_str(),
                quotation.deadline.millis(),
                quotation.expires_at.secs_rounded_up(),
                serde_json::to_string(&asked).unwrap(),
                settled
            ],
        )
        .unwrap();
    }
    let moved = serde_json::to_string(&(elsewhere(), Dialect::Original)).unwrap();
    let redirect = "UPDATE quotation SET redirected = ?1 WHERE key = ?2";
    old.execute(redirect, [&moved, quotations[0].key.as_str()]).unwrap();
}

fn elsewhere() -> ConnectionRef {
    ConnectionRef { endpoint: "else".into(), id: ConnectionId::from_random([2; 16]) }
}

#[tokio::test]
async fn quotations_of_the_version_before_are_kept() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), stopped_clock());
    let now = clock.now();
    let answered = QuotationStatus::Answered(answer(now));
    let mut stored = ["1", "2", "3", "4"].map(|id| named(id, now));
    stored[1].status = answered.clone();
    stored[2].status = QuotationStatus::Failed(FailureReason::NoTable);
    stored[3].expires_at = now.plus(secs(60));
    write_as_json(dir.path(), &stored);
    let store = open_with(dir.path(), clock.clone());

    let redirected = |quotation: &Quotation| Quotation {
        connection: Some(elsewhere()),
        dialect: Dialect::Original,
        ..quotation.clone()
    };
    stored[0] = redirected(&stored[0]);
    for quotation in &stored {
        assert_eq!(store.quotation(&quotation.key).await.unwrap().as_ref(), Some(quotation));
        let again = store.store_answered(quotation).await.unwrap();
        assert_eq!(again, Created::Existing(Box::new(quotation.clone())));
    }
    assert_eq!(store.list_quotations(None).await.unwrap().items.len(), stored.len());

    let verdict = Verdict::Answer(answer(now));
    let settled = Quotation { status: answered, ..stored[0].clone() };
    let outcome = store.settle_quotation(&settled.key, &verdict, now).await.unwrap();
    assert_eq!(outcome, Settlement::Settled(Box::new(settled)));
    let refused = store.settle_quotation(&stored[1].key, &verdict, now).await.unwrap();
    assert_eq!(refused, Settlement::Refused(Box::new(stored[1].clone())));
    let target = elsewhere();
    store.redirect_quotation(&stored[2].key, &target, Dialect::Original).await.unwrap();
    let moved = store.quotation(&stored[2].key).await.unwrap();
    assert_eq!(moved, Some(redirected(&stored[2])));

    // The quotation that expires first was not the first to be stored.
    clock.advance(secs(60));
    store.sweep_all(&clock).await;
    assert_eq!(store.list_quotations(None).await.unwrap().items.len(), stored.len() - 1);
    assert_eq!(store.quotation(&stored[3].key).await.unwrap(), None);
}

#[tokio::test]
async fn no_row_of_ours_holds_json() {
    let (store, _dir) = fresh();
    let pending = quotation();
    let answered = Quotation {
        status: QuotationStatus::Answered(answer(pending.accepted_at)),
        ..named("2", pending.accepted_at)
    };
    store.create_quotation(&pending, &Unused, "body").await.unwrap();
    store.store_answered(&answered).await.unwrap();
    store.redirect_quotation(&pending.key, &elsewhere(), Dialect::Original).await.unwrap();
    let failure = Verdict::Failure(FailureReason::NoTable);
    store.settle_quotation(&pending.key, &failure, pending.accepted_at).await.unwrap();
    let types =
        "SELECT typeof(record), typeof(redirected), typeof(outcome) FROM quotation ORDER BY id";
    let types: Vec<[String; 3]> = store
        .read(move |connection| {
            let mut statement = connection.prepare(types)?;
            let rows =
                statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
        .unwrap();
    assert_eq!(types, [["blob", "blob", "blob"], ["blob", "null", "null"]]);
}

#[tokio::test]
async fn what_expires_goes_in_the_order_it_came_in_and_what_is_replaced_keeps_nobody() {
    let (store, clock, _dir) = stopped();
    let began = clock.now();
    for number in 0..500 {
        let quotation = named(&number.to_string(), began.plus(secs(number)));
        store.store_answered(&quotation).await.unwrap();
    }
    let waiting = async || {
        let backlog = store.upkeep().await.unwrap().backlog;
        backlog.into_iter().find(|one| one.kind == "quotation").unwrap()
    };
    assert_eq!(waiting().await.records, 0);
    clock.advance(secs(3600 + 299));
    assert_eq!((waiting().await.records, waiting().await.late), (300, secs(299)));

    // This one replaces an expired quotation, and now expires last.
    let again = named("0", clock.now());
    assert!(store.store_answered(&again).await.unwrap().is_new());
    assert_eq!(waiting().await.records, 299);
    store.sweep_all(&clock).await;
    assert_eq!(waiting().await.records, 0);
    let left = store.list_quotations(None).await.unwrap().items;
    assert_eq!(left.len(), 201);
    assert!(left.iter().all(|quotation| quotation.is_kept(clock.now())));
    clock.advance(secs(3600));
    assert_eq!(waiting().await.records, 201);
    store.sweep_all(&clock).await;
    assert_eq!(store.list_quotations(None).await.unwrap().items, []);
}

/// Returns the row of each quotation: its id, and the columns that have its key.
async fn rows(store: &Embedded) -> Vec<(i64, Option<String>, Option<String>)> {
    let rows = store.read(|connection| {
        let mut rows = connection.prepare("SELECT id, made, key FROM quotation ORDER BY id")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    rows.await.unwrap()
}

#[tokio::test]
async fn a_key_that_ocache_made_is_in_no_index() {
    let (store, clock, _dir) = stopped();
    let [made] = in_one_place(clock.now());
    store.store_answered(&made).await.unwrap();
    let key = made.key.to_string();
    assert_eq!(rows(&store).await, [(made.key.place().unwrap(), Some(key), None)]);
    // One that replaces it is in the same place.
    let late = Quotation { accepted_at: made.expires_at, items: vec![], ..made.clone() };
    assert!(store.store_answered(&late).await.unwrap().is_new());
    assert_eq!(rows(&store).await.len(), 1);
    assert_eq!(store.quotation(&late.key).await.unwrap(), Some(late));
}

#[tokio::test]
async fn quotations_of_the_version_that_had_all_keys_in_an_index_are_kept() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), stopped_clock());
    let made = "q_01m88znyfwydxkfb23xkwfdxsc";
    let chosen = named("1", clock.now());
    let made = Quotation {
        key: QuotationKey::stored(made).unwrap(),
        request_id: RequestId::new(made).unwrap(),
        ..chosen.clone()
    };
    let old = old_store(dir.path(), VERSION_OF_KEYS);
    let put =
        "INSERT INTO quotation (id, key, deadline, expires_at, record) VALUES (?1, ?2, ?3, ?4, ?5)";
    for (id, quotation) in [(3, &made), (7, &chosen)] {
        let Quotation { key, deadline, expires_at, .. } = quotation;
        let times = (deadline.millis(), expires_at.secs_rounded_up());
        let values = params![id, key.as_str(), times.0, times.1, quotation.pack().unwrap()];
        old.execute(put, values).unwrap();
    }
    drop(old);
    let store = open_with(dir.path(), clock.clone());
    clock.advance(secs(1));
    let [new] = in_one_place(clock.now());
    store.store_answered(&new).await.unwrap();
    let stored = [made, chosen, new];
    for quotation in &stored {
        assert_eq!(store.quotation(&quotation.key).await.unwrap().as_ref(), Some(quotation));
        let again = store.store_answered(quotation).await.unwrap();
        assert_eq!(again, Created::Existing(Box::new(quotation.clone())));
    }
    assert_eq!(store.list_quotations(None).await.unwrap().items, stored);
    clock.advance(secs(3599));
    store.sweep_all(&clock).await;
    let [_, _, new] = stored;
    assert_eq!(store.list_quotations(None).await.unwrap().items, [new]);
}

#[tokio::test]
async fn quotations_whose_keys_have_the_same_place_are_not_confused() {
    let (store, clock, _dir) = stopped();
    let stored: [Quotation; 3] = in_one_place(clock.now());
    let place = stored[0].key.place();
    assert!(stored.iter().all(|quotation| quotation.key.place() == place));
    for quotation in &stored {
        assert!(store.store_answered(quotation).await.unwrap().is_new());
    }
    for quotation in &stored {
        assert_eq!(store.quotation(&quotation.key).await.unwrap().as_ref(), Some(quotation));
        let again = store.store_answered(quotation).await.unwrap();
        assert_eq!(again, Created::Existing(Box::new(quotation.clone())));
    }
    assert_eq!(store.list_quotations(None).await.unwrap().items, stored);

    let [first, second, third] = stored;
    let failed = Verdict::Failure(FailureReason::NoTable);
    let settled = store.settle_quotation(&second.key, &failed, clock.now()).await.unwrap();
    let of_second = Quotation { status: QuotationStatus::Failed(FailureReason::NoTable), ..second };
    assert_eq!(settled, Settlement::Settled(Box::new(of_second.clone())));
    assert!(store.redirect_quotation(&third.key, &elsewhere(), Dialect::Original).await.unwrap());
    let of_third = Quotation { connection: Some(elsewhere()), dialect: Dialect::Original, ..third };
    store.delete_quotation(&first.key).await.unwrap();
    assert!(!store.redirect_quotation(&first.key, &elsewhere(), Dialect::Current).await.unwrap());
    assert_eq!(store.list_quotations(None).await.unwrap().items, [of_second, of_third]);
    clock.advance(secs(3600));
    store.sweep_all(&clock).await;
    assert_eq!(rows(&store).await, []);
}

#[tokio::test]
async fn a_listing_goes_on_after_the_last_row_of_a_page() {
    let (store, _dir) = fresh();
    let began = Timestamp::from_secs(1_800_000_000);
    let total = PAGE + 1;
    for number in 0..total {
        let at = began.plus(secs(number as u64));
        let quotation = match number % 2 {
            0 => in_one_place::<1>(at)[0].clone(),
            _ => named(&number.to_string(), at),
        };
        store.store_answered(&quotation).await.unwrap();
    }
    let first = store.list_quotations(None).await.unwrap();
    assert_eq!(first.items.len(), PAGE);
    let last = store.list_quotations(first.next).await.unwrap();
    assert_eq!((last.items.len(), &last.next), (1, &None));
    let listed = first.items.iter().chain(&last.items).map(|quotation| quotation.accepted_at);
    assert!(listed.is_sorted());
    let error = store.list_quotations(Some(Cursor("x".to_owned()))).await.unwrap_err();
    assert!(matches!(error, PortError::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_quotation_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (store, stored) = (open(dir.path()), quotation());
    store.store_answered(&stored).await.unwrap();
    store
        .write(|tx| Ok(tx.execute("UPDATE quotation SET record = x'0105'", []).map(drop)?))
        .await
        .unwrap();
    let error = store.quotation(&stored.key).await.unwrap_err();
    let named =
        matches!(&error, PortError::Corrupt { what, .. } if what.contains(stored.key.as_str()));
    assert!(named, "{error:?}");
}
