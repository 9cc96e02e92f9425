//! Follows the settings of the stack.

use std::sync::Arc;
use std::time::Duration;

use crate::ports::Store;
use crate::stages::SettingsInForce;

/// Reads the settings at intervals for as long as the process runs. A read that fails is repeated at the
/// next interval.
pub async fn follow_settings(settings: SettingsInForce, store: Arc<dyn Store>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        // After the first read no error is returned. It is logged, and the previous settings stay in
        // force.
        let _ = settings.look_if_older(&*store, Duration::ZERO).await;
    }
}
