//! How large the items are that the AWS engine stores: names and values of all attributes.
//!
//! The engine's own tests hold these to the items that it really writes.

use std::fmt::{self, Display, Write as _};
use std::io;

use serde::Serialize;

use super::journal_items::{self, JournalItem};
use super::rules::{CONTAINER_BYTES, ELEMENT_BYTES, number_bytes};
use crate::model::{Generation, Timestamp, UserId};
use crate::ports::{
    ActiveUser, BaseIndex, CatalogueHead, LoadId, Quotation, QuotationStatus, RowChange,
    SettingsRecord, TableHead, UsageRecord,
};
use crate::pricing::{Discount, Discounts, Percentage, Product};

/// A text of this length says which call wrote an item last.
const NONCE_CHARS: usize = 32;
/// The id of the item that is the catalogue's head: a control character and a word.
const CATALOGUE_HEAD_CHARS: usize = 10;
/// What stands in the place of a user for bases: a control character and a word.
const BASE_CHARS: usize = 5;

/// The size of an item, attribute by attribute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ItemSize(usize);

impl ItemSize {
    fn text(self, name: &str, value: &str) -> Self {
        self.blob(name, value.len())
    }

    /// Any value of which the length is all that counts.
    fn blob(self, name: &str, bytes: usize) -> Self {
        Self(self.0 + name.len() + bytes)
    }

    fn number(self, name: &str, value: impl Display) -> Self {
        self.blob(name, number_bytes(chars(&value)))
    }

    fn secs(self, name: &str, time: Timestamp) -> Self {
        self.number(name, time.secs_rounded_up())
    }

    fn millis(self, name: &str, time: Timestamp) -> Self {
        self.number(name, time.millis())
    }

    fn json(self, name: &str, value: &impl Serialize) -> Self {
        let mut length = Length(0);
        // What has no JSON is not stored either; its call fails.
        let _ = serde_json::to_writer(&mut length, value);
        self.blob(name, length.0)
    }

    fn nonce(self) -> Self {
        self.blob("written_by", NONCE_CHARS)
    }

    const fn bytes(self) -> u64 {
        self.0 as u64
    }
}

/// Counts what is written to it and keeps nothing.
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
    // A length cannot fail to grow.
    let _ = write!(length, "{value}");
    length.0
}

/// How long a percentage is as text. A list has hundreds of them and is sized for every refresh, so
/// none is written out.
const fn percentage_chars(percentage: Percentage) -> usize {
    const WHOLE: u32 = 1_000_000;
    let (whole, mut rest) = (percentage.millionths() / WHOLE, percentage.millionths() % WHOLE);
    let chars = match whole {
        0..=9 => 1,
        10..=99 => 2,
        _ => 3,
    };
    if rest == 0 {
        return chars;
    }
    let mut decimals = 6;
    while rest % 10 == 0 {
        (rest, decimals) = (rest / 10, decimals - 1);
    }
    chars + 1 + decimals
}

/// The row of an active user.
pub(crate) fn active_user(row: &ActiveUser) -> u64 {
    let item = ItemSize::default().text("user_id", row.user.as_str()).secs("ttl", row.expires_at);
    item.millis("first_seen", row.first_seen).millis("last_seen", row.last_seen).bytes()
}

/// A product, with the version that wrote it.
pub(crate) fn product(product: &Product, version: u64) -> u64 {
    let item = ItemSize::default().text("product_id", product.id.as_str());
    let item = item.text("name", &product.name).number("price", product.price.minor());
    item.number("version", version).bytes()
}

/// The head of the catalogue.
pub(crate) fn catalogue_head(head: &CatalogueHead) -> u64 {
    let item = ItemSize::default().blob("product_id", CATALOGUE_HEAD_CHARS);
    let item = item.number("version", head.version).number("base_version", head.base_version);
    let item = item.text("currency", head.currency.code()).nonce();
    match &head.unfolded {
        Some(load) => item.text("unfolded", &load.0).bytes(),
        None => item.bytes(),
    }
}

/// The settings of the stack, which are attributes of the catalogue's head, and its key.
pub(crate) fn settings(record: &SettingsRecord) -> u64 {
    let value = |(key, value): (&String, &String)| ELEMENT_BYTES + key.len() + value.len();
    let values = CONTAINER_BYTES + record.values.iter().map(value).sum::<usize>();
    let item = ItemSize::default().blob("product_id", CATALOGUE_HEAD_CHARS);
    item.blob("settings", values).number("settings_revision", record.revision).bytes()
}

