//! Starts the function that this process is.

use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Context, LambdaEvent, run, service_fn};

use super::authorizer::{AuthorizationEvent, authorize};
use super::batch::Batches;
use super::changes::{StreamEvent, on_changes};
use super::following::Following;
use super::schedule::{Allowance, ScheduledEvent, on_schedule};
use super::settings::FunctionSettings;
use super::subscribe::on_request;
use super::usage::{FunctionMeter, memory_mb};
use super::websocket::{Frames, on_connection};
use super::{EventError, Function, FunctionStartError, http, load, logging};
use crate::aws::{Aws, AwsSettings};
use crate::meter::{Operation, Reason, Scope, Stage};
use crate::model::Timestamp;
use crate::ports::{Ports, Queue, SystemClock, SystemRandomness};
use crate::runtime::gateway::{Behind, HttpApi, LoadDoor};
use crate::runtime::{Handler, TokenCheck};
use crate::stages::price_calc::PriceCalc;
use crate::stages::prices::Prices;
use crate::stages::quotation_handler::QuotationHandler;
use crate::stages::quotation_provider::QuotationProvider;
use crate::stages::{BaseMaker, Lookup};
use crate::trace::Traces;

/// Set by Lambda, and by nothing else.
const RUNTIME: &str = "AWS_LAMBDA_RUNTIME_API";
/// The variable with the name of the function's handler.
const HANDLER: &str = "_HANDLER";

/// Whether this process was started by the Lambda runtime.
#[must_use]
pub fn is_started_by_lambda() -> bool {
    std::env::var_os(RUNTIME).is_some()
}

/// Handles invocations one after the other until Lambda ends the process.
///
/// # Errors
/// [`FunctionStartError`] if the function is not configured correctly, or the connection to Lambda ends.
pub async fn serve() -> Result<(), FunctionStartError> {
    let traces = logging::start()?;
    let function: Function = std::env::var(HANDLER).unwrap_or_default().parse()?;
    let settings = FunctionSettings::from_environment()?;
    let by = settings.authorization;
    let served = match function {
        Function::Connect | Function::Disconnect => {
            let handle = async |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
                Ok::<_, EventError>(on_connection(&event.payload))
            };
            run(service_fn(handle)).await
        }
        Function::Authorizer => {
            let keys = aws(&settings).await?.token_keys();
            let check = TokenCheck::new(keys, Arc::new(SystemClock));
            let check = match settings.provider()? {
                Some(provider) => check.accepting(provider),
                None => check,
            };
            let handle = async |event: LambdaEvent<AuthorizationEvent>| {
                authorize(&check, event.payload).await
            };
            run(service_fn(handle)).await
        }
        Function::Subscribe => {
            let (ports, meter) = ports(function, &settings, traces).await?;
            let following = Following::new(&ports);
            let scope = Scope::new(Stage::Subscribe, Reason::Visit);
            let handle = async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
                let answering = async {
                    following.look().await?;
                    let ttl = following.policy().now().ttl;
                    Ok::<_, EventError>(on_request(&ports, ttl, by, event.payload).await)
                };
                meter.run(scope, answering).await
            };
            run(service_fn(handle)).await
        }
        Function::HttpApi => {
            let (ports, meter) = ports(function, &settings, traces).await?;
            let following = Following::new(&ports);
            let lookup = lookup(&ports);
            let handler = QuotationHandler::new(&ports, lookup.clone(), following.policy());
            let prices = Prices::new(&ports, lookup, &handler, following.policy());
            let api = HttpApi::of_function(ports.clock.clone());
            let behind = Behind { handler: &handler, prices: &prices };
            let scope = Scope::new(Stage::QuotationHandler, Reason::Quote);
            let handle = async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
                let answering = async {
                    following.look().await?;
                    Box::pin(http::on_request(&api, behind, by, event.payload)).await
                };
                meter.run(scope, answering).await
            };
            run(service_fn(handle)).await
        }
        Function::Load => {
            let (ports, meter) = ports(function, &settings, traces).await?;
            let door = LoadDoor::of_function();
            let scope = Scope::new(Stage::Load, Reason::Load);
            let handle = async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
                let loading = Box::pin(load::on_request(&ports, &door, event.payload));
                Ok::<_, EventError>(meter.run(scope, loading).await)
            };
            run(service_fn(handle)).await
        }
        Function::LoadChanges => {
            let (ports, meter) = ports(function, &settings, traces).await?;
            let (tables, started) = (settings.source_tables, ports.clock.now());
            let scope = Scope::new(Stage::Load, Reason::Load);
            let handle = async |event: LambdaEvent<StreamEvent>| {
                let deadline = deadline(&event.context);
                let loading = on_changes(&ports, &tables, event.payload, started, deadline);
                meter.run(scope, Box::pin(loading)).await
            };
            run(service_fn(handle)).await
        }
        Function::Refresh => {
            let (ports, meter) = ports(function, &settings, traces).await?;
            let (following, every) = (Following::new(&ports), settings.scheduled_every);
            let scope = Scope::new(Stage::Refresh, Reason::Scheduled);
            let handle = async |event: LambdaEvent<ScheduledEvent>| {
                let allowance = Allowance {
                    memory_mb: u32::try_from(event.context.env_config.memory).unwrap_or(0),
                    deadline: deadline(&event.context),
                };
                let refreshing = async {
                    match &every {
                        Some(every) => following.schedule_is(every).await?,
                        None => following.look().await?,
                    }
                    let interval = following.policy().now().refresh_every;
                    let done = on_schedule(&ports, interval, allowance, event.payload);
                    let (refreshed, tick) = done.await?;
                    if let Some(tick) = tick {
                        meter.ticked(tick);
                    }
                    Ok::<_, EventError>(refreshed)
                };
                meter.run(scope, refreshing).await
            };
            run(service_fn(handle)).await
        }
        Function::QuotationHandler => {
            let endpoint = settings.own_endpoint()?;
            let (ports, meter) = ports(function, &settings, traces).await?;
            let (following, lookup) = (Following::new(&ports), lookup(&ports));
            let frames = Frames::new(ports, lookup, following.policy(), endpoint, by);
            let scope = Scope::new(Stage::QuotationHandler, Reason::Quote);
            let handle = async |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
                let bytes = event.payload.body.as_deref().map_or(0, str::len);
                meter.frame(scope, Operation::FRAME_IN, bytes);
                let answering = async {
                    following.look().await?;
                    // Boxed, because the compiler cannot handle futures that are nested so deeply.
                    Box::pin(frames.handle(event.payload)).await
                };
                let answer = meter.run(scope, answering).await?;
                if let Some(Body::Text(frame)) = &answer.body {
                    meter.frame(scope, Operation::FRAME_OUT, frame.len());
                }
                Ok::<_, EventError>(answer)
            };
            run(service_fn(handle)).await
        }
        Function::PriceCalc => {
            let (ports, meter) = ports(function, &settings, traces).await?;
            let following = Following::new(&ports);
            // This lives as long as the process, so a base is read once for many invocations.
            let bases = BaseMaker::new(&ports, lookup(&ports).bases().clone());
            let stage = PriceCalc::new(&ports, Arc::new(bases), following.policy());
            let accepted = &[Queue::Quotation, Queue::Refresh];
            consume(settings.global.stack, accepted, ports, meter, Arc::new(stage), Some(following))
                .await
        }
        Function::QuotationProvider => {
            let (ports, meter) = ports(function, &settings, traces).await?;
            let stage = QuotationProvider::new(&ports, lookup(&ports));
            consume(settings.global.stack, &[Queue::Provider], ports, meter, Arc::new(stage), None)
                .await
        }
    };
    served.map_err(FunctionStartError::Runtime)
}

