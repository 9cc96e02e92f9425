//! The packed form of one customer's discounts.
//!
//! Ids are sorted, so each is stored without the prefix that it shares with the previous one. Percentages are
//! mostly round, so each is stored in units of their greatest common divisor.

use serde::{Deserialize, Serialize};

use super::bytes::{gcd, shared_prefix};
use super::ids::Ids;
use super::{Discounts, Percentage};
use crate::model::{PackedError, ProductId, seal, unseal};

/// The version of this form.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct PackedDiscounts<'a> {
    /// The number of bytes that each id shares with the previous one.
    shared: &'a [u8],
    /// The number of the other bytes of each id.
    rest: &'a [u8],
    /// The other bytes of all ids.
    text: &'a str,
    /// The unit of percentages, in millionths of a per cent.
    unit: u32,
    /// The percentages, in units.
    percentages: Vec<u32>,
}

impl Discounts {
    /// Packs the discounts as stores hold them.
    ///
    /// # Errors
    /// [`PackedError`]; no discounts are known that cause one.
    pub fn pack(&self) -> Result<Vec<u8>, PackedError> {
        let (ids, count) = (self.ids(), self.len());
        let (mut shared, mut rest) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut text = String::new();
        let mut before = "";
        for index in 0..count {
            let id = ids.get(index);
            let same = shared_prefix(before, id);
            // Ids have at most 64 bytes.
            shared.push(same as u8);
            rest.push((id.len() - same) as u8);
            text.push_str(&id[same..]);
            before = id;
        }
        let millionths = self.percentages().iter().map(|percentage| percentage.millionths());
        let unit = millionths.clone().fold(0, gcd).max(1);
        let percentages = millionths.map(|millionths| millionths / unit).collect();
        let (shared, rest, text) = (&shared[..], &rest[..], &text[..]);
        seal(VERSION, &PackedDiscounts { shared, rest, text, unit, percentages })
    }

    /// Unpacks what [`Self::pack`] has returned.
    ///
    /// # Errors
    /// [`PackedError`] if the bytes are not packed discounts.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackedError> {
        let packed: PackedDiscounts<'_> = unseal(VERSION, bytes)?;
        let ids = packed.ids()?;
        let unit = packed.unit;
        let percentages: Option<Vec<_>> = packed
            .percentages
            .into_iter()
            .map(|units| units.checked_mul(unit).and_then(Percentage::from_millionths))
            .collect();
        match percentages {
            Some(percentages) if percentages.len() == ids.len() => {
                Ok(Self::of_columns(ids, percentages))
            }
            _ => Err(PackedError::Damaged("its percentages are not those of its products")),
        }
    }
}

impl PackedDiscounts<'_> {
    fn ids(&self) -> Result<Ids, PackedError> {
        let shares = PackedError::Damaged("an id shares more than there is");
        let mut ids = Ids::with_capacity(self.rest.len());
        if self.shared.len() != self.rest.len() {
            return Err(PackedError::Damaged("its ids have two counts"));
        }
        let (mut id, mut text) = (String::with_capacity(ProductId::MAX_BYTES), self.text);
        for (shared, rest) in self.shared.iter().zip(self.rest) {
            let cut = text.split_at_checked(usize::from(*rest));
            let (suffix, after) = cut.ok_or(PackedError::Damaged("its ids end too early"))?;
            let comes_after = match id.get(usize::from(*shared)..) {
                Some(old) => id.is_empty() || old < suffix,
                None => return Err(shares),
            };
            if !comes_after {
                return Err(PackedError::Damaged("its products are not sorted"));
            }
            id.truncate(usize::from(*shared));
            id.push_str(suffix);
            ProductId::check_stored(&id)?;
            ids.push(&id);
            text = after;
        }
        match text {
            "" => Ok(ids),
            _ => Err(PackedError::Damaged("it has text of no id")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::pricing::Discount;

    fn discounts() -> impl Strategy<Value = Discounts> {
        let percentage =
            prop_oneof![0..=100_000_000_u32, (0..=200_u32).prop_map(|halves| halves * 500_000),];
        btree_map("[aP]{0,2}[a-c0-9é株]{1,6}", percentage, 0..40).prop_map(|list| {
            let discount = |(id, millionths)| Discount {
                product_id: ProductId::stored(id).unwrap(),
                percentage: Percentage::from_millionths(millionths).unwrap(),
            };
            Discounts::new(list.into_iter().map(discount).collect()).unwrap()
        })
    }

    proptest! {
        #[test]
        fn a_list_comes_back(list in discounts()) {
            let unpacked = Discounts::unpack(&list.pack().unwrap()).unwrap();
            prop_assert_eq!(&unpacked, &list);
            prop_assert_eq!(unpacked.as_slice(), list.as_slice());
            prop_assert_eq!(unpacked.len(), list.as_slice().len());
        }

        #[test]
        fn damage_is_an_error(list in discounts(), at in any::<Index>(), mask in 1..=u8::MAX) {
            let packed = list.pack().unwrap();
            let mut damaged = packed.clone();
            damaged[at.index(packed.len())] ^= mask;
            prop_assert!(Discounts::unpack(&damaged).is_err());
            prop_assert!(Discounts::unpack(&packed[..at.index(packed.len())]).is_err());
        }

        /// Arbitrary fields with a valid checksum.
        #[test]
        fn no_fields_make_it_panic(
            shared in vec(0..5_u8, 0..5),
            rest in vec(0..5_u8, 0..5),
            text in "[ab株\u{1}]{0,8}",
            unit in prop_oneof![Just(0), Just(1), any::<u32>()],
            percentages in vec(any::<u32>(), 0..5),
        ) {
            let (shared, rest) = (&shared[..], &rest[..]);
            let fields = PackedDiscounts { shared, rest, text: &text, unit, percentages };
            if let Ok(list) = Discounts::unpack(&seal(VERSION, &fields).unwrap()) {
                prop_assert_eq!(Discounts::new(list.as_slice().to_vec()).unwrap(), list);
            }
        }
    }

    /// Stores hold these bytes. If they change, the form needs a new version.
    #[test]
    fn the_bytes_of_this_version_stay() {
        let discount = |id: &str, percentage: &str| Discount {
            product_id: ProductId::new(id).unwrap(),
            percentage: percentage.parse().unwrap(),
        };
        let list = vec![discount("P10", "12.5"), discount("P2", "5"), discount("P11", "0")];
        let packed = Discounts::new(list).unwrap().pack().unwrap();
        let hex: String = packed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "010300020103030101055031303132a0cb980103050002e8ad439c");
    }

    #[test]
    fn a_hundred_discounts_take_less_than_a_kilobyte() {
        let discount = |number: u32| Discount {
            product_id: ProductId::new(format!("P{:06}", number * 97)).unwrap(),
            percentage: Percentage::from_millionths((number % 60 + 1) * 500_000).unwrap(),
        };
        let packed = Discounts::new((0..100).map(discount).collect()).unwrap().pack().unwrap();
        assert!(packed.len() < 800, "{} bytes", packed.len());
    }
}
