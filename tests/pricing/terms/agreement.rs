//! Tests that the module and the oracle agree, over random sellers. Each case has its own seed, so a failed
//! one can be repeated alone: `OCACHE_PRICING_SEED=17 cargo test --test pricing agree`.

use rust_decimal::Decimal;

use super::drawn::drawn;
use super::module::Module;
use super::oracle;
use super::world::{Asked, Outcome, World};
use crate::pricing::oracle::cases;

/// One in this many cases goes through a base, because packing a base takes longer than everything else.
const THROUGH_A_BASE: u64 = 16;

/// How often each kind of outcome was seen. A kind that never occurs is not tested.
#[derive(Debug, Default)]
struct Seen {
    unavailable: u32,
    invalid: u32,
    list_price: u32,
    own: u32,
    list: u32,
    next_tier: u32,
    /// Prices above all that can be loaded.
    raised: u32,
    through_a_base: u32,
}

impl Seen {
    fn note(&mut self, world: &World, outcome: &Outcome) {
        match outcome {
            Outcome::Unavailable => self.unavailable += 1,
            Outcome::Invalid { .. } => self.invalid += 1,
            Outcome::Priced(priced) => {
                let count = match &priced.rule {
                    None => &mut self.list_price,
                    Some(rule) if rule.list.is_none() => &mut self.own,
                    Some(_) => &mut self.list,
                };
                *count += 1;
                self.next_tier += u32::from(priced.next_tier.is_some());
                let decimals = oracle::decimals_of(&priced.currency);
                let decimals = decimals + u32::from(world.unit_decimals);
                let highest = Decimal::new(oracle::HIGHEST_UNITS, decimals);
                self.raised += u32::from(priced.unit_price > highest);
            }
        }
    }
}

/// Returns the oracle's outcome, after a check that the module says the same in every way.
pub fn agreed(world: &World, asked: &Asked, parted_at: usize) -> Outcome {
    let expected = oracle::price(world, asked);
    let Some(module) = Module::new(world, asked) else {
        assert_eq!(expected, Outcome::Unavailable);
        return expected;
    };
    assert_eq!(module.composed(parted_at), expected, "composed");
    let (price, winner) = module.explained();
    match &expected {
        Outcome::Unavailable => assert_eq!((price, winner), (None, None), "explained"),
        Outcome::Invalid { .. } => {}
        Outcome::Priced(priced) => {
            assert_eq!(price, Some(priced.unit_price), "explained");
            let rule = priced.rule.clone();
            assert_eq!(winner, rule.map(|rule| (rule.list, rule.scope, rule.min)), "explained");
        }
    }
    module.check_edges();
    expected
}

/// Checks a customer's own discount on every quantity, which is priced in another way: against the base.
fn agreed_through_a_base(world: &World, asked: &Asked) -> bool {
    let Some(module) = Module::new(world, asked) else { return false };
    let without_lists = World { lists: vec![], ..world.clone() };
    let Some(entry) = module.through_a_base() else { return false };
    match (oracle::price(&without_lists, asked), entry) {
        (Outcome::Invalid { .. }, _) => {}
        (Outcome::Unavailable, entry) => assert_eq!(entry, None, "through a base"),
        (Outcome::Priced(expected), entry) => {
            let entry = entry.expect("it has a price");
            let Outcome::Priced(is) = module.shown(&entry) else { panic!() };
            // A discount on every quantity has no rule in the answer.
            assert_eq!(is.rule, None, "through a base");
            let next_tier = None;
            let expected =
                Outcome::Priced(super::world::Priced { rule: None, next_tier, ..expected });
            assert_eq!(Outcome::Priced(is), expected, "through a base");
        }
    }
    true
}

#[test]
fn composed_and_explained_prices_agree_with_the_oracle() {
    let alone = std::env::var("OCACHE_PRICING_SEED").ok();
    let seeds = match alone {
        Some(seed) => vec![seed.parse().expect("OCACHE_PRICING_SEED is a number")],
        None => (0..u64::from(cases(20_000))).collect(),
    };
    let mut seen = Seen::default();
    for seed in &seeds {
        let (world, asked) = drawn(*seed);
        let agreed = std::panic::catch_unwind(|| {
            let outcome = agreed(&world, &asked, *seed as usize);
            let is_packed = seeds.len() == 1 || seed % THROUGH_A_BASE == 0;
            (outcome, is_packed && agreed_through_a_base(&world, &asked))
        });
        let Ok((outcome, through_a_base)) = agreed else {
            panic!("seed {seed} does not agree: {asked:#?} of {world:#?}")
        };
        seen.note(&world, &outcome);
        seen.through_a_base += u32::from(through_a_base);
    }
    println!("{} cases: {seen:?}", seeds.len());
    if seeds.len() > 1 {
        let Seen { unavailable, invalid, list_price, own, list, next_tier, .. } = seen;
        let Seen { raised, through_a_base, .. } = seen;
        let least = seeds.len() as u32 / 100;
        for count in [unavailable, invalid, list_price, own, list, next_tier] {
            assert!(count > least, "{seen:?}");
        }
        // These are rarer, because they need a high list price and a surcharge that decides.
        assert!(raised >= least / 20, "{seen:?}");
        assert!(u64::from(through_a_base) * THROUGH_A_BASE > u64::from(least), "{seen:?}");
    }
}
