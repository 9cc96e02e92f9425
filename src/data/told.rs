//! What a load did or would do, as JSON. The command line and HTTP use the same form.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Amounts, Effect, KindCounts, Mentions, MovedPrice, Moves, Notice, SeveralLines};

/// Returns what a load did to the rows of each kind.
#[must_use]
pub fn counts_json(counts: &KindCounts) -> Map<String, Value> {
    members(counts)
}

/// Returns what may be unintended in the data.
#[must_use]
pub fn mentions_json(mentions: &Mentions) -> Map<String, Value> {
    members(mentions)
}

fn members(of: &impl Serialize) -> Map<String, Value> {
    match json!(of) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Returns the rows of several lines in each file that has any.
#[must_use]
pub fn several_lines_json(notices: &[Notice]) -> Value {
    let told = notices.iter().filter_map(|notice| match notice {
        Notice::SeveralLines { path, rows } => {
            let SeveralLines { count, first, longest, lines } = rows;
            Some(json!({
                "path": path.display().to_string(),
                "rows": count,
                "first_line": first,
                "longest": { "line": longest, "lines": lines },
            }))
        }
        _ => None,
    });
    told.collect()
}

/// Returns how prices would change.
#[must_use]
pub fn effect_json(effect: &Effect, unit_decimals: u8) -> Value {
    let Effect { customers, affected, up, down, new, gone, under_floor } = effect;
    json!({
        "customers": customers,
        "affected": affected,
        "up": moves_json(up, unit_decimals),
        "down": moves_json(down, unit_decimals),
        "new": new,
        "gone": gone,
        "under_floor": moves_json(under_floor, unit_decimals),
    })
}

fn moves_json(moves: &Moves, unit_decimals: u8) -> Value {
    let most = moves.most.as_ref().map(|price| {
        let MovedPrice { floor, currency, .. } = price;
        let amounts = Amounts { currency: *currency, unit_decimals };
        let mut most = moved_json(price, unit_decimals);
        most["floor"] = json!(floor.map(|floor| amounts.shown(floor)));
        most
    });
    json!({ "count": moves.count, "most": most })
}

/// Returns a price that would change.
#[must_use]
pub fn moved_json(price: &MovedPrice, unit_decimals: u8) -> Value {
    let MovedPrice { customer, product, min_quantity, before, after, currency, .. } = price;
    let amounts = Amounts { currency: *currency, unit_decimals };
    let [before, after] = [before, after].map(|price| price.map(|price| amounts.shown(price)));
    json!({
        "customer": customer, "product": product, "currency": currency,
        "min_quantity": min_quantity.to_string(), "before": before, "after": after,
    })
}
