//! The JSON Schemas in `docs/schemas`, and whether a value conforms to them.
//!
//! This knows the few keywords that those schemas use, and fails at any other, so everything in them is
//! checked. It also notes which properties were seen, so that a schema cannot promise what no command
//! prints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// The pattern of an amount.
const DECIMAL: &str = r"^-?[0-9]+(\.[0-9]+)?$";

/// The schemas, and which properties of each were seen.
pub struct Schemas {
    all: BTreeMap<String, Value>,
    seen: BTreeMap<String, BTreeSet<String>>,
}

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

impl Schemas {
    pub fn read() -> Self {
        Self::of(&folder())
    }

    /// Reads the schemas of a folder.
    pub fn of(folder: &Path) -> Self {
        let mut all = BTreeMap::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let schema = serde_json::from_str(&text);
            all.insert(name, schema.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
        Self { all, seen: BTreeMap::new() }
    }

    /// Returns the names of the schemas: those of commands, with `-` between the words.
    pub fn names(&self) -> BTreeSet<String> {
        self.all.keys().cloned().collect()
    }

    /// Fails unless a value conforms to its schema.
    pub fn check(&mut self, name: &str, value: &Value) {
        let schema =
            self.all.get(name).unwrap_or_else(|| panic!("docs/schemas has no {name}.json"));
        let mut seen = BTreeSet::new();
        if let Err(why) = fits(schema, value, "", &mut seen) {
            panic!("docs/schemas/{name}.json: {why}\n{value:#}");
        }
        self.seen.entry(name.to_owned()).or_default().extend(seen);
    }

    /// Whether a value conforms to its schema.
    pub fn fits(&self, name: &str, value: &Value) -> bool {
        fits(&self.all[name], value, "", &mut BTreeSet::new()).is_ok()
    }

    /// Returns the properties of a schema that no value had so far.
    pub fn unseen(&self, name: &str) -> Vec<String> {
        let mut promised = BTreeSet::new();
        properties(&self.all[name], "", &mut promised);
        let seen = self.seen.get(name).cloned().unwrap_or_default();
        promised.difference(&seen).cloned().collect()
    }
}

/// Collects every property of a schema, by its place.
fn properties(schema: &Value, at: &str, into: &mut BTreeSet<String>) {
    for (key, below) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{at}/{key}");
        properties(below, &place, into);
        into.insert(place);
    }
    for (key, place) in [("items", "/*"), ("additionalProperties", "/*")] {
        if schema[key].is_object() {
            properties(&schema[key], &format!("{at}{place}"), into);
        }
    }
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        properties(choice, at, into);
    }
}

type Fit = Result<(), String>;

fn fits(schema: &Value, value: &Value, at: &str, seen: &mut BTreeSet<String>) -> Fit {
    for (word, says) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "title" | "description" => {}
            // Checked with `properties`, below.
            "required" | "additionalProperties" => {}
            "type" => of_type(says, value, at)?,
            "const" => equal(says == value, value, at)?,
            "enum" => equal(says.as_array().unwrap().contains(value), value, at)?,
            "minimum" => {
                let enough = value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap());
                equal(enough, value, at)?;
            }
            "pattern" => {
                assert_eq!(says, DECIMAL, "a pattern that this test does not know");
                equal(value.as_str().is_none_or(is_decimal), value, at)?;
            }
            "format" => {
                assert_eq!(says, "date-time", "a format that this test does not know");
                let is_time = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
                equal(value.as_str().is_none_or(is_time), value, at)?;
            }
            "properties" => object(schema, value, at, seen)?,
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    fits(says, item, &format!("{at}/*"), seen)?;
                }
            }
            "anyOf" => any(says.as_array().unwrap(), value, at, seen)?,
            other => panic!("the word `{other}`, which this test does not know"),
        }
    }
    if schema.get("properties").is_none() && schema["additionalProperties"].is_object() {
        object(schema, value, at, seen)?;
    }
    Ok(())
}

fn of_type(says: &Value, value: &Value, at: &str) -> Fit {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type `{other}`, which this test does not know"),
    };
    let fits = match says {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    };
    if fits { Ok(()) } else { Err(format!("{at} is {value}, and not of type {says}")) }
}

fn equal(fits: bool, value: &Value, at: &str) -> Fit {
    if fits { Ok(()) } else { Err(format!("{at} is {value}")) }
}

fn object(schema: &Value, value: &Value, at: &str, seen: &mut BTreeSet<String>) -> Fit {
    let Some(members) = value.as_object() else { return Ok(()) };
    let none = Map::new();
    let known = schema["properties"].as_object().unwrap_or(&none);
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at} has no {name}"));
        }
    }
    for (name, member) in members {
        match (known.get(name), &schema["additionalProperties"]) {
            (Some(schema), _) => {
                let place = format!("{at}/{name}");
                fits(schema, member, &place, seen)?;
                seen.insert(place);
            }
            (None, schema @ Value::Object(_)) => fits(schema, member, &format!("{at}/*"), seen)?,
            (None, _) => {
                return Err(format!("{at} has `{name}`, of which the schema says nothing"));
            }
        }
    }
    Ok(())
}

fn any(choices: &[Value], value: &Value, at: &str, seen: &mut BTreeSet<String>) -> Fit {
    let mut reasons = vec![];
    for choice in choices {
        let mut shown = BTreeSet::new();
        match fits(choice, value, at, &mut shown) {
            Ok(()) => {
                seen.extend(shown);
                return Ok(());
            }
            Err(why) => reasons.push(why),
        }
    }
    Err(reasons.join("; or "))
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        None => digits(text),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let mut schemas = Schemas::read();
    let good = serde_json::json!([{ "user": "AAA", "removed": true, "was": "active" }]);
    schemas.check("unsubscribe", &good);
    assert_eq!(schemas.unseen("unsubscribe"), Vec::<String>::new());
    assert_eq!(schemas.unseen("subscribe").len(), 3);
    for wrong in [
        serde_json::json!({}),
        serde_json::json!([{ "user": "AAA" }]),
        serde_json::json!([{ "user": 7, "removed": true, "was": "active" }]),
        serde_json::json!([{ "user": "AAA", "removed": true, "was": "new" }]),
        serde_json::json!([{ "user": "AAA", "removed": true, "was": "active", "new": 1 }]),
    ] {
        let fit = fits(&schemas.all["unsubscribe"], &wrong, "", &mut BTreeSet::new());
        assert!(fit.is_err(), "{wrong}");
    }
    let amounts = ["1", "-1.50", "0.0"].map(is_decimal);
    let others = ["", "-", "1.", ".5", "1e3", "1,5"].map(is_decimal);
    assert_eq!((amounts, others), ([true; 3], [false; 6]));
}
