//! The keys of records as engines store them, and the content of records by kind.

use std::borrow::Cow;

use super::{Record, RecordKey, RecordKind, UserDiscounts};
use crate::model::{PriceListId, ProductId, UserId};
use crate::pricing::{Customer, ListPrices, PriceList, Product, Scope};

/// The separator of price list and scope in a stored key. No id contains a control character. So the keys of
/// one list are adjacent, whatever the names of other lists are.
const LIST_END: char = '\u{1}';
/// The character after [`LIST_END`].
const AFTER_LIST_END: char = '\u{2}';

impl RecordKey {
    /// Returns the key as engines store it. Within one kind, stored keys have the same order as keys.
    #[must_use]
    pub fn stored(&self) -> Cow<'_, str> {
        match self {
            Self::Product(id) => Cow::Borrowed(id.as_str()),
            Self::Discounts(user) | Self::Customer(user) => Cow::Borrowed(user.as_str()),
            Self::PriceList(list) => Cow::Borrowed(list.as_str()),
            Self::Prices(list, scope) => Cow::Owned(format!("{list}{LIST_END}{}", scope.key())),
        }
    }

    /// Parses a stored key of one kind.
    ///
    /// # Errors
    /// A text that says why the text is no such key.
    pub fn from_stored(kind: RecordKind, key: &str) -> Result<Self, String> {
        let owned = || key.to_owned();
        let user = || UserId::stored(owned()).map_err(|error| error.to_string());
        let list = |list: &str| PriceListId::stored(list.to_owned()).map_err(|e| e.to_string());
        match kind {
            RecordKind::Product => {
                ProductId::stored(owned()).map(Self::Product).map_err(|error| error.to_string())
            }
            RecordKind::Discounts => user().map(Self::Discounts),
            RecordKind::Customer => user().map(Self::Customer),
            RecordKind::PriceList => list(key).map(Self::PriceList),
            RecordKind::Prices => {
                let parts = key.split_once(LIST_END);
                let (id, scope) = parts.ok_or_else(|| format!("`{key}` names no scope"))?;
                Ok(Self::Prices(list(id)?, Scope::from_key(scope)?))
            }
        }
    }
}

impl RecordKind {
    /// Returns the kind with this stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// Returns the range that contains the stored keys of a price list's rows: from the first text to before the
/// second.
pub(crate) fn keys_of_list(list: &PriceListId) -> (String, String) {
    (format!("{list}{LIST_END}"), format!("{list}{AFTER_LIST_END}"))
}

/// The content of a record of one kind.
pub trait OfRecord: Sized {
    /// The kind of record.
    const KIND: RecordKind;

    /// Returns the content of a record; `None` if it is of another kind.
    fn of(record: Record) -> Option<Self>;
}

macro_rules! of_record {
    ($($type:ident: $kind:ident),*) => {
        $(impl OfRecord for $type {
            const KIND: RecordKind = RecordKind::$kind;

            fn of(record: Record) -> Option<Self> {
                match record {
                    Record::$kind(content) => Some(content),
                    _ => None,
                }
            }
        })*
    };
}

of_record!(
    Product: Product,
    UserDiscounts: Discounts,
    Customer: Customer,
    PriceList: PriceList,
    ListPrices: Prices
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_keys_are_read_back_and_sort_as_keys_do() {
        let list = |id: &str| PriceListId::new(id).unwrap();
        let product = |id: &str| ProductId::new(id).unwrap();
        let user = UserId::new("株").unwrap();
        let category = Scope::Category("tools/drills".parse().unwrap());
        let mut keys = vec![
            RecordKey::Product(product("P1")),
            RecordKey::Discounts(user.clone()),
            RecordKey::Customer(user),
            RecordKey::PriceList(list("gold")),
        ];
        // The ids of these lists are prefixes of each other.
        for id in ["gold", "gold ", "gold!", "golden", "gold/category"] {
            let id = PriceListId::stored(id.to_owned()).unwrap();
            let scopes = [Scope::All, category.clone(), Scope::Product(product("P1"))];
            keys.extend(scopes.map(|scope| RecordKey::Prices(id.clone(), scope)));
        }
        for key in &keys {
            assert_eq!(RecordKey::from_stored(key.kind(), &key.stored()).as_ref(), Ok(key));
            assert_eq!(RecordKind::from_number(key.kind() as i64), Some(key.kind()));
        }
        let stored = |key: &RecordKey| (key.kind(), key.stored().into_owned());
        let (mut by_key, mut by_text) = (keys.clone(), keys);
        by_key.sort();
        by_text.sort_by_key(stored);
        assert_eq!(by_key, by_text);
        assert!(RecordKey::from_stored(RecordKind::Prices, "gold").is_err());
        assert!(RecordKey::from_stored(RecordKind::PriceList, "").is_err());
        assert_eq!(RecordKind::from_number(5), None);
        assert_eq!(RecordKind::from_number(-1), None);
    }
}
