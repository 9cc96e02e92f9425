//! Claims: of all processes one makes a base, and the others wait for it.
//!
//! Nothing is wrong when two make it all the same: they write the same. So a claim is short and renewed
//! while its maker works. One that dies keeps the others waiting for no longer than that.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::time::sleep;
use tracing::debug;

use crate::ports::{BaseClaim, BaseName, Chain, Clock, MakerId, PortError, Ports, Store};

/// So long a claim lasts, unless it is renewed.
const LASTS: Duration = Duration::from_secs(5);
/// How long to wait for somebody else, from look to look; then the work is put off.
const WAITS_MS: [u64; 8] = [25, 50, 100, 200, 400, 400, 400, 400];
/// All of that together, and a bit.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Claims the making of bases for this process.
pub(super) struct BaseClaims {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    maker: MakerId,
}

/// Waits for somebody else to make a base.
#[derive(Default)]
pub(super) struct Waiting(usize);

/// Somebody else has claimed what this process was making: its own claim was not renewed in time.
pub(super) struct ClaimLost;

impl Waiting {
    /// Waits until it is time to look again. `false` when it has been waited for long enough.
    pub(super) async fn a_while(&mut self) -> bool {
        let Some(&wait) = WAITS_MS.get(self.0) else { return false };
        self.0 += 1;
        sleep(Duration::from_millis(wait)).await;
        true
    }
}

impl BaseClaims {
    /// For a process that nobody else is called like.
    pub(super) fn new(ports: &Ports) -> Self {
        let maker = u128::from_be_bytes(ports.randomness.bits());
        let (store, clock) = (ports.store.clone(), ports.clock.clone());
        Self { store, clock, maker: MakerId(format!("{maker:032x}")) }
    }

    /// Whether this process may make a base now.
    pub(super) async fn claim(&self, name: &BaseName) -> Result<bool, PortError> {
        self.claim_for(name, LASTS).await
    }

    /// Makes a base that is claimed. The claim is renewed beside the work, however long a step of the work
    /// or a renewal takes. It is given up when the work is done, well or not. Work that is dropped leaves the
    /// claim behind: this process may go on at once, others when it has ended.
    ///
    /// # Errors
    /// [`ClaimLost`]: the work was stopped, because another process does it now.
    pub(super) async fn hold<F: Future>(
        &self,
        name: &BaseName,
        work: F,
    ) -> Result<F::Output, ClaimLost> {
        let done = select! {
            // Work that is done needs no claim. Without an order a simulation would not replay.
            biased;
            done = work => done,
            lost = self.lost(name) => return Err(lost),
        };
        if let Err(error) = self.claim_for(name, Duration::ZERO).await {
            // It ends by itself.
            debug!(%name, error = %Chain(&error), "a claim was not given up");
        }
        Ok(done)
    }

    /// Renews a claim until somebody else has it. A claim that cannot be renewed may still last, and the next
    /// try may go well.
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
