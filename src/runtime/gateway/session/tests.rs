//! Tests a session with a client without a network. The gateway's topic is as slow as a test wants.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::super::limiter::Limiter;
use super::super::limits::Limits;
use super::super::sockets::Sockets;
use super::super::unfinished::UnfinishedMessages;
use super::*;
use crate::data::apply;
use crate::memory::{Memory, TokioClock};
use crate::model::{Calculation, Cause, ConnectionId, Dialect, Timestamp};
use crate::ports::testing::received;
use crate::ports::{Delivery, FailedEntry, PortError, Ports, SystemRandomness, Topic};
use crate::pricing::{Currency, Money, Product};
use crate::stages::price_calc::PriceCalc;
use crate::stages::{BaseMaker, Lookup, Policy, SettingsInForce};

/// A topic that holds back quotes of the customer `slow` until the gate opens.
struct SlowTopic {
    inner: Arc<dyn Topic>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Topic for SlowTopic {
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError> {
        if bodies.iter().any(|body| body.contains(r#""user":"slow""#)) {
            let _passed = self.gate.acquire().await;
        }
        self.inner.publish(bodies).await
    }
}

/// Makes a customer's table.
async fn make_table(ports: &Ports, user: &str) {
    let product = Product::new("P1".parse().unwrap(), "Desk".to_owned(), Money::from_minor(50_000));
    apply(ports, vec![product.into()], Currency::USD).await.unwrap();
    let bases = BaseMaker::new(ports, Lookup::new(ports).bases().clone());
    let calc = PriceCalc::new(ports, Arc::new(bases), Policy::default());
    let cause = Cause::Change { version: 1, discounts: None };
    let order = Calculation { user: user.parse().unwrap(), cause };
    let order = received("order", &order, ports.clock.now());
    assert!(calc.handle(&[order]).await[0].is_done());
}

struct TestClient {
    socket: WebSocketStream<DuplexStream>,
    sockets: Arc<Sockets>,
    id: ConnectionId,
    gate: Arc<Semaphore>,
    shutdown: Shutdown,
    session: JoinHandle<()>,
}

impl TestClient {
    async fn connect() -> Self {
        Self::connect_until(pending()).await
    }

    /// Connects until the client is shut out.
    async fn connect_until(shut_out: impl Future<Output = ()> + Send + 'static) -> Self {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let gate = Arc::new(Semaphore::new(0));
        let topic = Arc::new(SlowTopic { inner: ports.topic.clone(), gate: gate.clone() });
        let ports = Ports { topic, ..ports };
        make_table(&ports, "warm").await;
        let (near, far) = duplex(1024 * 1024);
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let id = ConnectionId::from_random([1; 16]);
        let (sockets, shutdown) = (Sockets::new(), Shutdown::new());
        let (open, stop) = (sockets.open(id.clone()), shutdown.clone());
        let session = tokio::spawn(async move {
            let far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
            let settings = SettingsInForce::from(Policy::default());
            let lookup = Lookup::new(&ports);
            let handler = QuotationHandler::new(&ports, lookup, settings.policy()).watched();
            let limits = Limits::DEFAULT;
            let visitors = Visitors::new(settings, ports.store.clone(), ports.clock.clone());
            let unfinished = Arc::new(UnfinishedMessages::default());
            let context = SessionContext {
                handler: &handler,
                first_visits: &handler,
                visitors: &visitors,
                allowance: Allowance::new(Limiter::new(limits).connection(), None),
                unfinished: Arc::new(unfinished.of_one()),
                clients: Clients::Every,
                clock: &*ports.clock,
                metrics: &Metrics::new(),
                endpoint: "http://127.0.0.1:1",
            };
            run_session(far, open, context, shut_out, &stop).await;
        });
        Self { socket, sockets, id, gate, shutdown, session }
    }

    async fn quote(&mut self, client: &str, request_id: Option<&str>) {
        let items = json!([{ "product": "P1", "quantity": 1 }]);
        let mut frame = json!({ "action": "quote", "client": client, "items": items });
        if let Some(id) = request_id {
            frame["request_id"] = id.into();
        }
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// Sends a ping, and waits for its reply.
    async fn ping(&mut self) {
        self.socket.send(Message::text(r#"{"action":"ping"}"#)).await.unwrap();
        let reply = self.socket.next().await.unwrap().unwrap();
        assert!(reply.to_text().unwrap().contains("pong"), "{reply:?}");
    }

    /// Pushes the answer to a request, as another process would.
    fn push(&self, request_id: &str) -> Delivery {
        let frame = json!({ "type": "quotation", "request_id": request_id, "status": "answered" });
        self.sockets.push(&self.id, frame.to_string().into())
    }

    /// Pushes an answer that names its customer.
    fn push_to(&self, client: &str, request_id: &str) -> Delivery {
        let frame = json!({
            "type": "quotation", "request_id": request_id, "client": client, "status": "answered",
        });
        self.sockets.push(&self.id, frame.to_string().into())
    }

    /// Returns the customer of the next frame.
    async fn next_of_client(&mut self) -> String {
        let message = self.socket.next().await.unwrap().unwrap();
        let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        frame["client"].as_str().unwrap().to_owned()
    }

    /// Returns the next message: type and request id of a frame, or the code of a close.
    async fn next(&mut self) -> (String, String) {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                let field = |name: &str| frame[name].as_str().unwrap().to_owned();
                (field("type"), field("request_id"))
            }
            Message::Close(Some(frame)) => ("close".to_owned(), u16::from(frame.code).to_string()),
            other => panic!("{other:?}"),
        }
    }

    async fn expect(&mut self, kind: &str, request_id: &str) {
        assert_eq!(self.next().await, (kind.to_owned(), request_id.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_warm_quote_is_acknowledged_and_answered_at_once() {
    let mut client = TestClient::connect().await;
    client.quote("slow", Some("s")).await;
    client.quote("warm", Some("w")).await;
    client.expect("accepted", "w").await;
    client.expect("quotation", "w").await;
    // The same quote again gets the same answer again.
    client.quote("warm", Some("w")).await;
    client.expect("accepted", "w").await;
    client.expect("quotation", "w").await;
    client.gate.add_permits(1);
    client.expect("accepted", "s").await;
    // The answer of `w` was sent at once, so it is not sent again at its deadline.
    client.expect("quotation", "s").await;
    client.shutdown.begin();
    client.expect("close", "1001").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_holds_up_no_answer_but_its_own() {
    let mut client = TestClient::connect().await;
    client.quote("slow", Some("s")).await;
    client.quote("fast", Some("f")).await;
    client.expect("accepted", "f").await;
    assert_eq!(client.push("s"), Delivery::Delivered);
    assert_eq!(client.push("f"), Delivery::Delivered);
    client.expect("quotation", "f").await;
    client.gate.add_permits(1);
    client.expect("accepted", "s").await;
    client.expect("quotation", "s").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_holds_up_no_answer_of_another_client_with_the_same_id() {
    let mut client = TestClient::connect().await;
    client.quote("slow", Some("1")).await;
    client.quote("fast", Some("1")).await;
    client.expect("accepted", "1").await;
    client.push_to("slow", "1");
    client.push_to("fast", "1");
    assert_eq!(client.next_of_client().await, "fast");
    client.gate.add_permits(1);
    client.expect("accepted", "1").await;
    assert_eq!(client.next_of_client().await, "slow");
}

#[tokio::test(start_paused = true)]
async fn a_quote_that_ocache_names_is_answered_while_a_slow_one_is_in_hand() {
    let mut client = TestClient::connect().await;
    client.quote("slow", None).await;
    client.quote("fast", None).await;
    let (kind, made) = client.next().await;
    assert_eq!(kind, "accepted");
    client.push(&made);
    client.expect("quotation", &made).await;
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_what_was_held_back_is_sent() {
    let mut client = TestClient::connect().await;
    client.quote("slow", Some("s")).await;
    client.quote("fast", Some("f")).await;
    client.expect("accepted", "f").await;
    client.push("s");
    client.push("f");
    client.expect("quotation", "f").await;
    client.shutdown.begin();
    tokio::task::yield_now().await;
    // The session drains now. Frames that arrive meanwhile are sent too.
    client.push("f");
    client.gate.add_permits(1);
    client.expect("accepted", "s").await;
    client.expect("quotation", "s").await;
    client.expect("quotation", "f").await;
    client.expect("close", "1001").await;
    drop(client.socket);
    client.session.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_counts_among_what_waits() {
    let mut client = TestClient::connect().await;
    client.quote("slow", Some("s")).await;
    client.quote("fast", Some("f")).await;
    client.expect("accepted", "f").await;
    let mut held = 0;
    while client.push("s") == Delivery::Delivered {
        held += 1;
        assert!(held <= 256, "nothing limits what is held back");
        // Let the session take the frame and hold it back.
        tokio::task::yield_now().await;
    }
    assert_eq!(held, 256);
}

#[tokio::test(start_paused = true)]
async fn a_socket_is_closed_when_it_was_idle_for_long_or_is_old() {
    const MINUTE: Duration = Duration::from_secs(60);
    for (pings, closed_after) in [(0, 10), (1, 19), (13, 120)] {
        let mut client = TestClient::connect().await;
        let opened = Instant::now();
        for _ in 0..pings {
            sleep(9 * MINUTE).await;
            client.ping().await;
        }
        client.expect("close", "1001").await;
        let minutes = opened.elapsed().as_secs_f64() / 60.0;
        assert!((minutes - f64::from(closed_after)).abs() < 0.1, "{pings} pings: {minutes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_shut_out_is_told_why() {
    let (shut, out) = oneshot::channel::<()>();
    let mut client = TestClient::connect_until(out.map(drop)).await;
    client.ping().await;
    shut.send(()).unwrap();
    client.expect("close", "1008").await;
}

/// The future is the same for every request. It is moved to the heap, where without jemalloc the C library takes up
/// to 1,032 bytes from what the thread has freed.
#[tokio::test]
async fn a_quote_in_hand_takes_little_memory() {
    let clock = Arc::new(TokioClock::new(Timestamp::default()));
    let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    let handler = QuotationHandler::new(&ports, Lookup::new(&ports), Policy::default()).watched();
    let settings = SettingsInForce::from(Policy::default());
    let context = SessionContext {
        handler: &handler,
        first_visits: &handler,
        visitors: &Visitors::new(settings, ports.store.clone(), ports.clock.clone()),
        allowance: Allowance::new(Limiter::new(Limits::DEFAULT).connection(), None),
        unfinished: Arc::new(Arc::new(UnfinishedMessages::default()).of_one()),
        clients: Clients::Every,
        clock: &*ports.clock,
        metrics: &Metrics::new(),
        endpoint: "",
    };
    let to = ConnectionRef { endpoint: String::new(), id: ConnectionId::from_random([1; 16]) };
    let (request, id) = (Request::Ping { dialect: Dialect::Current }, handler.new_request_id());
    let begun = Begun { id, ticket: Ticket::default(), came_at: Instant::now() };
    let bytes = size_of_val(&replying(&context, request, begun, to, Span::none()));
    assert!(bytes <= 1032, "{bytes} bytes");
}
