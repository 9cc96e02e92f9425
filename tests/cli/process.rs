//! Starts ocache, reads what it prints, and stops it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ocache::embedded::Embedded;
use ocache::ports::{SystemClock, SystemRandomness};
use ocache::supervisor::Supervisor;
use serde_json::Value;
use tempfile::TempDir;

/// A wait that ends only if the test has failed.
const HANG: Duration = Duration::from_secs(60);

/// A home with a data folder of its own, for one test.
pub struct Home {
    dir: TempDir,
    /// Variables of its processes' environment, beside that of the data folder.
    pub environment: &'static [(&'static str, &'static str)],
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), environment: &[] }
    }

    /// Returns a home with the fixtures loaded.
    pub fn with_fixtures() -> Self {
        let home = Self::new();
        home.ok(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/")]);
        home
    }

    /// Returns a home with an empty store.
    pub fn with_empty_store() -> Self {
        let home = Self::new();
        let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
        let supervisor = Supervisor::new();
        drop(Embedded::open(&home.path().join("data"), clock, randomness, &supervisor).unwrap());
        home
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a file with this content. Returns its path.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_ocache"));
        command.args(args);
        command
    }

    /// Returns a command for a program that has the same environment as ocache, and `ocache` on its path.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["OCACHE_", "AWS_", "OTEL_", "XDG_"].iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        // The machine's own AWS settings must not be found either.
        command.env("HOME", self.path()).envs(self.environment.iter().copied());
        let own = Path::new(env!("CARGO_BIN_EXE_ocache")).parent().unwrap().to_owned();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(own).chain(std::env::split_paths(&others));
        command.env("PATH", std::env::join_paths(path).unwrap());
        command.env("OCACHE_DATA_DIR", self.path().join("data"));
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed. Returns its stdout.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must succeed. Returns its JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--output", "json"]].concat();
        serde_json::from_str(&self.ok(&args)).unwrap()
    }

    /// Runs a command that must fail with a code and print nothing to stdout. Returns its stderr.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert_eq!(text(&output.stdout), "", "{args:?}");
        stderr
    }

    /// Sets a setting of the stack.
    pub fn set(&self, key: &str, value: &str) {
        self.ok(&["config", "set", key, value]);
    }

    /// Runs a command with this input.
    pub fn piped(&self, args: &[&str], input: impl AsRef<[u8]>) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_ref()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Starts a command that runs until it is stopped.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::of(self.command(args))
    }

    /// Starts a worker, and returns when it works.
    pub fn worker(&self, role: &str) -> Running {
        self.worker_of(&["worker", role])
    }

    /// Starts a worker by its whole command line.
    pub fn worker_of(&self, args: &[&str]) -> Running {
        let mut worker = self.start(args);
        worker.stderr_line("working");
        worker
    }

    /// Starts the whole system on a free port. Returns when it is ready, with the websocket's address.
    pub fn up(&self, args: &[&str]) -> (Running, String) {
        let mut up = self.start(&[&["up", "--port", "0", "--output", "json"], args].concat());
        let ready = up.stdout_json();
        assert_eq!(ready["ready"], true, "{ready}");
        let websocket = ready["websocket"].as_str().unwrap().to_owned();
        (up, websocket)
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A process that is killed when the test is over.
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// `None` once another thread reads it.
    stderr: Option<BufReader<ChildStderr>>,
}

impl Running {
    /// Starts a command.
    pub fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout, stderr: Some(stderr) }
    }

    /// Reads all of stderr as it comes, because a process that logs much would block without a reader.
    pub fn read_log(&mut self) -> JoinHandle<String> {
        let mut stderr = self.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        })
    }

    /// Reads stderr up to a line with this text.
    pub fn stderr_line(&mut self, wanted: &str) -> String {
        let mut read = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stderr.as_mut().unwrap().read_line(&mut line).unwrap(),
                0,
                "no `{wanted}` in: {read}"
            );
            if line.contains(wanted) {
                return line;
            }
            read.push_str(&line);
        }
    }

    /// Reads one JSON value of several lines from stdout.
    pub fn stdout_json(&mut self) -> Value {
        let mut read = String::new();
        loop {
            if self.stdout.read_line(&mut read).unwrap() == 0 {
                panic!("no JSON in `{read}`: {}", self.rest_of_stderr());
            }
            if let Ok(value) = serde_json::from_str(&read) {
                return value;
            }
        }
    }

    /// Reads a line of stdout that is one JSON value.
    pub fn stdout_line_json(&mut self) -> Value {
        let mut line = String::new();
        if self.stdout.read_line(&mut line).unwrap() == 0 {
            panic!("no line: {}", self.rest_of_stderr());
        }
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`{line}`: {error}"))
    }

    /// Sends the signal of Ctrl-C.
    pub fn signal(&self) {
        let pid = self.child.id().to_string();
        // The process may have ended by itself.
        let _ = Command::new("kill").args(["-INT", &pid]).stderr(Stdio::null()).status().unwrap();
    }

    pub const fn process(&self) -> &Child {
        &self.child
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end. Returns the exit code and the rest of stderr.
    pub fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        while self.is_running() {
            assert!(begun.elapsed() < HANG, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        let stderr = self.rest_of_stderr();
        (self.child.wait().unwrap().code(), stderr)
    }

    fn rest_of_stderr(&mut self) -> String {
        let mut rest = String::new();
        if let Some(stderr) = &mut self.stderr {
            stderr.read_to_string(&mut rest).unwrap();
        }
        rest
    }

    /// Ends the process without a chance to clean up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends the signal of Ctrl-C and waits for the end. Returns the exit code and the rest of stderr.
    pub fn interrupt(self) -> (Option<i32>, String) {
        self.signal();
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
