//! Measures how long the shortest command takes, beside a program that does nothing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::quantile;
use crate::results::Line;
use crate::stack::Build;

const RUNS: usize = 100;

pub fn run(builds: &[Build]) {
    let mut commands: Vec<(String, &Path, &[&str])> =
        vec![("`true`".to_owned(), Path::new("true"), &[])];
    for build in builds {
        commands.push((build.label("`ocache --version`"), &build.binary, &["--version"]));
        let args = &["completions", "bash"];
        commands.push((build.label("`ocache completions bash`"), &build.binary, args));
    }
    // The commands run in turns, so that other work on the machine affects all of them equally.
    let mut times = vec![vec![]; commands.len()];
    for _ in 0..RUNS {
        for (times, (_, program, args)) in times.iter_mut().zip(&commands) {
            times.push(once(program, args));
        }
    }
    let medians = times.iter_mut().map(|times| quantile(times, 0.5).as_secs_f64() * 1000.0);
    let medians: Vec<f64> = medians.collect();
    for (median, (what, ..)) in medians.iter().zip(commands).skip(1) {
        Line::new("start", &format!("{what}, median"), &format!("{median:.2} ms"))
            .beside(&format!("`true`: {:.2} ms", medians[0]), median / medians[0])
            .print();
    }
}

fn once(program: &Path, args: &[&str]) -> Duration {
    let begun = Instant::now();
    let status = Command::new(program).args(args).stdout(Stdio::null()).status();
    assert!(status.expect("the program can be started").success());
    begun.elapsed()
}
