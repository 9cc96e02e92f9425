//! Tests that `infra/` makes the same stack as provisioning: every table, queue, topic and subscription,
//! attribute by attribute, in both directions. `infra/test` runs them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::aws::desired::{Desired, DesiredQueue, DesiredTable};
use crate::aws::identity::Identity;
use crate::aws::names::Names;
use crate::aws::provision_queues::same_setting;

/// Names the file with the output of `terraform show -json` for a plan or a state.
const TERRAFORM: &str = "OCACHE_TEST_TERRAFORM";
/// The attributes of queues, by their names in Terraform and in SQS.
const QUEUE_ATTRIBUTES: [(&str, &str); 8] = [
    ("content_based_deduplication", "ContentBasedDeduplication"),
    ("deduplication_scope", "DeduplicationScope"),
    ("fifo_queue", "FifoQueue"),
    ("fifo_throughput_limit", "FifoThroughputLimit"),
    ("max_message_size", "MaximumMessageSize"),
    ("message_retention_seconds", "MessageRetentionPeriod"),
    ("redrive_policy", "RedrivePolicy"),
    ("visibility_timeout_seconds", "VisibilityTimeout"),
];
/// Attributes that both leave at the defaults of SQS.
const QUEUE_DEFAULTS: [&str; 4] =
    ["delay_seconds", "receive_wait_time_seconds", "kms_master_key_id", "redrive_allow_policy"];

struct Terraform {
    resources: Vec<Value>,
    /// Whether this is a plan. In a plan, ARNs and what is derived from them are not known.
    is_plan: bool,
}

impl Terraform {
    fn read() -> Self {
        let path = std::env::var(TERRAFORM).unwrap();
        let mut shown: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let is_plan = shown.get("planned_values").is_some();
        let values = if is_plan { "planned_values" } else { "values" };
        // The root module has resources of its own, with which `infra/test` examines the others.
        let module = &mut shown[values]["root_module"]["child_modules"][0];
        assert_eq!(module["address"], "module.ocache");
        let Value::Array(resources) = module["resources"].take() else {
            panic!("no resources are shown")
        };
        Self { resources, is_plan }
    }

    /// Returns the attributes of all resources of a type, by the value of one of them.
    fn all(&self, kind: &str, key: &str) -> BTreeMap<String, &Value> {
        let of_kind = self.resources.iter().filter(|resource| resource["type"] == kind);
        of_kind.map(|resource| &resource["values"]).map(|all| (text(&all[key]), all)).collect()
    }

    fn only(&self, kind: &str, name: &str) -> &Value {
        let is_it = |resource: &&Value| resource["type"] == kind && resource["name"] == name;
        let mut found = self.resources.iter().filter(is_it);
        let (first, second) = (found.next(), found.next());
        assert!(second.is_none(), "there are several {kind} {name}");
        &first.unwrap_or_else(|| panic!("there is no {kind} {name}"))["values"]
    }

