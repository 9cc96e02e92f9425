//! What calculations price from, read for a whole batch at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::StageError;
use super::super::base_maker::{Current, MakeBaseError};
use super::{MAX_TRIES, PriceCalc, unreadable};
use crate::model::{Calculation, Generation, UserId};
use crate::ports::{AtHead, CatalogueHead, StoredBase, TableHead};
use crate::pricing::{Discounts, PRICING_VERSION};

/// What a calculation prices from, read in this order: the head first, so that a flip by anybody
/// who has read newer inputs makes ours fail.
pub(super) struct Inputs {
    pub(super) head: Option<TableHead>,
    /// The head of the catalogue that the rest was read at.
    pub(super) at: CatalogueHead,
    pub(super) base: Arc<StoredBase>,
    /// Not read when no load came into force since the table was calculated, or found right: it is
    /// what they give.
    pub(super) discounts: Option<Arc<Discounts>>,
}

/// The inputs of some users, read at one head of the catalogue.
pub(super) type InputsByUser = BTreeMap<UserId, Arc<Inputs>>;

impl PriceCalc {
    /// The inputs of a whole batch: heads, then the catalogue, then discounts at its head.
    pub(super) async fn inputs(
        &self,
        users: &[UserId],
        unreadable: &BTreeSet<&Generation>,
    ) -> Result<InputsByUser, StageError> {
        for _ in 0..MAX_TRIES {
            if let AtHead::Read(inputs) = self.try_inputs(users, unreadable).await? {
                return Ok(inputs);
            }
        }
        Err(StageError::Base(MakeBaseError::Unsettled))
    }

    async fn try_inputs(
        &self,
        users: &[UserId],
        unreadable: &BTreeSet<&Generation>,
    ) -> Result<AtHead<InputsByUser>, StageError> {
        let heads = self.tables.table_heads(users).await?;
        let mut heads: BTreeMap<UserId, TableHead> = heads.into_iter().collect();
        let now = self.clock.now();
        let keep_until = now.plus(self.policy.now().keep_tables());
        let Current { head: at, base } = self.bases.current(keep_until).await?;
        let is_unchanged = |user: &&UserId| {
            heads.get(*user).is_some_and(|head| {
                head.catalogue_version == at.version
                    && head.pricing_version == PRICING_VERSION
                    && !unreadable.contains(&head.generation)
                    && !self.is_fading(head, now)
            })
        };
        let unchanged: BTreeSet<&UserId> = users.iter().filter(is_unchanged).collect();
        let changed: Vec<UserId> =
            users.iter().filter(|user| !unchanged.contains(user)).cloned().collect();
        let mut discounts: BTreeMap<UserId, Discounts> = BTreeMap::new();
        if !changed.is_empty() {
            let AtHead::Read(lists) = self.discounts.discounts(&changed, &at).await? else {
                return Ok(AtHead::Moved);
            };
            discounts.extend(lists.into_iter().map(|list| (list.user, list.discounts)));
        }
        let mut inputs = InputsByUser::new();
        for user in users {
            let is_unchanged = unchanged.contains(user);
            let head = heads.remove(user);
            let list = (!is_unchanged).then(|| discounts.remove(user).unwrap_or_default());
            let (at, base, discounts) = (at.clone(), base.clone(), list.map(Arc::new));
            let of_user = Inputs { head, at, base, discounts };
            // A table of a later load than ours: our head of the catalogue was read before. Such a
            // user reads everything again.
            if !of_user.is_behind() {
                inputs.insert(user.clone(), Arc::new(of_user));
            }
        }
        Ok(AtHead::Read(inputs))
    }

    pub(super) async fn inputs_of(&self, order: &Calculation) -> Result<Arc<Inputs>, StageError> {
        let (user, unreadable) = (&order.user, unreadable(&order.cause).into_iter().collect());
        for _ in 0..MAX_TRIES {
            let inputs = self.inputs(std::slice::from_ref(user), &unreadable).await?.remove(user);
            if let Some(inputs) = inputs {
                return Ok(inputs);
            }
        }
        Err(StageError::Contended { tries: MAX_TRIES })
    }
}

impl Inputs {
    fn is_behind(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.catalogue_version > self.at.version)
    }
}
