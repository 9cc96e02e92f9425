//! The processes of a system, which are killed and started again.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;

use ocache::stages::{Setting, set};
use serde_json::Value;
use tokio::sync::watch;

use super::stack::Stack;

/// Long enough that a message that several killed workers held in turn is still worth answering when it
/// comes again.
pub const QUOTE_WITHIN_SECS: u64 = 75;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    PriceCalc,
    Provider,
    Refresh,
    Gateway,
    /// All of these in one process.
    Up,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::PriceCalc, Self::Provider, Self::Refresh, Self::Gateway, Self::Up];

    fn args(self) -> Vec<String> {
        let args = match self {
            Self::PriceCalc => "worker price-calc",
            Self::Provider => "worker quotation-provider",
            Self::Refresh => "worker refresh",
            Self::Gateway => "serve --port 0 --output json",
            Self::Up => "up --port 0 --output json",
        };
        args.split(' ').map(str::to_owned).collect()
    }

    const fn is_gateway(self) -> bool {
        matches!(self, Self::Gateway | Self::Up)
    }
}

/// The websockets of running gateways, or `None` while one does not run.
pub type Addresses = [watch::Receiver<Option<String>>; 2];

struct Process {
    role: Role,
    child: Child,
    started: u32,
    log: std::path::PathBuf,
}

/// Processes, one for each wanted role.
pub struct Fleet {
    stack: Arc<Stack>,
    processes: Vec<Process>,
    addresses: Arc<[watch::Sender<Option<String>>; 2]>,
}

impl Fleet {
    pub async fn start(stack: Arc<Stack>, roles: &[Role]) -> Self {
        let within = (Setting::QuoteWithin, format!("{QUOTE_WITHIN_SECS}s"));
        let every = (Setting::RefreshEvery, "2s".to_owned());
        // So that a refresh writes that the table is right.
        let fresh = (Setting::FreshFor, "4s".to_owned());
        set(&*stack.ports.store, &[within, every, fresh]).await.unwrap();
        let addresses = Arc::new([watch::Sender::new(None), watch::Sender::new(None)]);
        let mut fleet = Self { stack, processes: vec![], addresses };
        for role in roles {
            let process = fleet.launch(*role, 1);
            fleet.processes.push(process);
        }
        fleet
    }

    pub fn addresses(&self) -> Addresses {
        [self.addresses[0].subscribe(), self.addresses[1].subscribe()]
    }

    /// Waits until `serve` says where it listens.
    pub async fn gateway_address(&self) -> String {
        self.address(0).await
    }

    /// Waits until `up` is ready.
    pub async fn up_address(&self) -> String {
        self.address(1).await
    }

    async fn address(&self, of: usize) -> String {
        let mut address = self.addresses[of].subscribe();
        let known = address.wait_for(Option::is_some).await.unwrap();
        known.clone().unwrap_or_default()
    }

    fn launch(&self, role: Role, started: u32) -> Process {
        let log = self.stack.path().join(format!("{role:?}-{started}.log"));
        let args = role.args();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = self.stack.command(&args);
        command.stderr(File::create(&log).unwrap());
        command.stdout(if role.is_gateway() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().unwrap();
        if let Some(stdout) = child.stdout.take() {
            let addresses = self.addresses.clone();
            std::thread::spawn(move || {
                if let Some(url) = websocket(BufReader::new(stdout)) {
                    addresses[usize::from(role == Role::Up)].send_replace(Some(url));
                }
            });
        }
        Process { role, child, started, log }
    }

    /// Ends a process without a chance to clean up, and starts it again.
    pub fn kill(&mut self, role: Role) {
        self.check_alive();
        let at = self.processes.iter().position(|process| process.role == role).unwrap();
        if role.is_gateway() {
            self.addresses[usize::from(role == Role::Up)].send_replace(None);
        }
        let process = &mut self.processes[at];
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        let next = process.started + 1;
        self.processes[at] = self.launch(role, next);
    }

    /// Checks that no process has ended by itself.
    pub fn check_alive(&mut self) {
        for process in &mut self.processes {
            if let Some(status) = process.child.try_wait().unwrap() {
                let log = std::fs::read_to_string(&process.log).unwrap_or_default();
                panic!("{:?} ended by itself, {status}: {log}", process.role);
            }
        }
    }

    /// Sends the signal of Ctrl-C to a process and waits for its end. The process finishes what it has
    /// begun.
    pub async fn drain(&mut self, role: Role) {
        let at = self.processes.iter().position(|process| process.role == role).unwrap();
        let mut process = self.processes.swap_remove(at);
        let pid = process.child.id().to_string();
        assert!(
            std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success()
        );
        let ended = tokio::task::spawn_blocking(move || process.child.wait().unwrap()).await;
        let status = ended.unwrap();
        let log = std::fs::read_to_string(&process.log).unwrap_or_default();
        assert_eq!(status.code(), Some(0), "{role:?}: {log}");
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // The process may have ended by itself.
            let _ = process.child.kill();
            let _ = process.child.wait();
            if std::thread::panicking() {
                let log = std::fs::read_to_string(&process.log).unwrap_or_default();
                let from = log.lines().count().saturating_sub(15);
                let last: Vec<_> = log.lines().skip(from).collect();
                eprintln!("last of {:?}:\n{}", process.role, last.join("\n"));
            }
        }
    }
}

/// Reads the first JSON value, which has several lines, and returns the address in it. Returns `None` if
/// the process ended first.
pub fn websocket(mut stdout: impl BufRead) -> Option<String> {
    let mut read = String::new();
    while stdout.read_line(&mut read).ok()? > 0 {
        if let Ok(value) = serde_json::from_str::<Value>(&read) {
            return value["websocket"].as_str().map(str::to_owned);
        }
    }
    None
}
