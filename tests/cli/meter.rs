//! Tests that every process writes down what it used, and that another process can add it up.

use serde_json::Value;

use super::process::Home;

fn lines<'a>(reading: &'a Value, stage: &str) -> Vec<&'a Value> {
    let lines = reading["usage"].as_array().unwrap();
    lines.iter().filter(|line| line["stage"] == stage).collect()
}

fn total(lines: &[&Value], unit: &str) -> u64 {
    let of_unit = lines.iter().filter(|line| line["unit"] == unit);
    of_unit.map(|line| line["derived_milliunits"].as_u64().unwrap()).sum()
}

#[test]
fn what_processes_used_is_added_up() {
    let home = Home::with_empty_store();
    let nothing = home.json(&["meter"]);
    assert_eq!(nothing["usage"], serde_json::json!([]));

    let home = Home::with_fixtures();
    let (up, _) = home.up(&["--verbose"]);
    home.ok(&["quote", "--client", "AAA", "P1:2"]);
    let (code, log) = up.interrupt();
    assert!(code == Some(0) && log.contains("used calls="), "{log}");
    let reading = home.json(&["meter"]);
    assert!(reading["processes"].as_u64() >= Some(2), "{reading}");
    let loaded = lines(&reading, "load");
    // Five products and two lists; the journal, written and dropped; the head five times.
    assert_eq!(total(&loaded, "write_unit"), 15_000, "{loaded:?}");
    let calculated = lines(&reading, "price_calc");
    assert!(calculated.iter().any(|line| line["reason"] == "quote"), "{calculated:?}");
    let answered = lines(&reading, "quotation_provider");
    assert!(total(&answered, "write_unit") >= 1000, "{answered:?}");
    assert!(answered.iter().all(|line| line["measured_milliunits"] == 0), "{answered:?}");
    assert!(lines(&reading, "unknown").is_empty(), "{reading}");

    let shown = home.ok(&["meter", "--over", "10m"]);
    assert!(shown.contains("price_calc") && shown.contains("derived from AWS's rules"), "{shown}");
}
