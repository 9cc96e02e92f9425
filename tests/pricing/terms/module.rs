//! The same inputs in the module's own types, priced in its two ways: by composed ladders, as tables do,
//! and by looking at every row, as explanations do.

use std::collections::{BTreeMap, BTreeSet};

use ocache::model::{CustomerGroup, PriceListId, ProductId, Quantity, Timestamp};
use ocache::pricing::{
    Base, Category, Currency, Discount, Discounts, GivenList, Goods, Ladder, MinQuantity, Money,
    OwnLadder, OwnRows, PackedBase, PriceList, PriceRule, ProductPrice, QuantityRules, Rate,
    Recipients, Rounding, Rules, Rung, Scope, ScopedLadder, Step, Subject, UnitRounding, compose,
    explain, next_tier, step_at, steps_of_list,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::oracle::decimals_of;
use super::world::{self, Asked, Kind, Outcome, Own, Priced, Product, Row, World};

/// What is asked for, in the module's types.
pub struct Module<'a> {
    world: &'a World,
    asked: &'a Asked,
    currency: Currency,
    customer: ocache::pricing::Customer,
    product: ProductId,
    category: Option<Category>,
    goods: Goods,
    sold: QuantityRules,
    quantity: Quantity,
    rounding: UnitRounding,
    lists: Vec<(PriceList, Vec<(Scope, Ladder)>)>,
    own: Option<(OwnLadder, Currency)>,
}

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

/// Returns an amount in units with this many decimals.
fn units(amount: Decimal, decimals: u32) -> Money {
    let units = amount * Decimal::from(10_u64.pow(decimals));
    assert!(units.is_integer(), "{amount} has more than {decimals} decimals");
    Money::from_minor(units.to_i64().unwrap())
}

fn thousandths(quantity: Decimal) -> i64 {
    (quantity * Decimal::ONE_THOUSAND).to_i64().unwrap()
}

fn quantity(quantity: Decimal) -> Quantity {
    Quantity::from_thousandths(thousandths(quantity)).unwrap()
}

fn scope(scope: &world::Scope) -> Scope {
    match scope {
        world::Scope::All => Scope::All,
        world::Scope::Category(path) => Scope::Category(path.parse().unwrap()),
        world::Scope::Product(id) => Scope::Product(id.parse().unwrap()),
    }
}

fn rung(row: &Row, decimals: u32) -> Rung {
    let rule = match row.kind {
        Kind::Price => PriceRule::Price(units(row.value, decimals)),
        Kind::Amount => PriceRule::Amount(units(row.value, decimals)),
        Kind::Percentage => PriceRule::Percentage(row.value.to_string().parse::<Rate>().unwrap()),
    };
    let min_quantity = MinQuantity::from_thousandths(thousandths(row.min).cast_unsigned()).unwrap();
    Rung { min_quantity, rule }
}

fn ladders(rows: &[Row], decimals: u32) -> Vec<(Scope, Ladder)> {
    let mut by_scope: BTreeMap<&world::Scope, Vec<Rung>> = BTreeMap::new();
    for row in rows {
        by_scope.entry(&row.scope).or_default().push(rung(row, decimals));
    }
    let ladders = by_scope.into_iter();
    ladders.map(|(of, rungs)| (scope(of), Ladder::new(rungs).unwrap())).collect()
}

fn price_list(list: &world::List) -> PriceList {
    let ids = |texts: &BTreeSet<String>| texts.iter().map(|id| id.parse().unwrap()).collect();
    let groups = list.groups.iter().map(|group| group.parse::<CustomerGroup>().unwrap()).collect();
    PriceList {
        id: list.id.parse().unwrap(),
        priority: list.priority,
        currency: list.currency.as_deref().map(currency),
        from: list.from.map(Timestamp::from_millis),
        until: list.until.map(Timestamp::from_millis),
        recipients: Recipients { everyone: list.everyone, groups, users: ids(&list.users) },
        is_wide: list.rows.iter().any(|row| !matches!(row.scope, world::Scope::Product(_))),
        revision: 1,
    }
}

