//! A store and its server, used through commands, the websocket and `/metrics` alone. So a build of another
//! version, whose store has another format, can be measured as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ocache::model::UserId;
use tempfile::{NamedTempFile, TempDir};

use crate::generated::Generated;
use crate::server::Server;

/// How many users one command line has at most.
const USERS_AT_ONCE: usize = 5_000;
/// How often the server is asked whether tables are calculated. Each request costs the server something.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// If all queues are empty for this long, missing calculations will not come.
const NOTHING_FOR: Duration = Duration::from_secs(3);

/// A build of ocache to measure.
pub struct Build {
    pub name: &'static str,
    pub binary: PathBuf,
}

impl Build {
    /// Returns the builds to measure: the one to compare with, if there is one, and then the main one.
    pub fn all(meant: Option<PathBuf>, beside: Option<PathBuf>) -> Vec<Self> {
        let meant = meant.unwrap_or_else(|| env!("CARGO_BIN_EXE_ocache").into());
        let beside = beside.map(|binary| Self { name: "before", binary });
        beside.into_iter().chain([Self { name: "now", binary: meant }]).collect()
    }

    /// Returns what was measured, with the build's name unless it is the main one.
    pub fn label(&self, what: &str) -> String {
        match self.name {
            "now" => what.to_owned(),
            other => format!("{what}, build {other}"),
        }
    }
}

/// A new store on a disk, and perhaps its server.
pub struct Stack<'a> {
    pub build: &'a Build,
    data: TempDir,
    /// Flags of every command: which local AWS the stack is on, if it is on one.
    flags: Vec<String>,
    up: Option<Server>,
}

/// A load that is in progress.
pub struct Loading {
    child: Child,
    _changed: NamedTempFile,
}

impl Loading {
    pub fn finish(mut self) {
        let ended = self.child.wait().expect("the command can be waited for");
        assert!(ended.success(), "the load ended with {ended}");
    }
}

/// How many calculations were done, in which time.
pub struct Calculated {
    pub tables: u64,
    pub took: Duration,
    pub cpu: Duration,
}

impl<'a> Stack<'a> {
    /// Returns an empty stack. `up` loads the fixtures.
    pub fn empty(build: &'a Build) -> Self {
        let data = tempfile::tempdir().expect("a folder for the store");
        Self { build, data, flags: vec![], up: None }
    }

    /// Returns a stack on a local AWS with this data. It must be destroyed afterwards.
    pub fn on_aws(build: &'a Build, endpoint: &str, name: &str, data: &Generated) -> Self {
        let flags = ["--endpoint-url", endpoint, "--stack", name].map(str::to_owned).into();
        let stack = Self { flags, ..Self::empty(build) };
        stack.run(&["provision", "--yes"]);
        stack.run(&["load", path(data.folder())]);
        stack
    }

    /// Returns a stack with this data.
    pub fn loaded(build: &'a Build, data: &Generated) -> Self {
        let stack = Self::empty(build);
        stack.run(&["load", path(data.folder())]);
        stack
    }

