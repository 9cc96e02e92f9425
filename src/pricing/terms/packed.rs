//! The stored forms of ladders and scopes.

use super::super::Currency;
use super::{Category, Ladder, OwnLadder, OwnLadders, Rung, Scope};
use crate::model::{PackedError, ProductId, seal, unseal};

/// The version of this form.
const VERSION: u8 = 1;

const ALL: &str = "all";
const CATEGORY: &str = "category/";
const PRODUCT: &str = "product/";

impl Ladder {
    /// Packs the ladder as stores hold it.
    ///
    /// # Errors
    /// [`PackedError`]; no ladder is known that causes one.
    pub fn pack(&self) -> Result<Vec<u8>, PackedError> {
        seal(VERSION, &self.rungs())
    }

    /// Unpacks what [`Self::pack`] has returned.
    ///
    /// # Errors
    /// [`PackedError`] if the bytes are not a packed ladder.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackedError> {
        Self::new(unseal::<Vec<Rung>>(VERSION, bytes)?)
            .map_err(|_| PackedError::Damaged("its rungs are not a ladder"))
    }
}

impl OwnLadders {
    /// Packs the ladders as stores hold them.
    ///
    /// # Errors
    /// [`PackedError`]; no ladders are known that cause one.
    pub fn pack(&self) -> Result<Vec<u8>, PackedError> {
        let ladders = self.ladders.iter().map(|own| (&own.product_id, own.ladder.rungs()));
        seal(VERSION, &(self.currency, ladders.collect::<Vec<_>>()))
    }

    /// Unpacks what [`Self::pack`] has returned.
    ///
    /// # Errors
    /// [`PackedError`] if the bytes are not packed ladders.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackedError> {
        let (currency, ladders): (Option<Currency>, Vec<(ProductId, Ladder)>) =
            unseal(VERSION, bytes)?;
        if !ladders.is_sorted_by(|(before, _), (after, _)| before < after) {
            return Err(PackedError::Damaged("its products are not sorted"));
        }
        let own = |(product_id, ladder)| OwnLadder { product_id, ladder };
        Ok(Self { currency, ladders: ladders.into_iter().map(own).collect() })
    }
}

impl Scope {
    /// Returns the scope as part of a stored key. Keys have the same order as scopes.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::All => ALL.to_owned(),
            Self::Category(category) => format!("{CATEGORY}{category}"),
            Self::Product(product) => format!("{PRODUCT}{product}"),
        }
    }

    /// Parses what [`Self::key`] has returned.
    ///
    /// # Errors
    /// A text that says why the text is no such key.
    pub fn from_key(key: &str) -> Result<Self, String> {
        if key == ALL {
            return Ok(Self::All);
        }
        if let Some(category) = key.strip_prefix(CATEGORY) {
            let category: Result<Category, _> = category.parse();
            return category.map(Self::Category).map_err(|error| error.to_string());
        }
        match key.strip_prefix(PRODUCT) {
            Some(product) => ProductId::stored(product.to_owned())
                .map(Self::Product)
                .map_err(|error| error.to_string()),
            None => Err(format!("`{key}` is no scope of a price")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Money;
    use super::super::PriceRule;
    use super::*;

    fn ladder(rungs: &[(&str, PriceRule)]) -> Ladder {
        let rung = |(min, rule): &(&str, PriceRule)| Rung {
            min_quantity: min.parse().unwrap(),
            rule: *rule,
        };
        Ladder::new(rungs.iter().map(rung).collect()).unwrap()
    }

    fn product(id: &str) -> ProductId {
        ProductId::new(id).unwrap()
    }

    #[test]
    fn ladders_come_back_as_they_were_and_are_small() {
        let surcharge = PriceRule::Percentage("-12.5".parse().unwrap());
        let price = PriceRule::Price(Money::MAX_PRICE);
        let amount = PriceRule::Amount(Money::from_minor(995));
        let rungs = ladder(&[("0", surcharge), ("0.5", amount), ("1000000", price)]);
        let packed = rungs.pack().unwrap();
        assert_eq!(Ladder::unpack(&packed).unwrap(), rungs);
        assert!(packed.len() < 32, "{}", packed.len());
        let own = OwnLadders {
            currency: Some(Currency::USD),
            ladders: ["P1", "株"]
                .map(|id| OwnLadder { product_id: product(id), ladder: rungs.clone() })
                .to_vec(),
        };
        for own in [own.clone(), OwnLadders::default(), OwnLadders { currency: None, ..own }] {
            assert_eq!(OwnLadders::unpack(&own.pack().unwrap()).unwrap(), own);
        }
    }

    #[test]
    fn bytes_of_no_ladder_are_refused() {
        let rung =
            Rung { min_quantity: "1".parse().unwrap(), rule: PriceRule::Amount(Money::ZERO) };
        for rungs in [vec![], vec![rung, rung]] {
            assert!(Ladder::unpack(&seal(VERSION, &rungs).unwrap()).is_err());
        }
        let ladder = Ladder::new(vec![rung]).unwrap();
        let own = |id| OwnLadder { product_id: product(id), ladder: ladder.clone() };
        let unsorted = OwnLadders { currency: None, ladders: vec![own("b"), own("a")] };
        assert!(OwnLadders::unpack(&unsorted.pack().unwrap()).is_err());
        assert!(OwnLadders::unpack(&ladder.pack().unwrap()[1..]).is_err());
    }

    #[test]
    fn keys_of_scopes_are_told_apart_and_sort_as_scopes_do() {
        let category = |path: &str| Scope::Category(path.parse().unwrap());
        let scopes = [
            Scope::All,
            category("all"),
            category("tools"),
            category("tools/drills"),
            category("tools/drills/small"),
            Scope::Product(product("P1")),
            Scope::Product(product("a/b")),
            Scope::Product(product("all")),
        ];
        let keys: Vec<_> = scopes.iter().map(Scope::key).collect();
        assert!(scopes.is_sorted() && keys.is_sorted(), "{keys:?}");
        for (scope, key) in scopes.iter().zip(&keys) {
            assert_eq!(Scope::from_key(key).as_ref(), Ok(scope));
        }
        for key in ["", "all/", "category/", "category/a//b", "product/", "P1"] {
            assert!(Scope::from_key(key).is_err(), "{key}");
        }
    }
}
