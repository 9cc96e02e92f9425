//! Tests of heads and parts of price tables.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use ocache::model::{DigestBuilder, Generation, Timestamp, UserId};
use ocache::ports::{
    Flip, NewTable, NextPrices, OwnStorage, Ports, Prices, Queue, TableHead, WantedParts, parts_of,
};
use ocache::pricing::{Rounding, UnitRounding};

use super::listing::{all_pages, sorted_by};
use super::loading::{bring, finish, head as catalogue};
use super::samples::{ODD_IDS, generation, head, now, secs, user};

/// Returns an expiry of heads and parts that is after the end of the tests.
fn late() -> Timestamp {
    now().plus(secs(86_400))
}

async fn flip(ports: &Ports, of: &UserId, head: &TableHead, expected: Option<u64>) -> Flip {
    ports.store.put_table(NewTable::new(of, head, late()).replacing(expected)).await.unwrap()
}

/// Puts the first table of a user.
async fn put(ports: &Ports, of: &UserId, head: &TableHead, parts: &[Bytes]) {
    let table = NewTable::new(of, head, late()).with_parts(parts);
    let flip = ports.store.put_table(table).await.unwrap();
    assert_eq!(flip, Flip::Done);
}

async fn parts(
    ports: &Ports,
    of: &UserId,
    generation: &Generation,
    numbers: &[u32],
) -> Vec<Option<Bytes>> {
    parts_of(&*ports.store, of, generation, numbers).await.unwrap()
}

async fn read(ports: &Ports, of: &UserId) -> Option<TableHead> {
    let mut heads = ports.store.table_heads(std::slice::from_ref(of)).await.unwrap();
    assert!(heads.len() <= 1, "{heads:?}");
    let (user, head) = heads.pop()?;
    assert_eq!(user, *of);
    Some(head)
}

pub async fn a_head_flips_only_from_the_version_that_was_read(ports: Ports) {
    let (ann, first, second) = (user("ann"), head(1), head(2));
    assert_eq!(read(&ports, &ann).await, None);
    assert_eq!(flip(&ports, &ann, &first, Some(1)).await, Flip::Conflict, "there is none");
    assert_eq!(read(&ports, &ann).await, None);

    assert_eq!(flip(&ports, &ann, &first, None).await, Flip::Done);
    assert_eq!(flip(&ports, &ann, &second, None).await, Flip::Conflict, "there is one");
    assert_eq!(flip(&ports, &ann, &second, Some(2)).await, Flip::Conflict);
    assert_eq!(read(&ports, &ann).await, Some(first));

    assert_eq!(flip(&ports, &ann, &second, Some(1)).await, Flip::Done);
    assert_eq!(flip(&ports, &ann, &head(2), Some(1)).await, Flip::Conflict, "it has moved");
    assert_eq!(read(&ports, &ann).await, Some(second));
    assert_eq!(read(&ports, &user("bob")).await, None);
}

pub async fn a_message_about_an_awaited_table_is_published_with_it_or_left_to_the_caller(
    ports: Ports,
) {
    let put = async |id: &str, expected, message| {
        let (user, head) = (user(id), head(2));
        let table = NewTable {
            awaited: Some(message),
            ..NewTable::new(&user, &head, late()).replacing(expected)
        };
        ports.store.put_table(table).await.unwrap()
    };
    assert_eq!(put("ann", Some(1), "a conflict").await, Flip::Conflict);
    let flips = [put("ann", None, "one").await, put("ann", Some(2), "two").await];
    let bodies = published(&ports).await;
    match flips {
        [Flip::Published, Flip::Published] => assert_eq!(bodies, ["one", "two"]),
        [Flip::Done, Flip::Done] => assert!(bodies.is_empty(), "{bodies:?}"),
        mixed => panic!("{mixed:?}"),
    }
}

/// Returns what was published so far, sorted.
async fn published(ports: &Ports) -> Vec<String> {
    let received = ports.queues.receive(Queue::Provider, 10, Duration::ZERO, secs(60)).await;
    let mut bodies: Vec<String> =
        received.unwrap().into_iter().map(|message| message.body).collect();
    bodies.sort_unstable();
    bodies
}

