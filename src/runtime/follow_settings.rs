//! Following the settings of the stack.

use std::sync::Arc;
use std::time::Duration;

use crate::ports::Store;
use crate::stages::SettingsInForce;

/// Reads the settings again and again, for as long as the process runs. What cannot be read now is read
/// the next time.
pub async fn follow_settings(settings: SettingsInForce, store: Arc<dyn Store>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        // Once they were read, no failure is returned: it is logged, and those of before are kept to.
        let _ = settings.look_if_older(&*store, Duration::ZERO).await;
    }
}
