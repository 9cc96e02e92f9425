//! Listings in pages.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

use crate::ports::{Cursor, Page};

/// How many rows are read for one page. Rows that are left out count too, as in the services. So a page may
/// be empty even if there is a next one.
pub(super) const PAGE_ROWS: usize = 100;

/// Returns the page after a cursor, which is the key of the last row that was read.
pub(super) fn page<'a, K, V, T>(
    table: &'a BTreeMap<K, V>,
    from: Option<&Cursor>,
    item: impl Fn(&'a K, &'a V) -> Option<T>,
) -> Page<T>
where
    K: Borrow<str> + Ord,
{
    let start = from.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.0.as_str()));
    let rows: Vec<_> = table.range::<str, _>((start, Bound::Unbounded)).take(PAGE_ROWS).collect();
    let last = rows.last().filter(|_| rows.len() == PAGE_ROWS);
    Page {
        next: last.map(|(key, _)| Cursor(Borrow::<str>::borrow(*key).to_owned())),
        items: rows.into_iter().filter_map(|(key, value)| item(key, value)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once_even_when_one_is_empty() {
        let table: BTreeMap<String, u32> = (0..250).map(|n| (format!("{n:03}"), n)).collect();
        let mut pages = vec![];
        let mut cursor = None;
        loop {
            let page =
                page(&table, cursor.as_ref(), |_, n| (!(100..200).contains(n)).then_some(*n));
            pages.push(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 0, 50]);
        assert_eq!(pages.concat(), (0..100).chain(200..250).collect::<Vec<_>>());
    }
}
