//! The sizes of the items that the AWS engine stores: the names and values of all attributes.
//!
//! The engine's own tests compare these sizes with the items that it really writes.

use std::fmt::{self, Display, Write as _};
use std::io;

use serde::Serialize;

use super::journal_items::{self, JournalItem};
use super::rules::{CONTAINER_BYTES, ELEMENT_BYTES, number_bytes};
use crate::model::{Generation, PackedError, Timestamp, UserId};
use crate::ports::{
    ActiveUser, BaseClaim, BaseName, CatalogueHead, LoadId, ProcessRecord, Quotation,
    QuotationStatus, RowChange, SettingsRecord, StoredBase, TableHead, UsageRecord, UserDiscounts,
};
use crate::pricing::{Customer, Discounts, ListPrices, PriceList, Product};

/// The length of the text that says which call wrote an item last.
const NONCE_CHARS: usize = 32;
/// The length of the key of the catalogue's head: a control character and a word.
const CATALOGUE_HEAD_CHARS: usize = 10;
/// The key that process records have instead of a window.
const PROCESSES: &str = "processes";
/// The length of the key that bases have instead of a customer: a control character and a word.
const BASE_CHARS: usize = 5;
/// The length of the key that price lists without their rows have instead of a list: a control character and
/// a word.
const LISTS_CHARS: usize = 6;

/// The size of an item, added up attribute by attribute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ItemSize(usize);

impl ItemSize {
    fn text(self, name: &str, value: &str) -> Self {
        self.blob(name, value.len())
    }

    /// Adds a value of which only the length matters.
    fn blob(self, name: &str, bytes: usize) -> Self {
        Self(self.0 + name.len() + bytes)
    }

    fn number(self, name: &str, value: impl Into<i128>) -> Self {
        self.blob(name, number_bytes(number_chars(value.into())))
    }

    fn secs(self, name: &str, time: Timestamp) -> Self {
        self.number(name, time.secs_rounded_up())
    }

    fn millis(self, name: &str, time: Timestamp) -> Self {
        self.number(name, time.millis())
    }

    fn json(self, name: &str, value: &impl Serialize) -> Self {
        let mut length = Length(0);
        // A value that cannot be serialized is not stored either, because its call fails.
        let _ = serde_json::to_writer(&mut length, value);
        self.blob(name, length.0)
    }

    fn packed(self, name: &str, packed: Result<Vec<u8>, PackedError>) -> Self {
        // A value that cannot be packed is not stored either, because its call fails.
        self.blob(name, packed.map(|bytes| bytes.len()).unwrap_or_default())
    }

    fn nonce(self) -> Self {
        self.blob("written_by", NONCE_CHARS)
    }

    const fn bytes(self) -> u64 {
        self.0 as u64
    }
}

/// Counts the bytes that are written to it, and keeps none.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

fn chars(value: &impl Display) -> usize {
    let mut length = Length(0);
    // Counting cannot fail.
    let _ = write!(length, "{value}");
    length.0
}

/// Returns the length of a number in decimal.
const fn number_chars(value: i128) -> usize {
    let digits = match value.unsigned_abs().checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    };
    if value < 0 { digits + 1 } else { digits }
}

/// The size of an active customer's row.
pub(crate) fn active_user(row: &ActiveUser) -> u64 {
    let item = ItemSize::default().text("user_id", row.user.as_str()).secs("ttl", row.expires_at);
    item.millis("first_seen", row.first_seen).millis("last_seen", row.last_seen).bytes()
}

/// The size of a product with the version that wrote it.
pub(crate) fn product(product: &Product, version: u64) -> u64 {
    let item = ItemSize::default().text("product_id", product.id.as_str());
    let item = item.text("name", &product.name);
    let item = match product.price {
        Some(price) => item.number("price", price.minor()),
        None => item,
    };
    let item = match &product.detail {
        Some(detail) => item.json("detail", detail),
        None => item,
    };
    item.number("version", version).bytes()
}

