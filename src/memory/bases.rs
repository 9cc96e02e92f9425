//! Bases, by name.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::engine::Memory;
use super::limits::check_item_bytes;
use crate::model::Timestamp;
use crate::ports::{BaseClaim, BaseName, Bases, PortError, StoredBase};

/// The index and the parts of each.
pub(super) type BaseTable = BTreeMap<BaseName, (StoredBase, Vec<Bytes>)>;
/// Pieces of bases in the making, and when each goes.
pub(super) type DraftTable = BTreeMap<(BaseName, u32), (Bytes, Timestamp)>;

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

    async fn claim_base(
        &self,
        name: &BaseName,
        claim: &BaseClaim,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let claims = &mut self.state().base_claims;
        if claims.get(name).is_some_and(|stored| stored.keeps_out(claim, now)) {
            return Ok(false);
        }
        claims.retain(|_, stored| now < stored.until);
        claims.insert(*name, claim.clone());
        Ok(true)
    }

    async fn put_drafts(
        &self,
        name: &BaseName,
        drafts: &[(u32, Bytes)],
        expires_at: Timestamp,
    ) -> Result<(), PortError> {
        for (number, bytes) in drafts {
            check_item_bytes(&format!("draft {number} of base {name}"), bytes.len())?;
        }
        let now = self.clock().now();
        let stored = &mut self.state().base_drafts;
        stored.retain(|_, (_, expires_at)| now < *expires_at);
        let keyed = drafts.iter().map(|(number, bytes)| ((*name, *number), bytes.clone()));
        stored.extend(keyed.map(|(key, bytes)| (key, (bytes, expires_at))));
        Ok(())
    }

    async fn drafts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let state = self.state();
        let draft = |number: &u32| Some(state.base_drafts.get(&(*name, *number))?.0.clone());
        Ok(numbers.iter().map(draft).collect())
    }
}
