//! Takes every path through every function, including rare ones. The stand-in notes what they ask AWS for.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ocache::model::QuotationKey;
use ocache::ports::{Clock as _, Record, RowChange, SystemClock, UserDiscounts};
use ocache::pricing::{
    Customer, Discount, Discounts, Ladder, ListPrices, MinQuantity, Money, PriceList, PriceRule,
    Product, Recipients, Rung, Scope,
};
use ocache::tokens::{Clients, Grant, Key, KeyRing};
use serde_json::{Value, json};

use super::aws::{Aws, STACK};
use super::calls::Call;
use super::grants::granted;
use super::runtime_api::Function;

const API: &str = "abc123";

/// The functions of one stack.
struct Functions {
    aws: Aws,
    running: BTreeMap<String, Function>,
}

impl Functions {
    fn start(handlers: impl Iterator<Item = String>) -> Self {
        let mut functions = Self { aws: Aws::start(), running: BTreeMap::new() };
        for handler in handlers {
            functions.start_anew(&handler);
        }
        functions
    }

    /// Replaces a process by a new one that remembers nothing.
    fn start_anew(&mut self, handler: &str) {
        let endpoint = format!("http://{}", self.aws.address);
        let management = format!("{endpoint}/_aws/execute-api/{API}/live");
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_SDK_UA_APP_ID", handler),
            ("OCACHE_STACK", STACK),
            ("OCACHE_AUTHORIZATION", "NONE"),
            ("OCACHE_SCHEDULED_EVERY", "1m"),
            ("OCACHE_SOURCE_TABLES", r#"{"theirs":{}}"#),
            ("OCACHE_MANAGEMENT_ENDPOINT", &management),
        ];
        let function = Function::start(env!("CARGO_BIN_EXE_ocache"), handler, &environment);
        self.running.insert(handler.to_owned(), function);
    }

    fn invoke(&self, function: &str, event: Value) -> Value {
        let result = self.running[function].invoke(event);
        result.unwrap_or_else(|error| panic!("{function} failed: {error}"))
    }

    /// Sends a client's frame. Returns the reply.
    fn frame(&self, frame: &Value) -> Value {
        let response =
            self.invoke("quotation-handler", websocket_event("MESSAGE", &frame.to_string()));
        serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
    }

    /// Delivers messages. Returns how many failed.
    fn deliver(&self, function: &str, queue: &str, bodies: Vec<String>) -> usize {
        assert!(!bodies.is_empty(), "nothing was sent to {queue}");
        let response = self.invoke(function, queue_event(queue, &bodies));
        response["batchItemFailures"].as_array().unwrap().len()
    }

    /// Delivers the quotes that wait for the provider, all of which must succeed. Returns the messages that
    /// come at their deadlines.
    fn deliver_quotes(&self) -> Vec<String> {
        let is_deadline =
            |body: &String| serde_json::from_str::<Value>(body).unwrap()["kind"] == "deadline";
        let (deadlines, quotes) = self.aws.take("provider").into_iter().partition(is_deadline);
        assert_eq!(self.deliver("quotation-provider", "provider", quotes), 0);
        deadlines
    }