fn rules_of(product: &Product) -> QuantityRules {
    let [min, step, max] = [product.min, product.step, product.max].map(|it| it.map(quantity));
    QuantityRules::new(min, step, max).unwrap()
}

/// The row that makes a price: its list (`None` for the own list), its scope, and its minimum quantity.
pub type WinningRow = (Option<String>, world::Scope, Decimal);

impl<'a> Module<'a> {
    /// Returns `None` if there is no such product.
    pub fn new(world: &'a World, asked: &'a Asked) -> Option<Self> {
        let product = world.products.get(&asked.product)?;
        let code = world.currency_of(&asked.user);
        let unit_decimals = world.unit_decimals;
        let decimals_in = |code: &str| decimals_of(code) + u32::from(unit_decimals);
        let decimals = decimals_in(&code);
        let rounding = if world.half_up { Rounding::HalfUp } else { Rounding::HalfEven };
        let amount = |amounts: &BTreeMap<String, Decimal>| {
            amounts.get(&code).map(|amount| units(*amount, decimals))
        };
        let goods =
            Goods { list_price: amount(&product.prices), floor: amount(&product.floors), rounding };
        let customer = world.customer(&asked.user);
        let lists = world.lists.iter().map(|list| {
            let decimals = list.currency.as_deref().map_or(decimals, decimals_in);
            (price_list(list), ladders(&list.rows, decimals))
        });
        let own = world.own.get(&asked.user).and_then(|own| own_ladder(own, product, decimals_in));
        Some(Self {
            world,
            asked,
            currency: currency(&code),
            customer: ocache::pricing::Customer {
                user: customer.user.parse().unwrap(),
                currency: customer.currency.as_deref().map(currency),
                groups: customer.groups.iter().map(|group| group.parse().unwrap()).collect(),
            },
            product: product.id.parse().unwrap(),
            category: product.category.as_ref().map(|path| path.parse().unwrap()),
            goods,
            sold: rules_of(product),
            quantity: quantity(asked.quantity),
            rounding: UnitRounding { unit_decimals, rounding },
            lists: lists.collect(),
            own,
        })
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.asked.at)
    }

    /// Returns the steps of each list that counts, narrowest scopes first, as the stages make them.
    fn steps(&self, at: Timestamp, rules: &mut Rules) -> Vec<Vec<Step>> {
        let mut all = vec![];
        for (list, rows) in &self.lists {
            let counts = list.recipients.include(&self.customer)
                && list.is_for(self.currency)
                && list.is_in_force(at);
            if !counts {
                continue;
            }
            let category = self.category.as_ref();
            let mut rows: Vec<_> =
                rows.iter().filter(|(scope, _)| scope.includes(&self.product, category)).collect();
            rows.sort_by_key(|(scope, _)| std::cmp::Reverse(scope.narrowness()));
            let scopes: Vec<ScopedLadder<'_>> = rows
                .into_iter()
                .map(|(scope, ladder)| ScopedLadder {
                    scope: Some(scope).filter(|scope| scope.is_wide()),
                    ladder,
                })
                .collect();
            all.push(steps_of_list(self.goods, Some(list), &scopes, true, rules));
        }
        if let Some((own, of)) = &self.own {
            let scopes = [ScopedLadder { scope: None, ladder: &own.ladder }];
            all.push(steps_of_list(self.goods, None, &scopes, *of == self.currency, rules));
        }
        all
    }

    /// Returns the price by ladders composed of all lists at once. Checks that ladders composed of some
    /// lists and then of the rest give the same, wherever they are divided.
    pub fn composed(&self, parted_at: usize) -> Outcome {
        let mut rules = Rules::default();
        let steps = self.steps(self.at(), &mut rules);
        let slices: Vec<&[Step]> = steps.iter().map(Vec::as_slice).collect();
        let all = compose(&slices, &rules);
        let (some, rest) = slices.split_at(parted_at % (slices.len() + 1));
        let some = compose(some, &rules);
        let rest: Vec<&[Step]> = rest.iter().copied().chain([some.as_slice()]).collect();
        assert_eq!(compose(&rest, &rules), all, "parted at {}", some.len());
        assert!(all.is_sorted_by(|a, b| a.from < b.from), "{all:?}");
        self.outcome(&all, &rules)
    }

    fn outcome(&self, steps: &[Step], rules: &Rules) -> Outcome {
        let has_price = self.goods.list_price.is_some() || !steps.is_empty();
        if let Err(unsold) = self.sold.check(self.quantity)
            && has_price
        {
            let shown = |quantity: Option<Quantity>| {
                quantity.map(|quantity| Decimal::new(quantity.thousandths(), 3))
            };
            return Outcome::Invalid { below: shown(unsold.below), above: shown(unsold.above) };
        }
        let entry = match step_at(steps, self.quantity) {
            Some(step) => ProductPrice::at_step(self.goods.list_price, step, rules.as_slice()),
            None => self.goods.list_price.map(ProductPrice::at_list_price),
        };
        let Some(entry) = entry else { return Outcome::Unavailable };
        let tier = next_tier(steps, self.quantity, entry.unit_price, &self.sold);
        self.priced(&ProductPrice { next_tier: tier, ..entry })
    }

    fn priced(&self, entry: &ProductPrice) -> Outcome {
        let code = self.currency.code();
        let decimals = decimals_of(code);
        let unit = |price: Money| {
            Decimal::new(price.minor(), decimals + u32::from(self.world.unit_decimals))
        };
        let total = entry.unit_price.line_total(self.quantity, self.rounding);
        let rule = entry.rule.as_ref().map(|rule| world::Rule {
            list: rule.list.as_ref().map(ToString::to_string),
            scope: match &rule.scope {
                None => world::Scope::Product(self.product.to_string()),
                Some(Scope::All) => world::Scope::All,
                Some(Scope::Category(path)) => world::Scope::Category(path.to_string()),
                Some(Scope::Product(id)) => world::Scope::Product(id.to_string()),
            },
            kind: match rule.kind {
                ocache::pricing::RuleKind::Price => Kind::Price,
                ocache::pricing::RuleKind::Percentage(_) => Kind::Percentage,
                ocache::pricing::RuleKind::Amount => Kind::Amount,
            },
            min: Decimal::new(rule.min_quantity.thousandths().cast_signed(), 3),
            until: rule.until.map(Timestamp::millis),
        });
        Outcome::Priced(Priced {
            currency: code.to_owned(),
            list_price: entry.list_price.map(unit),
            unit_price: unit(entry.unit_price),
            discount: Decimal::from_i128_with_scale(i128::from(entry.discount.millionths()), 6),
            total: total.map(|total| Decimal::new(total.minor(), decimals)),
            rule,
            next_tier: entry
                .next_tier
                .map(|tier| (Decimal::new(tier.quantity.thousandths(), 3), unit(tier.unit_price))),
        })
    }

    /// Returns the price, and the row that makes it, by looking at every row.
    pub fn explained(&self) -> (Option<Decimal>, Option<WinningRow>) {
        let lists = self.lists.iter().map(|(list, rows)| GivenList {
            list: Some(list),
            own_currency: None,
            rows: rows.iter().map(|(scope, ladder)| (scope.clone(), ladder)).collect(),
        });
        let own = self.own.as_ref().map(|(ladder, of)| GivenList::own(ladder, Some(*of)));
        // In reverse, because the order must not matter.
        let lists: Vec<GivenList<'_>> = lists.rev().chain(own).collect();
        let subject = Subject {
            customer: &self.customer,
            currency: self.currency,
            product: &self.product,
            category: self.category.as_ref(),
            goods: self.goods,
            quantity: self.quantity,
            at: self.at(),
        };
        let explanation = explain(&subject, &lists);
        let decimals = decimals_of(self.currency.code()) + u32::from(self.world.unit_decimals);
        let price = explanation.unit_price.map(|price| Decimal::new(price.minor(), decimals));
        let winner = explanation.winner().map(|row| {
            let scope = match &row.scope {
                Scope::All => world::Scope::All,
                Scope::Category(path) => world::Scope::Category(path.to_string()),
                Scope::Product(id) => world::Scope::Product(id.to_string()),
            };
            let min = Decimal::new(row.min_quantity.thousandths().cast_signed(), 3);
            (row.list.as_ref().map(PriceListId::to_string), scope, min)
        });
        (price, winner)
    }

    /// Checks that the steps do not change before the next list begins or ends.
    pub fn check_edges(&self) {
        let mut rules = Rules::default();
        let now = self.steps(self.at(), &mut rules);
        let mine = self.lists.iter().filter(|(list, _)| {
            list.recipients.include(&self.customer) && list.is_for(self.currency)
        });
        let edge = mine.filter_map(|(list, _)| list.next_edge(self.at())).min();
        if let Some(edge) = edge {
            let before = Timestamp::from_millis(edge.millis() - 1);
            assert_eq!(self.steps(before, &mut rules), now, "up to {edge}");
        }
    }

    /// Returns the price through a packed base, if the product has only a discount of the customer's own on
    /// every quantity. Returns `None` for other products.
    pub fn through_a_base(&self) -> Option<Option<ProductPrice>> {
        let percentage = match &self.own {
            None => None,
            Some((ladder, _)) => match ladder.ladder.rungs() {
                [Rung { min_quantity: MinQuantity::ZERO, rule: PriceRule::Percentage(rate) }] => {
                    Some(rate.as_percentage()?)
                }
                _ => return None,
            },
        };
        let product = &self.world.products[&self.asked.product];
        let decimals_in = |code: &str| decimals_of(code) + u32::from(self.world.unit_decimals);
        let amounts = |amounts: &BTreeMap<String, Decimal>| {
            let of = |(code, amount): (&String, &Decimal)| {
                (currency(code), units(*amount, decimals_in(code)))
            };
            amounts.iter().map(of).collect::<BTreeMap<_, _>>()
        };
        let catalogue = currency(&self.world.currency);
        let mut prices = amounts(&product.prices);
        let loaded = ocache::pricing::Product {
            id: self.product.clone(),
            name: String::new(),
            price: prices.remove(&catalogue),
            detail: None,
        };
        let loaded = loaded.with_detail(ocache::pricing::ProductDetail {
            prices,
            floors: amounts(&product.floors),
            category: self.category.clone(),
            quantities: self.sold,
        });
        let base = PackedBase::in_currency(self.currency, catalogue, vec![loaded]).unwrap();
        let base = Base::new(&base).unwrap();
        let entry = base.part(0).unwrap().entry(0);
        assert_eq!(entry.goods(self.rounding.rounding), self.goods);
        assert_eq!((entry.quantities, entry.category), (self.sold, self.category.as_ref()));
        let discounts =
            percentage.map(|percentage| Discount { product_id: self.product.clone(), percentage });
        let discounts = Discounts::new(discounts.into_iter().collect()).unwrap();
        let own = OwnRows::price(base.index(), &discounts, self.rounding.rounding, |number| {
            base.part(number)
        });
        Some(base.entry(&self.product, &own.unwrap()))
    }

    /// Returns an entry as a price in decimals.
    pub fn shown(&self, entry: &ProductPrice) -> Outcome {
        self.priced(entry)
    }
}

/// Returns the own rows of the product. Each keeps the decimals of the currency in which it was loaded.
fn own_ladder(
    own: &Own,
    product: &Product,
    decimals_in: impl Fn(&str) -> u32,
) -> Option<(OwnLadder, Currency)> {
    let is_mine = |row: &&Row| row.scope == world::Scope::Product(product.id.clone());
    let rows: Vec<Row> = own.rows.iter().filter(is_mine).cloned().collect();
    let (_, ladder) = ladders(&rows, decimals_in(&own.currency)).pop()?;
    Some((OwnLadder { product_id: product.id.parse().unwrap(), ladder }, currency(&own.currency)))
}
