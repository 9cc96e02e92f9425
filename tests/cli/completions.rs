//! The completion scripts that are committed are those that the binary makes.

use super::process::Home;

#[test]
fn committed_scripts_are_current() {
    let home = Home::new();
    for (shell, file) in [
        ("bash", "ocache.bash"),
        ("zsh", "_ocache"),
        ("fish", "ocache.fish"),
        ("powershell", "_ocache.ps1"),
        ("elvish", "ocache.elv"),
    ] {
        let path = format!("{}/completions/{file}", env!("CARGO_MANIFEST_DIR"));
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let current = home.ok(&["completions", shell]);
        assert!(
            committed == current,
            "completions/{file} is not current: cargo run -- completions {shell} > completions/{file}"
        );
    }
}
