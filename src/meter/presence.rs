//! Counts the calls for presence records, which are items of the meter's table.

use super::layer::Metered;
use super::operation::{Operation, Resource};
use super::sizes;
use crate::ports::prelude::*;

layer!(
    #[over(inner.presence)]
    impl Presence for Metered {
        async fn record_process(&self, record: _) -> _ {
            self.inner.presence.record_process(record).await?;
            self.wrote_one(Resource::Meter, sizes::process(record));
            Ok(())
        }

        async fn remove_process(&self, process: _) -> _ {
            self.inner.presence.remove_process(process).await?;
            self.wrote_one(Resource::Meter, 0);
            Ok(())
        }

        async fn process_records(&self) -> _ {
            let records = self.inner.presence.process_records().await?;
            let sizes = records.iter().map(sizes::process);
            self.page(Operation::read(Resource::Meter), true, sizes, false);
            Ok(records)
        }
    }
);
