//! Gathers the rows of all files, remembers where each came from, and finds repeated rows.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::dataset::{Dataset, FileSummary, Notice};
use super::error::{DataErrors, Duplicate, Fault, MAX_LISTED_ERRORS, Problem, RowError, Spot};
use super::given::{Amounts, FilePlace, GivenOwn, GivenPrices, GivenRung, Position};
use super::layout::Layout;
use super::record::{FileRecord, GivenOwnRow};
use super::removed::RowKey;
use super::window::LocalTime;
use crate::model::{PriceListId, UserId};
use crate::ports::UserDiscounts;
use crate::pricing::{Customer, Discounts, MinQuantity, PriceList, Product, Scope};

/// One user's own list, as read so far.
#[derive(Debug)]
struct User {
    rows: Vec<GivenOwnRow>,
    /// The place of each row. A whole list has one place for all its rows.
    places: Vec<FilePlace>,
    is_list: bool,
}

/// The rows of all files, as read so far.
#[derive(Debug)]
pub(super) struct Collector {
    amounts: Amounts,
    layout: Layout,
    files: Vec<FileSummary>,
    notices: Vec<Notice>,
    local_times: Vec<LocalTime>,
    products: Vec<Product>,
    places: Vec<FilePlace>,
    users: Vec<User>,
    users_by_id: HashMap<UserId, usize>,
    customers: Vec<(Customer, FilePlace)>,
    lists: Vec<(PriceList, FilePlace)>,
    prices: Vec<GivenPrices>,
    prices_by_key: HashMap<(PriceListId, Scope), usize>,
    /// Rows to remove by name, unless a row of the data has the same name.
    removed: BTreeMap<RowKey, FilePlace>,
    only_changes: Option<FilePlace>,
    errors: Errors,
}

/// The errors found so far.
#[derive(Debug, Default)]
pub(super) struct Errors {
    listed: Vec<(FilePlace, RowError)>,
    more: usize,
}

/// Takes the rows of one file.
pub(super) struct Sink<'c> {
    collector: &'c mut Collector,
    file: u32,
    rows: usize,
    ignored: BTreeSet<String>,
}

impl Errors {
    /// Adds an error at its place in a file.
    pub(super) fn add(&mut self, files: &[FileSummary], file: u32, fault: Fault) {
        if self.listed.len() >= MAX_LISTED_ERRORS {
            self.more += 1;
            return;
        }
        let Fault { line, column, problem } = fault;
        let path = path_of(files, file).to_owned();
        let at = Position { line: line.unwrap_or(0), column: column.and_then(NonZeroU32::new) };
        let place = FilePlace { file, at };
        self.listed.push((place, RowError { path, line, column, problem }));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Returns all errors, in the order of files and lines, if there are any.
    pub(super) fn into_result(mut self) -> Result<(), DataErrors> {
        if self.is_empty() {
            return Ok(());
        }
        self.listed.sort_by_key(|(place, _)| *place);
        let errors = self.listed.into_iter().map(|(_, error)| error).collect();
        Err(DataErrors { errors, more: self.more })
    }
}

fn path_of(files: &[FileSummary], file: u32) -> &Path {
    files.get(file as usize).map_or(Path::new(""), |file| &file.path)
}

impl Collector {
    pub(super) fn new(amounts: Amounts, layout: Layout, notices: Vec<Notice>) -> Self {
        Self {
            amounts,
            layout,
            files: vec![],
            notices,
            local_times: vec![],
            products: vec![],
            places: vec![],
            users: vec![],
            users_by_id: HashMap::new(),
            customers: vec![],
            lists: vec![],
            prices: vec![],
            prices_by_key: HashMap::new(),
            removed: BTreeMap::new(),
            only_changes: None,
            errors: Errors::default(),
        }
    }

    /// Opens the next file.
    pub(super) fn file(&mut self, path: PathBuf) -> Sink<'_> {
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push(FileSummary { path, ..FileSummary::default() });
        Sink { collector: self, file, rows: 0, ignored: BTreeSet::new() }
    }

