//! AWS's billing rules, in thousandths of its units.
//!
//! DynamoDB's are from "Read and write operations" and "Item sizes and formats" in its developer guide. Those
//! of SQS, SNS, API Gateway and Lambda are from their pricing pages. Each rule names its source.

use std::time::Duration;

/// One unit, in thousandths.
pub const UNIT: u64 = 1000;

const READ_BLOCK: u64 = 4 * 1024;
const WRITE_BLOCK: u64 = 1024;
const REQUEST_BLOCK: u64 = 64 * 1024;
const MESSAGE_BLOCK: u64 = 32 * 1024;
const GB: u64 = 1024;

/// Counts started blocks; zero bytes count as one block.
const fn blocks(bytes: u64, block: u64) -> u64 {
    if bytes == 0 { UNIT } else { bytes.div_ceil(block) * UNIT }
}

/// The units of one item that is read by its key, alone or in a batch: one for each started 4 KB, and half of
/// that for an eventually consistent read. A missing item costs as much as the smallest one. (DynamoDB, "Read
/// and write operations": GetItem, BatchGetItem.)
#[must_use]
pub const fn item_read(bytes: u64, consistent: bool) -> u64 {
    let units = blocks(bytes, READ_BLOCK);
    if consistent { units } else { units / 2 }
}

/// The units of one page of a scan or query: the sizes of its items are added, including items that a filter
/// removes. (DynamoDB, "Read and write operations": Query, Scan.)
#[must_use]
pub const fn page_read(bytes: u64, consistent: bool) -> u64 {
    item_read(bytes, consistent)
}

/// The units of one item that is written, alone or in a batch: one for each started KB. An update or delete
/// counts the larger of the item before and after; a failed condition counts the stored item. (DynamoDB,
/// "Read and write operations": PutItem, UpdateItem, DeleteItem, BatchWriteItem.)
#[must_use]
pub const fn item_write(bytes: u64) -> u64 {
    blocks(bytes, WRITE_BLOCK)
}

/// The size of a number in an item: one byte for every two significant digits, and one more. The sign and an
/// odd digit are rounded up. `chars` is its length as text. (DynamoDB, "Item sizes and formats".)
#[must_use]
pub const fn number_bytes(chars: usize) -> usize {
    chars / 2 + 2
}

/// The size of a list or a map without its elements. (DynamoDB, "Item sizes and formats".)
pub const CONTAINER_BYTES: usize = 3;
/// The overhead of each element of a list or a map. (DynamoDB, "Item sizes and formats".)
pub const ELEMENT_BYTES: usize = 1;

/// The requests of one call to SQS: one for each started 64 KB of payload, however many messages it has. An
/// empty receive is one request. (Amazon SQS pricing.)
#[must_use]
pub const fn queue_requests(bytes: u64) -> u64 {
    blocks(bytes, REQUEST_BLOCK)
}

/// The requests of one call to SNS: one for each started 64 KB that is published. Delivery to SQS is free.
/// (Amazon SNS pricing.)
#[must_use]
pub const fn publish_requests(bytes: u64) -> u64 {
    blocks(bytes, REQUEST_BLOCK)
}

/// The messages of one websocket frame in either direction: one for each started 32 KB. (Amazon API Gateway
/// pricing.)
#[must_use]
pub const fn gateway_messages(bytes: u64) -> u64 {
    blocks(bytes, MESSAGE_BLOCK)
}

/// The GB-milliseconds of one run of a function, in thousandths: the started milliseconds times the memory of
/// the function. (AWS Lambda pricing.)
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
