//! Arguments for price lists that a forecast or a replay makes up.

use clap::Args;

use super::super::failure::{ExitCode, Failure, Result};
use crate::data::ListSpec;
use crate::pricing::Currency;
use crate::replay::TermsSpec;

/// The default number of lists of each customer, if there are as many.
const LISTS_PER_USER: u64 = 3;

/// The price lists of made-up customers.
#[derive(Debug, Args)]
pub struct TermsArgs {
    /// Number of price lists, each for a group of customers and one product in ten
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub lists: u64,
    /// Number of price lists that each customer has [default: 3, or all if there are fewer]
    #[arg(long, value_name = "N", requires = "lists", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub lists_per_user: Option<u64>,
    /// Number of different combinations of lists and currency among customers [default: one for each list]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub terms: Option<u64>,
    /// Number of tiers in the ladders of those lists, and of customers' own prices
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u64).range(1..=ListSpec::MAX_TIERS))]
    pub tiers: u64,
    /// Currencies of prices and customers, separated by commas; the first is that of the catalogue
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub currencies: Vec<Currency>,
}

impl TermsArgs {
    /// Returns the terms that these arguments describe.
    ///
    /// # Errors
    /// Fails if customers would have more lists than there are, or more combinations than are possible.
    pub fn spec(&self) -> Result<TermsSpec> {
        let currency = self.currencies.first().copied().unwrap_or(Currency::USD);
        let mut currencies: Vec<Currency> = vec![];
        for other in &self.currencies {
            if *other != currency && !currencies.contains(other) {
                currencies.push(*other);
            }
        }
        let lists_per_user = self.lists_per_user.unwrap_or(LISTS_PER_USER.min(self.lists));
        let lists = ListSpec { lists: self.lists, tiers: self.tiers, currencies };
        let spec = TermsSpec { lists, currency, lists_per_user, terms: 1 };
        let most = spec.most_terms();
        if most == 0 {
            let message = format!(
                "each customer has {lists_per_user} price lists, but there are only {}",
                self.lists
            );
            return Err(Failure::new(ExitCode::Usage, message).hint(format!(
                "give --lists {lists_per_user} or more, or fewer --lists-per-user"
            )));
        }
        let terms = self.terms.unwrap_or(self.lists.max(spec.currencies()).min(most));
        if terms > most {
            let (lists, currencies) = (self.lists, spec.currencies());
            let message = format!(
                "{terms} different terms, but {lists_per_user} of {lists} lists in {currencies} {} \
                 make only {most} {}",
                if currencies == 1 { "currency" } else { "currencies" },
                if most == 1 { "combination" } else { "combinations" },
            );
            return Err(Failure::new(ExitCode::Usage, message)
                .hint(format!("give --terms {most} or fewer, or more --lists")));
        }
        Ok(TermsSpec { terms, ..spec })
    }
}