/// The size of the catalogue's head.
pub(crate) fn catalogue_head(head: &CatalogueHead) -> u64 {
    let item = ItemSize::default().blob("product_id", CATALOGUE_HEAD_CHARS);
    let item = item.number("version", head.version).number("base_version", head.base_version);
    // Versions that no load has set are absent.
    let versions = [("lists_version", head.lists_version), ("shared_version", head.shared_version)];
    let set = versions.into_iter().filter(|(_, version)| *version > 0);
    let item = set.fold(item, |item, (name, version)| item.number(name, version));
    let item = if head.has_customers { item.blob("has_customers", 1) } else { item };
    let item = item.number("unit_decimals", head.rounding.unit_decimals);
    let item = item.blob("rounding", chars(&head.rounding.rounding));
    let item = item.text("currency", head.currency.code()).nonce();
    match &head.unfolded {
        Some(load) => item.text("unfolded", &load.0).bytes(),
        None => item.bytes(),
    }
}

/// The size of the stack's settings: attributes of the catalogue's head, with its key.
pub(crate) fn settings(record: &SettingsRecord) -> u64 {
    let value = |(key, value): (&String, &String)| ELEMENT_BYTES + key.len() + value.len();
    let values = CONTAINER_BYTES + record.values.iter().map(value).sum::<usize>();
    let item = ItemSize::default().blob("product_id", CATALOGUE_HEAD_CHARS);
    item.blob("settings", values).number("settings_revision", record.revision).bytes()
}

/// The size of the attribute of the catalogue's head that registers a journal. The start of the load is a
/// sample value; all such times have the same number of digits.
pub(crate) fn registration(load: &LoadId) -> u64 {
    let fields = ItemSize::default().number("began_at", 1_800_000_000_000_u64).blob("is_over", 1);
    let map = CONTAINER_BYTES + 2 * ELEMENT_BYTES + fields.0;
    ItemSize::default().blob("journal:", load.0.len() + map).bytes()
}

/// The sizes of the journal items for some changes.
pub(crate) fn journal(load: &LoadId, changes: &[RowChange]) -> Vec<u64> {
    // Changes that cannot be packed are not stored either, because their call fails.
    let items = journal_items::pack(changes).unwrap_or_default();
    let size = |item: JournalItem| {
        let size = ItemSize::default().text("load_id", &load.0).text("first", &item.first);
        size.blob("changes", item.packed.len()).bytes()
    };
    items.into_iter().map(size).collect()
}

/// The keys of an item that belongs to a base.
fn of_base(of: fmt::Arguments<'_>, part: &str) -> ItemSize {
    // A slash follows the word.
    ItemSize::default().blob("user_id", BASE_CHARS + 1 + chars(&of)).text("part", part)
}

/// The size of a base's index.
pub(crate) fn base_index(name: &BaseName, base: &StoredBase) -> u64 {
    let item = of_base(format_args!("{name}"), "index");
    item.json("contents", &base.index).secs("ttl", base.expires_at).bytes()
}

/// The size of a base's part.
pub(crate) fn base_part(name: &BaseName, number: u32, bytes: usize) -> u64 {
    let item = of_base(format_args!("{name}/{number}"), "part");
    item.blob("bytes", bytes).number("ttl", 1_800_000_000_u32).bytes()
}

/// The size of a piece of an unfinished base.
pub(crate) fn base_draft(name: &BaseName, number: u32, bytes: usize) -> u64 {
    let item = of_base(format_args!("{name}/{number}"), "draft");
    item.blob("bytes", bytes).number("ttl", 1_800_000_000_u32).bytes()
}

/// The size of a claim.
pub(crate) fn base_claim(name: &BaseName, claim: &BaseClaim) -> u64 {
    let item = of_base(format_args!("{name}"), "claim").text("maker", &claim.maker.0);
    item.millis("claimed_until", claim.until).secs("ttl", claim.until).bytes()
}

/// The size of a customer's discounts with the version that wrote them.
pub(crate) fn discounts(list: &UserDiscounts, version: u64) -> u64 {
    let item = ItemSize::default().text("user_id", list.user.as_str());
    let item = item.packed("discounts", list.discounts.pack());
    let item = match list.ladders.is_empty() {
        true => item,
        false => item.packed("ladders", list.ladders.pack()),
    };
    item.number("version", version).bytes()
}

/// The smallest size of the discounts of a customer, for discounts that are not seen.
pub(crate) fn discounted_user(user: &UserId, version: u64) -> u64 {
    discounts(&UserDiscounts::new(user.clone(), Discounts::default()), version)
}

