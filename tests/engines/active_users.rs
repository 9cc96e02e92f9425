//! Tests of active users: visits, expiry, segments.

use std::time::Duration;

use futures_util::future::try_join_all;
use ocache::model::{Timestamp, UserId};
use ocache::ports::{ActiveUser, Ports, Segment};

use super::listing::{all_pages, sorted_by};
use super::samples::{ODD_IDS, now, secs, user};

/// Returns the ids of the users of a segment who are active at a time, sorted.
async fn listed(ports: &Ports, segment: Segment, at: Timestamp) -> Vec<UserId> {
    let rows = all_pages(|from| ports.store.list_active_users(segment, at, from)).await;
    sorted_by(rows.into_iter().map(|row| row.user).collect(), UserId::clone)
}

pub async fn a_visit_is_stored_and_returns_the_row_before(ports: Ports) {
    let (ann, store) = (user("ann"), ports.store);
    let first_seen = now().plus(Duration::from_millis(250));
    let last_seen = first_seen.plus(Duration::from_millis(61_001));
    assert_eq!(store.active_user(&ann).await.unwrap(), None);

    let expires_at = now().plus(secs(300));
    assert_eq!(store.record_visit(&ann, first_seen, expires_at).await.unwrap(), None);
    let first = ActiveUser { user: ann.clone(), expires_at, first_seen, last_seen: first_seen };
    assert_eq!(store.active_user(&ann).await.unwrap().as_ref(), Some(&first));

    let expires_at = expires_at.plus(secs(61));
    assert_eq!(store.record_visit(&ann, last_seen, expires_at).await.unwrap(), Some(first));
    let second = ActiveUser { user: ann.clone(), expires_at, first_seen, last_seen };
    assert_eq!(store.active_user(&ann).await.unwrap(), Some(second));
}

pub async fn expiry_is_kept_in_whole_seconds_rounded_up(ports: Ports) {
    let whole = now().plus(secs(300));
    for (id, expires_at) in [("whole", whole), ("part", whole.minus(Duration::from_millis(999)))] {
        ports.store.record_visit(&user(id), now(), expires_at).await.unwrap();
        let row = ports.store.active_user(&user(id)).await.unwrap().unwrap();
        assert_eq!(row.expires_at, whole, "{id}");
    }
}

pub async fn a_user_who_comes_back_after_expiring_keeps_the_first_visit(ports: Ports) {
    let (ann, first) = (user("ann"), now());
    let (expired, back) = (first.plus(secs(300)), first.plus(secs(600)));
    ports.store.record_visit(&ann, first, expired).await.unwrap();
    let before = ports.store.record_visit(&ann, back, back.plus(secs(300))).await.unwrap().unwrap();
    assert!(!before.is_active(back), "the caller sees that the user was gone: {before:?}");
    let row = ports.store.active_user(&ann).await.unwrap().unwrap();
    assert_eq!((row.first_seen, row.last_seen), (first, back));
}

pub async fn an_expired_user_is_stored_but_not_listed(ports: Ports) {
    let (short, long) = (now().plus(secs(300)), now().plus(secs(600)));
    ports.store.record_visit(&user("short"), now(), short).await.unwrap();
    ports.store.record_visit(&user("long"), now(), long).await.unwrap();

    let before = short.minus(Duration::from_millis(1));
    assert_eq!(listed(&ports, Segment::ALL, before).await, [user("long"), user("short")]);
    assert_eq!(listed(&ports, Segment::ALL, short).await, [user("long")]);
    assert_eq!(listed(&ports, Segment::ALL, long).await, []);
    let row = ports.store.active_user(&user("short")).await.unwrap().unwrap();
    assert!(!row.is_active(short));
}

pub async fn a_removed_user_is_gone(ports: Ports) {
    let (ann, store) = (user("ann"), &ports.store);
    assert_eq!(store.remove_active_user(&ann).await.unwrap(), None);
    store.record_visit(&ann, now(), now().plus(secs(300))).await.unwrap();
    let row = store.active_user(&ann).await.unwrap();
    assert!(row.is_some());
    assert_eq!(store.remove_active_user(&ann).await.unwrap(), row, "the caller sees the expiry");
    assert_eq!(store.active_user(&ann).await.unwrap(), None);
    assert_eq!(listed(&ports, Segment::ALL, now()).await, []);
}

pub async fn segments_cover_each_user_once(ports: Ports) {
    let mut users: Vec<_> = (0..250).map(|n| user(&format!("user {n} ñ"))).collect();
    users.sort();
    let expires_at = now().plus(secs(600));
    for some in users.chunks(25) {
        let visits = some.iter().map(|user| ports.store.record_visit(user, now(), expires_at));
        try_join_all(visits).await.unwrap();
    }
    for count in [1, 2, 7] {
        let mut seen = vec![];
        for index in 0..count {
            seen.extend(listed(&ports, Segment { index, count }, now()).await);
        }
        seen.sort();
        assert_eq!(seen, users, "{count} segments");
    }
}

pub async fn ids_of_every_kind_are_kept_apart(ports: Ports) {
    let longest = "é".repeat(UserId::MAX_BYTES / 2);
    let ids: Vec<_> = ODD_IDS.into_iter().chain([longest.as_str()]).map(user).collect();
    for (id, minutes) in ids.iter().zip(1..) {
        let expires_at = now().plus(secs(3600 + minutes * 60));
        assert_eq!(ports.store.record_visit(id, now(), expires_at).await.unwrap(), None, "{id}");
    }
    assert_eq!(listed(&ports, Segment::ALL, now()).await, sorted_by(ids, UserId::clone));
}
