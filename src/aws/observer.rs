//! Feeds the meter with what every client really sends, and with what the services say it consumed.
//!
//! Nothing else in the engine knows of it: the SDK hands each call over before it is serialized and
//! after each of its attempts. DynamoDB is asked to report capacity; where it does not, and for the
//! services that never do, the documented rules count, applied to what was really sent and answered.

use std::sync::Arc;

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

use super::asked::Asked;
use super::names::Names;
use super::{observed_messages, observed_tables};
use crate::meter::{Action, Meter, Operation, Used};

/// One for all clients of an engine.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    names: Names,
    meter: Arc<Meter>,
}

impl Observer {
    pub(super) const fn new(names: Names, meter: Arc<Meter>) -> Self {
        Self { names, meter }
    }
}

/// A receive that was answered, and with nothing, was a poll.
fn as_it_went(asked: Operation, used: &Used) -> Operation {
    let in_vain = used.items == 0 && used.milliunits() > 0;
    let poll = Operation::new(asked.resource(), Action::Poll).filter(|_| in_vain);
    poll.filter(|_| asked.action() == Action::Receive).unwrap_or(asked)
}

impl Intercept for Observer {
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
        // What is not billed, such as making a table, was not asked about.
        let Some(asked) = config.load::<Asked>() else { return Ok(()) };
        let used = observed_tables::used(context, asked)
            .or_else(|| observed_messages::used(context, asked))
            // Throttled, refused, or never answered: a call, and nothing to pay.
            .unwrap_or_else(|| Used::derived(1, 0, 0, 0));
        self.meter.count(as_it_went(asked.operation, &used), used);
        Ok(())
    }
}
