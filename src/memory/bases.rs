//! Bases, by name.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::engine::Memory;
use super::limits::check_item_bytes;
use crate::ports::{BaseName, Bases, PortError, StoredBase};

/// The index and the parts of each.
pub(super) type BaseTable = BTreeMap<BaseName, (StoredBase, Vec<Bytes>)>;

#[async_trait]
impl Bases for Memory {
    async fn put_base(
        &self,
        name: &BaseName,
        base: &StoredBase,
        parts: &[Bytes],
    ) -> Result<(), PortError> {
        for (number, bytes) in parts.iter().enumerate() {
            check_item_bytes(&format!("part {number} of base {name}"), bytes.len())?;
        }
        let now = self.clock().now();
        let bases = &mut self.state().bases;
        bases.retain(|_, (base, _)| now < base.expires_at);
        bases.insert(*name, (base.clone(), parts.to_vec()));
        Ok(())
    }

    async fn base(&self, name: &BaseName) -> Result<Option<StoredBase>, PortError> {
        Ok(self.state().bases.get(name).map(|(base, _)| base.clone()))
    }

    async fn base_parts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let state = self.state();
        let parts = state.bases.get(name).map(|(_, parts)| parts);
        let part = |number: &u32| parts?.get(usize::try_from(*number).ok()?).cloned();
        Ok(numbers.iter().map(part).collect())
    }
}
