//! Which processes are alive. A process says so itself; a registered one also holds a lock that ends with
//! it.

use async_trait::async_trait;

use super::engine::Embedded;
use super::rows::{from_json, to_json};
use crate::ports::{PortError, Presence, ProcessRecord};

const PUT: &str = "
    INSERT INTO process (name, holder, lives_until, record) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET
        holder = excluded.holder, lives_until = excluded.lives_until, record = excluded.record";
const REMOVE: &str = "DELETE FROM process WHERE name = ?1";
const LIST: &str = "SELECT holder, record FROM process";

fn what() -> String {
    "what a process said of itself".to_owned()
}

#[async_trait]
impl Presence for Embedded {
    async fn record_process(&self, record: &ProcessRecord) -> Result<(), PortError> {
        let json = to_json(record, what).map_err(|failure| self.port_error(failure))?;
        let (process, until) = (record.process.clone(), record.lives_until.millis());
        self.execute(PUT, (process, self.own_holder(), until, json)).await.map(drop)
    }

    async fn remove_process(&self, process: &str) -> Result<(), PortError> {
        self.execute(REMOVE, [process.to_owned()]).await.map(drop)
    }

    async fn process_records(&self) -> Result<Vec<ProcessRecord>, PortError> {
        let store = self.clone();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query([])?;
            let mut records = vec![];
            while let Some(row) = rows.next()? {
                let holder: Option<String> = row.get(0)?;
                if !holder.is_some_and(|holder| store.has_ended(&holder)) {
                    records.push(from_json(&row.get::<_, String>(1)?, what)?);
                }
            }
            Ok(records)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::super::leases::kill;
    use super::super::testing::{open_with, stopped};
    use super::*;
    use crate::ports::{Clock as _, ProcessRole};
    use std::time::Duration;

    #[tokio::test]
    async fn a_killed_process_is_gone_at_once() {
        let (store, clock, dir) = stopped();
        let (one, other) = (open_with(dir.path(), clock.clone()), store.clone());
        let now = clock.now();
        let record = |process: &str| ProcessRecord {
            process: process.to_owned(),
            roles: vec![ProcessRole::PriceCalc],
            machine: "here".to_owned(),
            version: "1".to_owned(),
            started_at: now,
            seen_at: now,
            lives_until: now.plus(Duration::from_secs(60)),
            tick: None,
        };
        one.enter().await.unwrap();
        one.record_process(&record("one")).await.unwrap();
        // This process is not registered, so only its time decides.
        other.record_process(&record("other")).await.unwrap();
        let names = async || {
            let mut names: Vec<String> = store
                .process_records()
                .await
                .unwrap()
                .into_iter()
                .map(|record| record.process)
                .collect();
            names.sort();
            names
        };
        assert_eq!(names().await, ["one", "other"]);
        kill(&one);
        assert_eq!(names().await, ["other"]);
    }
}