/// Returns when Lambda ends an invocation.
fn deadline(invocation: &Context) -> Timestamp {
    Timestamp::from_millis(i64::try_from(invocation.deadline).unwrap_or(i64::MAX))
}

/// Returns the lookup with which this function reads tables. It may keep bases in a quarter of the
/// function's memory.
fn lookup(ports: &Ports) -> Arc<Lookup> {
    let lookup = Lookup::new(ports);
    lookup.bases().keep_at_most(memory_mb() * 1024 * 1024 / 4);
    lookup
}

/// Returns the engine's ports, and the meter of the calls through them. Only clients are made here:
/// connections, credentials and names are looked up by the first call that needs them.
async fn ports(
    function: Function,
    settings: &FunctionSettings,
    traces: Traces,
) -> Result<(Ports, FunctionMeter), FunctionStartError> {
    let aws = aws(settings).await?;
    let connections = aws.connections(&settings.global.management_endpoint);
    let ports = aws.ports(Arc::new(SystemClock), connections);
    let meter = FunctionMeter::new(function, &aws, &ports, traces);
    Ok((ports, meter))
}

async fn aws(settings: &FunctionSettings) -> Result<Aws, FunctionStartError> {
    let settings = AwsSettings::new(&settings.global.stack);
    Ok(Aws::connect(&settings, Arc::new(SystemRandomness)).await?)
}

async fn consume(
    stack: String,
    accepted: &'static [Queue],
    ports: Ports,
    meter: FunctionMeter,
    stage: Arc<dyn Handler>,
    following: Option<Following>,
) -> Result<(), lambda_runtime::Error> {
    let Ports { queues, clock, .. } = ports;
    let batches = Batches { stack, accepted, queues, clock, stage };
    let handle = async |event: LambdaEvent<SqsEvent>| {
        let deadline = deadline(&event.context);
        let records = &event.payload.records;
        let queue = records.first().and_then(|first| batches.queue_of(first).ok());
        let scope = queue.map_or_else(Scope::default, Scope::receiving);
        if let Some(queue) = queue {
            let bytes = records.iter().filter_map(|message| message.body.as_ref()).map(String::len);
            meter.delivered(scope, queue, records.len(), bytes.sum());
        }
        let handled = async {
            if let Some(following) = &following {
                following.look().await?;
            }
            batches.handle(event.payload, deadline).await
        };
        meter.run(scope, handled).await
    };
    run(service_fn(handle)).await
}
