//! Tests of users' discounts.

use ocache::data::apply;
use ocache::model::UserId;
use ocache::ports::{Ports, RecordKey, RowChange, UserDiscounts, at_head, first_discounted_users};
use ocache::pricing::{Currency, Discount, Discounts};

use super::listing::{put_discounts, sorted_by};
use super::samples::{ODD_IDS, percentage, product_id, user};

fn list(of: &str, discounts: &[(&str, &str)]) -> UserDiscounts {
    let discounts = discounts.iter().map(|(product, percent)| Discount {
        product_id: product_id(product),
        percentage: percentage(percent),
    });
    UserDiscounts::new(user(of), Discounts::new(discounts.collect()).unwrap())
}

async fn read(ports: &Ports, users: &[UserId]) -> Vec<UserDiscounts> {
    let read = at_head(&*ports.store, |head| {
        Box::pin(async move { ports.store.discounts(users, &head).await })
    });
    sorted_by(read.await.unwrap(), |list| list.user.clone())
}

async fn listed(ports: &Ports) -> Vec<UserId> {
    let users = first_discounted_users(&*ports.store, usize::MAX).await.unwrap();
    sorted_by(users.rows, UserId::clone)
}

pub async fn a_list_is_replaced_whole(ports: Ports) {
    assert_eq!(read(&ports, &[user("ann")]).await, []);
    for discounts in [&[("P1", "10"), ("P2", "20")][..], &[("P2", "5"), ("株式会社", "100")]] {
        let list = list("ann", discounts);
        put_discounts(&ports, std::slice::from_ref(&list)).await;
        assert_eq!(read(&ports, &[user("ann"), user("bob")]).await, [list]);
    }
    assert_eq!(listed(&ports).await, [user("ann")]);
}

pub async fn many_lists_at_once(ports: Ports) {
    let ids = (0..130).map(|n| format!("user {n}")).chain(ODD_IDS.map(str::to_owned));
    let lists: Vec<_> = ids
        .zip(0..)
        .map(|(id, n)| list(&id, &[("P1", &format!("0.{n:03}1")), ("P2", "50")]))
        .collect();
    let lists = sorted_by(lists, |list| list.user.clone());
    put_discounts(&ports, &lists).await;

    let mut users: Vec<_> = lists.iter().map(|list| list.user.clone()).collect();
    assert_eq!(listed(&ports).await, users);
    users.extend((0..50).map(|n| user(&format!("stranger {n}"))));
    assert_eq!(read(&ports, &users).await, lists);
}

pub async fn a_deleted_list_is_gone(ports: Ports) {
    let lists: Vec<_> = (10..50).map(|n| list(&format!("user {n}"), &[("P1", "10")])).collect();
    put_discounts(&ports, &lists).await;
    let mut users: Vec<_> = lists.iter().map(|list| list.user.clone()).collect();
    let kept = users.split_off(30);
    users.push(user("stranger"));
    let deleted = users.iter().cloned().map(RecordKey::Discounts).map(RowChange::Delete);
    apply(&ports, deleted.collect(), Currency::USD).await.unwrap();
    assert_eq!(read(&ports, &users).await, []);
    assert_eq!(listed(&ports).await, kept);
}

pub async fn every_digit_of_a_percentage_is_kept(ports: Ports) {
    let percents = ["0", "0.000001", "0.1", "12.345678", "33.333333", "99.999999", "100"];
    let products = ["A", "B", "C", "D", "E", "F", "G"];
    let discounts: Vec<_> = products.into_iter().zip(percents).collect();
    let list = list("ann", &discounts);
    put_discounts(&ports, std::slice::from_ref(&list)).await;
    assert_eq!(read(&ports, &[user("ann")]).await, [list]);
}

pub async fn a_long_list_fits(ports: Ports) {
    let products: Vec<_> = (0..3000).map(|n| format!("product-{n:05}")).collect();
    let discounts: Vec<_> = products.iter().map(|id| (id.as_str(), "12.345678")).collect();
    let list = list("ann", &discounts);
    put_discounts(&ports, std::slice::from_ref(&list)).await;
    assert_eq!(read(&ports, &[user("ann")]).await, [list]);
}

pub async fn nothing_asked_is_nothing_done(ports: Ports) {
    assert_eq!(read(&ports, &[]).await, []);
    assert_eq!(listed(&ports).await, []);
}
