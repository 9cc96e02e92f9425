//! Calls to AWS, by the actions of IAM.

use std::fmt;

use super::server::Asked;

/// An action, and its resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub action: String,
    pub on: String,
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {}", self.action, self.on)
    }
}

/// Returns the function that made a request, by the application's name, which `infra/` sets for each.
pub fn caller(asked: &Asked) -> String {
    let agent = asked.header("user-agent");
    let name = agent.split(' ').find_map(|part| part.strip_prefix("app/"));
    name.unwrap_or_else(|| panic!("nobody knows who asked: {agent}")).to_owned()
}

/// Returns the call as IAM sees it, or `None` if it needs no permission.
pub fn call(service: &str, operation: &str, name: &str) -> Option<Call> {
    // IAM has no actions for batches: who may send one message may send ten.
    let action = match (service, operation) {
        ("sts", _) => return None,
        ("sqs" | "sns", batch) => batch.strip_suffix("Batch").unwrap_or(batch),
        (_, operation) => operation,
    };
    let on = match service {
        "dynamodb" => format!("table {name}"),
        "sqs" => format!("queue {name}"),
        "sns" => format!("topic {name}"),
        "secretsmanager" => format!("secret {name}"),
        _ => "connections".to_owned(),
    };
    Some(Call { action: format!("{service}:{action}"), on })
}
