//! Servers in processes of their own, and figures of them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use ocache::runtime::client::Destination;

/// A process that ends with the measurement.
pub struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server, which prints in a line where it listens.
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a server can be started");
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut lines = output.lines().map_while(Result::ok);
        let url = lines.find_map(|line| {
            let start = line.find("ws://")?;
            Some(line[start..].trim_end_matches(['"', ',']).to_owned())
        });
        // Later output must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.expect("it says where it listens") }
    }

    /// Starts this program in another role.
    pub fn of_this_program(args: &[&str]) -> Self {
        let this = std::env::current_exe().expect("this program has a path");
        Self::start(Command::new(this).args(args))
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn destination(&self) -> Destination {
        Destination::Url(self.url.clone())
    }

    /// Drains the server and ends it.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.is_ok_and(|status| status.success()), "the server is there");
        let ended = self.child.wait().expect("the server can be waited for");
        assert!(ended.success(), "the server ended with {ended}");
    }

    /// Returns the processor time of all its threads.
    pub fn cpu_time(&self) -> Duration {
        cpu_time_of(self.child.id())
    }

    /// Returns its peak memory, in MB.
    pub fn peak_megabytes(&self) -> u64 {
        peak_megabytes_of(self.child.id())
    }

    /// Returns the value of each line of its `/metrics`, with the line's name and labels.
    pub fn metrics(&self) -> Vec<(String, f64)> {
        let address = self.url.trim_start_matches("ws://").trim_end_matches('/');
        let address = address.split('/').next().unwrap_or(address);
        let mut stream = TcpStream::connect(address).expect("the server is there");
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")
            .expect("it takes requests");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("it answers with text");
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        let lines = reply.lines().filter(|line| line.starts_with("ocache_"));
        let lines = lines.filter_map(|line| line.rsplit_once(' '));
        lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }
}

/// Returns the processor time of all threads of a process.
pub fn cpu_time_of(process: impl std::fmt::Display) -> Duration {
    // Fields 14 and 15, in hundredths of a second. Field 2 may contain blanks, but ends with `)`.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Returns the peak memory of a process, in MB.
pub fn peak_megabytes_of(process: impl std::fmt::Display) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
