//! Explains why products have their prices for a customer: every row that is considered, and why it wins
//! or loses.

use super::VerifyError;
use super::customer::PointInputs;
use super::error::still;
use super::expected::sold;
use super::inputs::{MAX_READS, SharedInputs};
use crate::data::Amounts;
use crate::model::{Item, ProductId, Timestamp, UserId};
use crate::ports::{CatalogueHead, Store};
use crate::pricing::{Currency, Explanation, Goods, Subject, UnitRounding, Unsold, explain};

/// Why some items have their prices.
#[derive(Clone, Debug)]
pub struct Reasons {
    /// The catalogue version on which the prices are based.
    pub catalogue_version: u64,
    /// The currency of all amounts.
    pub currency: Currency,
    /// How unit prices are rounded.
    pub rounding: UnitRounding,
    /// The instant that decides which price lists are in force.
    pub at: Timestamp,
    /// The reason for each item; `None` for a product that does not exist.
    pub items: Vec<(Item, Option<WhyPrice>)>,
}

impl Reasons {
    /// Returns how amounts are written.
    #[must_use]
    pub const fn amounts(&self) -> Amounts {
        Amounts { currency: self.currency, unit_decimals: self.rounding.unit_decimals }
    }
}

/// Why one item has its price.
#[derive(Clone, Debug)]
pub struct WhyPrice {
    /// The name of the product.
    pub name: String,
    /// The inputs for calculated prices.
    pub goods: Goods,
    /// Set if the product is not sold in this quantity; has the quantities next to it.
    pub unsold: Option<Unsold>,
    /// The rows that were considered.
    pub explanation: Explanation,
}

/// Looks at every row from which a customer's prices of some items may come at an instant.
///
/// # Errors
/// Returns [`VerifyError`]; [`VerifyError::Loading`] if loads keep coming into force in the meantime.
pub async fn reasons(
    store: &dyn Store,
    user: &UserId,
    items: &[Item],
    at: Timestamp,
) -> Result<Reasons, VerifyError> {
    for _ in 0..MAX_READS {
        match try_reasons(store, user, items, at).await {
            Err(VerifyError::Loading) => {}
            done => return done,
        }
    }
    Err(VerifyError::Loading)
}

async fn try_reasons(
    store: &dyn Store,
    user: &UserId,
    items: &[Item],
    at: Timestamp,
) -> Result<Reasons, VerifyError> {
    let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
    let ids: Vec<ProductId> = items.iter().map(|item| item.product.clone()).collect();
    let products = still(store.products(&ids, &head).await?)?;
    let inputs = SharedInputs::without_products(store, head).await?;
    let scopes: Vec<_> = products.iter().map(|product| (&product.id, product.category())).collect();
    let given = PointInputs::read(store, user, &scopes, &inputs).await?;
    let (catalogue, rounding) = (inputs.head.currency, inputs.head.rounding);
    let currency = given.customer.currency.unwrap_or(catalogue);
    let items = items.iter().map(|item| {
        let product = products.iter().find(|product| product.id == item.product);
        let why = product.map(|product| {
            let goods = Goods {
                list_price: product.price_in(currency, catalogue),
                floor: product.floor_in(currency),
                rounding: rounding.rounding,
            };
            let rows = given.rows_of(&product.id, product.category());
            let lists = rows.lists();
            let subject = Subject {
                customer: &given.customer,
                currency,
                product: &product.id,
                category: product.category(),
                goods,
                quantity: item.quantity,
                at,
            };
            WhyPrice {
                name: product.name.clone(),
                goods,
                unsold: sold(product.quantities(), &subject, &lists).err(),
                explanation: explain(&subject, &lists),
            }
        });
        (item.clone(), why)
    });
    let items = items.collect();
    Ok(Reasons { catalogue_version: inputs.head.version, currency, rounding, at, items })
}
