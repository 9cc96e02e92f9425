//! The system under load, each row beside what it is measured against, in one run.
//!
//! `cargo bench --bench system -- ROW… [--scale N] [--beside BINARY]`: rows are `size`, `tables`,
//! `refresh`, `quotes`, `cold`, `flood`, `ping`, `urgent`, `growth`, `start` and `upkeep`; a scale below
//! 1 makes them smaller. Without a row, all of them. `ping` and `urgent` also measure another build, in
//! turns with this one. Each prints lines of a Markdown table. `.ci/performance` writes them down.

mod cold;
mod flood;
mod growth;
mod lab;
mod ping;
mod quotes;
mod size;
mod start;
mod tables;
mod upkeep;
mod urgent;

#[path = "../inputs/mod.rs"]
mod inputs;
#[path = "../opponent/mod.rs"]
mod opponent;

use std::path::PathBuf;

use lab::{Build, Scale};

fn main() {
    let mut rows = vec![];
    let mut scale = Scale(1.0);
    let mut beside = None;
    // Cargo adds an argument of its own.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--scale" => {
                let given = args.next().and_then(|scale| scale.parse().ok());
                scale = Scale(given.expect("--scale takes a number such as 0.1"));
            }
            "--beside" => {
                beside =
                    Some(PathBuf::from(args.next().expect("--beside takes the path of a build")));
            }
            "echo" => return quotes::serve_echo(),
            row => rows.push(row.to_owned()),
        }
    }
    let wanted = |row: &str| rows.is_empty() || rows.iter().any(|wanted| wanted == row);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be started");
    if wanted("size") {
        size::run();
    }
    if wanted("tables") {
        runtime.block_on(tables::against_the_opponent(scale));
    }
    if wanted("refresh") {
        runtime.block_on(tables::refresh(scale));
    }
    if wanted("quotes") {
        runtime.block_on(quotes::run(scale));
    }
    if wanted("cold") {
        runtime.block_on(cold::run(scale));
    }
    if wanted("flood") {
        runtime.block_on(flood::run(scale));
    }
    if wanted("ping") {
        runtime.block_on(ping::run(scale, &Build::all(beside.as_ref())));
    }
    if wanted("urgent") {
        runtime.block_on(urgent::run(scale, &Build::all(beside.as_ref())));
    }
    if wanted("growth") {
        runtime.block_on(growth::run(scale));
    }
    if wanted("start") {
        start::run();
    }
    if wanted("upkeep") {
        runtime.block_on(upkeep::run(scale));
    }
}
