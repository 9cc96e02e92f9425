//! Tests of another program's table, whose stream wakes a function.

use serde_json::json;

use super::stack::on_the_stack;
use super::waiting::wait_for;

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn changes_of_a_source_table_are_loaded() {
    on_the_stack(|stack| {
        let table = format!("{}-theirs", stack.name());
        let write = |operation: &str, body| {
            stack.operation("dynamodb", &format!("DynamoDB_20120810.{operation}"), &body);
        };
        let put = |price: &str| {
            let item = json!({
                "sku": { "S": "THEIRS-1" }, "name": { "S": "Lamp" }, "price": { "N": price },
                "updated_at": { "S": "2026-11-29T08:00:00Z" },
            });
            write("PutItem", json!({ "TableName": table, "Item": item }));
        };
        let price = || {
            let found = stack.json(&["list", "products", "--match", "THEIRS-1"]);
            found[0]["price"].as_str().map(str::to_owned)
        };
        put("9.5");
        wait_for("an inserted product", || price().filter(|price| price == "9.50"));
        put("8.25");
        wait_for("a modified product", || price().filter(|price| price == "8.25"));
        let key = json!({ "sku": { "S": "THEIRS-1" } });
        write("DeleteItem", json!({ "TableName": table, "Key": key }));
        wait_for("a removed product", || price().is_none().then_some(()));
    });
}
