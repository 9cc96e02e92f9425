//! Tests that the committed completions are current, and that real shells complete with them.

use super::process::{Home, text};

/// Tests that the scripts are those that `ocache completions` prints.
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

#[test]
fn committed_manual_pages_are_current() {
    let home = Home::new();
    let committed = format!("{}/completions/man", env!("CARGO_MANIFEST_DIR"));
    let current = home.path().join("man");
    home.ok(&["man", "--dir", current.to_str().unwrap()]);
    let names = |dir: &std::path::Path| {
        let entries = std::fs::read_dir(dir).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let again = "cargo run -- man --dir completions/man";
    assert_eq!(names(committed.as_ref()), names(&current), "not current: {again}");
    for name in names(&current) {
        let read = |dir: &std::path::Path| std::fs::read(dir.join(&name)).unwrap();
        assert!(read(committed.as_ref()) == read(&current), "{name:?} is not current: {again}");
    }
}

#[test]
#[ignore = "needs mandoc: .ci/tools"]
fn needs_mandoc_pages_are_readable() {
    let home = Home::new();
    let page = home.ok(&["man", "quote"]);
    let file = home.file("quote.1", page);
    let rendered = home.program("mandoc").args(["-T", "utf8", &file]).output().unwrap();
    let rendered = text(&rendered.stdout);
    assert!(rendered.contains("--client") && rendered.contains("P1:2 P3:1"), "{rendered}");
}

/// Returns the completions of a shell for a line. `program` is for that shell, and prints one completion a
/// line.
fn offers(home: &Home, shell: &str, program: &str) -> Vec<String> {
    let output = home.program(shell).args(["-c", program]).output().unwrap();
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{shell}: {stdout}{}", text(&output.stderr));
    // fish and zsh add a description.
    let first = |line: &str| line.split(['\t', ':']).next().unwrap_or_default().trim().to_owned();
    stdout.lines().map(first).collect()
}

/// Returns the completions for the last word of a line, by the shell's own means.
fn complete(home: &Home, shell: &str, words: &[&str]) -> Vec<String> {
    let line = words.join(" ");
    let program = match shell {
        "bash" => format!(
            "source <(ocache completions bash)\n\
             COMP_WORDS=({line}) COMP_CWORD={} COMP_TYPE=9 COMP_LINE='{line}'\n\
             _clap_complete_ocache ocache {} {}\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        ),
        "zsh" => format!(
            "compdef() {{ :; }}; compadd() {{ :; }}; _describe() {{ print -rl -- ${{(P)3}}; }}\n\
             source <(ocache completions zsh)\n\
             words=({line}) CURRENT={}\n\
             _clap_dynamic_completer_ocache",
            words.len(),
        ),
        _ => format!("ocache completions fish | source\ncomplete -C '{line}'"),
    };
    offers(home, shell, &program)
}

fn completes_commands_users_and_products(shell: &str) {
    let home = Home::with_fixtures();
    home.ok(&["subscribe", "Müller", "Mül ler"]);
    let has = |words: &[&str], offer: &str| {
        let offers = complete(&home, shell, words);
        assert!(offers.iter().any(|found| found == offer), "{shell} {words:?}: {offers:?}");
    };
    has(&["ocache", "stat"], "status");
    has(&["ocache", "quote", "--cli"], "--client");
    has(&["ocache", "prices", "A"], "AAA");
    has(&["ocache", "quote", "--client", "B"], "BBB");
    has(&["ocache", "prices", "M"], "Müller");
    let split = complete(&home, shell, &["ocache", "prices", "M"]);
    assert!(!split.iter().any(|found| found.contains("Mül") && found != "Müller"), "{split:?}");
    has(&["ocache", "quote", "--client", "AAA", "P"], "P3");
    has(&["ocache", "worker", "price"], "price-calc");
}

#[test]
#[ignore = "needs bash: .ci/tools"]
fn needs_bash_that_completes() {
    completes_commands_users_and_products("bash");
}

#[test]
#[ignore = "needs zsh: .ci/tools"]
fn needs_zsh_that_completes() {
    completes_commands_users_and_products("zsh");
}

#[test]
#[ignore = "needs fish: .ci/tools"]
fn needs_fish_that_completes() {
    completes_commands_users_and_products("fish");
}

/// Tests that completing a line does not make a store.
#[test]
#[ignore = "needs bash: .ci/tools"]
fn needs_bash_completing_makes_no_store() {
    let home = Home::new();
    complete(&home, "bash", &["ocache", "prices", "A"]);
    assert!(!home.path().join("data").exists());
}
