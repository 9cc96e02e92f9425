//! Tests of quotations: each is created once and settled once.

use std::time::Duration;

use futures_util::future::join_all;
use ocache::model::{Dialect, Item, QuotationKey, RequestId};
use ocache::ports::{
    Created, FailureReason, PortError, Ports, Queue, Quotation, QuotationStatus, Settlement,
    Verdict,
};
use ocache::pricing::Answer;

use super::listing::{all_pages, sorted_by};
use super::receiving::{drain, nothing_comes};
use super::samples::{ODD_IDS, answer, connection, product_id, quotation, user};

fn an_answer(minor: i64) -> Verdict {
    Verdict::Answer(Box::new(answer(minor)))
}

/// Returns the quotation after a verdict.
fn settled(quotation: &Quotation, verdict: &Verdict) -> Quotation {
    let status = match verdict {
        Verdict::Answer(answer) => QuotationStatus::Answered(answer.clone()),
        Verdict::Failure(reason) => QuotationStatus::Failed(reason.clone()),
    };
    Quotation { status, ..quotation.clone() }
}

async fn create(ports: &Ports, quotation: &Quotation) {
    let created = publish(ports, quotation).await;
    assert!(created.is_new(), "{created:?}");
}

/// Settles a quotation before its deadline.
async fn settle(ports: &Ports, quotation: &Quotation, verdict: &Verdict) -> Settlement {
    let in_time = quotation.deadline.minus(Duration::from_millis(1));
    ports.store.settle_quotation(&quotation.key, verdict, in_time).await.unwrap()
}

/// Creates a quotation and publishes its key as a message.
async fn publish(ports: &Ports, quotation: &Quotation) -> Created {
    let body = serde_json::to_string(quotation.key.as_str()).unwrap();
    ports.store.create_quotation(quotation, &*ports.topic, &body).await.unwrap()
}

pub async fn a_quotation_is_published_if_it_is_new(ports: Ports) {
    let first = quotation("ann");
    assert!(publish(&ports, &first).await.is_new());
    assert_eq!(read(&ports, &first.key).await.as_ref(), Some(&first));
    let second = Quotation { items: vec![], key: first.key.clone(), ..quotation("bob") };
    assert_eq!(publish(&ports, &second).await, Created::Existing(Box::new(first.clone())));
    let third = quotation("bob");
    assert!(publish(&ports, &third).await.is_new());
    let mut expected = [first, third].map(|one| format!("{:?}", one.key.as_str()));
    let mut arrived = drain(&ports, Queue::Provider, 2).await;
    arrived.sort();
    expected.sort();
    assert_eq!(arrived, expected);
    nothing_comes(&ports, Queue::Provider).await;

    let large = quotation("eve");
    let body = "x".repeat(257 * 1024);
    let refused = ports.store.create_quotation(&large, &*ports.topic, &body).await;
    assert!(matches!(refused, Err(PortError::Rejected { .. })), "{refused:?}");
    nothing_comes(&ports, Queue::Provider).await;
}

async fn read(ports: &Ports, key: &QuotationKey) -> Option<Quotation> {
    ports.store.quotation(key).await.unwrap()
}

pub async fn a_quotation_is_created_once(ports: Ports) {
    let first = quotation("ann");
    assert_eq!(read(&ports, &first.key).await, None);
    create(&ports, &first).await;
    assert_eq!(read(&ports, &first.key).await.as_ref(), Some(&first));

    let second = Quotation { items: vec![], key: first.key.clone(), ..quotation("bob") };
    let created = publish(&ports, &second).await;
    assert_eq!(created, Created::Existing(Box::new(first.clone())));
    assert_eq!(read(&ports, &first.key).await, Some(first));

    for (id, number) in ODD_IDS.into_iter().zip(1..) {
        let request_id = RequestId::new(format!("{number} 株式会社")).unwrap();
        let key = QuotationKey::new(&user(id), &request_id);
        let dialect = Dialect::Original;
        let odd = Quotation { key, request_id, dialect, ..quotation(id) };
        create(&ports, &odd).await;
        assert_eq!(read(&ports, &odd.key).await, Some(odd));
    }
}

