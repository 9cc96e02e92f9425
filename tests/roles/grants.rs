//! Parses the `grants` of `infra/roles.tf` without Terraform.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::Call;

const ROLES: &str = include_str!("../../infra/roles.tf");
/// The actions that Lambda itself uses in the name of a function to which it delivers a queue.
const DELIVERY: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// A value of Terraform's language, as far as `roles.tf` uses it.
#[derive(Clone, Debug)]
enum Value {
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
    Reference(String),
}

/// Returns what each function may do, apart from what Lambda needs to deliver queues to it.
pub fn granted() -> BTreeMap<String, BTreeSet<Call>> {
    let Value::Object(functions) = local("grants") else { panic!("grants are no object") };
    let all = functions.into_iter().map(|(function, grants)| {
        let Value::List(grants) = grants else { panic!("{function} has no list of grants") };
        (function, grants.into_iter().flat_map(calls).collect())
    });
    all.collect()
}

fn calls(grant: Value) -> Vec<Call> {
    let grant = match grant {
        Value::Reference(name) => local(name.trim_start_matches("local.")),
        grant => grant,
    };
    let Value::Object(grant) = grant else { panic!("{grant:?} is no grant") };
    let part = |name: &str| {
        let (_, value) = grant.iter().find(|(key, _)| key == name).unwrap();
        texts(value.clone())
    };
    let (actions, resources) = (part("actions"), part("resources"));
    let actions = actions.iter().filter(|action| !DELIVERY.contains(&action.as_str()));
    let pairs = actions.flat_map(|action| {
        resources.iter().map(|on| Call { action: action.clone(), on: on.clone() })
    });
    pairs.collect()
}

/// Returns a list of texts. Names are replaced by what they refer to.
fn texts(value: Value) -> Vec<String> {
    match value {
        Value::List(values) => values.into_iter().flat_map(texts).collect(),
        Value::Text(text) => vec![text],
        Value::Reference(name) => {
            let list =
                name.strip_prefix("local.").filter(|name| ROLES.contains(&format!("{name} ")));
            match list.map(local) {
                Some(Value::List(values)) => texts(Value::List(values)),
                _ => vec![resource(&name)],
            }
        }
        Value::Object(_) => panic!("{value:?} is no text"),
    }
}

/// Returns the name under which calls are recorded.
fn resource(reference: &str) -> String {
    let index = reference.split('"').nth(1);
    match (reference.split(['.', '[']).nth(1), index) {
        (Some(kind @ ("table" | "queue")), Some(name)) => format!("{kind} {name}"),
        _ if reference == "aws_sns_topic.quotations.arn" => "topic quotations".to_owned(),
        _ if reference == "local.push" => "connections".to_owned(),
        _ if reference == "local.token_keys_arn" => "secret token-keys".to_owned(),
        _ => reference.to_owned(),
    }
}

/// Returns the value of a local.
fn local(name: &str) -> Value {
    let text: String = ROLES.lines().map(|line| line.split(" #").next().unwrap_or(line)).fold(
        String::new(),
        |text, line| match line.trim_start().starts_with('#') {
            true => text,
            false => text + line + "\n",
        },
    );
    let at = text.find(&format!("\n  {name} ")).unwrap_or_else(|| panic!("no local {name}"));
    let (_, value) = text[at..].split_once('=').unwrap();
    Reader(value).value()
}

/// The text that is not yet parsed.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn skip(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\n', ',']);
    }

    fn take(&mut self, what: char) -> bool {
        self.skip();
        let rest = self.0.strip_prefix(what);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn word(&mut self, ends: impl Fn(char) -> bool) -> String {
        let (word, rest) = self.0.split_at(self.0.find(ends).unwrap_or(self.0.len()));
        self.0 = rest;
        word.to_owned()
    }

    fn value(&mut self) -> Value {
        if self.take('"') {
            let text = self.word(|char| char == '"');
            self.take('"');
            return Value::Text(text);
        }
        if self.take('[') {
            let mut values = vec![];
            while !self.take(']') {
                values.push(self.value());
            }
            return Value::List(values);
        }
        if self.take('{') {
            let mut pairs = vec![];
            while !self.take('}') {
                self.skip();
                let key = self.word(|char| char == ' ' || char == '=');
                assert!(self.take('='), "no value of {key}: {}", self.0);
                pairs.push((key, self.value()));
            }
            return Value::Object(pairs);
        }
        let mut name = self.word(|char| !(char.is_alphanumeric() || "._-".contains(char)));
        while self.0.starts_with('[') {
            name += &self.word(|char| char == ']');
            self.0 = &self.0[1..];
            name.push(']');
        }
        assert!(!name.is_empty(), "not understood: {}", self.0);
        Value::Reference(name)
    }
}

#[test]
fn grants_are_read_as_terraform_reads_them() {
    let granted = granted();
    let subscribe: Vec<_> = granted["subscribe"].iter().map(ToString::to_string).collect();
    assert_eq!(
        subscribe,
        [
            "dynamodb:GetItem on table products",
            "dynamodb:PutItem on table meter",
            "dynamodb:UpdateItem on table active-users",
            "sqs:GetQueueUrl on queue quotation",
            "sqs:SendMessage on queue quotation",
        ]
    );
    assert!(granted["connect"].is_empty());
}
