//! A store into which texts are loaded as if they were files.

use std::path::Path;
use std::sync::Arc;

use ocache::data::{
    Amounts, Dataset, LoadError, LoadOptions, LoadReport, MovedPrice, MovedPrices, Preview, load,
    preview, read_texts,
};
use ocache::memory::{ManualClock, Memory};
use ocache::model::{Timestamp, UserId};
use ocache::ports::{AtHead, CatalogueHead, Ports, SystemRandomness};
use ocache::pricing::{Currency, ListPrices, PriceList, PriceRule, UnitRounding};

pub struct Shop {
    pub ports: Ports,
    pub clock: Arc<ManualClock>,
}

/// The prices that a preview reports, a line each.
#[derive(Default)]
pub struct Heard(pub Vec<String>);

impl MovedPrices for Heard {
    fn restart(&mut self) -> std::io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn moved(&mut self, price: &MovedPrice) -> std::io::Result<()> {
        let MovedPrice { customer, product, min_quantity, before, after, currency, .. } = price;
        let amounts = Amounts::from(*currency);
        let [before, after] =
            [before, after].map(|price| price.map_or("-".to_owned(), |price| amounts.shown(price)));
        self.0.push(format!("{customer} {product} {min_quantity}: {before} to {after} {currency}"));
        Ok(())
    }
}

impl Shop {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
        let memory = Memory::new(clock.clone(), Arc::new(SystemRandomness));
        Self { ports: memory.ports(), clock }
    }

    pub fn read(text: &str) -> Dataset {
        read_texts(&[(Path::new("f"), text.as_bytes())], Currency::USD).unwrap()
    }

    pub async fn load(&self, text: &str) -> LoadReport {
        self.try_load(text, false).await.unwrap()
    }

    pub async fn prune(&self, text: &str) -> LoadReport {
        self.try_load(text, true).await.unwrap()
    }

    pub async fn try_load(&self, text: &str, prune: bool) -> Result<LoadReport, LoadError> {
        self.load_with(text, LoadOptions { currency: Currency::USD, prune, merge: false }).await
    }

    pub async fn merge(&self, text: &str) -> Result<LoadReport, LoadError> {
        let options = LoadOptions { currency: Currency::USD, prune: false, merge: true };
        self.load_with(text, options).await
    }

    async fn load_with(&self, text: &str, options: LoadOptions) -> Result<LoadReport, LoadError> {
        let Ports { store, clock, randomness, .. } = &self.ports;
        load(&**store, &**clock, &**randomness, &Self::read(text), options, &|_| {}).await
    }

    /// Returns why a text is refused with what is stored. Checks that nothing is written.
    pub async fn refusal(&self, text: &str) -> String {
        let before = self.head().await;
        let error = self.try_load(text, false).await.unwrap_err();
        assert!(matches!(error, LoadError::Data(_)), "{error:?}");
        assert_eq!(self.head().await, before);
        assert_eq!(self.ports.store.journals().await.unwrap(), []);
        error.to_string()
    }

    pub async fn preview(&self, text: &str, prune: bool) -> (Preview, Vec<String>) {
        let options = LoadOptions { currency: Currency::USD, prune, merge: false };
        let mut heard = Heard::default();
        let data = Self::read(text);
        let (store, clock) = (&*self.ports.store, &*self.ports.clock);
        let before = self.head().await;
        let preview = preview(store, clock, &data, options, &mut heard, &|_| {}).await.unwrap();
        assert_eq!(self.head().await, before, "nothing is written");
        assert_eq!(store.journals().await.unwrap(), []);
        (preview, heard.0)
    }

    /// Returns the prices that a preview reports, or `None` if the load would be refused.
    pub async fn try_preview(&self, text: &str, prune: bool) -> Option<Vec<String>> {
        let options = LoadOptions { currency: Currency::USD, prune, merge: false };
        let mut heard = Heard::default();
        let (store, clock) = (&*self.ports.store, &*self.ports.clock);
        match preview(store, clock, &Self::read(text), options, &mut heard, &|_| {}).await {
            Ok(_) => Some(heard.0),
            Err(LoadError::Data(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    pub fn clock_now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    pub async fn visit(&self, user: &str) {
        let now = self.ports.clock.now();
        let until = now.plus(std::time::Duration::from_secs(60));
        let user: UserId = user.parse().unwrap();
        self.ports.store.record_visit(&user, now, until).await.unwrap();
    }

    pub async fn head(&self) -> CatalogueHead {
        self.ports.store.catalogue_head().await.unwrap().unwrap_or(CatalogueHead::EMPTY)
    }

    pub async fn list(&self, list: &str) -> Option<PriceList> {
        let head = self.head().await;
        let lists = self.ports.store.price_lists(&[list.parse().unwrap()], &head).await.unwrap();
        let AtHead::Read(mut lists) = lists else { panic!("it has moved") };
        lists.pop()
    }

    /// Returns the rows of a list, a line each.
    pub async fn rows(&self, list: &str) -> Vec<String> {
        let head = self.head().await;
        let (list, mut from, mut rows) = (list.parse().unwrap(), None, vec![]);
        loop {
            let page = self.ports.store.list_prices(&list, &head, from).await.unwrap();
            let AtHead::Read(page) = page else { panic!("it has moved") };
            rows.extend(page.items.iter().flat_map(lines));
            from = page.next;
            if from.is_none() {
                rows.sort();
                return rows;
            }
        }
    }
}

fn lines(prices: &ListPrices) -> impl Iterator<Item = String> {
    prices.ladder.rungs().iter().map(|rung| {
        let rule = match rung.rule {
            PriceRule::Price(price) => format!("costs {}", price.minor()),
            PriceRule::Percentage(rate) => format!("{rate} % off"),
            PriceRule::Amount(amount) => format!("{} off", amount.minor()),
        };
        format!("{} from {}: {rule}", prices.scope, rung.min_quantity)
    })
}

/// Unit prices with more decimals than those of their currency.
pub const FINE: UnitRounding = UnitRounding { unit_decimals: 2, ..UnitRounding::PLAIN };