    /// Whether no row was read, neither to load nor to remove.
    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && !self.files.iter().any(FileSummary::has_rows)
    }

    /// Returns all rows, or the errors if any row has one.
    pub(super) fn finish(mut self) -> Result<Dataset, DataErrors> {
        let is_empty = self.is_empty();
        self.find_repeated_records();
        self.find_repeated_own_rows();
        self.find_repeated_prices();
        self.keep_given_rows();
        if is_empty && self.errors.is_empty() {
            self.complain_of_no_rows();
        }
        self.errors.into_result()?;
        let columns = self.layout.columns.unmet();
        if !columns.is_empty() {
            self.notices.push(Notice::Unmet { columns });
        }
        let mut users: Vec<_> = self.users_by_id.into_iter().collect();
        users.sort_unstable_by_key(|(_, index)| *index);
        let (mut discounts, mut discount_places, mut own) = (vec![], vec![], vec![]);
        for ((user, _), list) in users.into_iter().zip(self.users) {
            match list.into_discounts(&user) {
                Ok((list, places)) => {
                    discounts.push(list);
                    discount_places.push(places);
                }
                Err(list) => own.push(list.into_own(user)),
            }
        }
        own.sort_unstable_by(|a, b| a.user.cmp(&b.user));
        Ok(Dataset {
            products: self.products,
            discounts,
            discount_places,
            own,
            customers: self.customers.into_iter().map(|(customer, _)| customer).collect(),
            lists: self.lists,
            prices: self.prices,
            removed: self.removed.into_iter().collect(),
            only_changes: self.only_changes,
            unit_decimals: self.amounts.unit_decimals,
            local_times: self.local_times,
            files: self.files,
            notices: self.notices,
        })
    }

    fn complain_of_no_rows(&mut self) {
        for file in 0..self.files.len() {
            let file = u32::try_from(file).unwrap_or(u32::MAX);
            self.errors.add(&self.files, file, Fault::of_file(Problem::NoRows));
        }
    }

    fn show(&self, place: FilePlace) -> String {
        let Position { line, column } = place.at;
        let path = path_of(&self.files, place.file);
        Spot { path, line: Some(line), column: column.map(NonZeroU32::get) }.to_string()
    }

    /// Finds products, customers and price lists with the id of an earlier one.
    fn find_repeated_records(&mut self) {
        let products = self.products.iter().map(|product| &product.id);
        let products = repeated(products.zip(self.places.iter().copied()));
        self.faults(products, |id, first| Duplicate::Product { id, first });
        let customers = self.customers.iter().map(|(customer, place)| (&customer.user, *place));
        self.faults(repeated(customers), |user, first| Duplicate::Customer { user, first });
        let lists = self.lists.iter().map(|(list, place)| (&list.id, *place));
        self.faults(repeated(lists), |list, first| Duplicate::PriceList { list, first });
    }

    /// Finds two rows of one user with the same product and minimum quantity.
    fn find_repeated_own_rows(&mut self) {
        let mut repeated = vec![];
        for (user, &index) in &self.users_by_id {
            let User { rows, places, is_list } = &self.users[index];
            // All rows of a whole list have the place of the list.
            let place = |at: usize| places[if *is_list { 0 } else { at }];
            let key = |at: usize| (&rows[at].product_id, rows[at].min_quantity);
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.sort_by(|&a, &b| key(a).cmp(&key(b)));
            for pair in order.windows(2) {
                if key(pair[0]) == key(pair[1]) {
                    let (product, min_quantity) = key(pair[1]);
                    let key = (user.clone(), product.clone(), min_quantity);
                    repeated.push(Repeated { key, place: place(pair[1]), first: place(pair[0]) });
                }
            }
        }
        repeated.sort_unstable_by_key(|repeated| repeated.place);
        self.faults(repeated, |(user, product, min_quantity), first| match min_quantity {
            MinQuantity::ZERO => Duplicate::Discount { user, product, first },
            _ => Duplicate::OwnRow { user, product, min_quantity, first },
        });
    }

    /// Sorts the rows of each list and scope, and finds two with the same minimum quantity.
    fn find_repeated_prices(&mut self) {
        let mut repeated = vec![];
        for GivenPrices { list, scope, rungs } in &mut self.prices {
            rungs.sort_by_key(|rung| rung.min_quantity);
            for pair in rungs.windows(2) {
                if pair[0].min_quantity == pair[1].min_quantity {
                    let key = (list.clone(), scope.clone(), pair[1].min_quantity);
                    let (place, first) = (pair[1].place, pair[0].place);
                    repeated.push(Repeated { key, place, first });
                }
            }
        }
        self.faults(repeated, |(list, scope, min_quantity), first| Duplicate::Price {
            list,
            scope,
            min_quantity,
            first,
        });
    }

    /// Removes the keys of rows that the data also has. A row may move from one item to another: it is
    /// deleted with the first item and written with the second.
    fn keep_given_rows(&mut self) {
        if self.removed.is_empty() {
            return;
        }
        let products = self.products.iter().map(|product| RowKey::Product(product.id.clone()));
        let customers =
            self.customers.iter().map(|(customer, _)| RowKey::Customer(customer.user.clone()));
        let lists = self.lists.iter().map(|(list, _)| RowKey::PriceList(list.id.clone()));
        let own = self.users_by_id.iter().flat_map(|(user, &index)| {
            let key = |row: &GivenOwnRow| (row.product_id.clone(), row.min_quantity);
            let keys = self.users[index].rows.iter().map(key);
            keys.map(|(product, from)| RowKey::Own(user.clone(), product, from))
        });
        let prices = self.prices.iter().flat_map(|GivenPrices { list, scope, rungs }| {
            rungs.iter().map(|rung| RowKey::Price(list.clone(), scope.clone(), rung.min_quantity))
        });
        for key in products.chain(customers).chain(lists).chain(own).chain(prices) {
            self.removed.remove(&key);
        }
    }

    /// Adds an error for each repeated row. `duplicate` makes it of the key and of the first row's place.
    fn faults<K>(&mut self, repeated: Vec<Repeated<K>>, duplicate: fn(K, String) -> Duplicate) {
        for Repeated { key, place, first } in repeated {
            let problem = duplicate(key, self.show(first)).into();
            self.errors.add(&self.files, place.file, Fault::at(place.at, problem));
        }
    }

    fn add_user(&mut self, user: UserId, is_list: bool) -> usize {
        let index = self.users.len();
        self.users_by_id.insert(user, index);
        self.users.push(User { rows: vec![], places: vec![], is_list });
        index
    }
}

