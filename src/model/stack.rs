//! The name of a stack. The names of all its tables, queues and topics begin with it.

/// The longest name, in bytes. The longest name of a function that `infra/` creates,
/// `{stack}-quotation-provider`, must fit into the 64 characters of Lambda.
pub const MAX_STACK_BYTES: usize = 45;

/// Whether a name is valid: it has only letters, digits, hyphens and underscores, and is not too long.
#[must_use]
pub fn is_stack(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=MAX_STACK_BYTES).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_service_takes_is_no_stack() {
        let longest = "s".repeat(MAX_STACK_BYTES);
        for fits in ["a", "organic-cache", "A_1", &longest] {
            assert!(is_stack(fits), "{fits}");
        }
        for bad in ["", "a.b", "a b", "é", "a/b", &(longest + "s")] {
            assert!(!is_stack(bad), "{bad}");
        }
    }
}
