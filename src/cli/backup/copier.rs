//! The process that makes the copy, and the connection to it.
//!
//! It reports its progress on stdout, in lines `PAGES TOTAL`. It ends when its stdin is closed, because
//! the command that started it is then gone.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::super::engine::{Engine, EngineKind};
use super::super::failure::{ExitCode, Failure, Result};
use super::super::output::Output;
use super::super::settings::Settings;
use crate::embedded::Copied;

/// Makes the copy. This runs in the separate process.
pub(super) async fn run(settings: &Settings, output: &Output, to: &Path) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let copied = match engine.kind() {
        EngineKind::Embedded(embedded) => {
            let is_alone = watch_stdin();
            let tell = teller();
            let watch = move |copied| {
                tell(copied);
                match is_alone.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            embedded.backup(to, watch).await
        }
        #[cfg(feature = "aws")]
        EngineKind::Aws(_) => Ok(()),
    };
    engine.close().await;
    Ok(copied?)
}

/// Returns a flag that is set when the command that started this process is gone.
fn watch_stdin() -> Arc<AtomicBool> {
    let is_alone = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&is_alone);
    thread::spawn(move || {
        // Nothing is ever sent, so this returns when stdin is closed.
        let _ = io::stdin().read(&mut [0]);
        set.store(true, Ordering::Relaxed);
    });
    is_alone
}

/// Returns a function that reports the progress from a thread of its own. A stopped command does not
/// read, and the copy must not wait for it.
fn teller() -> impl Fn(Copied) {
    let (sender, receiver) = channel::<Copied>();
    thread::spawn(move || {
        for Copied { pages, total } in receiver {
            let mut stdout = io::stdout().lock();
            let told = writeln!(stdout, "{pages} {total}").and_then(|()| stdout.flush());
            if told.is_err() {
                return;
            }
        }
    });
    move |copied| {
        // If nobody reads the reports any more, stdin is closed too.
        let _ = sender.send(copied);
    }
}

/// A message of the process.
pub(super) enum Said {
    /// The pages that are copied, and the total.
    Copied { pages: u64, total: u64 },
    /// A line for people.
    Line(String),
}

/// The copying process, as the command sees it. If it is dropped early, the process is ended and its file
/// removed.
pub(super) struct CopyProcess {
    child: Child,
    file: PathBuf,
    said: UnboundedReceiver<Said>,
    /// Whether the process has made the file.
    is_ours: bool,
    /// The last message, if it was the cause of a failure.
    failure: Option<Failure>,
    is_done: bool,
}

impl CopyProcess {
    pub(super) fn start(data_dir: &Path, file: &Path) -> Result<Self> {
        let failed = |error: io::Error| {
            let message = format!("the process that copies cannot be started: {error}");
            Failure::new(ExitCode::Failure, message)
        };
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        // The process has the settings of this command, whatever a settings file contains.
        #[cfg(unix)]
        command.args(["--config", "/dev/null"]);
        command.args(["--backend", "embedded", "--output", "json", "--data-dir"]).arg(data_dir);
        command.args(["backup", "--copier", "--"]).arg(file);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Signals from the terminal to this command do not reach that process.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // A file that existed before must not be removed.
        let is_ours = !file.exists();
        let mut child = command.spawn().map_err(failed)?;
        let (say, said) = unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            listen(stdout, say.clone(), |line| {
                let (pages, total) = line.split_once(' ')?;
                Some(Said::Copied { pages: pages.parse().ok()?, total: total.parse().ok()? })
            });
        }
        if let Some(stderr) = child.stderr.take() {
            listen(stderr, say, |line| Some(Said::Line(line.to_owned())));
        }
        let file = file.to_owned();
        Ok(Self { child, file, said, is_ours, failure: None, is_done: false })
    }

    /// Returns the next message; `None` when the process has ended.
    pub(super) async fn said(&mut self) -> Option<Said> {
        loop {
            match self.said.recv().await? {
                Said::Line(line) => match failure(&line) {
                    Some(failure) => self.failure = Some(failure),
                    None => return Some(Said::Line(line)),
                },
                said @ Said::Copied { .. } => {
                    return Some(said);
                }
            }
        }
    }

    /// Returns the result, after the process has ended.
    pub(super) fn outcome(mut self) -> Result<()> {
        let status = self.child.wait().map_err(Failure::internal)?;
        if status.success() {
            self.is_done = true;
            return Ok(());
        }
        Err(self.failure.take().unwrap_or_else(|| {
            let message = format!("the process that copies has ended: {status}");
            Failure::new(ExitCode::Failure, message).hint("run the command again")
        }))
    }
}

impl Drop for CopyProcess {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // The process may have ended by itself, and removed its file.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if self.is_ours {
            let _ = fs::remove_file(&self.file);
        }
    }
}

/// Reads lines on a thread of its own until there are no more.
fn listen(
    from: impl Read + Send + 'static,
    say: UnboundedSender<Said>,
    read: impl Fn(&str) -> Option<Said> + Send + 'static,
) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let gone = read(&line).is_some_and(|said| say.send(said).is_err());
            if gone {
                return;
            }
        }
    });
}

/// Parses a line as a failure, if it is one.
fn failure(line: &str) -> Option<Failure> {
    let value: Value = serde_json::from_str(line).ok()?;
    let error = value.get("error")?;
    let code = error.get("exit_code")?.as_u64()?;
    let code = ExitCode::ALL.into_iter().find(|known| u64::from(*known as u8) == code)?;
    let failure = Failure::new(code, error.get("message")?.as_str()?);
    Some(match error.get("hint").and_then(Value::as_str) {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}
