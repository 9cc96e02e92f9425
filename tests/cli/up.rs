//! Tests of `ocache up`, which runs everything at once.

use serde_json::json;

use super::process::Home;

#[test]
fn ready_means_that_a_quote_was_answered_and_nothing_is_left_of_it() {
    let home = Home::new();
    let (up, _) = home.up(&[]);
    let status = home.json(&["status"]);
    assert_eq!(status["active_users"], json!([]));
    assert_eq!(status["tables"]["stored"], 0);
    for queue in ["refresh", "quotation", "provider"] {
        let empty = json!({ "waiting": 0, "in_flight": 0, "delayed": 0, "dead_letters": 0 });
        assert_eq!(status["queues"][queue], empty, "{queue}");
    }
    // The fixtures were loaded, and the running gateway is found.
    assert_eq!(home.json(&["quote", "--client", "AAA", "P1:2", "P3:1"])["total"], "1805.52");
    let (code, stderr) = up.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("drained"), "{stderr}");
    assert_eq!(home.json(&["status"])["gateways"], json!([]));
}

#[test]
fn a_second_start_keeps_what_is_there_and_fresh_does_not() {
    let home = Home::new();
    let csv = home.file("own.csv", "id,name,price\nX1,Own product,1.00\n");
    home.ok(&["load", &csv]);
    let (up, _) = home.up(&[]);
    assert_eq!(home.json(&["quote", "--client", "AAA", "X1"])["total"], "1.00");
    assert_eq!(up.interrupt().0, Some(0));
    let (up, _) = home.up(&["--fresh", "--yes"]);
    let quotation = home.json(&["quote", "--client", "AAA", "X1", "P1"]);
    assert_eq!(
        (&quotation["total"], &quotation["unavailable"][0]),
        (&json!("450.00"), &json!("X1"))
    );
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn a_store_is_emptied_only_by_someone_who_says_so() {
    let home = Home::with_fixtures();
    let refused = home.fails(2, &["up", "--port", "0", "--fresh"]);
    assert!(refused.contains("hint: confirm with --yes"), "{refused}");
    assert_eq!(home.json(&["status"])["catalogue"]["version"], 1);
    // If nothing can be lost, there is no question.
    let (up, _) = Home::new().up(&["--fresh"]);
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn a_store_that_another_process_uses_is_not_emptied() {
    let home = Home::with_fixtures();
    let (up, _) = home.up(&[]);
    let refused = home.fails(1, &["up", "--port", "0", "--fresh", "--yes"]);
    assert!(refused.contains("is in use") && refused.contains("ocache status"), "{refused}");
    assert_eq!(home.json(&["quote", "--client", "AAA", "P1"])["total"], "450.00");
    assert_eq!(up.interrupt().0, Some(0));
    let worker = home.worker("all");
    home.fails(1, &["up", "--port", "0", "--fresh", "--yes"]);
    drop(worker);
}

#[test]
fn what_happens_is_a_line_each() {
    let home = Home::new();
    let (mut up, _) = home.up(&[]);
    home.ok(&["quote", "--client", "AAA", "P1:2"]);
    let mut seen = String::new();
    let mut wanted =
        vec!["customer  AAA is active until ", "AAA calculated in ", "AAA answered after "];
    while !wanted.is_empty() {
        let line = up.stderr_line("");
        wanted.retain(|wanted| !line.contains(wanted));
        seen.push_str(&line);
    }
    // The customer is shown before what happens to them.
    let place = |text: &str| seen.find(text).expect(text);
    assert!(place("is active until") < place("calculated in"), "{seen}");
    home.ok(&["unsubscribe", "AAA"]);
    up.stderr_line("customer  AAA is no longer active");
    home.ok(&["load", &home.file("own.csv", "id,name,price\nX1,Own product,1.00\n")]);
    up.stderr_line("load      catalogue version 2 in USD");
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn quotes_that_have_no_line_are_counted() {
    const QUOTES: u64 = 400;
    let home = Home::new();
    let (mut up, _) = home.up(&[]);
    let quotes = QUOTES.to_string();
    home.ok(&["bench", "--quotes", &quotes, "--users", "1", "--cold", "0"]);
    let (mut lines, mut counted) = (0, 0);
    while lines + counted < QUOTES {
        let line = up.stderr_line("quote");
        match line.split_once("more in that second: ") {
            Some((_, counts)) => {
                let quotes =
                    counts.split(", ").find_map(|count| count.trim().strip_suffix(" quote"));
                counted += quotes.unwrap().parse::<u64>().unwrap();
            }
            None => lines += u64::from(line.contains(" answered after ")),
        }
    }
    assert!(counted > 0, "{lines} lines");
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn a_quiet_up_prints_no_events() {
    let home = Home::new();
    let (up, _) = home.up(&["--quiet"]);
    for _ in 0..3 {
        home.ok(&["quote", "--client", "AAA", "P1:2"]);
    }
    let (code, stderr) = up.interrupt();
    assert_eq!((code, stderr.contains("AAA")), (Some(0), false), "{stderr}");
}

#[test]
fn one_wish_to_stop_drains_and_a_second_does_not_wait() {
    let home = Home::new();
    let (up, _) = home.up(&[]);
    // A supervisor's signal comes twice at once.
    up.signal();
    up.signal();
    let (code, stderr) = up.end();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("drained"), "{stderr}");

    // This client does not close its connection, so draining would take a while.
    let (mut up, url) = home.up(&[]);
    let address = url.strip_prefix("ws://").unwrap();
    let _idle = std::net::TcpStream::connect(address).unwrap();
    up.signal();
    up.stderr_line("stopping");
    while up.is_running() {
        std::thread::sleep(std::time::Duration::from_millis(50));
        up.signal();
    }
    assert!([Some(0), Some(130)].contains(&up.end().0));
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = Home::new();
    let stderr = home.fails(1, &["up", "--port", &port]);
    assert!(stderr.contains(&port) && stderr.contains("--port 0"), "{stderr}");
}

#[test]
fn an_idle_user_expires_and_is_not_refreshed_any_more() {
    let home = Home::new();
    let (_up, _) = home.up(&["--ttl", "8s", "--refresh-every", "500ms"]);
    home.json(&["quote", "--client", "AAA", "P1"]);
    let active = || !home.json(&["status"])["active_users"].as_array().unwrap().is_empty();
    assert!(active());
    while active() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let validated = || home.json(&["prices", "AAA"])["validated_at"].clone();
    // One message may have been on its way. After two more ticks it is not.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let last = validated();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(validated(), last);
}

#[test]
fn the_port_of_a_gateway_that_was_killed_can_be_another_stores() {
    let (home, other) = (Home::new(), Home::new());
    let (up, url) = home.up(&[]);
    up.kill();
    assert_eq!(home.json(&["status"])["gateways"], json!([]), "a dead gateway is not listed");
    let port = url.rsplit_once(':').unwrap().1;
    let mut other_up = other.start(&["up", "--port", port, "--output", "json"]);
    assert_eq!(other_up.stdout_json()["websocket"], url);
    // The quote uses this store, where nobody calculates, and not the other, where somebody would.
    home.set("quote-within", "300ms");
    home.fails(5, &["quote", "--client", "AAA", "P1"]);
    assert_eq!(other.json(&["status"])["active_users"], json!([]));
}

#[test]
fn many_can_start_at_once_on_a_new_store() {
    let home = Home::new();
    let start = || home.start(&["up", "--port", "0", "--output", "json"]);
    let mut all: Vec<_> = std::iter::repeat_with(start).take(6).collect();
    for up in &mut all {
        assert_eq!(up.stdout_json()["ready"], true);
    }
    assert_eq!(home.json(&["status"])["catalogue"]["version"], 1, "loaded once");
    assert_eq!(home.json(&["status"])["gateways"].as_array().unwrap().len(), 6);
}

#[cfg(unix)]
#[test]
fn a_store_that_is_deleted_under_a_running_system_ends_it() {
    let home = Home::with_fixtures();
    let (up, _) = home.up(&[]);
    let worker = home.worker("all");
    std::fs::remove_dir_all(home.path().join("data")).unwrap();
    for process in [up, worker] {
        let (code, stderr) = process.end();
        assert_eq!(code, Some(6), "{stderr}");
        assert!(stderr.contains("store.db` was deleted or replaced"), "{stderr}");
    }
}
