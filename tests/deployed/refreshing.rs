//! Tests of subscriptions and of the schedule.

use serde_json::json;

use super::stack::on_the_stack;
use super::waiting::wait_for;

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_subscriber_gets_a_table_and_the_schedule_keeps_it() {
    on_the_stack(|stack| {
        let (status, said) = stack.subscribe("scheduled");
        assert_eq!((status, &said["user_id"]), (202, &json!("scheduled")));
        let table = wait_for("the table", || stack.try_json(&["prices", "scheduled"]));
        assert_eq!(table["prices"][0]["unit_price"], "500.00");

        let validated =
            |table: &serde_json::Value| table["validated_at"].as_str().unwrap().to_owned();
        let first = validated(&table);
        wait_for("a refresh by the schedule", || {
            let table = stack.try_json(&["prices", "scheduled"])?;
            (validated(&table) > first).then_some(())
        });
        let refresh = format!("{}-refresh", stack.name());
        let log = stack.log(&refresh);
        assert!(log.iter().any(|line| line.contains(r#""message":"refresh""#)), "{log:#?}");
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_subscription_that_is_none_is_refused() {
    on_the_stack(|stack| {
        let (status, said) = stack.subscribe("");
        assert_eq!(status, 400, "{said}");
    });
}