pub async fn an_expired_quotation_is_replaced(ports: Ports) {
    let first = quotation("ann");
    create(&ports, &first).await;
    settle(&ports, &first, &an_answer(500)).await;
    ports
        .store
        .redirect_quotation(&first.key, &connection("else"), Dialect::Original)
        .await
        .unwrap();
    let asked = |accepted_at| Quotation { accepted_at, items: vec![], ..first.clone() };
    let early = asked(first.expires_at.minus(Duration::from_secs(1)));
    let created = publish(&ports, &early).await;
    assert!(matches!(created, Created::Existing(_)), "{created:?}");
    let late = asked(first.expires_at);
    create(&ports, &late).await;
    assert_eq!(read(&ports, &late.key).await, Some(late));
}

pub async fn only_one_of_many_creations_is_new(ports: Ports) {
    let key = quotation("ann").key;
    let rivals: Vec<_> =
        (0..8).map(|_| Quotation { key: key.clone(), ..quotation("ann") }).collect();
    let outcomes = join_all(rivals.iter().map(|rival| publish(&ports, rival))).await;
    let stored = read(&ports, &key).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_new()).count(), 1);
    for (rival, outcome) in rivals.iter().zip(outcomes) {
        match outcome {
            Created::New { .. } => assert_eq!(*rival, stored),
            Created::Existing(existing) => assert_eq!(*existing, stored),
        }
    }
}

pub async fn an_answer_is_stored_once(ports: Ports) {
    let pending = quotation("ann");
    create(&ports, &pending).await;
    let verdict = an_answer(90_276);
    let answered = settled(&pending, &verdict);
    let first = settle(&ports, &pending, &verdict).await;
    assert_eq!(first, Settlement::Settled(Box::new(answered.clone())));

    let late = [verdict, an_answer(1), Verdict::Failure(FailureReason::NoTable)];
    for verdict in late {
        let again = settle(&ports, &pending, &verdict).await;
        assert_eq!(again, Settlement::Refused(Box::new(answered.clone())), "{verdict:?}");
    }
    assert_eq!(read(&ports, &pending.key).await, Some(answered));
}

pub async fn an_answer_is_stored_with_its_quotation(ports: Ports) {
    let asked = quotation("ann");
    let answered = settled(&asked, &an_answer(90_276));
    let packed = answered.pack().unwrap().len();
    assert_eq!(store_answered(&ports, &answered).await, Created::New { packed });
    assert_eq!(read(&ports, &asked.key).await.as_ref(), Some(&answered));

    let rival = Quotation { items: vec![], ..settled(&asked, &an_answer(1)) };
    let existing = Created::Existing(Box::new(answered.clone()));
    assert_eq!(store_answered(&ports, &rival).await, existing);
    assert_eq!(publish(&ports, &asked).await, existing);
    let again = settle(&ports, &asked, &an_answer(1)).await;
    assert_eq!(again, Settlement::Refused(Box::new(answered.clone())));
    nothing_comes(&ports, Queue::Provider).await;

    let elsewhere = connection("c2");
    let moved = Quotation {
        connection: Some(elsewhere.clone()),
        dialect: Dialect::Original,
        ..answered.clone()
    };
    ports.store.redirect_quotation(&asked.key, &elsewhere, Dialect::Original).await.unwrap();
    assert_eq!(read(&ports, &asked.key).await.as_ref(), Some(&moved));

    let late = Quotation { accepted_at: answered.expires_at, ..rival };
    assert!(store_answered(&ports, &late).await.is_new(), "the first has expired");
    assert_eq!(read(&ports, &asked.key).await, Some(late));
}

pub async fn a_quotation_that_waits_is_not_stored_answered(ports: Ports) {
    let waiting = quotation("ann");
    create(&ports, &waiting).await;
    let answered = settled(&waiting, &an_answer(1));
    let existing = Created::Existing(Box::new(waiting.clone()));
    assert_eq!(store_answered(&ports, &answered).await, existing);
    assert_eq!(read(&ports, &waiting.key).await, Some(waiting));
}

