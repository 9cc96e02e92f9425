//! Packs the changes of a load into the items of its journal.
//!
//! The AWS engine stores these items, and the meter computes their sizes. An item has changes of one kind of
//! row, and of one price list, as zstd( JSON ). So a load of many rows takes a fifth of the write units. A
//! single change fits into an item if a customer's list has at most about 12,000 discounts. A larger list
//! whose item does not fit is refused before anything is written.

use std::io;

#[cfg(any(feature = "aws", test))]
use crate::model::PriceListId;
#[cfg(any(feature = "aws", test))]
use crate::ports::keys_of_list;
use crate::ports::{RecordKey, RecordKind, RowChange};

/// The most bytes of JSON in one item, unless one change is larger.
const ITEM_BYTES: usize = 64 * 1024;
/// zstd's default level. Higher levels would take more time for little gain.
const LEVEL: i32 = 3;

/// One item of a journal.
pub(crate) struct JournalItem {
    /// The name of the first change in it.
    pub(crate) first: String,
    /// The changes, packed.
    pub(crate) packed: Vec<u8>,
}

/// The prefix of the names of one kind of row in a journal.
pub(crate) const fn names_of(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Product => "0/",
        RecordKind::Discounts => "1/",
        RecordKind::Customer => "2/",
        RecordKind::PriceList => "3/",
        RecordKind::Prices => "4/",
    }
}

/// Returns the name of a row in a journal. Names have the same order as keys.
pub(crate) fn journal_key(key: &RecordKey) -> String {
    format!("{}{}", names_of(key.kind()), key.stored())
}

/// Returns the prefix of the names of one price list's rows in a journal.
#[cfg(any(feature = "aws", test))]
pub(crate) fn names_of_list(list: &PriceListId) -> String {
    format!("{}{}", names_of(RecordKind::Prices), keys_of_list(list).0)
}

/// Whether two changes may share an item: they are of one kind, and of one price list. So all changes of a
/// list are in items whose names have the prefix of that list.
fn go_together(one: &RowChange, other: &RowChange) -> bool {
    match (one.key(), other.key()) {
        (RecordKey::Prices(one, _), RecordKey::Prices(other, _)) => one == other,
        (one, other) => one.kind() == other.kind(),
    }
}

/// Packs changes into items, filled one after the other.
pub(crate) fn pack(changes: &[RowChange]) -> io::Result<Vec<JournalItem>> {
    let mut items = vec![];
    let (mut json, mut first): (Vec<u8>, Option<&RowChange>) = (vec![], None);
    for change in changes {
        let next = serde_json::to_vec(change)?;
        let begun = first.filter(|first| {
            !go_together(first, change) || json.len() + next.len() + 1 > ITEM_BYTES
        });
        if let Some(begun) = begun {
            items.push(item(begun, &mut json)?);
            first = None;
        }
        json.push(if first.is_none() { b'[' } else { b',' });
        json.extend(next);
        first = first.or(Some(change));
    }
    if let Some(begun) = first {
        items.push(item(begun, &mut json)?);
    }
    Ok(items)
}

fn item(first: &RowChange, json: &mut Vec<u8>) -> io::Result<JournalItem> {
    json.push(b']');
    let packed = zstd::bulk::compress(json, LEVEL)?;
    json.clear();
    Ok(JournalItem { first: journal_key(&first.key()), packed })
}

/// Unpacks the changes in an item.
#[cfg(any(feature = "aws", test))]
pub(crate) fn unpack(packed: &[u8]) -> io::Result<Vec<RowChange>> {
    Ok(serde_json::from_slice(&zstd::stream::decode_all(packed)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProductId, UserId};
    use crate::ports::{Record, UserDiscounts};
    use crate::pricing::{Discount, Discounts, Money, Product, Scope};

    fn put(number: usize) -> RowChange {
        let id = ProductId::new(format!("P{number:06}")).unwrap();
        let name = format!("Stand \"{number}\"");
        RowChange::Put(Record::Product(Product::new(id, name, Money::from_minor(1999))))
    }

    fn delete(user: &str) -> RowChange {
        RowChange::Delete(RecordKey::Discounts(UserId::new(user).unwrap()))
    }

    #[test]
    fn items_hold_all_changes_in_order_and_one_kind_each() {
        let mut changes: Vec<_> = (0..2000).map(put).collect();
        changes.extend([delete("ann"), delete("株")]);
        let list = |id: &str| PriceListId::new(id).unwrap();
        let prices = ["gold", "gold", "golden"].map(list);
        let scopes = [Scope::All, Scope::Category("tools".parse().unwrap()), Scope::All];
        let prices = prices.into_iter().zip(scopes);
        changes
            .extend(prices.map(|(list, scope)| RowChange::Delete(RecordKey::Prices(list, scope))));
        let items = pack(&changes).unwrap();
        let unpacked: Vec<_> = items.iter().map(|item| unpack(&item.packed).unwrap()).collect();
        assert!(items.len() > 2, "{}", items.len());
        for (item, changes) in items.iter().zip(&unpacked) {
            assert_eq!(item.first, journal_key(&changes[0].key()));
            assert!(changes.iter().all(|change| go_together(change, &changes[0])));
            assert!(serde_json::to_vec(changes).unwrap().len() <= ITEM_BYTES + 1);
        }
        let [.., users, gold, golden] = &items[..] else { panic!("too few") };
        assert_eq!(users.first, "1/ann");
        assert!(gold.first.starts_with(&names_of_list(&list("gold"))));
        assert!(!golden.first.starts_with(&names_of_list(&list("gold"))));
        assert_eq!(unpacked.concat(), changes);
        assert!(pack(&[]).unwrap().is_empty());
    }

    #[test]
    fn names_sort_as_keys_do() {
        let list = PriceListId::new("gold").unwrap();
        let keys = [
            RecordKey::Product(ProductId::new("P9").unwrap()),
            RecordKey::Discounts(UserId::new("ann").unwrap()),
            RecordKey::Customer(UserId::new("ann").unwrap()),
            RecordKey::PriceList(list.clone()),
            RecordKey::Prices(list, Scope::All),
        ];
        assert_eq!(keys.each_ref().map(RecordKey::kind), RecordKind::ALL);
        let names = keys.each_ref().map(journal_key);
        assert!(keys.is_sorted() && names.is_sorted(), "{names:?}");
    }

    /// Long ids without a pattern are the ones that compress worst.
    #[test]
    fn a_list_that_fitted_the_rows_of_version_0_1_0_has_an_item_that_fits() {
        const MAX_ITEM_BYTES: usize = 400 * 1024;
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+\\\"";
            char::from(alphabet[(state >> 33) as usize % alphabet.len()])
        };
        for chars in [4, 8, 64] {
            // Field names and punctuation of an entry took 29 bytes in such a row.
            let entries = MAX_ITEM_BYTES / (29 + chars) - 1;
            let discount = |_| Discount {
                product_id: ProductId::new((0..chars).map(|_| random()).collect::<String>())
                    .unwrap(),
                percentage: "12.345678".parse().unwrap(),
            };
            let mut list: Vec<_> = (0..entries).map(discount).collect();
            list.sort_by(|a, b| a.product_id.cmp(&b.product_id));
            list.dedup_by(|a, b| a.product_id == b.product_id);
            let discounts = Discounts::new(list).unwrap();
            let list = UserDiscounts::new(UserId::new("ann").unwrap(), discounts);
            let items = pack(&[RowChange::Put(Record::Discounts(list))]).unwrap();
            assert!(items[0].packed.len() < MAX_ITEM_BYTES - 100, "{}", items[0].packed.len());
        }
    }
}
