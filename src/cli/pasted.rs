//! Completes the commands in hints, so that they can be pasted.

/// Commands that do not use a stack.
const WITHOUT_STACK: [&str; 4] = ["completions", "generate", "help", "man"];

/// Adds the flags of the stack to the commands in a text, which are between backticks.
pub(super) fn for_stack(text: &str, as_flags: &str) -> String {
    let parts = text.split('`').enumerate().map(|(place, part)| {
        let is_command = place % 2 == 1;
        match part.strip_prefix("ocache ").filter(|_| is_command) {
            Some(command) if needs(command, as_flags) => format!("{part}{as_flags}"),
            _ => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn needs(command: &str, as_flags: &str) -> bool {
    let name = command.split(' ').next().unwrap_or_default();
    // A command with a folder of its own is about another store.
    let is_of_another = command.contains(" --data-dir ");
    !WITHOUT_STACK.contains(&name) && !command.contains(as_flags) && !is_of_another
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_their_stack_once() {
        let flags = " --data-dir /srv/shop";
        for (hint, expected) in [
            ("`ocache status` lists them", "`ocache status --data-dir /srv/shop` lists them"),
            (
                "start `ocache up` or `ocache worker all --data-dir /srv/shop`, see `ocache help up`",
                "start `ocache up --data-dir /srv/shop` or `ocache worker all --data-dir /srv/shop`, see `ocache help up`",
            ),
            ("`ocache backup FILE --data-dir /copy`", "`ocache backup FILE --data-dir /copy`"),
            ("`aws sso login` renews them", "`aws sso login` renews them"),
            ("did you mean `ocache`?", "did you mean `ocache`?"),
            ("a store of ocache status", "a store of ocache status"),
        ] {
            assert_eq!(for_stack(hint, flags), expected);
            assert_eq!(for_stack(hint, ""), hint);
        }
    }
}