pub async fn only_one_of_many_answered_is_stored(ports: Ports) {
    let asked = quotation("ann");
    let rivals: Vec<_> = (0..8).map(|minor| settled(&asked, &an_answer(minor))).collect();
    let outcomes = join_all(rivals.iter().map(|rival| store_answered(&ports, rival))).await;
    let stored = read(&ports, &asked.key).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_new()).count(), 1);
    for (rival, outcome) in rivals.iter().zip(outcomes) {
        match outcome {
            Created::New { .. } => assert_eq!(*rival, stored),
            Created::Existing(existing) => assert_eq!(*existing, stored),
        }
    }
}

async fn store_answered(ports: &Ports, quotation: &Quotation) -> Created {
    ports.store.store_answered(quotation).await.unwrap()
}

pub async fn a_failure_is_stored_once(ports: Ports) {
    let pending = quotation("ann");
    create(&ports, &pending).await;
    let verdict = Verdict::Failure(FailureReason::NoTable);
    let failed = settled(&pending, &verdict);
    let first = settle(&ports, &pending, &verdict).await;
    assert_eq!(first, Settlement::Settled(Box::new(failed.clone())));

    for verdict in [verdict, an_answer(1), Verdict::Failure(FailureReason::DeadlinePassed)] {
        let again = settle(&ports, &pending, &verdict).await;
        assert_eq!(again, Settlement::Refused(Box::new(failed.clone())), "{verdict:?}");
    }
    assert_eq!(read(&ports, &pending.key).await, Some(failed));
}

pub async fn only_one_of_many_verdicts_is_stored(ports: Ports) {
    let pending = quotation("ann");
    create(&ports, &pending).await;
    let mut verdicts: Vec<_> = (0..7).map(an_answer).collect();
    verdicts.push(Verdict::Failure(FailureReason::NoTable));
    let settle = |verdict| settle(&ports, &pending, verdict);
    let outcomes = futures_util::future::join_all(verdicts.iter().map(settle)).await;

    let stored = read(&ports, &pending.key).await.unwrap();
    assert!(verdicts.iter().any(|verdict| stored == settled(&pending, verdict)), "{stored:?}");
    for (verdict, outcome) in verdicts.iter().zip(outcomes) {
        let expected = match stored == settled(&pending, verdict) {
            true => Settlement::Settled(Box::new(stored.clone())),
            false => Settlement::Refused(Box::new(stored.clone())),
        };
        assert_eq!(outcome, expected);
    }
}

pub async fn an_answer_must_come_before_the_deadline(ports: Ports) {
    let pending = quotation("ann");
    create(&ports, &pending).await;
    for late in [pending.deadline, pending.deadline.plus(Duration::from_secs(60))] {
        let outcome = ports.store.settle_quotation(&pending.key, &an_answer(1), late).await;
        assert_eq!(outcome.unwrap(), Settlement::Refused(Box::new(pending.clone())));
    }
    assert_eq!(read(&ports, &pending.key).await.as_ref(), Some(&pending));
    let verdict = an_answer(1);
    let in_time = settle(&ports, &pending, &verdict).await;
    assert_eq!(in_time, Settlement::Settled(Box::new(settled(&pending, &verdict))));
}

pub async fn a_failure_may_come_after_the_deadline(ports: Ports) {
    let pending = quotation("ann");
    create(&ports, &pending).await;
    let verdict = Verdict::Failure(FailureReason::DeadlinePassed);
    let late = pending.deadline.plus(Duration::from_secs(60));
    let outcome = ports.store.settle_quotation(&pending.key, &verdict, late).await.unwrap();
    assert_eq!(outcome, Settlement::Settled(Box::new(settled(&pending, &verdict))));
}

pub async fn every_reason_comes_back(ports: Ports) {
    for reason in [
        FailureReason::DeadlinePassed,
        FailureReason::EmptyCatalogue,
        FailureReason::NoTable,
        FailureReason::TotalTooLarge("the total of product `株` is too large".to_owned()),
    ] {
        let pending = quotation("ann");
        create(&ports, &pending).await;
        let verdict = Verdict::Failure(reason);
        settle(&ports, &pending, &verdict).await;
        assert_eq!(read(&ports, &pending.key).await, Some(settled(&pending, &verdict)));
    }
}

