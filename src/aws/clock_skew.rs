//! Measures how far this machine's clock is from that of AWS.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;

use super::engine::Aws;
use super::errors::Call;
use super::refusal::seconds_ahead;
use crate::ports::{Clock, PortError};

/// Remembers the `Date` header of an answer.
#[derive(Clone, Debug, Default)]
struct DateOfAnswer(Arc<Mutex<Option<String>>>);

impl DateOfAnswer {
    fn taken(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "DateOfAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

impl Aws {
    /// Returns how many seconds this machine's clock is ahead of AWS's (negative: behind), from the `Date`
    /// header of an answer. Returns `None` if the answer has none.
    ///
    /// # Errors
    /// [`PortError`] if AWS cannot be reached, or refuses.
    pub async fn clock_skew_secs(&self, clock: &dyn Clock) -> Result<Option<i64>, PortError> {
        let date = DateOfAnswer::default();
        let call = Call::of("GetCallerIdentity", "the AWS account");
        let request = self.clients.sts.get_caller_identity().customize();
        let sent = request.interceptor(date.clone()).send().await;
        let here = clock.now();
        sent.map_err(|error| call.failed(error))?;
        Ok(date.taken().and_then(|date| seconds_ahead(here, &date)))
    }
}