/// A row with the key of an earlier one.
struct Repeated<K> {
    key: K,
    place: FilePlace,
    /// The place of the first row with this key.
    first: FilePlace,
}

/// Returns the rows whose keys are repeated.
fn repeated<'k, K: Clone + Eq + Hash + 'k>(
    rows: impl Iterator<Item = (&'k K, FilePlace)>,
) -> Vec<Repeated<K>> {
    let mut firsts = HashMap::new();
    let mut repeated = vec![];
    for (key, place) in rows {
        match firsts.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert(place)),
            Entry::Occupied(entry) => {
                repeated.push(Repeated { key: key.clone(), place, first: *entry.get() });
            }
        }
    }
    repeated
}

impl User {
    /// Returns the discounts and the places of their rows, if every row is a discount on every quantity.
    /// Otherwise returns the user unchanged.
    fn into_discounts(self, user: &UserId) -> Result<(UserDiscounts, Box<[FilePlace]>), Self> {
        let discount = |row: &GivenOwnRow| row.rule.as_discount(&row.product_id, row.min_quantity);
        let discounts: Option<Vec<_>> = self.rows.iter().map(discount).collect();
        // Repeated rows are reported before, so this does not fail.
        match discounts.and_then(|list| Discounts::new(list).ok()) {
            Some(discounts) => {
                let list = UserDiscounts::new(user.clone(), discounts);
                Ok((list, self.places_by_product()))
            }
            None => Err(self),
        }
    }

    fn places_by_product(self) -> Box<[FilePlace]> {
        let Self { rows, places, is_list } = self;
        if is_list || rows.is_sorted_by_key(|row| &row.product_id) {
            return places.into();
        }
        let mut rows: Vec<_> = rows.iter().map(|row| &row.product_id).zip(places).collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, place)| place).collect()
    }

    fn into_own(self, user: UserId) -> GivenOwn {
        let Self { rows, places, is_list } = self;
        let rows = rows.into_iter().enumerate().map(|(at, row)| {
            let place = places[if is_list { 0 } else { at }];
            let GivenOwnRow { product_id, min_quantity, rule } = row;
            (product_id, GivenRung { min_quantity, rule, place })
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|(a, a_rung), (b, b_rung)| {
            a.cmp(b).then(a_rung.min_quantity.cmp(&b_rung.min_quantity))
        });
        GivenOwn { user, rows }
    }
}

