//! Tests of quotes that find no table.

use futures_util::future::join_all;
use ocache::model::Generation;
use ocache::ports::{Flip, NewTable, OwnStorage, TableHead};
use ocache::runtime::Role;

use super::harness::{Engine, System, user};

pub async fn a_user_nobody_knows_pays_list_prices_and_becomes_active(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    assert!(!system.is_active("Foo").await);
    let quotation = system.quote("Foo", "P1:2 P3:1").await;
    assert_eq!(quotation.total.as_deref(), Some("2029.00"));
    assert!(system.is_active("Foo").await);
    assert_eq!(system.head("Foo").await.unwrap().products, 5);
    system.stop().await;
}

pub async fn ten_quotes_of_a_cold_user_cost_one_calculation(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let connections: Vec<String> = (0..10).map(|n| format!("c{n}")).collect();
    join_all(connections.iter().map(|c| system.ask("AAA", "P1:2 P3:1", c, None))).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let answers = join_all(connections.iter().map(|c| system.pushed(c))).await;
    for answer in &answers {
        assert_eq!(answer.total.as_deref(), Some("1805.52"));
    }
    system.stop().await;
    // Every replacement of the head increases its version.
    assert_eq!(system.head("AAA").await.unwrap().version, 1);
}

pub async fn unknown_products_are_named_and_the_rest_is_priced(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("AAA", "P0:1 P1:2 P9:1").await;
    assert_eq!(quotation.unavailable, ["P0", "P9"]);
    assert_eq!((quotation.lines.len(), quotation.total.as_deref()), (1, Some("900.00")));
    system.stop().await;
}

pub async fn a_table_in_a_form_that_this_version_does_not_read_is_calculated_anew(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    system.quote("AAA", "P1:2 P3:1").await;
    let head = system.head("AAA").await.unwrap();
    let (store, aaa) = (&system.ports.store, user("AAA"));
    let OwnStorage::Inline(rows) = &head.own else { panic!("{head:?}") };
    // The first byte is the version of the format.
    let mut rows = rows.to_vec();
    rows[0] += 1;
    let own = OwnStorage::Inline(rows.into());
    let expire_at = head.parts_expire_at;
    let put = async |table: &TableHead| {
        let expected = Some(table.version - 1);
        store.put_table(NewTable::new(&aaa, table, expire_at).replacing(expected)).await.unwrap()
    };
    // The rows of a generation are unpacked once, so these are not read.
    let same = TableHead { own: own.clone(), version: head.version + 1, ..head.clone() };
    assert_eq!(put(&same).await, Flip::Done);
    let quotation = system.quote("AAA", "P1:2 P3:1").await;
    assert_eq!(quotation.total.as_deref(), Some("1805.52"));
    assert_eq!(system.head("AAA").await.unwrap(), same);
    // Whoever writes other rows writes them under a generation of their own.
    let generation = Generation::from_random([7; 16]);
    let other = TableHead { own, generation, version: same.version + 1, ..head.clone() };
    assert_eq!(put(&other).await, Flip::Done);
    let quotation = system.quote("AAA", "P1:2 P3:1").await;
    assert_eq!(quotation.total.as_deref(), Some("1805.52"));
    assert_ne!(system.head("AAA").await.unwrap().generation, other.generation);
    system.stop().await;
}
