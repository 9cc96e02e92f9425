//! Tests that every command prints for programs exactly what `docs/schemas` says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clap::{Command, CommandFactory as _};
use ocache::cli::Cli;
use ocache::embedded::Embedded;
use ocache::memory::MemoryConnections;
use ocache::ports::{MAX_RECEIVES, Outgoing, Posting, Queue, SystemClock, SystemRandomness};
use ocache::supervisor::Supervisor;
use serde_json::Value;

use super::process::{Home, text};
use super::schema::{Schemas, folder};

/// Commands that print no data, but scripts, a trace, pages or logs.
const NO_DATA: [&str; 4] = ["completions", "export-quotations", "man", "worker"];
/// Commands that need an account or a local AWS; see `aws.rs`.
const ON_AWS: [&str; 2] = ["provision", "destroy"];
/// The schema of an error, which is not of a command.
const ERROR: &str = "error";
/// The schema of `ocache prices --explain`.
const PRICES_EXPLAIN: &str = "prices-explain";

/// Returns the commands that do something, by the names of their schemas.
fn commands() -> BTreeSet<String> {
    fn collect(command: &Command, before: &str, into: &mut BTreeSet<String>) {
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let name = format!("{before}{}", command.get_name());
            collect(command, &format!("{name}-"), into);
            // Some commands do something without a subcommand too.
            if !command.is_subcommand_required_set() {
                into.insert(name);
            }
        }
    }
    let mut all = BTreeSet::new();
    collect(&Cli::command(), "", &mut all);
    all
}

#[test]
fn every_command_that_prints_data_has_a_schema_and_is_documented() {
    let mut wanted = commands();
    for name in NO_DATA {
        assert!(wanted.remove(name), "there is no command {name}");
    }
    wanted.extend([ERROR, PRICES_EXPLAIN].map(str::to_owned));
    // Without the feature `aws` its commands do not exist, but their output is documented.
    wanted.extend(ON_AWS.map(str::to_owned));
    assert_eq!(Schemas::read().names(), wanted);
    let page = std::fs::read_to_string(folder().with_file_name("output.md")).unwrap();
    for name in wanted {
        assert!(page.contains(&format!("(schemas/{name}.json)")), "docs/output.md has no {name}");
    }
}

/// A home in which the output of commands is checked.
struct Checked {
    home: Home,
    schemas: Schemas,
}

impl Checked {
    /// Runs a command, which need not succeed, and checks what it prints.
    fn run(&mut self, name: &str, args: &[&str]) -> Value {
        let words: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
        let output = self.home.run(&words);
        let value = serde_json::from_slice(&output.stdout);
        let value = value.unwrap_or_else(|_| panic!("{args:?}: {}", text(&output.stderr)));
        self.schemas.check(name, &value);
        value
    }

    /// Starts a command that goes on, checks what it prints, and ends it.
    fn start(&mut self, name: &str, args: &[&str]) {
        let words: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
        let mut running = self.home.start(&words);
        self.schemas.check(name, &running.stdout_json());
        let (code, stderr) = running.interrupt();
        assert_eq!(code, Some(0), "{stderr}");
    }

    fn fails(&mut self, code: i32, args: &[&str]) {
        let words: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
        let stderr = self.home.fails(code, &words);
        let error = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
        self.schemas.check(ERROR, &error);
    }
}

impl Checked {
    /// Checks the preview of a load, in a home of its own.
    fn preview(&mut self) {
        let home = std::mem::replace(&mut self.home, Home::with_empty_store());
        let wholesale = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/wholesale");
        self.run("load", &["load", wholesale]);
        self.run("subscribe", &["subscribe", "NORTHWIND", "BAUHOF"]);
        let other = "\"price_list\n\",product_id,min_quantity,price\n\
                     gold-usd,DRILL-18V,0,116.00\ngold-usd,DRILL-18V,10,80.00\n";
        let other = self.home.file("other.csv", other);
        let unknown = r#"{"price_list":"new","users":["NOBODY"]}
            {"price_list":"nobody"}
            {"user_id":"KIOSK","product_id":"SAW-190","price":"999.00"}"#;
        let unknown = self.home.file("unknown.ndjson", unknown);
        self.run("load", &["load", &other, &unknown, "--dry-run", "--line-breaks"]);
        self.home = home;
    }
}

/// Makes dead letters, which otherwise only a fault of ocache makes.
async fn give_up(home: &Home, count: usize) {
    let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
    let store =
        Embedded::open(&home.path().join("data"), clock, randomness, &Supervisor::new()).unwrap();
    let queues = store.ports(Arc::new(MemoryConnections::default())).queues;
    let posting = Posting::Standard { delay: Duration::ZERO };
    let poison = Outgoing { body: "poison".to_owned(), posting };
    queues.send(Queue::Provider, &vec![poison; count]).await.unwrap();
    for _ in 0..=MAX_RECEIVES {
        let wait = Duration::ZERO;
        let received = queues.receive(Queue::Provider, 10, wait, wait).await.unwrap();
        let receipts: Vec<_> = received.into_iter().map(|message| message.receipt).collect();
        queues.change_visibility(Queue::Provider, &receipts, wait).await.unwrap();
    }
    drop(queues);
    store.close().await;
}

