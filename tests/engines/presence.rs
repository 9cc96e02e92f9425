//! Tests of presence records.

use ocache::ports::{Ports, ProcessRecord, ProcessRole, TickDone, living_processes};

use super::samples::{now, secs};

pub fn process(name: &str) -> ProcessRecord {
    ProcessRecord {
        process: name.to_owned(),
        roles: vec![ProcessRole::Refresh, ProcessRole::PriceCalc],
        machine: "maschine-株".to_owned(),
        version: "1.2.3".to_owned(),
        started_at: now(),
        seen_at: now(),
        lives_until: now().plus(secs(150)),
        tick: Some(TickDone { at: now(), active_users: 7 }),
    }
}

async fn stored(ports: &Ports) -> Vec<ProcessRecord> {
    let mut records = ports.presence.process_records().await.unwrap();
    records.sort_by(|a, b| a.process.cmp(&b.process));
    records
}

pub async fn a_process_is_there_until_it_leaves(ports: Ports) {
    assert_eq!(stored(&ports).await, []);
    let (a, b) = (process("a"), ProcessRecord { tick: None, roles: vec![], ..process("b") });
    for record in [&a, &b] {
        ports.presence.record_process(record).await.unwrap();
    }
    assert_eq!(stored(&ports).await, [a.clone(), b]);
    ports.presence.remove_process("b").await.unwrap();
    ports.presence.remove_process("nobody").await.unwrap();
    assert_eq!(stored(&ports).await, [a]);
}

pub async fn what_it_says_replaces_what_it_said(ports: Ports) {
    ports.presence.record_process(&process("a")).await.unwrap();
    let later = now().plus(secs(60));
    let tick = Some(TickDone { at: later, active_users: 8 });
    let again = ProcessRecord { seen_at: later, tick, version: "2".to_owned(), ..process("a") };
    ports.presence.record_process(&again).await.unwrap();
    assert_eq!(stored(&ports).await, [again]);
}

pub async fn who_has_said_nothing_for_too_long_does_not_live(ports: Ports) {
    let now = ports.clock.now();
    let dead = ProcessRecord { lives_until: now, ..process("a") };
    let living = ProcessRecord { lives_until: now.plus(secs(600)), ..process("b") };
    for record in [&dead, &living] {
        ports.presence.record_process(record).await.unwrap();
    }
    let found = living_processes(&*ports.presence, &*ports.clock).await.unwrap();
    assert_eq!(found, [living]);
}

pub async fn many_processes_are_told_of(ports: Ports) {
    let all: Vec<_> = (0..40).map(|number| process(&format!("{number:04}"))).collect();
    for record in &all {
        ports.presence.record_process(record).await.unwrap();
    }
    assert_eq!(stored(&ports).await, all);
}
