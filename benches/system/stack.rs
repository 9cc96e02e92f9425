//! A store and its server, used as anybody uses them: by commands, the websocket and `/metrics`.
//! So a build of another version, with another form of the store, can be measured as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ocache::model::UserId;
use tempfile::{NamedTempFile, TempDir};

use crate::generated::Generated;
use crate::server::Server;

/// A command line takes so many users.
const USERS_AT_ONCE: usize = 5_000;
/// How often it is looked whether tables are there. A look costs the server something.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Calculations that are still missing when no queue has held anything for so long will not come.
const NOTHING_FOR: Duration = Duration::from_secs(3);

/// A build of ocache to measure.
pub struct Build {
    pub name: &'static str,
    pub binary: PathBuf,
}

impl Build {
    /// The one that is measured beside, if there is one, and the one that is meant.
    pub fn all(meant: Option<PathBuf>, beside: Option<PathBuf>) -> Vec<Self> {
        let meant = meant.unwrap_or_else(|| env!("CARGO_BIN_EXE_ocache").into());
        let beside = beside.map(|binary| Self { name: "before", binary });
        beside.into_iter().chain([Self { name: "now", binary: meant }]).collect()
    }

    /// What was measured, and of which build unless it is the one that is meant.
    pub fn label(&self, what: &str) -> String {
        match self.name {
            "now" => what.to_owned(),
            other => format!("{what}, build {other}"),
        }
    }
}

/// A store of its own, on a disk, and perhaps its server.
pub struct Stack<'a> {
    pub build: &'a Build,
    data: TempDir,
    /// What every command is told beside: which local AWS it is on, if it is on one.
    flags: Vec<String>,
    up: Option<Server>,
}

/// A load that is under way.
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

/// Calculations that were done, and in which time.
pub struct Calculated {
    pub tables: u64,
    pub took: Duration,
    pub cpu: Duration,
}

impl<'a> Stack<'a> {
    /// With nothing in it: `up` loads the fixtures.
    pub fn empty(build: &'a Build) -> Self {
        let data = tempfile::tempdir().expect("a folder for the store");
        Self { build, data, flags: vec![], up: None }
    }

    /// With this data in it, on a local AWS. The stack has to be destroyed.
    pub fn on_aws(build: &'a Build, endpoint: &str, name: &str, data: &Generated) -> Self {
        let flags = ["--endpoint-url", endpoint, "--stack", name].map(str::to_owned).into();
        let stack = Self { flags, ..Self::empty(build) };
        stack.run(&["provision", "--yes"]);
        stack.run(&["load", path(data.folder())]);
        stack
    }

    /// With this data in it.
    pub fn loaded(build: &'a Build, data: &Generated) -> Self {
        let stack = Self::empty(build);
        stack.run(&["load", path(data.folder())]);
        stack
    }

    /// Runs a command on the store; what it printed.
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

    /// Starts `ocache up`. Its limits are out of the way.
    pub fn start(&mut self) -> &Server {
        self.start_with(&["--max-frames", "1000000", "--max-active-users", "4000000"])
    }

    /// Starts `ocache up` with the limits that it has by default.
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

    /// Has the server drain and end.
    pub fn stop(&mut self) {
        if let Some(up) = self.up.take() {
            up.stop();
        }
    }

    /// Makes users active for longer than anything is measured.
    pub fn subscribe(&self, users: &[UserId]) {
        for users in users.chunks(USERS_AT_ONCE) {
            let mut args = vec!["subscribe", "--quiet", "--ttl", "2h"];
            args.extend(users.iter().map(UserId::as_str));
            self.run(&args);
        }
    }

    /// Loads another price of one product, so that every table has to be calculated anew. Each time
    /// it is a different one.
    pub fn change_a_price(&self, data: &Generated, cents: u32) {
        self.start_changing_a_price(data, cents).finish();
    }

    /// The same, and goes on while it is loaded.
    pub fn start_changing_a_price(&self, data: &Generated, cents: u32) -> Loading {
        let changed = data.with_another_price(cents);
        let mut load = self.command(&["load", "--quiet", path(changed.path())]);
        let child = load.stdout(Stdio::null()).spawn().expect("the command can be run");
        Loading { child, _changed: changed }
    }

    /// Waits until so many tables were calculated since a count of before. What took no longer than
    /// from the given moment is counted.
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
            // A version that leaves out what is unchanged calculates less.
            let is_over = idle.is_some_and(|since| now - since > NOTHING_FOR);
            if last.0 >= since.count + tables || is_over {
                let cpu = self.server().cpu_time() - since.cpu;
                return Calculated { tables: last.0 - since.count, took: last.1 - since.at, cpu };
            }
        }
    }

    /// Waits until no calculation is waiting or in hand, such as those that warmed the tables.
    pub fn until_quiet(&self) {
        while look(self.server()).1 > 0 {
            sleep(LOOK_EVERY);
        }
    }

    /// What was calculated until now.
    pub fn calculations(&self) -> Calculations {
        let (count, _) = look(self.server());
        Calculations { count, at: Instant::now(), cpu: self.server().cpu_time() }
    }

    /// Messages that wait in the queue of refreshes. What the server says is a second old at most.
    pub fn refreshes_waiting(&self) -> u64 {
        let waiting = r#"ocache_queue_messages{queue="refresh",state="waiting"}"#;
        let metrics = self.server().metrics();
        metrics.iter().find(|(name, _)| name == waiting).map_or(0, |(_, value)| *value as u64)
    }

    /// The files of the store.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data.path()).expect("the folder is there");
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect()
    }
}

/// How many tables a server has calculated at some moment, and what it had used then.
pub struct Calculations {
    count: u64,
    at: Instant,
    cpu: Duration,
}

/// How many tables were calculated, and how many messages the queues before them hold.
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
