//! One table against its own head, and against products and discounts.

use std::collections::BTreeMap;

use super::arithmetic::unit_price;
use super::inputs::{Inputs, is_as_calculated};
use super::{Kind, VerifyError};
use crate::model::{ProductId, UserId};
use crate::ports::{AtHead, Store, TableHead, parts_of};
use crate::pricing::{Discounts, Entry, PRICING_VERSION, PackedPart};

/// A head is read again so often when its parts are gone: a refresh replaces them.
const MAX_READS: u32 = 3;

/// Nothing, or what is the matter with a table.
pub(super) type Verdict = Option<(Kind, String)>;

/// What the parts of a table say.
type Content = BTreeMap<ProductId, Entry>;

/// Checks the table of a user as it is now.
pub(super) async fn check(
    store: &dyn Store,
    user: &UserId,
    inputs: &Inputs,
) -> Result<Verdict, VerifyError> {
    let mut verdict = None;
    for _ in 0..MAX_READS {
        let heads = store.table_heads(std::slice::from_ref(user)).await?;
        let Some((_, head)) = heads.into_iter().next() else { return Ok(None) };
        verdict = check_head(store, user, &head, inputs).await?;
        // What is wrong with a table that was replaced while it was read, is wrong with neither.
        let now = store.table_heads(std::slice::from_ref(user)).await?;
        let is_same = now.first().is_some_and(|(_, now)| now.generation == head.generation);
        if verdict.is_none() || is_same {
            break;
        }
    }
    Ok(verdict)
}

async fn check_head(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    inputs: &Inputs,
) -> Result<Verdict, VerifyError> {
    if head.pricing_version != PRICING_VERSION {
        let what = format!(
            "priced by rule version {}, this ocache has version {PRICING_VERSION}",
            head.pricing_version
        );
        return Ok(Some((Kind::OtherRules, what)));
    }
    let numbers: Vec<u32> = (0..).take(head.parts.len()).collect();
    let parts = parts_of(store, user, &head.generation, &numbers).await?;
    let lists = store.discounts(std::slice::from_ref(user), &inputs.head).await?;
    let AtHead::Read(lists) = lists else { return Err(VerifyError::Loading) };
    let discounts = lists.into_iter().next().map(|list| list.discounts).unwrap_or_default();
    let mut content = Content::new();
    for (number, part) in parts.iter().enumerate() {
        let Some(part) = part else {
            return Ok(wrong(format!("part {number} of {} is not there", parts.len())));
        };
        if let Err(why) = read_part(part, head, number, &mut content) {
            return Ok(wrong(format!("part {number}: {why}")));
        }
    }
    Ok(compare(head, &content, inputs, &discounts))
}

fn wrong(what: String) -> Verdict {
    Some((Kind::Wrong, what))
}

fn read_part(
    part: &[u8],
    head: &TableHead,
    number: usize,
    content: &mut Content,
) -> Result<(), String> {
    let part = PackedPart::decode(part).map_err(|error| error.to_string())?;
    for (place, product) in part.iter().enumerate() {
        let (id, entry) = product.map_err(|error| error.to_string())?;
        if place == 0 && head.parts.get(number) != Some(&id) {
            return Err(format!("it begins with product `{id}`, and its head says otherwise"));
        }
        if content.last_key_value().is_some_and(|(last, _)| *last >= id) {
            return Err(format!("product `{id}` is not in its order"));
        }
        content.insert(id, entry);
    }
    Ok(())
}

fn compare(head: &TableHead, content: &Content, inputs: &Inputs, discounts: &Discounts) -> Verdict {
    if content.len() as u64 != head.products {
        let (is, says) = (content.len(), head.products);
        return wrong(format!("it has {is} products, and its head says {says}"));
    }
    for (id, entry) in content {
        let discount = i128::from(entry.discount.millionths());
        let expected = unit_price(entry.list_price.minor(), discount);
        if i128::from(entry.unit_price.minor()) != expected {
            let list = entry.list_price.format(head.currency);
            let (unit, less) = (entry.unit_price.format(head.currency), entry.discount);
            return wrong(format!("product `{id}`: {list} less {less} % is not {unit}"));
        }
    }
    let Some(difference) = difference(head, content, inputs, discounts) else {
        return (head.catalogue_version > inputs.head.version).then(|| {
            let (is, of) = (inputs.head.version, head.catalogue_version);
            (Kind::Wrong, format!("it is of catalogue version {of}, and the last one is {is}"))
        });
    };
    if !is_as_calculated(content, head.currency, discounts, head.fingerprint) {
        return wrong(difference);
    }
    // It is what was calculated. Whether it may still be so: of one version there is one state.
    match head.catalogue_version >= inputs.head.version {
        true => wrong(format!("{difference}, in the same catalogue version")),
        false => Some((Kind::Outdated, difference)),
    }
}

/// The first difference between a table and what products and discounts give.
fn difference(
    head: &TableHead,
    content: &Content,
    inputs: &Inputs,
    discounts: &Discounts,
) -> Option<String> {
    let currency = head.currency;
    if currency != inputs.head.currency {
        return Some(format!("it is in {currency}, the products are in {}", inputs.head.currency));
    }
    if let Some(id) = content.keys().find(|id| !inputs.prices.contains_key(*id)) {
        return Some(format!("product `{id}` does not exist"));
    }
    let list: BTreeMap<&ProductId, i128> = discounts
        .as_slice()
        .iter()
        .map(|discount| (&discount.product_id, i128::from(discount.percentage.millionths())))
        .collect();
    for (id, price) in &inputs.prices {
        let Some(entry) = content.get(id) else {
            return Some(format!("product `{id}` is missing"));
        };
        let shown = |minor: i64| crate::pricing::Money::from_minor(minor).format(currency);
        if entry.list_price.minor() != *price {
            let (is, says) = (shown(*price), entry.list_price.format(currency));
            return Some(format!("product `{id}` costs {is}, the table says {says}"));
        }
        let less = list.get(id).copied().unwrap_or(0);
        if i128::from(entry.discount.millionths()) != less {
            let is = super::arithmetic::written(less, 6, 0);
            return Some(format!(
                "product `{id}` has a discount of {is} %, the table says {} %",
                entry.discount
            ));
        }
    }
    None
}
