//! What `infra/package` takes into a zip, and what it refuses, tried with small C programs. Where
//! there is no C compiler, no binutils or no zip, it says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/infra/package");

/// Whether everything that the command needs is here.
fn has_tools() -> bool {
    let missing = ["cc", "readelf", "strip", "zip"].into_iter().find(|tool| {
        let found = Command::new("sh").args(["-c", "command -v \"$0\" >/dev/null", tool]).status();
        !found.is_ok_and(|status| status.success())
    });
    if let Some(tool) = missing {
        eprintln!("skipped: {tool} is not here");
    }
    missing.is_none()
}

/// A program of this source; `None` when this machine's C library does not have what it uses.
fn compiled(home: &TempDir, source: &str, flags: &[&str]) -> Option<PathBuf> {
    let (file, program) = (home.path().join("program.c"), home.path().join("program"));
    std::fs::write(&file, source).unwrap();
    let mut cc = Command::new("cc");
    let cc = cc.arg("-Wno-implicit-function-declaration").args(flags).arg("-o").arg(&program);
    cc.arg(&file).output().unwrap().status.success().then_some(program)
}

fn package(program: &Path, zip: &Path) -> Output {
    let mut command = Command::new(PACKAGE);
    command.arg("--binary").arg(program).arg("--output").arg(zip).output().unwrap()
}

fn refusal(program: &Path, home: &TempDir) -> String {
    let zip = home.path().join("refused.zip");
    let output = package(program, &zip);
    assert_eq!(output.status.code(), Some(1));
    assert!(!zip.exists(), "it was packaged all the same");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_same_program_makes_the_same_zip() {
    if !has_tools() {
        return;
    }
    let zips = [(), ()].map(|()| {
        let home = tempfile::tempdir().unwrap();
        let program = compiled(&home, "int main(void) { return 0; }", &[]).unwrap();
        let zip = home.path().join("package.zip");
        let output = package(&program, &zip);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read(zip).unwrap()
    });
    assert!(!zips[0].is_empty());
    assert_eq!(zips[0], zips[1]);
}

#[test]
fn a_program_that_needs_a_newer_glibc_is_refused() {
    if !has_tools() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    // New in glibc 2.36.
    let source = "unsigned arc4random(void); int main(void) { return arc4random() == 7; }";
    let Some(program) = compiled(&home, source, &[]) else {
        eprintln!("skipped: this machine's glibc is older than 2.36");
        return;
    };
    let said = refusal(&program, &home);
    assert!(said.contains("needs glibc 2.36, provided.al2023 has 2.34"), "{said}");
    assert!(said.contains("hint: see \"An older glibc, another architecture\""), "{said}");
}

#[test]
fn a_program_that_needs_no_glibc_is_taken() {
    if !has_tools() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let Some(program) = compiled(&home, "int main(void) { return 0; }", &["-static"]) else {
        eprintln!("skipped: this machine's glibc cannot be linked statically");
        return;
    };
    let output = package(&program, &home.path().join("package.zip"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("needs glibc none"), "{said}");
}

#[test]
fn what_is_no_program_is_refused() {
    if !has_tools() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let said = refusal(Path::new(PACKAGE), &home);
    assert!(said.contains("is not a program for x86_64 or arm64 Linux"), "{said}");
}