/// A product with every property, one with an own ladder, and one that is sold by the dozen.
const WITH_PRICE_LISTS: &str = r#"{
    "products": [
        {"id": "W1", "name": "Drill", "price": "100.00", "prices": {"EUR": "95.00"}, "category": "tools/drills", "floor": "60.00",
         "min": "2", "step": "2", "max": "100"},
        {"id": "W2", "name": "Saw", "price": "50.00"},
        {"id": "W3", "name": "Bit", "price": "5.00", "step": "12"}
    ],
    "customers": [{"user_id": "AAA", "groups": ["gold"]}, {"user_id": "EEE", "currency": "EUR"}],
    "price_lists": [
        {"price_list": "gold", "groups": ["gold"], "currency": "USD", "from": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}
    ],
    "prices": [
        {"price_list": "gold", "category": "tools", "percentage": "10"},
        {"price_list": "gold", "product_id": "W1", "min_quantity": "10", "price": "80.00"}
    ],
    "user_discounts": [{"user_id": "AAA", "product_id": "W2", "min_quantity": "1", "price": "45.00"},
                       {"user_id": "EEE", "product_id": "W1", "amount": "5.00"}]
}"#;

#[test]
fn every_command_prints_what_its_schema_says() {
    let mut checked = Checked { home: Home::with_empty_store(), schemas: Schemas::read() };
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    checked.run("doctor", &["doctor"]);
    let discounts = r#"{"user_id":"CCC","discounts":[{"product_id":"P77","percentage":5}]}"#;
    let more = checked.home.file("more.ndjson", discounts);
    checked.run("load", &["load", fixtures, &more]);
    let listed = checked.home.file("listed.json", WITH_PRICE_LISTS);
    checked.run("load", &["load", &listed]);
    let folder = checked.home.path().join("made").to_str().unwrap().to_owned();
    checked.preview();
    checked.run("generate", &["generate", &folder, "--products", "500", "--users", "2"]);
    checked.run("subscribe", &["subscribe", "AAA", "BBB"]);
    checked.run("unsubscribe", &["unsubscribe", "BBB", "Nobody"]);
    checked.run("status", &["status"]);

    // Nobody calculates, so it fails.
    checked.run("config-set", &["config", "set", "quote-within", "100ms"]);
    checked.run("quote", &["quote", "--client", "AAA", "--request-id", "late", "P1"]);
    checked.run("config-set", &["config", "set", "quote-within", "30s"]);
    checked.fails(4, &["prices", "Nobody"]);
    checked.run("quotation", &["quotation", "late", "--client", "AAA"]);
    let mut worker = checked.home.worker("all");
    let log = worker.read_log();
    let items = ["P1:2", "P9", "W1:4", "W2:1", "W3:25"];
    let quoted = checked.run("quote", &[&["quote", "--client", "AAA"][..], &items].concat());
    let id = quoted["request_id"].as_str().unwrap().to_owned();
    checked.run("quotation", &["quotation", &id]);
    checked.run("prices", &["prices", "AAA"]);
    checked.run("prices", &["prices", "AAA", "--product", "W3", "--quantity", "25"]);
    for kind in ["products", "customers", "discounts", "price-lists", "quotations"] {
        checked.run(&format!("list-{kind}"), &["list", kind]);
    }
    let explained = ["--product", "W1", "--product", "W2", "--product", "W3", "--explain"];
    let explained = [&["prices", "AAA", "--quantity", "25"][..], &explained].concat();
    checked.run(PRICES_EXPLAIN, &explained);
    checked.run("verify", &["verify", "--quotation", &id]);
    // Waits until the worker has reported a tick.
    let ticked = |status: &Value| status["processes"][0]["last_tick"].is_object();
    while !ticked(&checked.run("status", &["status"])) {}
    checked.run("bench", &["bench", "--users", "5", "--quotes", "20"]);
    assert_eq!(worker.interrupt().0, Some(0));
    log.join().unwrap();
    checked.run("meter", &["meter"]);
    checked.run("cost", &["cost"]);
    let traffic = ["cost", "forecast", "--active-users", "500", "--quotes-a-minute", "400"];
    checked.run("cost-forecast", &traffic);

    // After this load the customer's table is outdated, because nobody calculates any more.
    let cheaper = r#"{"id":"P1","name":"Notebook stand","price":"499.00"}"#;
    let cheaper = checked.home.file("cheaper.ndjson", cheaper);
    checked.run("load", &["load", &cheaper]);
    let found = checked.run("verify", &["verify", "--all"]);
    assert_ne!(found["findings"].as_array().unwrap().len(), 0);
    checked.run("verify", &["verify", "--quotation", &id]);

    checked.run("keys-rotate", &["keys", "rotate"]);
    checked.run("keys-rotate", &["keys", "rotate"]);
    checked.run("keys-list", &["keys", "list"]);
    checked.run("token", &["token", "--client", "AAA"]);
    let backup = checked.home.path().join("backup.db").to_str().unwrap().to_owned();
    checked.run("backup", &["backup", &backup]);
    let other = checked.home.path().join("restored").to_str().unwrap().to_owned();
    checked.run("restore", &["restore", &backup, "--data-dir", &other]);
    checked.run("config-show", &["config", "show", "--port", "7171"]);
    let month = ["simulate", "--synthetic", "daily", "--days", "1", "--users", "20", "--designs"];
    checked.run("simulate", &month);
    checked.start("serve", &["serve", "--port", "0"]);
    checked.start("up", &["up", "--port", "0"]);

    tokio::runtime::Runtime::new().unwrap().block_on(give_up(&checked.home, 3));
    let given_up = checked.run("dead-letters-list", &["dead-letters", "list"]);
    let [first, second] = [0, 1].map(|number| given_up[number]["id"].as_str().unwrap().to_owned());
    checked.run("dead-letters-show", &["dead-letters", "show", &first]);
    checked.run("dead-letters-redrive", &["dead-letters", "redrive", &first]);
    checked.run("dead-letters-drop", &["dead-letters", "drop", &second]);

    for name in checked.schemas.names() {
        if !ON_AWS.contains(&name.as_str()) {
            let unseen = checked.schemas.unseen(&name);
            assert!(unseen.is_empty(), "{name}: nothing shows {unseen:?}");
        }
    }
}
