//! Tables of the stand-in, as far as the functions use them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// An item in DynamoDB's notation.
pub type Item = Map<String, Value>;

/// One table: its items by key.
#[derive(Default)]
pub struct Table(BTreeMap<String, Item>);

/// A condition that failed, with the item as it is.
pub struct Refused(pub Item);

/// Returns a key as one text.
fn key(table: &str, item: &Item) -> String {
    let parts: &[&str] = match table {
        "quotations" => &["request_id"],
        "products" => &["product_id"],
        "journal" => &["load_id", "first"],
        "price-lists" => &["list_id", "scope_id"],
        "prices-by-user" => &["user_id", "part"],
        "meter" => &["window", "process"],
        _ => &["user_id"],
    };
    parts.iter().map(|part| item[*part]["S"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

impl Table {
    pub fn get(&self, table: &str, wanted: &Item) -> Option<Item> {
        self.0.get(&key(table, wanted)).cloned()
    }

    pub fn put(&mut self, table: &str, item: Item) {
        self.0.insert(key(table, &item), item);
    }

    pub fn all(&self) -> Vec<Item> {
        self.0.values().cloned().collect()
    }

    /// Removes the items that a test wants to be missing.
    pub fn remove(&mut self, is_it: impl Fn(&Item) -> bool) {
        self.0.retain(|_, item| !is_it(item));
    }

    pub fn delete(&mut self, table: &str, wanted: &Item) {
        self.0.remove(&key(table, wanted));
    }

    /// Returns the items of a load's journal that a query selects, or those of a price list.
    pub fn query(&self, request: &Value) -> Vec<Item> {
        let values = &request["ExpressionAttributeValues"];
        let value = |name: &str| values[name]["S"].as_str();
        if let Some(list) = value(":list") {
            let of_list = |item: &&Item| item["list_id"]["S"] == list;
            return self.0.values().filter(of_list).cloned().collect();
        }
        let is_asked = |item: &Item| {
            let first = item["first"]["S"].as_str().unwrap();
            item["load_id"]["S"].as_str() == value(":load")
                && first.starts_with(value(":kind").unwrap_or_default())
                && value(":name").is_none_or(|last| first <= last)
        };
        let mut items: Vec<Item> = self.0.values().filter(|item| is_asked(item)).cloned().collect();
        if request["ScanIndexForward"] == false {
            items.reverse();
        }
        items.truncate(request["Limit"].as_u64().map_or(usize::MAX, |limit| limit as usize));
        if request["ProjectionExpression"].is_string() {
            items.iter_mut().for_each(|item| item.retain(|name, _| name != "changes"));
        }
        items
    }

    /// Puts an item. Is refused if the condition demands that there is none, or none of such a version.
    pub fn put_if(&mut self, table: &str, request: &Value) -> Result<(), Refused> {
        let item = request["Item"].as_object().unwrap().clone();
        let condition = request["ConditionExpression"].as_str().unwrap_or_default();
        let version = |item: &Value| item["N"].as_str().and_then(|n| n.parse::<u64>().ok());
        let below = version(&request["ExpressionAttributeValues"][":version"]);
        let is_lower = |stored: &Item| {
            condition.contains("version < ") && stored.get("version").and_then(version) < below
        };
        match self.get(table, &item) {
            Some(stored) if condition.contains("attribute_not_exists") && !is_lower(&stored) => {
                Err(Refused(stored))
            }
            _ => {
                self.put(table, item);
                Ok(())
            }
        }
    }

    /// Updates an item. Returns it as it was and as it is.
    pub fn update(&mut self, table: &str, request: &Value) -> Result<(Item, Item), Refused> {
        let wanted = request["Key"].as_object().unwrap();
        let before = self.get(table, wanted).unwrap_or_default();
        let condition = request["ConditionExpression"].as_str().unwrap_or_default();
        let is_pending = before.get("status").is_some_and(|status| status["S"] == "pending");
        if condition.contains(":pending") && !is_pending {
            return Err(Refused(before));
        }
        let mut after = before.clone();
        after.extend(wanted.clone());
        let names = &request["ExpressionAttributeNames"];
        let named = |name: &str| names[name].as_str().unwrap_or(name).to_owned();
        let expression = request["UpdateExpression"].as_str().unwrap();
        let (set, remove) = match expression.strip_prefix("REMOVE ") {
            Some(remove) => ("", remove),
            None => expression.split_once(" REMOVE ").unwrap_or((expression, "")),
        };
        let set = assignments(set.trim_start_matches("SET "));
        for assignment in set.iter().filter(|assignment| !assignment.is_empty()) {
            let (name, value) = assignment.split_once(" = ").unwrap();
            let value = evaluate(value, &before, &request["ExpressionAttributeValues"]);
            match name.split_once('.') {
                Some((map, name)) => after[&named(map)]["M"][name] = value,
                None => drop(after.insert(named(name), value)),
            }
        }
        for name in remove.split(", ").filter(|name| !name.is_empty()) {
            after.remove(&named(name.trim()));
        }
        self.put(table, after.clone());
        Ok((before, after))
    }
}

/// Splits at commas that are not inside the parentheses of a function.
fn assignments(set: &str) -> Vec<String> {
    let joined = set.split(", ").fold(Vec::<String>::new(), |mut parts, part| {
        match parts.last_mut() {
            Some(last) if last.contains('(') && !last.contains(')') => {
                last.push_str(", ");
                last.push_str(part);
            }
            _ => parts.push(part.trim().to_owned()),
        }
        parts
    });
    joined.into_iter().map(|part| part.trim().to_owned()).collect()
}

fn evaluate(value: &str, before: &Item, values: &Value) -> Value {
    if let Some(inside) = value.strip_prefix("if_not_exists(") {
        let (name, other) = inside.trim_end_matches(')').split_once(", ").unwrap();
        let other = before.get(other).unwrap_or(&values[other]);
        return before.get(name).unwrap_or(other).clone();
    }
    if let Some((name, one)) = value.split_once(" + ") {
        let number = |value: &Value| value["N"].as_str().unwrap().parse::<u64>().unwrap();
        return json!({ "N": (number(&before[name]) + number(&values[one])).to_string() });
    }
    values[value].clone()
}
