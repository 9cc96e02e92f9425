//! Feeds the meter with what every client really sends, and with what the services report as consumed.
//!
//! The rest of the engine does not know of the observer. The SDK passes it each call before serialization,
//! and again after each attempt. DynamoDB is asked to report capacity. If it does not, and for services
//! that never do, the documented rules are applied to what was really sent and answered.

use std::sync::Arc;

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

use super::billable::Billable;
use super::names::Names;
use super::{observed_messages, observed_tables};
use crate::meter::{Action, Meter, Operation, Used};

/// The observer of all clients of an engine.
#[derive(Clone, Debug)]
pub(super) struct CallObserver {
    names: Names,
    meter: Arc<Meter>,
}

impl CallObserver {
    pub(super) const fn new(names: Names, meter: Arc<Meter>) -> Self {
        Self { names, meter }
    }
}

/// Returns the operation that took place: a receive that was answered without messages was a poll.
fn as_it_went(asked: Operation, used: &Used) -> Operation {
    let in_vain = used.items == 0 && used.milliunits() > 0;
    let poll = Operation::new(asked.resource(), Action::Poll).filter(|_| in_vain);
    poll.filter(|_| asked.action() == Action::Receive).unwrap_or(asked)
}

impl Intercept for CallObserver {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let asked = observed_tables::asked(context, &self.names)
            .or_else(|| observed_messages::asked(context, &self.names));
        if let Some(asked) = asked {
            config.interceptor_state().store_put(asked);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // A call that is not billed, such as creating a table, has nothing to count.
        let Some(asked) = config.load::<Billable>() else { return Ok(()) };
        let used = observed_tables::used(context, asked)
            .or_else(|| observed_messages::used(context, asked))
            // Throttled, refused or never answered: the call counts, but costs nothing.
            .unwrap_or_else(|| Used::derived(1, 0, 0, 0));
        self.meter.count(as_it_went(asked.operation, &used), used);
        Ok(())
    }
}
