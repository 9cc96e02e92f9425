//! Suggests a quote for a customer and products that are stored.

use super::super::shell::quoted;
use crate::model::{Item, ProductId, Quantity, UserId};
use crate::ports::{
    AtHead, PortError, Segment, Store, at_head, discounts_now, first_customers,
    first_discounted_users, first_products, products_now,
};
use crate::pricing::{Currency, Product};

/// The most products that are read.
const LOOKED_AT: usize = 1_000;

/// Returns the arguments of `ocache quote`; `None` if none of the products that were read has a list
/// price in the customer's currency.
pub(super) async fn example(store: &dyn Store) -> Result<Option<String>, PortError> {
    if has_fixtures(store).await? {
        return Ok(Some("--client AAA P1:2 P3:1".to_owned()));
    }
    let customer = some_customer(store).await?;
    let currencies = currencies(store, customer.as_ref()).await?;
    let items = items(first_products(store, LOOKED_AT).await?.rows, currencies);
    if items.is_empty() {
        return Ok(None);
    }
    // A customer without stored data pays list prices.
    let customer = customer.as_ref().map_or("AAA", UserId::as_str);
    let items = items.iter().map(|item| quoted(&format!("{}:{}", item.product, item.quantity)));
    let words = [quoted(customer)].into_iter().chain(items);
    Ok(Some(format!("--client {}", words.collect::<Vec<_>>().join(" "))))
}

/// Whether the store has the fixtures, whose quote is that of the guides.
async fn has_fixtures(store: &dyn Store) -> Result<bool, PortError> {
    let products = ["P1", "P3"].map(str::parse::<ProductId>).into_iter().flatten();
    let found = products_now(store, &products.collect::<Vec<_>>()).await?;
    let is_any = |product: &Product| product.price.is_some() && product.quantities().is_any();
    let Ok(customer) = UserId::new("AAA") else { return Ok(false) };
    Ok(found.len() == 2
        && found.iter().all(is_any)
        && !discounts_now(store, &[customer]).await?.is_empty())
}

/// Returns a customer with discounts, else one with a currency or groups, else an active one.
async fn some_customer(store: &dyn Store) -> Result<Option<UserId>, PortError> {
    let named = |users: Vec<UserId>| users.into_iter().filter(|it| is_word(it.as_str())).min();
    if let Some(user) = named(first_discounted_users(store, 1).await?.rows) {
        return Ok(Some(user));
    }
    let customers = first_customers(store, 1).await?.rows.into_iter();
    if let Some(user) = named(customers.map(|customer| customer.user).collect()) {
        return Ok(Some(user));
    }
    let active = store.list_active_users(Segment::ALL, Default::default(), None).await?;
    Ok(named(active.items.into_iter().map(|active| active.user).collect()))
}

/// Returns the customer's currency, and that of the stack.
async fn currencies(
    store: &dyn Store,
    customer: Option<&UserId>,
) -> Result<[Currency; 2], PortError> {
    at_head(store, |head| {
        Box::pin(async move {
            let users: Vec<UserId> = customer.into_iter().cloned().collect();
            Ok(match store.customers(&users, &head).await? {
                AtHead::Moved => AtHead::Moved,
                AtHead::Read(found) => {
                    let own = found.into_iter().find_map(|customer| customer.currency);
                    AtHead::Read([own.unwrap_or(head.currency), head.currency])
                }
            })
        })
    })
    .await
}

/// Returns two of the products that have a price in the first currency.
fn items(mut products: Vec<Product>, [currency, catalogue]: [Currency; 2]) -> Vec<Item> {
    products.retain(|product| {
        product.price_in(currency, catalogue).is_some() && is_word(product.id.as_str())
    });
    products.sort_by(|one, other| one.id.cmp(&other.id));
    let wanted = [Quantity::from_thousandths(2_000), Some(Quantity::ONE)].into_iter().flatten();
    let items = products.into_iter().zip(wanted).filter_map(|(product, quantity)| {
        let quantity = match product.quantities().check(quantity) {
            Ok(()) => quantity,
            Err(unsold) => unsold.above.or(unsold.below)?,
        };
        Some(Item { product: product.id, quantity })
    });
    items.collect()
}

/// Whether no command takes the id for a flag.
fn is_word(id: &str) -> bool {
    !id.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Money, ProductDetail, QuantityRules};

    #[test]
    fn quantities_are_those_that_products_are_sold_in() {
        let eur = "EUR".parse().unwrap();
        let product = |id: &str, rules| {
            let id = id.parse().unwrap();
            Product::new(id, String::new(), Money::from_minor(100))
                .with_detail(ProductDetail { quantities: rules, ..Default::default() })
        };
        let tens = Quantity::from_thousandths(10_000);
        let tens = QuantityRules::new(tens, tens, None).unwrap();
        let products = vec![product("b", QuantityRules::ANY), product("a", tens)];
        let shown: Vec<_> = items(products, [eur, eur])
            .into_iter()
            .map(|item| format!("{}:{}", item.product, item.quantity))
            .collect();
        assert_eq!(shown, ["a:10", "b:1"]);
        let products = vec![product("a", QuantityRules::ANY)];
        assert!(items(products, [eur, Currency::USD]).is_empty(), "none has a price in EUR");
    }
}