/// The size of a customer with the version that wrote it.
pub(crate) fn customer(customer: &Customer, version: u64) -> u64 {
    let item = ItemSize::default().text("user_id", customer.user.as_str());
    item.json("customer", customer).number("version", version).bytes()
}

/// The size of a price list without its rows, with the version that wrote it.
pub(crate) fn price_list(list: &PriceList, version: u64) -> u64 {
    let item = ItemSize::default().blob("list_id", LISTS_CHARS).text("scope_id", list.id.as_str());
    item.json("price_list", list).number("version", version).bytes()
}

/// The size of a price list's rows for one scope, with the version that wrote them.
pub(crate) fn list_prices(prices: &ListPrices, version: u64) -> u64 {
    let item = ItemSize::default().text("list_id", prices.list.as_str());
    let item = item.text("scope_id", &prices.scope.key()).packed("ladder", prices.ladder.pack());
    item.number("version", version).bytes()
}

/// The size of a price table's head. Its expiry is a sample value; all such times have the same number of
/// digits.
pub(crate) fn table_head(user: &UserId, head: &TableHead) -> u64 {
    let item = ItemSize::default().text("user_id", user.as_str()).text("part", "head");
    let item = item.number("version", head.version).blob("table", head.packed_bytes());
    item.secs("ttl", head.usable_until).nonce().bytes()
}

/// The size of a price table's part.
pub(crate) fn part(user: &UserId, generation: &Generation, number: usize, bytes: usize) -> u64 {
    let name = chars(&format_args!("{generation}/{number}"));
    let item = ItemSize::default().text("user_id", user.as_str()).blob("part", name);
    item.blob("bytes", bytes).number("ttl", 1_800_000_000_u32).bytes()
}

/// The size of a quotation as it is first stored.
pub(crate) fn quotation(quotation: &Quotation) -> u64 {
    new_quotation(quotation, packed_bytes(quotation))
}

/// The size of a quotation as it is first stored, if the length of its packed form is known.
pub(crate) fn new_quotation(quotation: &Quotation, packed: usize) -> u64 {
    quotation_item(quotation, packed, &quotation.status).bytes()
}

/// The size of a quotation that was stored as pending and is now settled.
pub(crate) fn settled_quotation(settled: &Quotation) -> u64 {
    let pending = Quotation { status: QuotationStatus::Pending, ..settled.clone() };
    let item = quotation_item(&pending, packed_bytes(&pending), &settled.status);
    item.packed("outcome", settled.status.pack()).bytes()
}

fn packed_bytes(quotation: &Quotation) -> usize {
    // A quotation that cannot be packed is not stored either, because its call fails.
    quotation.packed_bytes().unwrap_or_default()
}

/// The item of a quotation that was first stored as `stored` and now has this status. `packed` is the length
/// of its packed form.
fn quotation_item(stored: &Quotation, packed: usize, status: &QuotationStatus) -> ItemSize {
    let item = ItemSize::default()
        .text("request_id", stored.key.as_str())
        .blob("packed", packed)
        .secs("ttl", stored.expires_at)
        .text("status", status_word(status))
        .nonce();
    match stored.status {
        QuotationStatus::Pending => item.millis("deadline", stored.deadline),
        _ => item,
    }
}

const fn status_word(status: &QuotationStatus) -> &'static str {
    match status {
        QuotationStatus::Pending => "pending",
        QuotationStatus::Answered(_) => "answered",
        QuotationStatus::Failed(_) => "failed",
    }
}

/// The size of a process's usage in a window.
pub(crate) fn usage(record: &UsageRecord) -> u64 {
    let item = ItemSize::default().text("process", &record.process);
    let item = item.blob("window", chars(&record.window)).blob("usage", record.body.len());
    item.secs("ttl", record.expires_at).bytes()
}

pub(crate) fn process(record: &ProcessRecord) -> u64 {
    let item = ItemSize::default().text("window", PROCESSES).text("process", &record.process);
    item.json("record", record).secs("ttl", record.lives_until).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_names_and_values() {
        let item = ItemSize::default().text("ab", "José").number("n", -123).json("j", &[1, 2]);
        assert_eq!(item.bytes(), (2 + 5) + (1 + 4) + (1 + 5));
    }
}
