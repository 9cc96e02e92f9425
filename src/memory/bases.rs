//! The tables of bases, by name.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::engine::Memory;
use super::limits::check_item_bytes;
use crate::model::Timestamp;
use crate::ports::{BaseClaim, BaseName, Bases, PortError, StoredBase};

/// The index of each base.
pub(super) type BaseTable = BTreeMap<BaseName, StoredBase>;

/// Parts of bases or pieces of unfinished bases, with their expiry.
#[derive(Default)]
pub(super) struct PieceTable(BTreeMap<(BaseName, u32), (Bytes, Timestamp)>);

impl PieceTable {
    fn put(
        &mut self,
        name: BaseName,
        pieces: impl Iterator<Item = (u32, Bytes)>,
        expires_at: Timestamp,
        now: Timestamp,
    ) {
        self.0.retain(|_, (_, expires_at)| now < *expires_at);
        self.0.extend(pieces.map(|(number, bytes)| ((name, number), (bytes, expires_at))));
    }

    fn get(&self, name: &BaseName, number: u32) -> Option<Bytes> {
        self.0.get(&(*name, number)).map(|(bytes, _)| bytes.clone())
    }
}

#[async_trait]
impl Bases for Memory {
    async fn put_base_parts(
        &self,
        name: &BaseName,
        first: u32,
        parts: &[Bytes],
        expires_at: Timestamp,
    ) -> Result<(), PortError> {
        for (number, bytes) in (first..).zip(parts) {
            check_item_bytes(&format!("part {number} of base {name}"), bytes.len())?;
        }
        let parts = (first..).zip(parts.iter().cloned());
        self.state().base_parts.put(*name, parts, expires_at, self.clock().now());
        Ok(())
    }

    async fn put_base(
        &self,
        name: &BaseName,
        base: &StoredBase,
        parts: &[Bytes],
    ) -> Result<(), PortError> {
        let first = base.first_of_last(parts.len());
        self.put_base_parts(name, first, parts, base.expires_at).await?;
        let now = self.clock().now();
        let bases = &mut self.state().bases;
        bases.retain(|_, base| now < base.expires_at);
        bases.insert(*name, base.clone());
        Ok(())
    }

    async fn base(&self, name: &BaseName) -> Result<Option<StoredBase>, PortError> {
        Ok(self.state().bases.get(name).cloned())
    }

    async fn base_parts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let state = self.state();
        Ok(numbers.iter().map(|number| state.base_parts.get(name, *number)).collect())
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
        self.state().base_drafts.put(*name, drafts.iter().cloned(), expires_at, now);
        Ok(())
    }

    async fn drafts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let state = self.state();
        Ok(numbers.iter().map(|number| state.base_drafts.get(name, *number)).collect())
    }
}
