//! How long the shortest command takes, beside a program that does nothing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{line, quantile};
use crate::stack::Build;

const RUNS: usize = 100;

pub fn run(builds: &[Build]) {
    let mut commands: Vec<(String, &Path, &[&str])> =
        vec![("`true`".to_owned(), Path::new("true"), &[])];
    for Build { name, binary } in builds {
        commands.push((format!("`ocache --version`, {name}"), binary, &["--version"]));
        let args = &["completions", "bash"];
        commands.push((format!("`ocache completions bash`, {name}"), binary, args));
    }
    // In turns, so that all of them have the same neighbours.
    let mut times = vec![vec![]; commands.len()];
    for _ in 0..RUNS {
        for (times, (_, program, args)) in times.iter_mut().zip(&commands) {
            times.push(once(program, args));
        }
    }
    for (mut times, (what, ..)) in times.into_iter().zip(commands) {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
        let (least, median) = (quantile(&mut times, 0.0), quantile(&mut times, 0.5));
        line("9", &what, &format!("{} at best, {} half of the time", ms(least), ms(median)));
    }
}

fn once(program: &Path, args: &[&str]) -> Duration {
    let begun = Instant::now();
    let status = Command::new(program).args(args).stdout(Stdio::null()).status();
    assert!(status.expect("the program can be started").success());
    begun.elapsed()
}
