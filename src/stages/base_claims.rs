//! Claims: one process makes a base, and the others wait for it.
//!
//! A claim need not be exact: two processes that make the same base write the same bytes. So a claim is
//! short, and its maker renews it while it works. A maker that dies delays the others for no longer than one
//! claim lasts.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::time::sleep;
use tracing::debug;

use crate::ports::{BaseClaim, BaseName, Chain, Clock, MakerId, PortError, Ports, Store};

/// How long a claim lasts if it is not renewed.
const LASTS: Duration = Duration::from_secs(5);
/// The pauses between looks at a base that another process makes. After the last one, the work is postponed.
const WAITS_MS: [u64; 8] = [25, 50, 100, 200, 400, 400, 400, 400];
/// The sum of these pauses, rounded up.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Claims bases for this process.
pub(super) struct BaseClaims {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    maker: MakerId,
}

/// The number of pauses that a task has waited for another maker.
#[derive(Default)]
pub(super) struct ClaimPauses(usize);

/// Another process has the claim, because this process did not renew it in time.
pub(super) struct ClaimLost;

impl ClaimPauses {
    /// Waits until the next look. Returns `false` after the last pause.
    pub(super) async fn a_while(&mut self) -> bool {
        let Some(&wait) = WAITS_MS.get(self.0) else { return false };
        self.0 += 1;
        sleep(Duration::from_millis(wait)).await;
        true
    }
}

impl BaseClaims {
    /// Creates claims under a random maker id, so that no two processes share one.
    pub(super) fn new(ports: &Ports) -> Self {
        let maker = u128::from_be_bytes(ports.randomness.bits());
        let (store, clock) = (ports.store.clone(), ports.clock.clone());
        Self { store, clock, maker: MakerId(format!("{maker:032x}")) }
    }

    /// Whether this process may make a base now.
    pub(super) async fn claim(&self, name: &BaseName) -> Result<bool, PortError> {
        self.claim_for(name, LASTS).await
    }

    /// Does `work`, which makes a claimed base. Renews the claim beside it, however long a step of the work
    /// or a renewal takes, and releases the claim when the work ends, with success or not. If this future is
    /// dropped, the claim stays: this process may continue at once, others when the claim has expired.
    ///
    /// # Errors
    /// [`ClaimLost`] if another process has the claim now. The work is then stopped.
    pub(super) async fn hold<F: Future>(
        &self,
        name: &BaseName,
        work: F,
    ) -> Result<F::Output, ClaimLost> {
        let done = select! {
            // Finished work needs no claim. `biased` makes the order fixed, so that a simulation can be
            // replayed.
            biased;
            done = work => done,
            lost = self.lost(name) => return Err(lost),
        };
        if let Err(error) = self.claim_for(name, Duration::ZERO).await {
            // The claim expires by itself.
            debug!(%name, error = %Chain(&error), "a claim was not given up");
        }
        Ok(done)
    }

    /// Renews a claim until another process has it. A failed renewal is ignored, because the claim may still
    /// last and the next renewal may succeed.
    async fn lost(&self, name: &BaseName) -> ClaimLost {
        loop {
            sleep(LASTS / 3).await;
            match self.claim(name).await {
                Ok(true) => {}
                Ok(false) => return ClaimLost,
                Err(error) => debug!(%name, error = %Chain(&error), "a claim was not renewed"),
            }
        }
    }

    async fn claim_for(&self, name: &BaseName, lasts: Duration) -> Result<bool, PortError> {
        let now = self.clock.now();
        let claim = BaseClaim { maker: self.maker.clone(), until: now.plus(lasts) };
        self.store.claim_base(name, &claim, now).await
    }
}