/// The attribute of the catalogue's head that registers a journal. When the load began has as many
/// digits as any such time.
pub(crate) fn registration(load: &LoadId) -> u64 {
    let fields = ItemSize::default().number("began_at", 1_800_000_000_000_u64).blob("is_over", 1);
    let map = CONTAINER_BYTES + 2 * ELEMENT_BYTES + fields.0;
    ItemSize::default().blob("journal:", load.0.len() + map).bytes()
}

/// The items that changes take in a journal.
pub(crate) fn journal(load: &LoadId, changes: &[RowChange]) -> Vec<u64> {
    // What cannot be packed is not stored either; its call fails.
    let items = journal_items::pack(changes).unwrap_or_default();
    let size = |item: JournalItem| {
        let size = ItemSize::default().text("load_id", &load.0).text("first", &item.first);
        size.blob("changes", item.packed.len()).bytes()
    };
    items.into_iter().map(size).collect()
}

/// The index of a base.
pub(crate) fn base_index(version: u64, index: &BaseIndex) -> u64 {
    let item = ItemSize::default().blob("user_id", BASE_CHARS).blob("part", chars(&version));
    item.json("index", index).secs("ttl", index.expires_at).bytes()
}

/// A part of a base.
pub(crate) fn base_part(version: u64, number: usize, bytes: usize) -> u64 {
    let name = chars(&format_args!("{version}/{number}"));
    let item = ItemSize::default().blob("user_id", BASE_CHARS).blob("part", name);
    item.blob("bytes", bytes).number("ttl", 1_800_000_000_u32).bytes()
}

/// A user's list of discounts, with the version that wrote it.
pub(crate) fn discounts(user: &UserId, discounts: &Discounts, version: u64) -> u64 {
    let entry = |bytes: usize, discount: &Discount| {
        let fields = ItemSize::default()
            .text("product_id", discount.product_id.as_str())
            .blob("percentage", number_bytes(percentage_chars(discount.percentage)));
        bytes + ELEMENT_BYTES + CONTAINER_BYTES + 2 * ELEMENT_BYTES + fields.0
    };
    let list = discounts.as_slice().iter().fold(CONTAINER_BYTES, entry);
    let item = ItemSize::default().text("user_id", user.as_str()).blob("discounts", list);
    item.number("version", version).bytes()
}

/// The head of a price table. Until when it is stored has as many digits as any such time.
pub(crate) fn table_head(user: &UserId, head: &TableHead) -> u64 {
    let item = ItemSize::default().text("user_id", user.as_str()).text("part", "head");
    let item = item.number("version", head.version).json("head", head);
    item.secs("ttl", head.usable_until).nonce().bytes()
}

/// A part of a price table.
pub(crate) fn part(user: &UserId, generation: &Generation, number: usize, bytes: usize) -> u64 {
    let name = chars(&format_args!("{generation}/{number}"));
    let item = ItemSize::default().text("user_id", user.as_str()).blob("part", name);
    item.blob("bytes", bytes).number("ttl", 1_800_000_000_u32).bytes()
}

/// A quotation.
pub(crate) fn quotation(quotation: &Quotation) -> u64 {
    let status = match &quotation.status {
        QuotationStatus::Pending => "pending",
        QuotationStatus::Answered(_) => "answered",
        QuotationStatus::Failed(_) => "failed",
    };
    ItemSize::default()
        .text("request_id", quotation.key.as_str())
        .text("client_request_id", quotation.request_id.as_str())
        .text("user_id", quotation.user.as_str())
        .json("lines", &quotation.items)
        .json("connection", &quotation.connection)
        .json("dialect", &quotation.dialect)
        .millis("accepted_at", quotation.accepted_at)
        .millis("deadline", quotation.deadline)
        .millis("expires_at", quotation.expires_at)
        .secs("ttl", quotation.expires_at)
        .text("status", status)
        .json("outcome", &quotation.status)
        .nonce()
        .bytes()
}

/// What a process has used in a window.
pub(crate) fn usage(record: &UsageRecord) -> u64 {
    let item = ItemSize::default().text("process", &record.process);
    let item = item.blob("window", chars(&record.window)).blob("usage", record.body.len());
    item.secs("ttl", record.expires_at).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_names_and_values() {
        let item = ItemSize::default().text("ab", "José").number("n", -123).json("j", &[1, 2]);
        assert_eq!(item.bytes(), (2 + 5) + (1 + 4) + (1 + 5));
    }

    #[test]
    fn percentages_are_as_long_as_they_are_written() {
        for text in ["0", "5", "10", "100", "0.5", "12.5", "99.999999", "7.05", "30.1"] {
            assert_eq!(percentage_chars(text.parse().unwrap()), text.len(), "{text}");
        }
    }
}