pub async fn a_head_comes_back_as_it_was_written(ports: Ports) {
    let prices = |first_part| Prices { first_part, ..Prices::LIST };
    let many = TableHead {
        own: OwnStorage::Parts((0..400).map(|n| n * 3000).collect()),
        prices: prices(400),
        ..head(1)
    };
    let none = TableHead {
        own: OwnStorage::NONE,
        prices: prices(0),
        products: 0,
        version: u64::from(u32::MAX),
        ..head(1)
    };
    let rows = Bytes::from((0..=255).chain(0..=255).collect::<Vec<u8>>());
    let inline = TableHead { own: OwnStorage::Inline(rows.clone()), prices: prices(0), ..head(1) };
    let terms = Some(DigestBuilder::new("terms").finish());
    let ladders = OwnStorage::Parts(vec![7, 9]);
    let from = now().plus(Duration::from_millis(60_001));
    let next =
        NextPrices { from, prices: Prices { ladders: OwnStorage::Inline(rows), ..prices(5) } };
    let edge = TableHead {
        prices: Prices { terms, ladders, ..prices(3) },
        next: vec![next],
        valid_until: Some(from.plus(secs(60))),
        rounding: UnitRounding { unit_decimals: 4, rounding: Rounding::HalfUp },
        ..head(1)
    };
    for (id, head) in [("many", many), ("none", none), ("inline", inline), ("edge", edge)] {
        assert_eq!(flip(&ports, &user(id), &head, None).await, Flip::Done);
        assert_eq!(read(&ports, &user(id)).await, Some(head));
    }
}

pub async fn only_one_of_many_flips_is_done(ports: Ports) {
    let ann = user("ann");
    for expected in [None, Some(1)] {
        let heads: Vec<_> = (0..8).map(|_| head(expected.unwrap_or(0) + 1)).collect();
        let flips = heads.iter().map(|head| flip(&ports, &ann, head, expected));
        let outcomes = join_all(flips).await;
        let done: Vec<_> = (0..8).filter(|&n| outcomes[n] == Flip::Done).collect();
        assert_eq!(done.len(), 1, "{outcomes:?}");
        assert_eq!(read(&ports, &ann).await.as_ref(), Some(&heads[done[0]]));
    }
}

pub async fn many_heads_are_read_at_once(ports: Ports) {
    let ids = (0..130).map(|n| format!("user {n}")).chain(ODD_IDS.map(str::to_owned));
    let heads: Vec<_> = ids.zip(1..).map(|(id, version)| (user(&id), head(version))).collect();
    let heads = sorted_by(heads, |(user, _)| user.clone());
    // Parts are stored beside the heads, but are not heads.
    let part = [Bytes::from_static(b"part")];
    for some in heads.chunks(25) {
        join_all(some.iter().map(|(user, head)| put(&ports, user, head, &part))).await;
    }

    let mut users: Vec<_> = heads.iter().map(|(user, _)| user.clone()).collect();
    users.extend((0..50).map(|n| user(&format!("stranger {n}"))));
    let read = ports.store.table_heads(&users).await.unwrap();
    assert_eq!(sorted_by(read, |(user, _)| user.clone()), heads);
    let listed = all_pages(|from| ports.store.list_table_heads(from)).await;
    assert_eq!(sorted_by(listed, |(user, _)| user.clone()), heads);
}

/// Tests the combined read. Engines that do not read both at once say so, and are read separately.
pub async fn heads_come_with_the_head_of_the_catalogue(ports: Ports) {
    let (ann, bob, none) = (user("ann"), user("bob"), user("stranger"));
    for (user, version) in [(&ann, 1), (&bob, 2)] {
        put(&ports, user, &head(version), &[]).await;
    }
    let groups = [vec![], vec![none.clone()], vec![ann.clone()], vec![ann, none, bob]];
    let both = async |users: &[UserId]| ports.store.heads_with_catalogue(users).await.unwrap();
    for users in &groups {
        assert_eq!(both(users).await, None, "there is no catalogue");
    }
    for load in ["one", "two"] {
        bring(&ports, load, &[]).await;
        // First unfolded, then folded.
        for _ in 0..2 {
            for users in &groups {
                let Some((heads, read)) = both(users).await else { continue };
                assert_eq!(read, catalogue(&ports).await);
                let heads = sorted_by(heads, |(user, _)| user.clone());
                let alone = ports.store.table_heads(users).await.unwrap();
                assert_eq!(heads, sorted_by(alone, |(user, _)| user.clone()));
            }
            finish(&ports, load).await;
        }
    }
}

