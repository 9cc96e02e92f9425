//! Shows from which sources this program was built.

use std::env::consts::{ARCH, OS};
use std::ffi::OsString;

/// The commit, if the builder set OCACHE_COMMIT, as `.ci/package --release` does. A build script that
/// looked it up would recompile everything after each commit, and fail on sources without a repository.
const COMMIT: Option<&str> = option_env!("OCACHE_COMMIT");

/// Returns what `--version --verbose` prints after the name.
pub(super) fn details() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let commit = COMMIT.filter(|commit| !commit.is_empty()).unwrap_or("not recorded");
    let features = [("aws", cfg!(feature = "aws")), ("otel", cfg!(feature = "otel"))];
    let names = features.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name);
    let names = names.collect::<Vec<_>>().join(", ");
    let features = if names.is_empty() { "none" } else { &names };
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!(
        "{version}\ncommit: {commit}\nfeatures: {features}\nplatform: {ARCH}, {OS}\nbuild: {build}"
    )
}

/// Whether the arguments contain --verbose, also as a short flag in `-vV`.
pub(super) fn wants_details(arguments: &[OsString]) -> bool {
    let arguments = arguments.iter().take_while(|argument| *argument != "--");
    arguments.filter_map(|argument| argument.to_str()).any(|argument| {
        let flags = argument.strip_prefix('-').filter(|flags| !flags.starts_with('-'));
        argument == "--verbose" || flags.is_some_and(|flags| flags.contains('v'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_form_of_the_flag_asks_for_details() {
        let wants = |arguments: &[&str]| {
            wants_details(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
        };
        assert!(wants(&["--version", "--verbose"]) && wants(&["-vV"]) && wants(&["-V", "-v"]));
        assert!(!wants(&["--version"]) && !wants(&["-V"]) && !wants(&["-V", "--", "-v"]));
    }
}
