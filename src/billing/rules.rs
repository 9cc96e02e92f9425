//! How much of a unit a call is billed, by the documented rules of each service.

/// Write units of one item written or deleted: one for each KB begun, of the larger of what was
/// there and what is.
#[must_use]
pub const fn write_units(bytes: u64) -> u64 {
    at_least_one(bytes, 1024)
}

/// Halves of a read unit for so many bytes read: a unit for each 4 KB begun, half of it when the
/// read need not be consistent. What is not there is billed like the smallest item.
#[must_use]
pub const fn read_halves(bytes: u64, consistent: bool) -> u64 {
    at_least_one(bytes, 4 * 1024) * if consistent { 2 } else { 1 }
}

/// Requests of a queue or topic for one call that carries so many bytes: one for each 64 KB begun.
#[must_use]
pub const fn requests(bytes: u64) -> u64 {
    at_least_one(bytes, 64 * 1024)
}

/// Messages of a websocket for one frame: one for each 32 KB begun.
#[must_use]
pub const fn messages(bytes: u64) -> u64 {
    at_least_one(bytes, 32 * 1024)
}

const fn at_least_one(bytes: u64, step: u64) -> u64 {
    let steps = bytes.div_ceil(step);
    if steps == 0 { 1 } else { steps }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_begun_is_billed() {
        assert_eq!([0, 1, 1024, 1025].map(write_units), [1, 1, 1, 2]);
        assert_eq!([0, 4096, 4097].map(|bytes| read_halves(bytes, true)), [2, 2, 4]);
        assert_eq!([0, 4096, 4097].map(|bytes| read_halves(bytes, false)), [1, 1, 2]);
        assert_eq!([0, 65_536, 65_537].map(requests), [1, 1, 2]);
        assert_eq!([0, 32_768, 32_769].map(messages), [1, 1, 2]);
    }
}
