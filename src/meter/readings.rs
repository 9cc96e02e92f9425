//! What the processes of a stack wrote down that they used.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Usage, Window};
use crate::model::Timestamp;
use crate::ports::{PortError, Ports};

/// What was written down within a time.
#[derive(Clone, Debug)]
pub struct Readings {
    /// When the first of the windows begins that were added up.
    pub from: Timestamp,
    /// When they were added up.
    pub to: Timestamp,
    /// How many processes wrote.
    pub processes: usize,
    /// All that they used.
    pub usage: Usage,
    /// When the first of them begins in which anything was used.
    used_from: Timestamp,
}

impl Readings {
    /// Adds up what was used.
    ///
    /// # Errors
    /// Those of the port; and corrupt, when what was written cannot be read.
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

    /// How long it was used: from the first window in which it was.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.to.since(self.used_from)
    }
}
