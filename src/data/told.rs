//! What a load did or would do, as JSON. The command line and HTTP use the same form.

use serde_json::{Map, Value, json};

use super::{
    Amounts, Counts, Effect, KindCounts, Mention, Mentions, MovedPrice, Moves, Notice, SeveralLines,
};

/// Returns what a load did to the rows of each kind.
#[must_use]
pub fn counts_json(counts: &KindCounts) -> Map<String, Value> {
    let KindCounts { products, users, customers, price_lists, prices } = counts;
    let kinds = [
        ("products", products),
        ("users", users),
        ("customers", customers),
        ("price_lists", price_lists),
        ("prices", prices),
    ];
    let told = kinds.map(|(name, counts)| {
        let Counts { added, changed, unchanged, removed } = counts;
        let counts = json!({
            "added": added, "changed": changed, "unchanged": unchanged, "removed": removed,
        });
        (name.to_owned(), counts)
    });
    told.into_iter().collect()
}

/// Returns how many things of a kind there are, and the first of them.
#[must_use]
pub fn mention_json(mention: &Mention) -> Value {
    json!({ "count": mention.count, "first": mention.first })
}

/// Returns what may be unintended in the data.
#[must_use]
pub fn mentions_json(mentions: &Mentions) -> Map<String, Value> {
    let told = [
        ("unknown_products", json!(mentions.unknown_products)),
        ("unknown_customers", mention_json(&mentions.unknown_customers)),
        ("given_to_nobody", mention_json(&mentions.given_to_nobody)),
        ("under_floor", mention_json(&mentions.under_floor)),
        ("dearer_than_list", mention_json(&mentions.dearer_than_list)),
    ];
    told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
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
        most["floor"] = json!(floor.map(|floor| amounts.shown(floor).to_string()));
        most
    });
    json!({ "count": moves.count, "most": most })
}

/// Returns a price that would change.
#[must_use]
pub fn moved_json(price: &MovedPrice, unit_decimals: u8) -> Value {
    let MovedPrice { customer, product, min_quantity, before, after, currency, .. } = price;
    let amounts = Amounts { currency: *currency, unit_decimals };
    let [before, after] =
        [before, after].map(|price| price.map(|price| amounts.shown(price).to_string()));
    json!({
        "customer": customer, "product": product, "currency": currency,
        "min_quantity": min_quantity.to_string(), "before": before, "after": after,
    })
}