    /// Returns the policy of a queue, which has the same name and index.
    fn policy_of(&self, queue: &str) -> &Value {
        let of_kind = |kind: &'static str| {
            self.resources.iter().filter(move |resource| resource["type"] == kind)
        };
        let queues = of_kind("aws_sqs_queue").find(|found| found["values"]["name"] == queue);
        let place = |resource: &Value| (resource["name"].clone(), resource["index"].clone());
        let place_of_queue = queues.map(place);
        let policy =
            of_kind("aws_sqs_queue_policy").find(|found| Some(place(found)) == place_of_queue);
        &policy.unwrap_or_else(|| panic!("queue {queue} has no policy"))["values"]
    }

    /// Whether a value is as it should be, or is not known in the plan.
    fn is(&self, value: &Value, should: &str) -> bool {
        (self.is_plan && value.is_null()) || same_setting(&text(value), should)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a value is zero, empty or null.
fn is_unset(value: &Value) -> bool {
    [Value::Null, json!(0), json!(""), json!(false), json!([])].contains(value)
}

fn desired(terraform: &Terraform) -> Desired {
    let topic = terraform.only("aws_sns_topic", "quotations");
    let stack = text(&topic["name"]);
    let names = Names::new(stack.strip_suffix("-quotations").unwrap()).unwrap();
    let arn = text(&topic["arn"]);
    let part = |index| arn.split(':').nth(index).unwrap_or_default().to_owned();
    let (region, account) = (part(3), part(4));
    let arn = format!("arn:aws:iam::{account}:root");
    Desired::new(&names, &Identity { account, arn, region, endpoint: None })
}

fn check_table(should: &DesiredTable, is: &Value) {
    let name = &should.name;
    assert_eq!(is["billing_mode"], "PAY_PER_REQUEST", "{name}");
    assert_eq!(is["hash_key"], should.keys[0], "{name}");
    assert_eq!(is["range_key"].as_str(), should.keys.get(1).copied(), "{name}");
    let mut attributes: Vec<_> = is["attribute"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attribute| (text(&attribute["name"]), text(&attribute["type"])))
        .collect();
    attributes.sort_by_key(|(name, _)| should.keys.iter().position(|key| key == name));
    let keys: Vec<_> = should.keys.iter().map(|key| ((*key).to_owned(), "S".to_owned())).collect();
    assert_eq!(attributes, keys, "{name}");
    let ttl = is["ttl"].as_array().and_then(|ttl| ttl.first());
    let ttl = ttl.filter(|ttl| ttl["enabled"] == true).map(|ttl| text(&ttl["attribute_name"]));
    assert_eq!(ttl.as_deref(), should.ttl, "{name}");
    for index in ["global_secondary_index", "local_secondary_index", "stream_enabled", "replica"] {
        assert!(is_unset(&is[index]), "{name} has {index}: {}", is[index]);
    }
}

fn check_queue(terraform: &Terraform, should: &DesiredQueue, is: &Value) {
    let name = &should.name;
    let mut left: BTreeMap<String, &String> =
        should.attributes.iter().map(|(key, value)| (key.to_string(), value)).collect();
    for (key, attribute) in QUEUE_ATTRIBUTES {
        match left.remove(attribute) {
            Some(value) => {
                assert!(terraform.is(&is[key], value), "{name} {attribute}: {} {value}", is[key]);
            }
            None => assert!(is_unset(&is[key]), "{name} has {attribute}: {}", is[key]),
        }
    }
    if let Some(policy) = left.remove("Policy") {
        let is = terraform.policy_of(name);
        assert!(terraform.is(&is["policy"], policy), "{name} Policy: {} {policy}", is["policy"]);
        let url = text(&is["queue_url"]);
        assert!(terraform.is_plan || url.ends_with(&format!("/{name}")), "the policy is of {url}");
    }
    assert!(left.is_empty(), "{name}: only provisioning sets {left:?}");
    for key in QUEUE_DEFAULTS {
        assert!(is_unset(&is[key]), "{name}: only infra/ sets {key}: {}", is[key]);
    }
}

#[test]
#[ignore = "needs Terraform: infra/test"]
fn tables_are_the_same() {
    let terraform = Terraform::read();
    let mut found = terraform.all("aws_dynamodb_table", "name");
    for should in desired(&terraform).tables {
        check_table(&should, found.remove(&should.name).expect(&should.name));
    }
    assert!(found.is_empty(), "only infra/ makes {:?}", found.keys());
}

#[test]
#[ignore = "needs Terraform: infra/test"]
fn queues_are_the_same() {
    let terraform = Terraform::read();
    let mut found = terraform.all("aws_sqs_queue", "name");
    for should in desired(&terraform).queues {
        check_queue(&terraform, &should, found.remove(&should.name).expect(&should.name));
    }
    // The queues of dead letters for source tables exist only with functions.
    found.retain(|name, _| !name.ends_with("-source-tables-dlq"));
    assert!(found.is_empty(), "only infra/ makes {:?}", found.keys());
}

#[test]
#[ignore = "needs Terraform: infra/test"]
fn topic_and_subscription_are_the_same() {
    let terraform = Terraform::read();
    let should = desired(&terraform).topic;
    let topic = terraform.only("aws_sns_topic", "quotations");
    assert_eq!(topic["name"], should.name);
    assert!(terraform.is(&topic["arn"], &should.arn), "{}", topic["arn"]);
    let policy = &terraform.only("aws_sns_topic_policy", "quotations")["policy"];
    assert!(terraform.is(policy, &should.policy()), "{policy} {}", should.policy());
    for key in ["fifo_topic", "content_based_deduplication", "kms_master_key_id"] {
        assert!(is_unset(&topic[key]), "only infra/ sets {key}: {}", topic[key]);
    }
    let subscription = terraform.only("aws_sns_topic_subscription", "provider");
    assert_eq!(subscription["protocol"], "sqs");
    for (key, (name, value)) in
        ["raw_message_delivery", "redrive_policy"].iter().zip(should.attributes())
    {
        assert!(terraform.is(&subscription[key], &value), "{name}: {} {value}", subscription[key]);
    }
    assert!(terraform.is(&subscription["topic_arn"], &should.arn), "{subscription}");
    assert!(terraform.is(&subscription["endpoint"], &should.subscriber_arn), "{subscription}");
    for key in ["filter_policy", "delivery_policy"] {
        assert!(is_unset(&subscription[key]), "only infra/ sets {key}: {}", subscription[key]);
    }
}