    /// Delivers what waits in a queue, all of which must succeed.
    fn deliver_all(&self, function: &str, queue: &str) {
        assert_eq!(self.deliver(function, queue, self.aws.take(queue)), 0, "{queue}");
    }
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

fn websocket_event(kind: &str, body: &str) -> Value {
    json!({
        "requestContext": {
            "routeKey": "quote", "eventType": kind, "stage": "live", "connectionId": "c1",
            "apiId": API, "domainName": format!("{API}.execute-api.eu-west-1.amazonaws.com"),
            "requestId": "r", "requestTimeEpoch": 1, "connectedAt": 1,
            "identity": { "sourceIp": "203.0.113.1" },
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

fn queue_event(queue: &str, bodies: &[String]) -> Value {
    let fifo = if queue == "provider" { "" } else { ".fifo" };
    let record = |(at, body): (usize, &String)| {
        json!({
            "messageId": at.to_string(), "receiptHandle": at.to_string(), "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1", "SentTimestamp": now_ms().to_string(),
                "MessageGroupId": at.to_string(),
            },
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:eu-west-1:1:{STACK}-{queue}{fifo}"),
            "awsRegion": "eu-west-1",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() })
}

fn subscribe_event(user: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "PUT /subscribe", "rawPath": "/subscribe",
        "rawQueryString": "", "headers": { "content-type": "application/json" },
        "requestContext": {
            "accountId": "1", "apiId": API, "domainName": "x", "requestId": "r",
            "routeKey": "PUT /subscribe", "stage": "$default", "time": "", "timeEpoch": 1,
            "http": { "method": "PUT", "path": "/subscribe", "protocol": "HTTP/1.1",
                      "sourceIp": "203.0.113.1", "userAgent": "x" },
        },
        "body": json!({ "user_id": user }).to_string(),
        "isBase64Encoded": false,
    })
}

fn http_event(route: &str, client: &str, request_id: &str) -> Value {
    let mut event = subscribe_event("");
    let (method, path) = route.split_once(' ').unwrap();
    event["routeKey"] = json!(route);
    event["rawPath"] = json!(path);
    event["rawQueryString"] =
        json!(if method == "GET" { format!("client={client}") } else { String::new() });
    event["pathParameters"] = json!({ "id": request_id, "client": client });
    event["requestContext"]["http"]["method"] = json!(method);
    let items = json!([{ "product": "P1", "quantity": 2 }]);
    let body = json!({ "client": client, "request_id": request_id, "items": items });
    event["body"] = json!(body.to_string());
    event
}

/// Puts a product, a user's discounts, a customer, and a price list for everyone. Their load is in force,
/// but its loader died before they were folded into the rows.
fn put_catalogue(aws: &Aws) {
    aws.put(
        "products",
        json!({
            "product_id": { "S": "\u{1}catalogue" }, "version": { "N": "1" },
            "base_version": { "N": "1" }, "lists_version": { "N": "1" },
            "shared_version": { "N": "1" }, "has_customers": { "BOOL": true },
            "currency": { "S": "USD" }, "unfolded": { "S": "died" },
            "journal:died": { "M": { "began_at": { "N": "1" }, "is_over": { "BOOL": false } } },
        }),
    );
    let product = Product::new("P1".parse().unwrap(), "One".to_owned(), Money::from_minor(50_000));
    put_change(aws, "0/P1", Record::Product(product));
    let discount =
        Discount { product_id: "P1".parse().unwrap(), percentage: "10".parse().unwrap() };
    let discounts = Discounts::new(vec![discount]).unwrap();
    let list = UserDiscounts::new("AAA".parse().unwrap(), discounts);
    put_change(aws, "1/AAA", Record::Discounts(list));
    put_change(aws, "2/AAA", Record::Customer(Customer::unknown("AAA".parse().unwrap())));
    let list = PriceList {
        id: "sale".parse().unwrap(),
        priority: 0,
        currency: None,
        from: None,
        until: None,
        recipients: Recipients { everyone: true, ..Recipients::default() },
        is_wide: true,
        revision: 1,
    };
    let rule = PriceRule::Percentage("5".parse().unwrap());
    let ladder = Ladder::new(vec![Rung { min_quantity: MinQuantity::ZERO, rule }]).unwrap();
    let prices = ListPrices { list: list.id.clone(), scope: Scope::All, ladder };
    put_change(aws, "3/sale", Record::PriceList(list));
    put_change(aws, "4/sale\u{1}all", Record::Prices(prices));
}

/// Puts an item into the journal of that load.
fn put_change(aws: &Aws, first: &str, record: Record) {
    let json = serde_json::to_vec(&[RowChange::Put(record)]).unwrap();
    let packed = BASE64_STANDARD.encode(zstd::bulk::compress(&json, 1).unwrap());
    aws.put(
        "journal",
        json!({
            "load_id": { "S": "died" }, "first": { "S": first }, "changes": { "B": packed },
        }),
    );
}

/// Tests a subscription, the schedule and both calculation queues.
fn subscriptions(functions: &Functions) {
    let response = functions.invoke("subscribe", subscribe_event("AAA"));
    assert_eq!(response["statusCode"], 202, "{response}");
    functions.deliver_all("price-calc", "quotation");
    let due = now_ms() / 60_000 * 60;
    let due = u64::try_from(due).unwrap();
    let time = ocache::model::Timestamp::from_secs(i64::try_from(due).unwrap()).to_string();
    let response = functions.invoke("refresh", json!({ "time": time }));
    assert_eq!(response, json!({ "ordered": 1, "failed": 0 }));
    let orders = functions.aws.take("refresh");
    assert_eq!(functions.deliver("price-calc", "refresh", orders.clone()), 0);
    // The same order, for a user who seems to have expired since. The function checks that again.
    let mut order: Value = serde_json::from_str(&orders[0]).unwrap();
    order["cause"]["expires_at"] = order["cause"]["due"].clone();
    assert_eq!(functions.deliver("price-calc", "refresh", vec![order.to_string()]), 0);
}

/// Tests quotes: cold, warm, repeated, asked for again, and past their deadline.
fn quotes(functions: &mut Functions) {
    let quote = json!({
        "action": "quote", "client": "BBB", "request_id": "r1",
        "items": [{ "product": "P1", "quantity": 2 }],
    });
    assert_eq!(functions.frame(&quote)["type"], "accepted");
    // The quote is repeated before it is answered.
    assert_eq!(functions.frame(&quote)["type"], "accepted");
    let get = json!({ "action": "get", "client": "BBB", "request_id": "r1" });
    functions.frame(&get);
    let deadlines = functions.deliver_quotes();
    // A repeated request is not known to be one, so its deadline is announced once more.
    assert_eq!(deadlines.len(), 3);
    functions.deliver_all("price-calc", "quotation");
    let again = functions.aws.take("provider");
    assert_eq!(functions.deliver("quotation-provider", "provider", again.clone()), 0);
    assert!(functions.aws.pushed() > 0, "nothing was answered");
    // A message may come twice, and the one of the deadline comes in any case.
    functions.deliver("quotation-provider", "provider", again.clone());
    functions.deliver("quotation-provider", "provider", deadlines);
    // The quote is repeated after it was answered, so the answer is pushed behind the acknowledgement.
    let pushed = functions.aws.pushed();
    assert_eq!(functions.frame(&quote)["type"], "accepted");
    assert_eq!(functions.aws.pushed(), pushed + 1);
    assert_eq!(functions.frame(&get)["status"], "answered");
    // The table exists, so the next quote is answered directly, and no message is sent.
    let mut other = quote.clone();
    other["request_id"] = json!("warm");
    assert_eq!(functions.frame(&other)["type"], "accepted");
    assert_eq!(functions.aws.pushed(), pushed + 2);
    assert_eq!(functions.aws.take("provider"), Vec::<String>::new());

    // The base of a table is gone, so the head is read again, and the table ordered. If the quote was
    // answered before, the visit of a user who has expired since orders it.
    functions.aws.remove("prices-by-user", |item| item["part"]["S"] != "head");
    functions.aws.remove("active-users", |item| item["user_id"]["S"] == "BBB");
    // New processes do not have the base in memory.
    functions.start_anew("quotation-handler");
    functions.start_anew("quotation-provider");
    assert_eq!(functions.frame(&quote)["type"], "accepted");
    functions.deliver_all("price-calc", "quotation");
    functions.aws.take("provider");
    other["request_id"] = json!("r2");
    functions.frame(&other);
    functions.deliver_quotes();
    functions.deliver_all("price-calc", "quotation");
    // Its answer and its deadline are as before.
    functions.aws.take("provider");

    // There is a newer catalogue, so the answer is stale. The table is ordered behind cold quotes, also by
    // the provider, if a message comes a third time.
    put_catalogue_head(&functions.aws, 9);
    // A process checks the version in force once a second; a new one checks at once.
    functions.start_anew("quotation-handler");
    functions.start_anew("quotation-provider");
    other["request_id"] = json!("r3");
    functions.frame(&other);
    let ordered = functions.aws.take("refresh");
    assert_eq!(functions.deliver("quotation-provider", "provider", again), 0);
    assert_eq!(functions.aws.take("refresh").len(), 1);
    assert_eq!(functions.deliver("price-calc", "refresh", ordered), 0);
}

/// Tests quotes over HTTP: cold, warm, asked for again, and past their deadline.
fn quotes_over_http(functions: &mut Functions) {
    let ask = |functions: &Functions, route: &str, client: &str, id: &str| {
        let response = functions.invoke("http-api", http_event(route, client, id));
        let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
        (response["statusCode"].as_u64().unwrap(), body["status"].clone())
    };
    let (post, get) = ("POST /quotes", "GET /quotes/{id}");
    assert_eq!(ask(functions, post, "CCC", "h1"), (202, json!("pending")));
    let pushed = functions.aws.pushed();
    assert_eq!(functions.deliver_quotes(), Vec::<String>::new(), "nobody has to be told");
    functions.deliver_all("price-calc", "quotation");
    assert_eq!(functions.deliver_quotes(), Vec::<String>::new());
    assert_eq!(ask(functions, get, "CCC", "h1"), (200, json!("answered")));
    assert_eq!(ask(functions, post, "CCC", "h2"), (200, json!("answered")));
    assert_eq!(functions.aws.pushed(), pushed);
    // Prices of some products and of all.
    assert_eq!(shown(functions, "CCC", "product=P1").0, 200);
    let (status, table) = shown(functions, "CCC", "");
    assert_eq!((status, table.matches('\n').count()), (200, 1), "{table}");
    assert_eq!(shown(functions, "FFF", "product=P1").0, 202);
    functions.deliver_all("price-calc", "quotation");
    // Nobody waits for the quotation that ordered it.
    assert_eq!(functions.deliver_quotes(), Vec::<String>::new());
    assert_eq!(shown(functions, "FFF", "product=P1").0, 200);
    // A websocket waits for it, so its deadline is announced once more.
    let quote = json!({
        "action": "quote", "client": "DDD", "request_id": "h3",
        "items": [{ "product": "P1", "quantity": 2 }],
    });
    assert_eq!(functions.frame(&quote)["type"], "accepted");
    functions.aws.take("provider");
    assert_eq!(ask(functions, post, "DDD", "h3"), (202, json!("pending")));
    assert_eq!(functions.deliver_quotes().len(), 1);
    functions.deliver_all("price-calc", "quotation");
    functions.aws.take("provider");
    // The deadline has passed, and nobody has settled the quotation.
    put_overdue(&functions.aws, "EEE", "h4");
    assert_eq!(ask(functions, get, "EEE", "h4"), (200, json!("failed")));
    // The quote was answered before, so the visit of a user who has expired orders the table.
    functions.aws.remove("prices-by-user", |item| item["user_id"]["S"] == "CCC");
    functions.aws.remove("active-users", |item| item["user_id"]["S"] == "CCC");
    functions.start_anew("http-api");
    assert_eq!(ask(functions, post, "CCC", "h1"), (200, json!("answered")));
    functions.deliver_all("price-calc", "quotation");
    // There is a newer catalogue.
    put_catalogue_head(&functions.aws, 10);
    functions.start_anew("http-api");
    assert_eq!(ask(functions, post, "CCC", "h5"), (200, json!("answered")));
    assert_eq!(functions.aws.take("refresh").len(), 1);
}

/// Returns the reply to a request for a client's prices.
fn shown(functions: &Functions, client: &str, query: &str) -> (u64, String) {
    let mut event = http_event("GET /prices/{client}", client, client);
    event["rawQueryString"] = json!(query);
    let response = functions.invoke("http-api", event);
    let body = response["body"].as_str().unwrap_or_default().to_owned();
    (response["statusCode"].as_u64().unwrap(), body)
}

/// Puts a quotation that has been pending for an hour, as version 0.1.0 stored it.
fn put_overdue(aws: &Aws, user: &str, id: &str) {
    let key = QuotationKey::new(&user.parse().unwrap(), &id.parse().unwrap());
    let at = |secs: i128| json!({ "N": (now_ms() as i128 + secs * 1000).to_string() });
    let text = |value: Value| json!({ "S": value.to_string() });
    aws.put(
        "quotations",
        json!({
            "request_id": { "S": key.as_str() }, "client_request_id": { "S": id },
            "user_id": { "S": user }, "lines": text(json!([])), "connection": text(Value::Null),
            "dialect": text(json!("current")), "outcome": text(json!("pending")),
            "status": { "S": "pending" }, "accepted_at": at(-3600), "deadline": at(-3570),
            "expires_at": at(3600),
        }),
    );
}

/// Puts the head of a catalogue that is not being loaded.
fn put_catalogue_head(aws: &Aws, version: u32) {
    aws.put(
        "products",
        json!({
            "product_id": { "S": "\u{1}catalogue" }, "version": { "N": version.to_string() },
            "currency": { "S": "USD" },
        }),
    );
}

/// Tests loads of all products and of one user's discounts, by a client that may load.
fn loads(functions: &Functions) {
    let load = |query: &str, body: &str| {
        let mut event = http_event("POST /load", "", "");
        event["rawQueryString"] = json!(query);
        let is_json = body.starts_with('{');
        let media = if is_json { "application/json" } else { "text/csv" };
        event["headers"] = json!({ "content-type": media });
        event["body"] = json!(body);
        event["requestContext"]["authorizer"] = json!({ "lambda": { "load": "true" } });
        let response = functions.invoke("load", event);
        assert_eq!(response["statusCode"], 200, "{response}");
    };
    load("", "id,name,price\nP1,One,600.00\n");
    load("", "user_id,product_id,percentage\nAAA,P1,20\n");
    load("prune=true", "user_id,product_id,percentage\nAAA,P1,30\n");
    load("prune=true", "id,name,price\nP1,One,700.00\n");
    let agreed = r#"{
        "customers": [{"user_id": "AAA", "groups": ["gold"]}],
        "price_lists": [{"price_list": "gold", "groups": ["gold"]}],
        "prices": [{"price_list": "gold", "product_id": "P1", "percentage": "5"}]
    }"#;
    load("", agreed);
    load("prune=true", &agreed.replace(r#""5""#, r#""6""#));
    assert!(!functions.aws.take("refresh").is_empty(), "no table was ordered");
}

/// Tests loading the changes of a source table: rows of all kinds, some of which name unknown things.
fn changes(functions: &Functions) {
    let text = |text: &str| json!({ "S": text });
    let load = |items: &[Value], kind: &str, image: &str| {
        let record = |(at, item): (usize, &Value)| {
            json!({
                "eventName": kind, "eventSource": "aws:dynamodb",
                "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/theirs/stream/1",
                "dynamodb": { "SequenceNumber": at.to_string(), image: item },
            })
        };
        let records: Vec<_> = items.iter().enumerate().map(record).collect();
        let response = functions.invoke("load-changes", json!({ "Records": records }));
        assert_eq!(response, json!({ "batchItemFailures": [] }));
    };
    let list = json!({ "price_list": text("silver"), "groups": { "SS": ["gold"] } });
    let items = [
        json!({ "id": text("P1"), "name": text("One"), "price": { "N": "800" } }),
        json!({ "user_id": text("AAA"), "product_id": text("P1"), "percentage": { "N": "5" } }),
        json!({ "user_id": text("GGG"), "product_id": text("P9"), "percentage": { "N": "5" } }),
        json!({ "user_id": text("AAA"), "groups": { "SS": ["gold", "silver"] } }),
        list.clone(),
        json!({ "price_list": text("silver"), "product_id": text("P1"), "percentage": { "N": "7" } }),
    ];
    load(&items, "INSERT", "NewImage");
    // A row that only one customer has orders that customer's table.
    let own =
        json!({ "user_id": text("AAA"), "product_id": text("P1"), "percentage": { "N": "6" } });
    load(&[own], "INSERT", "NewImage");
    assert!(!functions.aws.take("refresh").is_empty(), "no table was ordered");
    load(&[list], "REMOVE", "OldImage");
}

/// Tests that a token is checked with keys that are read once.
fn tokens(functions: &Functions) {
    let keys = KeyRing::new(Key::from_random([1; 16], [[2; 16], [3; 16]]).unwrap());
    functions.aws.put_secret("token-keys", keys.to_document().unwrap());
    let now = SystemClock.now();
    let grant = Grant {
        subject: "shop".parse().unwrap(),
        clients: Clients::Every,
        load: false,
        expires_at: now.plus(Duration::from_secs(60)),
    };
    let token = keys.sign(&grant, now).unwrap();
    let event = json!({ "headers": { "authorization": format!("Bearer {}", token.as_str()) } });
    assert_eq!(functions.invoke("authorizer", event)["isAuthorized"], true);
}

/// Tests that unreadable messages are postponed.
fn unreadable(functions: &Functions) {
    for (function, queue) in
        [("price-calc", "quotation"), ("price-calc", "refresh"), ("quotation-provider", "provider")]
    {
        assert_eq!(functions.deliver(function, queue, vec!["?".to_owned()]), 1, "{queue}");
    }
}

#[test]
fn roles_grant_what_functions_do_and_nothing_else() {
    let granted = granted();
    let mut functions = Functions::start(granted.keys().cloned());
    put_catalogue(&functions.aws);
    for kind in ["connect", "disconnect"] {
        functions.invoke(kind, websocket_event(&kind.to_uppercase(), ""));
    }
    subscriptions(&functions);
    quotes(&mut functions);
    quotes_over_http(&mut functions);
    loads(&functions);
    changes(&functions);
    unreadable(&functions);
    tokens(&functions);

    let mut asked = functions.aws.calls();
    let mut wrong = vec![];
    for (function, granted) in granted {
        let asked = asked.remove(&function).unwrap_or_default();
        let name = |verb: &str, call: &Call| format!("{function} {verb} {call}");
        wrong.extend(asked.difference(&granted).map(|call| name("is not allowed", call)));
        wrong.extend(granted.difference(&asked).map(|call| name("never needs", call)));
    }
    assert!(asked.is_empty(), "these have no role: {asked:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