pub async fn parts_come_in_the_order_asked_for(ports: Ports) {
    let (ann, head) = (user("ann"), head(1));
    let written = [&b"zero\0\xff"[..], b"one", b"two"].map(Bytes::from_static);
    put(&ports, &ann, &head, &written).await;
    let read = parts(&ports, &ann, &head.generation, &[2, 7, 0]).await;
    assert_eq!(read, [Some(written[2].clone()), None, Some(written[0].clone())]);
}

pub async fn parts_may_be_written_again(ports: Ports) {
    let (ann, generation) = (user("ann"), generation());
    let written = [&b"zero"[..], b"one"].map(Bytes::from_static);
    for (expected, expire_at) in [(None, late()), (Some(1), late().plus(secs(86_400)))] {
        let head = head(expected.unwrap_or(0) + 1);
        let head = TableHead { generation: generation.clone(), ..head };
        let table = NewTable::new(&ann, &head, expire_at).with_parts(&written).replacing(expected);
        let flip = ports.store.put_table(table).await.unwrap();
        assert_eq!(flip, Flip::Done);
        let read = parts(&ports, &ann, &generation, &[0, 1]).await;
        assert_eq!(read, written.clone().map(Some));
    }
}

pub async fn generations_and_users_are_kept_apart(ports: Ports) {
    let (old, new) = (generation(), generation());
    for (user, expected, generation, part) in [
        (user("ann"), None, &old, &b"ann, old"[..]),
        (user("ann"), Some(1), &new, b"ann, new"),
        (user("bob"), None, &new, b"bob, new"),
    ] {
        let (part, head) = (Bytes::from_static(part), head(expected.unwrap_or(0) + 1));
        let head = TableHead { generation: generation.clone(), ..head };
        let written = std::slice::from_ref(&part);
        let table = NewTable::new(&user, &head, late()).with_parts(written).replacing(expected);
        let flip = ports.store.put_table(table).await.unwrap();
        assert_eq!(flip, Flip::Done);
        assert_eq!(parts(&ports, &user, generation, &[0]).await, [Some(part)]);
    }
    // A reader that still has the old head may go on reading, but never gets another generation.
    let read = parts(&ports, &user("ann"), &old, &[0]).await;
    assert!(read == [None] || read == [Some(Bytes::from_static(b"ann, old"))], "{read:?}");
    assert_eq!(parts(&ports, &user("bob"), &old, &[0]).await, [None]);
}

pub async fn a_table_of_many_parts_comes_back_whole(ports: Ports) {
    let (ann, head) = (user("ann"), head(1));
    let written: Vec<_> = (0..200_u8).map(|n| Bytes::from(vec![n; 32 * 1024])).collect();
    put(&ports, &ann, &head, &written).await;
    let numbers: Vec<_> = (0..200).rev().collect();
    let read = parts(&ports, &ann, &head.generation, &numbers).await;
    assert!(read.into_iter().flatten().rev().eq(written), "the bytes differ");
}

pub async fn a_table_is_put_whole_or_refused(ports: Ports) {
    let ann = user("ann");
    // More than one transaction can have, and exactly as many.
    for (count, expected) in [(70, None), (64, Some(1)), (1, Some(2)), (0, Some(3))] {
        let head = head(expected.unwrap_or(0) + 1);
        let written: Vec<_> = (0..count).map(|n| Bytes::from(vec![n; 1024])).collect();
        let table = NewTable::new(&ann, &head, late()).with_parts(&written).replacing(expected);
        let put = ports.store.put_table(table).await.unwrap();
        assert_eq!(put, Flip::Done);
        assert_eq!(read(&ports, &ann).await.as_ref(), Some(&head));
        let numbers: Vec<u32> = (0..count.into()).collect();
        let stored = parts(&ports, &ann, &head.generation, &numbers).await;
        assert!(stored.into_iter().flatten().eq(written), "the bytes differ");
    }
    let late_comer = head(2);
    let parts = [Bytes::from_static(b"late")];
    let table = NewTable::new(&ann, &late_comer, late()).with_parts(&parts).replacing(Some(1));
    let put = ports.store.put_table(table).await.unwrap();
    assert_eq!(put, Flip::Conflict);
    assert_eq!(read(&ports, &ann).await.map(|head| head.version), Some(4));
}

