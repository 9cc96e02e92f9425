//! One table against its own head, and against products and discounts.

use super::comparison::Comparison;
use super::fingerprints::is_as_calculated;
use super::inputs::Inputs;
use super::stored_table::read_rows;
use super::{Kind, VerifyError};
use crate::model::UserId;
use crate::ports::{AtHead, Store, TableHead};
use crate::pricing::PRICING_VERSION;

/// A head is read again so often when its parts are gone: a refresh replaces them.
const MAX_READS: u32 = 3;

/// Nothing, or what is the matter with a table.
pub(super) type Verdict = Option<(Kind, String)>;

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
    // After the head, so that they are at least as new as what the table was priced from.
    let lists = store.discounts(std::slice::from_ref(user), &inputs.head).await?;
    let AtHead::Read(lists) = lists else { return Err(VerifyError::Loading) };
    let discounts = lists.into_iter().next().map(|list| list.discounts).unwrap_or_default();
    let mut comparison = Comparison::new(head, inputs, &discounts);
    let read = read_rows(store, user, head, &mut |row| comparison.add(&row)).await?;
    if let Err(why) = read {
        return Ok(wrong(why));
    }
    let compared = comparison.finish();
    if let Some(why) = compared.contradiction {
        return Ok(wrong(why));
    }
    let Some(difference) = compared.difference else {
        return Ok((head.catalogue_version > inputs.head.version).then(|| {
            let (is, of) = (inputs.head.version, head.catalogue_version);
            (Kind::Wrong, format!("it is of catalogue version {of}, and the last one is {is}"))
        }));
    };
    // A base is of one version, and of one version there is one state of the products.
    let is_of_base = difference.is_of_base && head.base_version >= inputs.head.base_version;
    let difference = difference.what;
    if is_of_base || !is_as_calculated(store, user, head, &discounts).await? {
        return Ok(wrong(difference));
    }
    // It is what was calculated. Whether it may still be so: of one version there is one state.
    Ok(match head.catalogue_version >= inputs.head.version {
        true => wrong(format!("{difference}, in the same catalogue version")),
        false => Some((Kind::Outdated, difference)),
    })
}

fn wrong(what: String) -> Verdict {
    Some((Kind::Wrong, what))
}