    /// Runs a command on the store. Returns what it printed.
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().expect("the command can be run");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {:?}: {stderr}", self.build.name, args.first());
        String::from_utf8(output.stdout).expect("it prints text")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.build.binary);
        command.args(args).args(&self.flags).env("OCACHE_DATA_DIR", self.data.path());
        command
    }

    /// Starts `ocache up` with limits so high that they do not matter.
    pub fn start(&mut self) -> &Server {
        self.start_with(&["--max-frames", "1000000", "--max-active-users", "4000000"])
    }

    /// Starts `ocache up` with its default limits.
    pub fn start_limited(&mut self) -> &Server {
        self.start_with(&[])
    }

    fn start_with(&mut self, limits: &[&str]) -> &Server {
        let args =
            ["up", "--port", "0", "--output", "json", "--ttl", "2h", "--refresh-every", "1h"];
        self.up.insert(Server::start(&mut self.command(&[&args[..], limits].concat())))
    }

    pub fn server(&self) -> &Server {
        self.up.as_ref().expect("the stack was started")
    }

    /// Drains the server and ends it.
    pub fn stop(&mut self) {
        if let Some(up) = self.up.take() {
            up.stop();
        }
    }

    /// Makes users active for longer than any measurement takes.
    pub fn subscribe(&self, users: &[UserId]) {
        for users in users.chunks(USERS_AT_ONCE) {
            let mut args = vec!["subscribe", "--quiet", "--ttl", "2h"];
            args.extend(users.iter().map(UserId::as_str));
            self.run(&args);
        }
    }

    /// Loads another price of one product, so that every table must be calculated again. Each call needs
    /// other `cents`.
    pub fn change_a_price(&self, data: &Generated, cents: u32) {
        self.start_changing_a_price(data, cents).finish();
    }

    /// Starts to load another price, and returns while it is loaded.
    pub fn start_changing_a_price(&self, data: &Generated, cents: u32) -> Loading {
        let changed = data.with_another_price(cents);
        let mut load = self.command(&["load", "--quiet", path(changed.path())]);
        let child = load.stdout(Stdio::null()).spawn().expect("the command can be run");
        Loading { child, _changed: changed }
    }

    /// Waits until this many tables were calculated since an earlier count. Returns how many were
    /// calculated, and how long it took until the last of them.
    pub fn until_calculated(&self, since: &Calculations, tables: u64) -> Calculated {
        let mut last = (since.count, since.at);
        let mut idle: Option<Instant> = None;
        loop {
            sleep(LOOK_EVERY);
            let (count, waiting) = look(self.server());
            let now = Instant::now();
            if count > last.0 {
                last = (count, now);
            }
            idle = if waiting == 0 { idle.or(Some(now)) } else { None };
            // A version that leaves out unchanged tables calculates fewer.
            let is_over = idle.is_some_and(|since| now - since > NOTHING_FOR);
            if last.0 >= since.count + tables || is_over {
                let cpu = self.server().cpu_time() - since.cpu;
                return Calculated { tables: last.0 - since.count, took: last.1 - since.at, cpu };
            }
        }
    }

    /// Waits until no calculation is waiting or in progress, such as those that warmed the tables.
    pub fn until_quiet(&self) {
        while look(self.server()).1 > 0 {
            sleep(LOOK_EVERY);
        }
    }

    /// Returns what was calculated so far.
    pub fn calculations(&self) -> Calculations {
        let (count, _) = look(self.server());
        Calculations { count, at: Instant::now(), cpu: self.server().cpu_time() }
    }

    /// Returns how many messages wait in the queue of refreshes. The server's figure is at most a second
    /// old.
    pub fn refreshes_waiting(&self) -> u64 {
        let waiting = r#"ocache_queue_messages{queue="refresh",state="waiting"}"#;
        let metrics = self.server().metrics();
        metrics.iter().find(|(name, _)| name == waiting).map_or(0, |(_, value)| *value as u64)
    }

    /// Returns the files of the store.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data.path()).expect("the folder is there");
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect()
    }
}

/// How many tables a server has calculated at some moment, and the processor time that it had used.
pub struct Calculations {
    count: u64,
    at: Instant,
    cpu: Duration,
}

/// Returns how many tables were calculated, and how many messages the queues of calculations hold.
fn look(server: &Server) -> (u64, u64) {
    let (mut count, mut waiting) = (0.0, 0.0);
    for (name, value) in server.metrics() {
        let of_a_queue = |queue| name.contains(queue) && !name.contains(r#"state="dead""#);
        if name.starts_with("ocache_recalculations_total{") {
            count += value;
        } else if name.starts_with("ocache_queue_messages{")
            && (of_a_queue(r#"queue="refresh""#) || of_a_queue(r#"queue="quotation""#))
        {
            waiting += value;
        }
    }
    (count as u64, waiting as u64)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