impl Sink<'_> {
    pub(super) const fn amounts(&self) -> Amounts {
        self.collector.amounts
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.collector.layout
    }

    /// Notes the names of columns or fields that were left out.
    pub(super) fn ignored(&mut self, names: impl IntoIterator<Item = impl AsRef<str>>) {
        for name in names {
            if !self.ignored.contains(name.as_ref()) {
                self.ignored.insert(name.as_ref().to_owned());
            }
        }
    }

    /// Adds a notice about the file.
    pub(super) fn notice(&mut self, notice: impl FnOnce(PathBuf) -> Notice) {
        let path = path_of(&self.collector.files, self.file).to_owned();
        self.collector.notices.push(notice(path));
    }

    /// Takes a row.
    pub(super) fn row(&mut self, at: impl Into<Position>, record: FileRecord) {
        self.rows += 1;
        let place = FilePlace { file: self.file, at: at.into() };
        match record {
            FileRecord::Product(product) => {
                self.collector.products.push(product);
                self.collector.places.push(place);
                self.summary(|file| file.products += 1);
            }
            FileRecord::List(user, rows) => self.list(place, user, rows),
            FileRecord::One(user, row) => self.one(place, user, row),
            FileRecord::Customer(customer) => {
                self.collector.customers.push((customer, place));
                self.summary(|file| file.customers += 1);
            }
            FileRecord::PriceList(list, local_times) => {
                self.collector.lists.push((list, place));
                self.collector.local_times.extend(local_times);
                self.summary(|file| file.price_lists += 1);
            }
            FileRecord::Price(list, scope, min_quantity, rule) => {
                self.price(list, scope, GivenRung { min_quantity, rule, place });
            }
        }
    }

    /// Takes the keys of rows to remove.
    pub(super) fn removed(&mut self, at: impl Into<Position>, keys: Vec<RowKey>) {
        self.rows += 1;
        let place = FilePlace { file: self.file, at: at.into() };
        self.collector.removed.extend(keys.into_iter().map(|key| (key, place)));
    }

    /// Notes that the file has only changes, as this row shows.
    pub(super) fn has_only_changes(&mut self, at: Position) {
        let place = FilePlace { file: self.file, at };
        self.collector.only_changes.get_or_insert(place);
    }

    /// Takes an error of the file.
    pub(super) fn fault(&mut self, fault: Fault) {
        self.rows += 1;
        self.collector.errors.add(&self.collector.files, self.file, fault);
    }

    /// Closes the file.
    pub(super) fn close(mut self) {
        if self.rows == 0 {
            self.notice(|path| Notice::NoRows { path });
        }
        if !self.ignored.is_empty() {
            let columns = std::mem::take(&mut self.ignored).into_iter().collect();
            self.notice(|path| Notice::Ignored { path, columns });
        }
    }

    fn list(&mut self, place: FilePlace, user: UserId, rows: Vec<GivenOwnRow>) {
        if let Some(&index) = self.collector.users_by_id.get(&user) {
            return self.user_again(place, user, index);
        }
        let index = self.collector.add_user(user, true);
        let list = &mut self.collector.users[index];
        list.rows = rows;
        list.places.push(place);
        self.summary(|file| file.users += 1);
    }

    fn one(&mut self, place: FilePlace, user: UserId, row: GivenOwnRow) {
        let index = match self.collector.users_by_id.get(&user) {
            Some(&index) if self.collector.users[index].is_list => {
                return self.user_again(place, user, index);
            }
            Some(&index) => index,
            None => self.collector.add_user(user, false),
        };
        let list = &mut self.collector.users[index];
        let is_new_here = list.places.last().is_none_or(|last| last.file != place.file);
        list.rows.push(row);
        list.places.push(place);
        if is_new_here {
            self.summary(|file| file.users += 1);
        }
    }

    fn price(&mut self, list: PriceListId, scope: Scope, rung: GivenRung) {
        self.summary(|file| file.prices += 1);
        let collector = &mut *self.collector;
        match collector.prices_by_key.entry((list, scope)) {
            Entry::Occupied(entry) => collector.prices[*entry.get()].rungs.push(rung),
            Entry::Vacant(entry) => {
                let (list, scope) = entry.key().clone();
                entry.insert(collector.prices.len());
                collector.prices.push(GivenPrices { list, scope, rungs: vec![rung] });
            }
        }
    }

    fn user_again(&mut self, place: FilePlace, user: UserId, index: usize) {
        let first = self.collector.users[index].places.first();
        let first = first.map(|&earlier| self.collector.show(earlier)).unwrap_or_default();
        self.fault(Fault::at(place.at, Duplicate::User { user, first }.into()));
    }

    fn summary(&mut self, change: impl FnOnce(&mut FileSummary)) {
        if let Some(file) = self.collector.files.get_mut(self.file as usize) {
            change(file);
        }
    }
}
