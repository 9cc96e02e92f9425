//! The command line on a local AWS, as real processes; skipped without one.

use super::process::{Home, text};
use ocache::model::Generation;
use ocache::ports::{Randomness as _, SystemRandomness};

/// Where the local AWS is.
const ENDPOINT: &str = "OCACHE_TEST_ENDPOINT_URL";

/// A stack of its own, destroyed when the test is over.
struct Stack {
    home: Home,
    flags: Vec<String>,
}

impl Stack {
    fn new() -> Option<Self> {
        let Ok(endpoint) = std::env::var(ENDPOINT) else {
            eprintln!("skipped: {ENDPOINT} is not set");
            return None;
        };
        let name = format!("cli-{}", Generation::from_random(SystemRandomness.bits()));
        let flags = ["--endpoint-url", &endpoint, "--stack", &name].map(str::to_owned).to_vec();
        let mut home = Home::new();
        // A local AWS takes any.
        home.environment = &[("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
        Some(Self { home, flags })
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        args.iter().copied().chain(self.flags.iter().map(String::as_str)).collect()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.home.run(&self.args(&["destroy", "--yes"]));
    }
}

#[test]
fn the_four_lines_on_aws() {
    let Some(stack) = Stack::new() else { return };
    let home = &stack.home;
    let missing = home.fails(4, &stack.args(&["subscribe", "AAA"]));
    assert!(missing.contains("is missing") && missing.contains("ocache provision"), "{missing}");

    let made = home.json(&stack.args(&["provision", "--yes"]));
    assert_eq!(made.as_array().unwrap().len(), 13);
    let again = home.run(&stack.args(&["provision"]));
    assert!(again.status.success());
    assert!(text(&again.stderr).contains("nothing to do"), "{}", text(&again.stderr));

    home.ok(&stack.args(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/")]));
    home.ok(&stack.args(&["subscribe", "AAA"]));
    let mut worker = home.start(&stack.args(&["worker", "price-calc"]));
    worker.stderr_line("URGENT calculation");
    let warm = home.json(&stack.args(&["quote", "--client", "AAA", "P1:2", "P3:1"]));
    assert_eq!(warm["total"], "1805.52");
    // Right after another process that polled the same queue has ended.
    let cold = home.json(&stack.args(&["quote", "--client", "José Núñez 株式会社", "P1:2", "P9"]));
    assert_eq!((&cold["total"], &cold["unavailable"][0]), (&"1000.00".into(), &"P9".into()));
    assert_eq!(worker.interrupt().0, Some(0));

    let status = home.json(&stack.args(&["status"]));
    assert_eq!(status["tables"]["stored"], 2);
    let table = home.json(&stack.args(&["prices", "AAA"]));
    assert_eq!(table["prices"][0]["unit_price"], "450.00");
    let checks = home.json(&stack.args(&["doctor"]));
    assert!(checks.as_array().unwrap().iter().all(|check| check["ok"] == true), "{checks}");
}

#[test]
fn everything_in_one_process_on_aws() {
    let Some(stack) = Stack::new() else { return };
    let (up, _) = stack.home.up(&stack.args(&["--provision", "--refresh-every", "1s"]));
    let quotation = stack.home.json(&stack.args(&["quote", "--client", "AAA", "P1:2", "P3:1"]));
    assert_eq!(quotation["total"], "1805.52");
    let (code, stderr) = up.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn what_cannot_be_reached_or_is_not_allowed_says_so() {
    let Some(stack) = Stack::new() else { return };
    let home = &stack.home;
    home.fails(2, &stack.args(&["provision"]));
    let nobody = home.fails(6, &["status", "--endpoint-url", "http://127.0.0.1:1"]);
    assert!(nobody.contains("is unavailable"), "{nobody}");
    home.fails(2, &["status", "--endpoint-url", "not a url"]);
    let strangers = Home::new();
    let stderr = strangers.fails(7, &["status", "--endpoint-url", "http://127.0.0.1:1"]);
    assert!(stderr.contains("AWS_ACCESS_KEY_ID"), "{stderr}");
    let stderr = home.fails(7, &["status", "--profile", "no-such-profile", "--region", "x-1"]);
    assert!(stderr.contains("no-such-profile"), "{stderr}");
    let stderr = strangers.fails(2, &["status", "--backend", "aws"]);
    assert!(stderr.contains("region"), "{stderr}");
}
