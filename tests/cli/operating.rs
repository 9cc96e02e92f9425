//! Tests of the alert rules and the dashboard of `docs/operating`: they can be parsed, and use metrics that
//! exist.

use std::collections::{BTreeMap, BTreeSet};

use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::Value;

use super::metrics::get;
use super::process::Home;

const ALERTS: &str = include_str!("../../docs/operating/alerts.yml");
const DASHBOARD: &str = include_str!("../../docs/operating/dashboard.json");

/// Every metric that a running stack exports, with the values of its labels.
struct Exported(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Exported {
    /// Reads the metrics of a process that runs everything, once it has done a tick.
    fn read() -> Self {
        let home = Home::new();
        let (_up, url) = home.up(&[]);
        let mut text = get(&url, "/metrics", "host: localhost").1;
        while !text.contains("ocache_last_tick_age_seconds ") {
            text = get(&url, "/metrics", "host: localhost").1;
        }
        let mut metrics = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
            let labels: &mut BTreeMap<_, BTreeSet<_>> = metrics.entry(name.to_owned()).or_default();
            let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            for (label, value) in inside.into_iter().flat_map(|inside| matchers(inside.0)) {
                labels.entry(label).or_default().insert(value);
            }
        }
        Self(metrics)
    }

    /// Fails unless everything that an expression selects exists.
    fn check(&self, what: &str, expression: &str) {
        assert_eq!(
            expression.matches('(').count(),
            expression.matches(')').count(),
            "{what}: {expression}"
        );
        let mut found = 0;
        for (at, _) in expression.match_indices("ocache_") {
            let selector = &expression[at..];
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = selector.find(|c| !is_of_name(c)).unwrap_or(selector.len());
            let (name, rest) = selector.split_at(end);
            let labels = self.0.get(name).unwrap_or_else(|| panic!("{what}: there is no {name}"));
            let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            for (label, value) in inside.into_iter().flat_map(|inside| matchers(inside.0)) {
                let is_there = labels.get(&label).is_some_and(|values| values.contains(&value));
                assert!(is_there, "{what}: {name} has no {label}=\"{value}\"");
            }
            found += 1;
        }
        assert!(found > 0, "{what}: no metric of ocache in `{expression}`");
        // A grouping is by a label of a metric in the expression, or by one that Prometheus adds.
        for group in expression.split("by (").skip(1) {
            for label in group.split(')').next().unwrap().split(", ") {
                let has = |labels: &BTreeMap<String, BTreeSet<String>>| labels.contains_key(label);
                let mut metrics = self.0.iter().filter(|(name, _)| expression.contains(*name));
                assert!(metrics.any(|(_, labels)| has(labels)), "{what}: by {label}");
            }
        }
    }
}

/// Returns `a="b",c="d"` as pairs.
fn matchers(inside: &str) -> Vec<(String, String)> {
    let parts = inside.split("\",").map(|part| part.trim_end_matches('"'));
    let pairs = parts.filter_map(|part| part.split_once("=\""));
    pairs.map(|(label, value)| (label.trim().to_owned(), value.to_owned())).collect()
}

#[test]
fn a_stack_that_never_refreshed_is_noticed() {
    let home = Home::new();
    let mut gateway = home.start(&["serve", "--port", "0", "--output", "json"]);
    let url = gateway.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let text = get(&url, "/metrics", "host: localhost").1;
    assert!(!text.lines().any(|line| line.starts_with("ocache_active_users")), "{text}");
    let alerting = r#"ocache_processes{role="refresh"} 0"#;
    assert!(text.lines().any(|line| line == alerting), "{text}");
    assert!(ALERTS.contains(r#"expr: max(ocache_processes{role="refresh"}) == 0"#));
}

#[test]
fn alert_rules_and_dashboard_ask_for_what_is_exported() {
    let exported = Exported::read();
    let documents = Yaml::load_from_str(ALERTS).unwrap();
    let groups = documents[0]["groups"].as_vec().unwrap();
    let rules = groups[0]["rules"].as_vec().unwrap();
    let mut names = BTreeSet::new();
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        exported.check(name, rule["expr"].as_str().unwrap());
        assert!(rule["labels"]["severity"].as_str().is_some(), "{name}");
        for annotation in ["summary", "description"] {
            assert!(rule["annotations"][annotation].as_str().is_some(), "{name}: {annotation}");
        }
    }
    assert!(names.len() >= 10, "{names:?}");

    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut places, mut shown) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is taken");
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(places.insert((place("y"), place("x"))), "{title}: its place is taken");
        assert!(place("x") + place("w") <= 24, "{title}");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            exported.check(title, expression);
            let is_shown = |name: &&String| expression.contains(name.as_str());
            shown.extend(exported.0.keys().filter(is_shown).cloned());
        }
    }
    // A histogram is shown by its buckets.
    let of_histogram = |name: &str| name.ends_with("_sum") || name.ends_with("_count");
    let is_missing = |name: &&String| !shown.contains(*name) && !of_histogram(name);
    let missing: Vec<_> = exported.0.keys().filter(is_missing).collect();
    assert!(missing.is_empty(), "the dashboard does not show {missing:?}");
}
