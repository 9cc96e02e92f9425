//! Tests of what `infra/package` puts into a zip, and what it refuses, with small C programs. `.ci/tools`
//! runs this where a C compiler, binutils and zip are installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/infra/package");

/// Compiles a program from this source.
fn compiled(home: &TempDir, source: &str, flags: &[&str]) -> PathBuf {
    let (file, program) = (home.path().join("program.c"), home.path().join("program"));
    std::fs::write(&file, source).unwrap();
    let mut cc = Command::new("cc");
    let cc = cc.arg("-Wno-implicit-function-declaration").args(flags).arg("-o").arg(&program);
    let output = cc.arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
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
#[ignore = "needs a C compiler, binutils and zip: .ci/tools"]
fn needs_cc_the_same_program_makes_the_same_zip() {
    let zips = [(), ()].map(|()| {
        let home = tempfile::tempdir().unwrap();
        let program = compiled(&home, "int main(void) { return 0; }", &[]);
        let zip = home.path().join("package.zip");
        let output = package(&program, &zip);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read(zip).unwrap()
    });
    assert!(!zips[0].is_empty());
    assert_eq!(zips[0], zips[1]);
}

#[test]
#[ignore = "needs a C compiler and glibc 2.36: .ci/tools"]
fn needs_glibc_a_program_that_needs_a_newer_glibc_is_refused() {
    let home = tempfile::tempdir().unwrap();
    // This function is new in glibc 2.36.
    let source = "unsigned arc4random(void); int main(void) { return arc4random() == 7; }";
    let program = compiled(&home, source, &[]);
    let said = refusal(&program, &home);
    assert!(said.contains("needs glibc 2.36, provided.al2023 has 2.34"), "{said}");
    assert!(said.contains("hint: see \"An older glibc, another architecture\""), "{said}");
}

#[test]
#[ignore = "needs a C compiler and a static glibc: .ci/tools"]
fn needs_static_glibc_a_program_that_needs_no_glibc_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let program = compiled(&home, "int main(void) { return 0; }", &["-static"]);
    let output = package(&program, &home.path().join("package.zip"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("needs glibc none"), "{said}");
}

#[test]
#[ignore = "needs a C compiler, binutils and zip: .ci/tools"]
fn needs_cc_what_is_no_program_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let said = refusal(Path::new(PACKAGE), &home);
    assert!(said.contains("is not a program for x86_64 or arm64 Linux"), "{said}");
}