pub async fn what_is_missing_is_not_settled(ports: Ports) {
    let unknown = quotation("ann");
    for verdict in [an_answer(1), Verdict::Failure(FailureReason::NoTable)] {
        assert_eq!(settle(&ports, &unknown, &verdict).await, Settlement::Missing);
    }
    assert_eq!(read(&ports, &unknown.key).await, None);
}

pub async fn an_answer_is_redirected(ports: Ports) {
    let (pending, elsewhere) = (quotation("ann"), connection("c2"));
    let redirect = || ports.store.redirect_quotation(&pending.key, &elsewhere, Dialect::Original);
    assert!(!redirect().await.unwrap());
    assert_eq!(read(&ports, &pending.key).await, None);

    create(&ports, &pending).await;
    assert!(redirect().await.unwrap());
    let moved = Quotation {
        connection: Some(elsewhere.clone()),
        dialect: Dialect::Original,
        ..pending.clone()
    };
    assert_eq!(read(&ports, &pending.key).await.as_ref(), Some(&moved));

    let verdict = an_answer(1);
    let outcome = settle(&ports, &pending, &verdict).await;
    assert_eq!(outcome, Settlement::Settled(Box::new(settled(&moved, &verdict))));
    assert!(redirect().await.unwrap(), "an answered quotation can be asked for again");
    assert_eq!(read(&ports, &pending.key).await, Some(settled(&moved, &verdict)));
}

pub async fn a_deleted_quotation_is_gone(ports: Ports) {
    let (gone, kept) = (quotation("ann"), quotation("ann"));
    create(&ports, &gone).await;
    create(&ports, &kept).await;
    ports.store.delete_quotation(&gone.key).await.unwrap();
    assert_eq!(read(&ports, &gone.key).await, None);
    assert_eq!(read(&ports, &kept.key).await, Some(kept));
    ports.store.delete_quotation(&gone.key).await.unwrap();
    create(&ports, &gone).await;
}

pub async fn every_quotation_is_listed_as_it_stands(ports: Ports) {
    assert!(all_pages(|from| ports.store.list_quotations(from)).await.is_empty());
    let mut stored = vec![];
    for number in 0..1_100 {
        let mut quotation = quotation(ODD_IDS[number % ODD_IDS.len()]);
        if number % 2 == 0 {
            // This id is chosen by a client, so the quotation is stored under another key.
            quotation.request_id = RequestId::new(format!("{number}")).unwrap();
            quotation.key = QuotationKey::new(&quotation.user, &quotation.request_id);
        }
        stored.push(quotation);
    }
    for some in stored.chunks(50) {
        join_all(some.iter().map(|quotation| publish(&ports, quotation))).await;
    }
    for (place, verdict) in
        [(0, an_answer(5)), (1, Verdict::Failure(FailureReason::NoTable)), (2, an_answer(7))]
    {
        settle(&ports, &stored[place], &verdict).await;
        stored[place] = settled(&stored[place], &verdict);
    }
    let elsewhere = connection("elsewhere");
    ports.store.redirect_quotation(&stored[2].key, &elsewhere, Dialect::Original).await.unwrap();
    stored[2].connection = Some(elsewhere);
    stored[2].dialect = Dialect::Original;
    let listed = all_pages(|from| ports.store.list_quotations(from)).await;
    let by_key = |quotation: &Quotation| quotation.key.clone();
    assert_eq!(sorted_by(listed, by_key), sorted_by(stored, by_key));
}

pub async fn the_longest_quotation_fits(ports: Ports) {
    let ids: Vec<_> = (0..400).map(|n| product_id(&format!("{n:03}{}", "x".repeat(61)))).collect();
    let quantity = "1000000000".parse().unwrap();
    let items = ids.iter().map(|id| Item { product: id.clone(), quantity }).collect();
    let pending = Quotation { items, ..quotation(&"é".repeat(128)) };
    create(&ports, &pending).await;

    let one = answer(1);
    let line = |id| {
        let mut line = one.lines[0].clone();
        line.product = id;
        line.name = "株".repeat(50);
        line
    };
    let lines = ids.iter().cloned().map(line).collect();
    let verdict = Verdict::Answer(Box::new(Answer { lines, unavailable: ids, ..one }));
    settle(&ports, &pending, &verdict).await;
    assert_eq!(read(&ports, &pending.key).await, Some(settled(&pending, &verdict)));
}
