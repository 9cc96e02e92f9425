//! Gathers the rows of all files, remembers where each came from, and finds what came twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use super::error::{DataErrors, Fault, MAX_LISTED_ERRORS, Problem, RowError};
use super::read::{Dataset, FileSummary, Notice};
use super::record::Record;
use crate::model::UserId;
use crate::ports::UserDiscounts;
use crate::pricing::{Currency, Discount, Discounts, Product};

/// The line of a file that something stands on. Small, for there are millions of them.
#[derive(Clone, Copy, Debug)]
struct Place {
    file: u32,
    line: u32,
}

/// What is known of one user so far.
#[derive(Debug)]
struct User {
    discounts: Vec<Discount>,
    /// Where each discount stands; for a whole list, only where that stands.
    places: Vec<Place>,
    is_list: bool,
}

/// The rows of all files so far.
#[derive(Debug)]
pub(super) struct Collector {
    currency: Currency,
    files: Vec<FileSummary>,
    notices: Vec<Notice>,
    products: Vec<Product>,
    places: Vec<Place>,
    users: Vec<User>,
    users_by_id: HashMap<UserId, usize>,
    errors: Vec<(Option<Place>, RowError)>,
    more_errors: usize,
}

/// Takes the rows of one file.
pub(super) struct Sink<'c> {
    collector: &'c mut Collector,
    file: u32,
    rows: usize,
}

impl Collector {
    pub(super) fn new(currency: Currency, notices: Vec<Notice>) -> Self {
        Self {
            currency,
            files: vec![],
            notices,
            products: vec![],
            places: vec![],
            users: vec![],
            users_by_id: HashMap::new(),
            errors: vec![],
            more_errors: 0,
        }
    }

    /// Opens the next file.
    pub(super) fn file(&mut self, path: PathBuf) -> Sink<'_> {
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push(FileSummary { path, products: 0, users: 0 });
        Sink { collector: self, file, rows: 0 }
    }

    /// All rows, unless anything is wrong with any of them.
    pub(super) fn finish(mut self) -> Result<Dataset, DataErrors> {
        self.find_repeated_products();
        self.find_repeated_discounts();
        let is_empty = self.products.is_empty() && self.users.is_empty();
        if is_empty && self.errors.is_empty() {
            self.complain_of_no_rows();
        }
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|(place, _)| place.map(|place| (place.file, place.line)));
            let errors = self.errors.into_iter().map(|(_, error)| error).collect();
            return Err(DataErrors { errors, more: self.more_errors });
        }
        let mut users: Vec<_> = self.users_by_id.into_iter().collect();
        users.sort_unstable_by_key(|(_, index)| *index);
        let discounts = users.into_iter().zip(self.users).filter_map(|((user, _), rows)| {
            // Repetitions were errors, so there are none left to refuse.
            let discounts = Discounts::new(rows.discounts).ok()?;
            Some(UserDiscounts { user, discounts })
        });
        Ok(Dataset {
            products: self.products,
            discounts: discounts.collect(),
            files: self.files,
            notices: self.notices,
        })
    }

    fn complain_of_no_rows(&mut self) {
        for file in 0..self.files.len() {
            let file = u32::try_from(file).unwrap_or(u32::MAX);
            self.error(file, Fault::of_file(Problem::NoRows));
        }
    }

    fn error(&mut self, file: u32, fault: Fault) {
        if self.errors.len() >= MAX_LISTED_ERRORS {
            self.more_errors += 1;
            return;
        }
        let Fault { line, column, problem } = fault;
        let place = Some(Place { file, line: line.unwrap_or(0) });
        let path = self.path(file).to_owned();
        self.errors.push((place, RowError { path, line, column, problem }));
    }

    fn path(&self, file: u32) -> &Path {
        self.files.get(file as usize).map_or(Path::new(""), |file| &file.path)
    }

    fn show(&self, place: Place) -> String {
        format!("{}:{}", self.path(place.file).display(), place.line)
    }

    fn find_repeated_products(&mut self) {
        let mut first = HashMap::with_capacity(self.products.len());
        let mut repeated = vec![];
        for (product, &place) in self.products.iter().zip(&self.places) {
            match first.entry(product.id.as_str()) {
                Entry::Vacant(entry) => {
                    entry.insert(place);
                }
                Entry::Occupied(entry) => repeated.push((place, *entry.get(), product.id.clone())),
            }
        }
        for (place, earlier, id) in repeated {
            let problem = Problem::DuplicateProduct { id, first: self.show(earlier) };
            self.error(place.file, Fault::at(place.line, problem));
        }
    }

    /// Finds products that one user has two discounts for.
    fn find_repeated_discounts(&mut self) {
        let mut repeated = vec![];
        for (user, &index) in &self.users_by_id {
            let User { discounts, places, is_list } = &self.users[index];
            // The place of a discount in a list is the place of the list.
            let place = |at: usize| places[if *is_list { 0 } else { at }];
            let mut order: Vec<usize> = (0..discounts.len()).collect();
            order.sort_by(|&a, &b| discounts[a].product_id.cmp(&discounts[b].product_id));
            for pair in order.windows(2) {
                let product = &discounts[pair[1]].product_id;
                if discounts[pair[0]].product_id == *product {
                    let earlier = place(pair[0]);
                    repeated.push((place(pair[1]), earlier, user.clone(), product.clone()));
                }
            }
        }
        repeated.sort_unstable_by_key(|(place, ..)| (place.file, place.line));
        for (place, earlier, user, product) in repeated {
            let first = self.show(earlier);
            let problem = Problem::DuplicateDiscount { user, product, first };
            self.error(place.file, Fault::at(place.line, problem));
        }
    }

    fn add_user(&mut self, user: UserId, is_list: bool) -> usize {
        let index = self.users.len();
        self.users_by_id.insert(user, index);
        self.users.push(User { discounts: vec![], places: vec![], is_list });
        index
    }
}

