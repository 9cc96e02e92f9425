//! Readings: the usage that the processes of a stack have written.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Usage, Window};
use crate::model::Timestamp;
use crate::ports::{PortError, Ports};

/// The usage in a span of time.
#[derive(Clone, Debug)]
pub struct Readings {
    /// The start of the first window that was added up.
    pub from: Timestamp,
    /// The time when they were added up.
    pub to: Timestamp,
    /// The number of processes that wrote.
    pub processes: usize,
    /// The usage of all processes.
    pub usage: Usage,
    /// The start of the first window in which anything was used.
    used_from: Timestamp,
}

impl Readings {
    /// Adds up the usage of the last `over`.
    ///
    /// # Errors
    /// [`PortError`] if the store cannot be read; [`PortError::Corrupt`] if a record cannot be unpacked.
    pub async fn read(ports: &Ports, over: Duration) -> Result<Self, PortError> {
        let to = ports.clock.now();
        let windows: Vec<Window> = Window::back_from(to, over).collect();
        let numbers: Vec<u64> = windows.iter().map(|window| window.number()).collect();
        let records = ports.usage.usage_records(&numbers).await?;
        let processes: BTreeSet<&str> = records.iter().map(|record| &*record.process).collect();
        let mut usage = Usage::default();
        for record in &records {
            usage.merge(&Usage::from_bytes(&record.body)?);
        }
        let from = windows.first().map_or(to, |first| first.begin());
        let used = records.iter().map(|record| record.window).min();
        let used_from = used.map_or(from, |window| Window::from_number(window).begin());
        Ok(Self { from, to, processes: processes.len(), usage, used_from })
    }

    /// Returns how long the stack was in use: from the first window with any usage.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.to.since(self.used_from)
    }
}
