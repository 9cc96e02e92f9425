//! `ocache list`: prints what is stored while it is read.

mod absent;
mod listing;
mod other_currencies;
mod quotations;
mod rows;

use super::args::{
    ListCommand, ListCustomersArgs, ListDiscountsArgs, ListPriceListsArgs, ListProductsArgs,
};
use super::engine::Engine;
use super::failure::Result;
use super::interrupt::or_interrupted;
use super::output::Output;
use super::settings::Settings;
use crate::model::{CustomerGroup, UserId};
use crate::ports::{AtHead, PortError, Ports, Segment, Store, all_lists, at_head};
use crate::pricing::{Category, Customer, PriceList, Product};
use absent::NamesMet;
use listing::{Listing, Walk};
use other_currencies::OtherCurrencies;

pub(super) use quotations::is_asked_in;

/// The number of customers whose own lists are read at once. Each list may have a row for every product.
const LISTS_AT_ONCE: usize = 50;

pub(super) async fn run(settings: &Settings, output: &Output, command: ListCommand) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let done = or_interrupted(list(&engine, &ports, output, command)).await;
    engine.close().await;
    done
}

async fn list(engine: &Engine, ports: &Ports, output: &Output, command: ListCommand) -> Result<()> {
    let store = &*ports.store;
    match command {
        ListCommand::Products(args) => products(store, output, &args).await,
        ListCommand::Customers(args) => customers(store, output, &args).await,
        ListCommand::Discounts(args) => discounts(engine, store, output, args).await,
        ListCommand::PriceLists(args) => price_lists(engine, store, output, &args).await,
        ListCommand::Quotations(args) => quotations::list(engine, ports, output, &args).await,
    }
}

async fn products(store: &dyn Store, output: &Output, args: &ListProductsArgs) -> Result<()> {
    let mut categories = NamesMet::of(args.category.as_ref().map(Category::as_str));
    let mut wanted = |product: &Product| {
        let is_in = args.category.as_ref().is_none_or(|wide| {
            let category = product.category();
            category.is_some_and(|it| {
                // The categories above it exist too.
                for (end, _) in it.as_str().match_indices('/') {
                    categories.meets(&it.as_str()[..end], false);
                }
                categories.meets(it.as_str(), wide.covers(it))
            })
        });
        is_in && has_text(args.text.as_deref(), &[product.id.as_str(), &product.name])
    };
    let mut listing = Listing::begin(output, &rows::PRODUCTS, args.limit.limit);
    let mut walk = Walk::new(store, |store, head, from| {
        Box::pin(async move { store.list_products(&head, Segment::ALL, from).await })
    });
    while let Some((head, page)) = walk.next(&listing).await? {
        for product in page.iter().filter(|product| wanted(product)) {
            listing
                .row(|| rows::product(product, &head), || rows::product_cells(product, &head))?;
        }
        listing.end_page()?;
    }
    let see = "`ocache list products` lists the products with their categories";
    listing.end_without(categories.absent("category", see), "first", "product")
}

async fn customers(store: &dyn Store, output: &Output, args: &ListCustomersArgs) -> Result<()> {
    let mut groups = NamesMet::of(args.group.as_ref().map(CustomerGroup::as_str));
    let mut wanted = |customer: &Customer| {
        let is_in = args.group.as_ref().is_none_or(|wanted| {
            for group in &customer.groups {
                groups.meets(group.as_str(), group == wanted);
            }
            customer.groups.contains(wanted)
        });
        is_in && has_text(args.text.as_deref(), &[customer.user.as_str()])
    };
    let mut listing = Listing::begin(output, &rows::CUSTOMERS, args.limit.limit);
    let mut walk = Walk::new(store, |store, head, from| {
        Box::pin(async move { store.list_customers(&head, from).await })
    });
    while let Some((_, page)) = walk.next(&listing).await? {
        for customer in page.iter().filter(|customer| wanted(customer)) {
            listing.row(|| rows::customer(customer), || rows::customer_cells(customer))?;
        }
        listing.end_page()?;
    }
    if listing.is_empty() && args.group.is_some() {
        // A group without customers may have a price list.
        let lists = at_head(store, |head| Box::pin(async move { all_lists(store, &head).await }));
        for group in lists.await?.iter().flat_map(|list| &list.recipients.groups) {
            groups.meets(group.as_str(), args.group.as_ref() == Some(group));
        }
    }
    let see = "`ocache list customers` lists the customers with their groups";
    listing.end_without(groups.absent("group", see), "first", "customer")
}

