//! Counts the calls for the stack's settings, which are attributes of the catalogue's head.

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::ports::prelude::*;

layer!(
    #[over(inner.store)]
    impl SettingsStore for Metered {
        async fn settings(&self) -> _ {
            let record = self.inner.store.settings().await?;
            self.read_one(Resource::Products, Some(sizes::settings(&record)), true);
            Ok(record)
        }

        async fn put_settings(&self, record: _) -> _ {
            let is_written = self.inner.store.put_settings(record).await?;
            self.wrote_if(is_written, Resource::Products, sizes::settings(record));
            Ok(is_written)
        }
    }
);
