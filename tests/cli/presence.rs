//! Tests of which processes are alive, and whether the work on which others wait is done.

use serde_json::{Value, json};

use super::process::{Home, text};

/// Returns what `doctor` finds about processes, and its exit code.
fn doctor(home: &Home) -> (Value, Option<i32>) {
    let output = home.run(&["doctor", "--output", "json"]);
    let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let check = checks.into_iter().find(|check| check["what"] == "processes").unwrap();
    (check, output.status.code())
}

fn roles(home: &Home) -> Vec<Value> {
    let processes = home.json(&["status"])["processes"].clone();
    let processes = processes.as_array().unwrap().iter();
    processes.map(|process| process["roles"].clone()).collect()
}

#[test]
fn doctor_fails_when_active_users_or_quotations_have_nobody_to_work_for_them() {
    let home = Home::with_fixtures();
    let (check, code) = doctor(&home);
    assert_eq!((&check["ok"], code), (&json!(true), Some(0)), "nobody waits: {check}");

    home.ok(&["subscribe", "AAA"]);
    let (check, code) = doctor(&home);
    assert_eq!((&check["ok"], code), (&json!(false), Some(1)), "{check}");
    let (found, mend) = (check["found"].to_string(), check["mend"].to_string());
    assert!(found.contains("price-calc"), "{found}");
    assert!(mend.contains("`ocache worker all ") && mend.contains("`ocache up "), "{mend}");

    // Half of the work is not enough.
    let worker = home.worker("price-calc");
    let (check, code) = doctor(&home);
    assert_eq!(code, Some(1), "{check}");
    assert!(check["found"].to_string().contains("no process runs refresh"), "{check}");
    let refresh = home.worker("refresh");
    let (check, code) = doctor(&home);
    assert_eq!((&check["ok"], code), (&json!(true), Some(0)), "{check}");
    assert!(check["found"].to_string().contains("price-calc on "), "{check}");
    // A process that ends says so, and one that is killed is gone.
    assert_eq!(refresh.interrupt().0, Some(0));
    worker.kill();
    assert_eq!(doctor(&home).1, Some(1));

    // The user has left, and a quotation waits.
    home.ok(&["unsubscribe", "AAA"]);
    let mut gateway = home.start(&["serve", "--port", "0", "--output", "json"]);
    gateway.stdout_json();
    home.fails(5, &["quote", "--client", "BBB", "P1"]);
    home.ok(&["unsubscribe", "BBB"]);
    let (check, code) = doctor(&home);
    assert_eq!(code, Some(1), "{check}");
    assert!(check["found"].to_string().contains("quotations wait"), "{check}");
}

#[test]
fn a_gateway_is_found_however_the_folder_is_spelled() {
    let home = Home::with_fixtures();
    let mut gateway = home.start(&["serve", "--port", "0", "--output", "json"]);
    let websocket = gateway.stdout_json()["websocket"].clone();
    for folder in ["data", "./data/../data"] {
        let mut command = home.command(&["doctor", "--output", "json", "--data-dir", folder]);
        let output = command.current_dir(home.path()).output().unwrap();
        let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let gateway = checks.iter().find(|check| check["what"] == "gateway").unwrap();
        assert_eq!(gateway["found"], websocket, "{folder}");
    }
}

#[test]
fn status_lists_the_processes_that_live() {
    let home = Home::with_fixtures();
    assert_eq!(roles(&home), Vec::<Value>::new());
    assert!(home.ok(&["status"]).contains("no process works on this stack"));
    let worker = home.worker("price-calc");
    let (up, _) = home.up(&["--refresh-every", "1s"]);
    let mut found = roles(&home);
    found.sort_by_key(|roles| roles.as_array().unwrap().len());
    let all = json!(["refresh", "price-calc", "quotation-provider", "gateway"]);
    assert_eq!(found, [json!(["price-calc"]), all]);
    worker.kill();
    assert_eq!(roles(&home).len(), 1);
    let shown = home.ok(&["status"]);
    assert!(shown.contains("process refresh, price-calc, "), "{shown}");
    assert!(shown.contains(env!("CARGO_PKG_VERSION")), "{shown}");
    // When the process has reported again, its record has the last tick.
    let ticked = |status: &Value| status["processes"][0]["last_tick"]["active_users"] == 0;
    let mut status = home.json(&["status"]);
    while !ticked(&status) {
        std::thread::sleep(std::time::Duration::from_millis(100));
        status = home.json(&["status"]);
    }
    assert_eq!(up.interrupt().0, Some(0));
    assert_eq!(roles(&home), Vec::<Value>::new());
    let doctor = home.run(&["doctor"]);
    assert!(doctor.status.success(), "{}", text(&doctor.stdout));
}