impl Sink<'_> {
    pub(super) const fn currency(&self) -> Currency {
        self.collector.currency
    }

    /// Takes a row, or what is wrong with it.
    pub(super) fn row(&mut self, line: u32, record: Result<Record, Problem>) {
        self.rows += 1;
        let place = Place { file: self.file, line };
        match record {
            Ok(Record::Product(product)) => {
                self.collector.products.push(product);
                self.collector.places.push(place);
                self.summary(|file| file.products += 1);
            }
            Ok(Record::List(user, discounts)) => self.list(place, user, discounts),
            Ok(Record::One(user, discount)) => self.one(place, user, discount),
            Err(problem) => self.fault(Fault::at(line, problem)),
        }
    }

    /// Takes something that is wrong with the file.
    pub(super) fn fault(&mut self, fault: Fault) {
        self.rows += 1;
        self.collector.error(self.file, fault);
    }

    /// Closes the file.
    pub(super) fn close(self) {
        if self.rows == 0 {
            let path = self.collector.path(self.file).to_owned();
            self.collector.notices.push(Notice::NoRows { path });
        }
    }

    fn list(&mut self, place: Place, user: UserId, discounts: Vec<Discount>) {
        if let Some(&index) = self.collector.users_by_id.get(&user) {
            return self.user_again(place, user, index);
        }
        let index = self.collector.add_user(user, true);
        let rows = &mut self.collector.users[index];
        rows.discounts = discounts;
        rows.places.push(place);
        self.summary(|file| file.users += 1);
    }

    fn one(&mut self, place: Place, user: UserId, discount: Discount) {
        let index = match self.collector.users_by_id.get(&user) {
            Some(&index) if self.collector.users[index].is_list => {
                return self.user_again(place, user, index);
            }
            Some(&index) => index,
            None => self.collector.add_user(user, false),
        };
        let rows = &mut self.collector.users[index];
        let is_new_here = rows.places.last().is_none_or(|last| last.file != place.file);
        rows.discounts.push(discount);
        rows.places.push(place);
        if is_new_here {
            self.summary(|file| file.users += 1);
        }
    }

    fn user_again(&mut self, place: Place, user: UserId, index: usize) {
        let first = self.collector.users[index].places.first();
        let first = first.map(|&earlier| self.collector.show(earlier)).unwrap_or_default();
        self.fault(Fault::at(place.line, Problem::DuplicateUser { user, first }));
    }

    fn summary(&mut self, change: impl FnOnce(&mut FileSummary)) {
        if let Some(file) = self.collector.files.get_mut(self.file as usize) {
            change(file);
        }
    }
}
