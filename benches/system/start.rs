//! How long the shortest command takes, beside a program that does nothing.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{line, quantile};

const RUNS: usize = 100;

pub fn run() {
    let ocache = env!("CARGO_BIN_EXE_ocache");
    let commands: [(&str, &str, &[&str]); 3] = [
        ("`true`", "true", &[]),
        ("`ocache --version`", ocache, &["--version"]),
        ("`ocache completions bash`", ocache, &["completions", "bash"]),
    ];
    // In turns, so that all of them have the same neighbours.
    let mut times = commands.map(|_| vec![]);
    for _ in 0..RUNS {
        for (times, (_, program, args)) in times.iter_mut().zip(&commands) {
            times.push(once(program, args));
        }
    }
    for (mut times, (what, ..)) in times.into_iter().zip(commands) {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
        let (least, median) = (quantile(&mut times, 0.0), quantile(&mut times, 0.5));
        line("9", what, &format!("{} at best, {} half of the time", ms(least), ms(median)));
    }
}

fn once(program: &str, args: &[&str]) -> Duration {
    let begun = Instant::now();
    let status = Command::new(program).args(args).stdout(Stdio::null()).status();
    assert!(status.expect("the program can be started").success());
    begun.elapsed()
}
