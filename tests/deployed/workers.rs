//! Tests of workers beside the functions and instead of them.

use serde_json::json;

use super::stack::{Stack, on_the_stack};

fn total_of_a_cold_quote(stack: &Stack, user: &str) -> serde_json::Value {
    stack.json(&["quote", "--client", user, "P1:2"])["total"].clone()
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_worker_replaces_the_function_of_both_calculation_queues() {
    on_the_stack(|stack| {
        for queue in ["quotation", "refresh"] {
            stack.deliver(queue, false);
        }
        let mut worker = stack.home.start(&stack.args(&["worker", "price-calc"]));
        assert_eq!(total_of_a_cold_quote(stack, "worker-1"), json!("1000.00"));
        let line = worker.stderr_line("URGENT calculation");
        assert!(line.contains("worker-1"), "{line}");
        assert_eq!(worker.interrupt().0, Some(0));
        for queue in ["quotation", "refresh"] {
            stack.deliver(queue, true);
        }
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_worker_replaces_the_provider_and_pushes_through_the_management_api() {
    on_the_stack(|stack| {
        stack.deliver("provider", false);
        let endpoint = stack.output("management_endpoint");
        let args = ["worker", "quotation-provider", "--management-endpoint", endpoint];
        let mut worker = stack.home.start(&stack.args(&args));
        assert_eq!(total_of_a_cold_quote(stack, "worker-2"), json!("1000.00"));
        let line = worker.stderr_line("answered");
        assert!(line.contains("worker-2"), "{line}");
        assert_eq!(worker.interrupt().0, Some(0));
        stack.deliver("provider", true);
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_worker_helps_the_functions() {
    on_the_stack(|stack| {
        let endpoint = stack.output("management_endpoint");
        let args = ["worker", "all", "--management-endpoint", endpoint];
        let mut worker = stack.home.start(&stack.args(&args));
        worker.stderr_line("working");
        for user in ["helped-1", "helped-2", "helped-3"] {
            assert_eq!(total_of_a_cold_quote(stack, user), json!("1000.00"));
        }
        assert_eq!(worker.interrupt().0, Some(0));
        assert_eq!(stack.json(&["dead-letters", "list"]), json!([]));
    });
}