async fn price_lists(
    engine: &Engine,
    store: &dyn Store,
    output: &Output,
    args: &ListPriceListsArgs,
) -> Result<()> {
    let client = match &args.client {
        Some(client) => Some(customer_now(store, client).await?),
        None => None,
    };
    // A list for everyone would be shown for a customer who does not exist, too.
    let absent = absent::customer(engine, store, args.client.as_ref()).await?;
    let mut listing = Listing::begin(output, &rows::PRICE_LISTS, args.limit.limit);
    if absent.is_some() {
        return listing.end_without(absent, "first", "price list");
    }
    let wanted = |list: &PriceList| {
        has_text(args.text.as_deref(), &[list.id.as_str()])
            && client.as_ref().is_none_or(|client| list.recipients.include(client))
    };
    let mut walk = Walk::new(store, |store, head, from| {
        Box::pin(async move { store.list_price_lists(&head, from).await })
    });
    while let Some((_, page)) = walk.next(&listing).await? {
        for list in page.iter().filter(|list| wanted(list)) {
            listing.row(|| rows::price_list(list), || rows::price_list_cells(list))?;
        }
        listing.end_page()?;
    }
    listing.end("first", "price list")
}

/// Returns the stored customer, or an unknown one with this id.
async fn customer_now(store: &dyn Store, client: &UserId) -> Result<Customer, PortError> {
    let found = at_head(store, |head| {
        Box::pin(async move { store.customers(std::slice::from_ref(client), &head).await })
    });
    let found = found.await?.into_iter().next();
    Ok(found.unwrap_or_else(|| Customer::unknown(client.clone())))
}

async fn discounts(
    engine: &Engine,
    store: &dyn Store,
    output: &Output,
    args: ListDiscountsArgs,
) -> Result<()> {
    let wanted = |row: &rows::ListedOwnRow<'_>| {
        args.product.as_ref().is_none_or(|product| product == row.product)
    };
    let mut others = OtherCurrencies::default();
    let mut listing = Listing::begin(output, &rows::DISCOUNTS, args.limit.limit);
    let mut walk = Walk::new(store, |store, head, from| {
        Box::pin(async move { store.list_discounted_users(&head, from).await })
    });
    'pages: while let Some((head, users)) = walk.next(&listing).await? {
        let users = match &args.client {
            Some(client) => vec![client.clone()],
            None => users,
        };
        for users in users.chunks(LISTS_AT_ONCE) {
            let AtHead::Read(lists) = store.discounts(users, &head).await? else {
                walk.start_over(&listing)?;
                continue 'pages;
            };
            // The table for people shows the currency beside each price, so only JSON needs a warning.
            if output.is_json() {
                let stated = lists.iter().filter_map(|list| {
                    let currency =
                        rows::own_rows(list).filter(wanted).find_map(|row| row.stated_in());
                    Some((list.user.clone(), currency?))
                });
                let stated: Vec<_> = stated.collect();
                if others.compare(store, &head, &stated).await? == AtHead::Moved {
                    walk.start_over(&listing)?;
                    continue 'pages;
                }
            }
            for row in lists.iter().flat_map(rows::own_rows).filter(wanted) {
                listing.row(|| row.data(&head), || row.cells(&head))?;
            }
            listing.end_page()?;
        }
        if args.client.is_some() {
            break;
        }
    }
    if listing.is_empty() {
        let absent = match absent::customer(engine, store, args.client.as_ref()).await? {
            None => absent::product(engine, store, args.product.as_ref()).await?,
            absent => absent,
        };
        return listing.end_without(absent, "first", "discount");
    }
    listing.end("first", "discount")?;
    others.tell(output);
    Ok(())
}

/// Whether one of the words contains a text, regardless of case.
fn has_text(text: Option<&str>, words: &[&str]) -> bool {
    text.is_none_or(|text| {
        let text = text.to_lowercase();
        words.iter().any(|word| word.to_lowercase().contains(&text))
    })
}
