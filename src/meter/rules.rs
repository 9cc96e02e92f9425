//! How AWS bills, in thousandths of its units.
//!
//! DynamoDB by "Read and write operations" and "Item sizes and formats" of its developer guide, SQS,
//! SNS, API Gateway and Lambda by their pricing pages. Each rule names the one it is from.

use std::time::Duration;

/// A whole unit in thousandths.
pub const UNIT: u64 = 1000;

const READ_BLOCK: u64 = 4 * 1024;
const WRITE_BLOCK: u64 = 1024;
const REQUEST_BLOCK: u64 = 64 * 1024;
const MESSAGE_BLOCK: u64 = 32 * 1024;
const GB: u64 = 1024;

/// What is begun is billed, and nothing at all is billed as something.
const fn blocks(bytes: u64, block: u64) -> u64 {
    if bytes == 0 { UNIT } else { bytes.div_ceil(block) * UNIT }
}

/// One item read by its key, alone or in a batch: a unit for each begun 4 KB, half of that when
/// eventually consistent. An item that does not exist costs as much as the smallest one.
/// (DynamoDB, "Read and write operations": GetItem, BatchGetItem.)
#[must_use]
pub const fn item_read(bytes: u64, consistent: bool) -> u64 {
    let units = blocks(bytes, READ_BLOCK);
    if consistent { units } else { units / 2 }
}

/// One page of a scan or a query: its items count together, those that a filter left out too.
/// (DynamoDB, "Read and write operations": Query, Scan.)
#[must_use]
pub const fn page_read(bytes: u64, consistent: bool) -> u64 {
    item_read(bytes, consistent)
}

/// One item written, alone or in a batch: a unit for each begun KB. An update and a delete count the
/// larger of the item before and after, and a condition that fails the item it failed on.
/// (DynamoDB, "Read and write operations": PutItem, UpdateItem, DeleteItem, BatchWriteItem.)
#[must_use]
pub const fn item_write(bytes: u64) -> u64 {
    blocks(bytes, WRITE_BLOCK)
}

/// A number in an item: a byte for every two significant digits and one more; a sign and an odd
/// digit are rounded up. `chars` is its length as text.
/// (DynamoDB, "Item sizes and formats".)
#[must_use]
pub const fn number_bytes(chars: usize) -> usize {
    chars / 2 + 2
}

/// What a list or a map takes beside what is in it. (DynamoDB, "Item sizes and formats".)
pub const CONTAINER_BYTES: usize = 3;
/// What each element of a list or a map takes beside itself. (DynamoDB, "Item sizes and formats".)
pub const ELEMENT_BYTES: usize = 1;

/// One call to SQS: a request for each begun 64 KB of payload, however many messages they are. A
/// receive that finds nothing is a request. (Amazon SQS pricing.)
#[must_use]
pub const fn queue_requests(bytes: u64) -> u64 {
    blocks(bytes, REQUEST_BLOCK)
}

/// One call to SNS: a request for each begun 64 KB published. Delivery to SQS is free.
/// (Amazon SNS pricing.)
#[must_use]
pub const fn publish_requests(bytes: u64) -> u64 {
    blocks(bytes, REQUEST_BLOCK)
}

/// One frame of a websocket, either way: a message for each begun 32 KB. (Amazon API Gateway
/// pricing.)
#[must_use]
pub const fn gateway_messages(bytes: u64) -> u64 {
    blocks(bytes, MESSAGE_BLOCK)
}

/// One run of a function, in thousandths of GB-milliseconds: each begun millisecond counts, times
/// the memory it is given. (AWS Lambda pricing.)
#[must_use]
pub fn gb_milliseconds(took: Duration, memory_mb: u64) -> u64 {
    let millis = u64::try_from(took.as_micros().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    millis.saturating_mul(memory_mb).saturating_mul(UNIT) / GB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_is_billed() {
        assert_eq!([item_read(0, true), item_read(0, false)], [1000, 500]);
        assert_eq!([item_read(4096, true), item_read(4097, true)], [1000, 2000]);
        assert_eq!(item_read(8192, false), 1000);
        assert_eq!([item_write(0), item_write(1024), item_write(1025)], [1000, 1000, 2000]);
        assert_eq!([queue_requests(0), queue_requests(65_537)], [1000, 2000]);
        assert_eq!([gateway_messages(32_768), gateway_messages(32_769)], [1000, 2000]);
    }

    #[test]
    fn functions_pay_by_begun_milliseconds_and_memory() {
        assert_eq!(gb_milliseconds(Duration::from_micros(4100), 256), 1250);
        assert_eq!(gb_milliseconds(Duration::ZERO, 1024), 1000);
    }
}