pub async fn a_head_without_parts_keeps_those_that_are_stored(ports: Ports) {
    let (ann, first, part) = (user("ann"), head(1), Bytes::from_static(b"part"));
    put(&ports, &ann, &first, std::slice::from_ref(&part)).await;
    let second = TableHead { generation: first.generation.clone(), ..head(2) };
    assert_eq!(flip(&ports, &ann, &second, Some(1)).await, Flip::Done);
    assert_eq!(read(&ports, &ann).await.as_ref(), Some(&second));
    assert_eq!(parts(&ports, &ann, &first.generation, &[0, 1]).await, [Some(part), None]);
}

pub async fn parts_of_many_tables_are_read_at_once(ports: Ports) {
    let shared = generation();
    let wanted = |id: &str, generation: &Generation, numbers: &[u32]| WantedParts {
        user: user(id),
        generation: generation.clone(),
        numbers: numbers.to_vec(),
    };
    for id in ["ann", "bob"] {
        let parts: Vec<_> = (0..3).map(|n| Bytes::from(format!("{id} {n}"))).collect();
        let head = TableHead { generation: shared.clone(), ..head(1) };
        put(&ports, &user(id), &head, &parts).await;
    }
    let all = [
        wanted("bob", &shared, &[2, 0]),
        wanted("eve", &shared, &[0]),
        wanted("ann", &shared, &[1, 7]),
        wanted("ann", &generation(), &[1]),
    ];
    let read = ports.store.parts(&all).await.unwrap();
    let part = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    let expected =
        [vec![part("bob 2"), part("bob 0")], vec![None], vec![part("ann 1"), None], vec![None]];
    assert_eq!(read, expected);
    assert_eq!(ports.store.parts(&[]).await.unwrap(), Vec::<Vec<_>>::new());
}

pub async fn a_table_flipped_while_it_is_read_is_never_mixed(ports: Ports) {
    const PARTS: u32 = 200;
    const FLIPS: u8 = 8;
    let ann = user("ann");
    let writes = async {
        for version in 1..=FLIPS {
            let head = TableHead { version: version.into(), ..head(1) };
            let written = vec![Bytes::from(vec![version; 1024]); PARTS as usize];
            let expected = (version > 1).then(|| u64::from(version) - 1);
            let table = NewTable::new(&ann, &head, late()).with_parts(&written).replacing(expected);
            let put = ports.store.put_table(table).await;
            assert_eq!(put.unwrap(), Flip::Done);
        }
    };
    let reads = async {
        let mut seen = vec![];
        loop {
            if let Some(head) = read(&ports, &ann).await {
                let numbers = [0, PARTS / 2, PARTS - 1];
                for part in parts(&ports, &ann, &head.generation, &numbers).await {
                    let bytes = part.unwrap_or_default();
                    assert!(bytes.iter().all(|byte| u64::from(*byte) == head.version));
                }
                seen.push(head.version);
                if head.version == u64::from(FLIPS) {
                    return seen;
                }
            }
            tokio::task::yield_now().await;
        }
    };
    let ((), seen) = tokio::join!(writes, reads);
    assert!(seen.is_sorted(), "{seen:?}");
}

pub async fn a_deleted_table_leaves_nothing(ports: Ports) {
    let part = [Bytes::from_static(b"part")];
    for id in ["ann", "bob"] {
        put(&ports, &user(id), &head(1), &part).await;
    }
    let gone = read(&ports, &user("ann")).await.unwrap();
    ports.store.delete_table(&user("ann")).await.unwrap();
    ports.store.delete_table(&user("ann")).await.unwrap();
    assert_eq!(read(&ports, &user("ann")).await, None);
    assert_eq!(parts(&ports, &user("ann"), &gone.generation, &[0]).await, [None]);
    assert!(read(&ports, &user("bob")).await.is_some());
}

pub async fn nothing_asked_is_nothing_done(ports: Ports) {
    let (ann, generation) = (user("ann"), generation());
    assert_eq!(parts(&ports, &ann, &generation, &[]).await, []);
    assert_eq!(parts(&ports, &ann, &generation, &[0]).await, [None]);
    assert_eq!(ports.store.table_heads(&[]).await.unwrap(), []);
    assert!(all_pages(|from| ports.store.list_table_heads(from)).await.is_empty());
}
