//! Asks before something is deleted, or an account is changed.

use std::io::{self, IsTerminal, Write};

use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use super::stderr::Stderr;

/// Asks whether to go on. Without a terminal nobody can answer, so `--yes` is required.
pub(super) fn confirm(output: &Output, yes: bool, what: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let message = format!("cannot ask whether to {what}: this is not a terminal");
        return Err(Failure::new(ExitCode::Usage, message).hint("confirm with --yes"));
    }
    // Print earlier messages first. The question is written directly, because it waits for its reader.
    Stderr::settle();
    let mut stderr = anstream::stderr();
    write!(stderr, "{what}? [y/N] ").and_then(|()| stderr.flush()).map_err(Failure::internal)?;
    let mut answer = String::new();
    if io::stdin().read_line(&mut answer).map_err(Failure::internal)? == 0 {
        // Ctrl-D ends the answer without ending the line.
        writeln!(stderr).map_err(Failure::internal)?;
    }
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    output.note("nothing was changed");
    Err(Failure::new(ExitCode::Failure, "not confirmed"))
}
