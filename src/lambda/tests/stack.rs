//! A stack whose queues are delivered as Lambda delivers them.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::sqs::SqsEvent;
use serde_json::{Value, json};

use crate::data::apply;
use crate::lambda::EventError;
use crate::lambda::batch::Batches;
use crate::lambda::granted::Authorization;
use crate::lambda::websocket::Frames;
use crate::memory::{Memory, MemoryConnections, TokioClock};
use crate::model::{ConnectionId, ConnectionRef, Timestamp};
use crate::ports::{Ports, Queue, Receipt, Received, RowChange, SystemRandomness};
use crate::pricing::{Currency, Money, Product};
use crate::runtime::Handler;
use crate::stages::price_calc::PriceCalc;
use crate::stages::quotation_provider::QuotationProvider;
use crate::stages::{BaseMaker, Lookup, Policy};

pub const ENDPOINT: &str = "https://abc123.execute-api.eu-west-1.amazonaws.com/live";
pub const VISIBILITY: Duration = Duration::from_secs(60);
/// The same as in `infra/`.
pub const TIMEOUT: Duration = Duration::from_secs(10);

pub struct Stack {
    pub ports: Ports,
    pub connections: Arc<MemoryConnections>,
    pub frames: Frames,
    price_calc: Batches,
    provider: Batches,
}

/// A delivery: how many messages it had, and which of them come again.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivered {
    pub messages: usize,
    pub failed: Vec<String>,
}

impl Delivered {
    pub const NOTHING: Self = Self { messages: 0, failed: vec![] };

    pub const fn all(messages: usize) -> Self {
        Self { messages, failed: vec![] }
    }
}

impl Stack {
    /// Returns a stack with two products.
    pub async fn new() -> Self {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let memory = Memory::new(clock, Arc::new(SystemRandomness));
        let ports = memory.ports();
        load(&ports).await;
        let bases = BaseMaker::new(&ports, Lookup::new(&ports).bases().clone());
        let price_calc = PriceCalc::new(&ports, Arc::new(bases), Policy::default());
        let price_calc = batches(&ports, &[Queue::Quotation, Queue::Refresh], Arc::new(price_calc));
        let provider = batches(
            &ports,
            &[Queue::Provider],
            Arc::new(QuotationProvider::new(&ports, Lookup::new(&ports))),
        );
        let frames = frames(&ports, Authorization::None);
        Self { connections: memory.connections(), frames, price_calc, provider, ports }
    }

    /// Delivers one batch of a queue to its function, and deletes what did not fail.
    pub async fn deliver(&self, queue: Queue) -> Delivered {
        let function = match queue {
            Queue::Provider => &self.provider,
            Queue::Refresh | Queue::Quotation => &self.price_calc,
        };
        self.deliver_to(function, queue).await
    }

    pub async fn deliver_to(&self, function: &Batches, queue: Queue) -> Delivered {
        let queues = &self.ports.queues;
        let batch = queues.receive(queue, 10, Duration::ZERO, VISIBILITY).await.unwrap();
        let deadline = self.ports.clock.now().plus(TIMEOUT);
        let response = function.handle(event(queue, &batch), deadline).await.unwrap();
        let failures = response.batch_item_failures.into_iter();
        let failed: Vec<String> = failures.map(|failure| failure.item_identifier).collect();
        let done: Vec<Receipt> = batch
            .iter()
            .filter(|message| !failed.contains(&message.id))
            .map(|message| message.receipt.clone())
            .collect();
        queues.acknowledge(queue, &done).await.unwrap();
        Delivered { messages: batch.len(), failed }
    }

    /// Sends a frame through the API of this stack.
    pub async fn send(&self, connection: &str, frame: &str) -> Vec<Value> {
        let answer = self.frames.handle(frame_event(connection, frame, "abc123")).await;
        texts(answer).into_iter().map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    /// Takes the next frame that was pushed to a connection.
    pub fn pushed(&self, connection: &str) -> Option<Value> {
        let frame = self.connections.try_next_frame(&to(connection))?;
        Some(serde_json::from_slice(&frame).unwrap())
    }
}

pub fn frames(ports: &Ports, authorization: Authorization) -> Frames {
    let (policy, endpoint) = (Policy::default(), ENDPOINT.to_owned());
    Frames::new(ports.clone(), Lookup::new(ports), policy, endpoint, authorization)
}

pub fn to(connection: &str) -> ConnectionRef {
    ConnectionRef { endpoint: ENDPOINT.to_owned(), id: ConnectionId::new(connection).unwrap() }
}

pub fn batches(ports: &Ports, accepted: &'static [Queue], stage: Arc<dyn Handler>) -> Batches {
    Batches {
        stack: "organic-cache".to_owned(),
        accepted,
        queues: ports.queues.clone(),
        clock: ports.clock.clone(),
        stage,
    }
}

pub fn event(queue: Queue, batch: &[Received]) -> SqsEvent {
    let fifo = if queue.is_fifo() { ".fifo" } else { "" };
    let records = batch.iter().map(|message| {
        let mut attributes = json!({
            "ApproximateReceiveCount": message.receive_count.to_string(),
            "SentTimestamp": message.sent_at.millis().to_string(),
            "SenderId": "AROA:session",
            "ApproximateFirstReceiveTimestamp": message.sent_at.millis().to_string(),
        });
        if let Some(group) = &message.group {
            attributes["MessageGroupId"] = json!(group);
            attributes["SequenceNumber"] = json!("18849496460467696128");
        }
        json!({
            "messageId": message.id,
            "receiptHandle": message.receipt.0,
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:eu-west-1:1:organic-cache-{queue}{fifo}"),
            "awsRegion": "eu-west-1",
        })
    });
    serde_json::from_value(json!({ "Records": records.collect::<Vec<_>>() })).unwrap()
}

pub fn frame_event(connection: &str, body: &str, api: &str) -> ApiGatewayWebsocketProxyRequest {
    serde_json::from_value(json!({
        "requestContext": {
            "routeKey": "quote",
            "messageId": "XsDZ0fd1IAMCKZQ=",
            "eventType": "MESSAGE",
            "extendedRequestId": "XsDZ0HJ9oAMFZXA=",
            "requestTime": "22/Nov/2026:20:14:26 +0000",
            "messageDirection": "IN",
            "stage": "live",
            "connectedAt": 1_795_378_466_007_i64,
            "requestTimeEpoch": 1_795_378_467_007_i64,
            "identity": { "sourceIp": "203.0.113.1" },
            "requestId": "XsDZ0HJ9oAMFZXA=",
            "domainName": format!("{api}.execute-api.eu-west-1.amazonaws.com"),
            "connectionId": connection,
            "apiId": api,
        },
        "body": body,
        "isBase64Encoded": false,
    }))
    .unwrap()
}

/// Returns the body of a route's response.
pub fn texts(answer: Result<ApiGatewayProxyResponse, EventError>) -> Vec<String> {
    let answer = answer.unwrap();
    assert_eq!(answer.status_code, 200);
    match answer.body {
        None => vec![],
        Some(Body::Text(text)) => vec![text],
        Some(other) => panic!("{other:?}"),
    }
}

async fn load(ports: &Ports) {
    let products = [("P1", 50_000), ("P2", 57_800)].map(|(id, minor)| {
        Product::new(id.parse().unwrap(), format!("name of {id}"), Money::from_minor(minor))
    });
    let changes = products.map(RowChange::from).to_vec();
    apply(ports, changes, Currency::USD).await.unwrap();
}
