//! The alarms that provisioning leaves to the owner of the account, because it has no client for
//! CloudWatch.

use super::engine::Aws;
use super::names::Mailbox;
use crate::ports::Queue;

/// The settings of an alarm for a queue of dead letters that is not empty, as options of `aws cloudwatch
/// put-metric-alarm`. `infra/alarms.tf` makes the same alarms.
const DEAD_LETTERS: [(&str, &str); 8] = [
    ("namespace", "AWS/SQS"),
    ("metric-name", "ApproximateNumberOfMessagesVisible"),
    ("statistic", "Maximum"),
    ("period", "60"),
    ("evaluation-periods", "1"),
    ("comparison-operator", "GreaterThanThreshold"),
    ("threshold", "0"),
    ("treat-missing-data", "notBreaching"),
];

impl Aws {
    /// Returns the commands that make an alarm for each queue of dead letters. What the topic cannot
    /// deliver goes to the dead letters of the provider queue. `target` is the region and whatever else the
    /// AWS CLI needs.
    #[must_use]
    pub fn alarm_commands(&self, target: &str) -> Vec<String> {
        let names = &self.clients.names;
        let settings: String =
            DEAD_LETTERS.iter().map(|(option, value)| format!(" --{option} {value}")).collect();
        let command = |queue: Queue| {
            let (alarm, dead) = (names.dead_letter_alarm(queue), names.queue(Mailbox::Dead(queue)));
            format!(
                "aws cloudwatch put-metric-alarm{target} --alarm-name {alarm}{settings} \
                 --dimensions Name=QueueName,Value={dead}"
            )
        };
        Queue::ALL.map(command).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terraform_makes_the_same_alarm() {
        let alarms = include_str!("../../infra/alarms.tf");
        let begin = r#"resource "aws_cloudwatch_metric_alarm" "dead_letters" {"#;
        let (_, alarm) = alarms.split_once(begin).unwrap();
        let (alarm, _) = alarm.split_once("\n}\n").unwrap();
        let lines: Vec<String> = alarm.lines().map(|line| line.replace([' ', '"'], "")).collect();
        for (option, value) in DEAD_LETTERS {
            let wanted = format!("{}={value}", option.replace('-', "_"));
            assert!(lines.contains(&wanted), "no `{wanted}` in{alarm}");
        }
        assert!(alarm.contains(r#""${local.alarm}dead-letters-${each.key}""#));
    }
}
