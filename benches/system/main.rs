//! Measures the system under load, each row beside its comparison, in one run.
//!
//! `cargo bench --bench system -- ROW… [--scale N] [--build BINARY] [--beside BINARY]`: rows are `size`,
//! `stored`, `tables`, `terms`, `one-price`, `refresh`, `quotes`, `cold`, `flood`, `ping`, `urgent`,
//! `users`, `products`, `start`, `upkeep` and `doors`. A scale below 1 makes them smaller. Without a row
//! all are measured, except `stored-aws`, which needs `.ci/ministack`. Rows that measure servers measure
//! the binary that is built with them, or the one that `--build` names, and also the one that `--beside`
//! names: `quotes`, `ping` and `start` in turns. Each row prints lines of a Markdown table, which
//! `.ci/performance` writes into `docs/performance.md`.

mod cold;
mod doors;
mod echo;
mod flood;
mod generated;
mod growth;
mod http;
mod lab;
mod ping;
mod quotes;
mod refresh;
mod results;
mod server;
mod size;
mod stack;
mod start;
mod stored;
mod stored_aws;
mod tables;
mod terms;
mod upkeep;
mod urgent;

#[path = "../inputs/mod.rs"]
mod inputs;
#[path = "../inputs/ladders.rs"]
mod ladders;
#[path = "../opponent/mod.rs"]
mod opponent;
#[path = "../peer/mod.rs"]
mod peer;

use std::path::{Path, PathBuf};

use lab::Scale;
use stack::Build;

fn main() {
    let mut rows = vec![];
    let mut scale = Scale(1.0);
    let (mut build, mut beside) = (None, None);
    // Cargo adds an argument of its own.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--scale" => {
                let given = args.next().and_then(|scale| scale.parse().ok());
                scale = Scale(given.expect("--scale takes a number such as 0.1"));
            }
            "--build" => build = args.next().map(PathBuf::from),
            "--beside" => beside = args.next().map(PathBuf::from),
            "echo" => return echo::serve(),
            "bare" => {
                let file = args.next().expect("the bare server takes a file");
                return http::serve(Path::new(&file));
            }
            "peer" => {
                let folder = args.next().expect("the peer takes a folder of data");
                return peer::serve(Path::new(&folder));
            }
            row => rows.push(row.to_owned()),
        }
    }
    let wanted = |row: &str| rows.is_empty() || rows.iter().any(|wanted| wanted == row);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be started");
    // One thread, because this process shares the processors with a server.
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let client = client.expect("a runtime can be started");
    let builds = Build::all(build, beside);
    if wanted("size") {
        size::run();
    }
    if wanted("stored") {
        stored::run(scale, &builds);
    }
    // This row needs a local AWS, so it is measured only on request.
    if rows.iter().any(|row| row == "stored-aws") {
        stored_aws::run(scale, &builds);
    }
    if wanted("tables") {
        runtime.block_on(tables::against_the_opponent(scale));
    }
    if wanted("terms") {
        runtime.block_on(terms::run(scale));
    }
    if wanted("one-price") {
        runtime.block_on(terms::one_price(scale));
    }
    if wanted("refresh") {
        refresh::run(scale, &builds);
    }
    if wanted("quotes") {
        client.block_on(quotes::run(scale, &builds));
    }
    if wanted("cold") {
        client.block_on(cold::run(scale, &builds));
    }
    if wanted("flood") {
        runtime.block_on(flood::run(scale, &builds));
    }
    if wanted("ping") {
        runtime.block_on(ping::run(scale, &builds));
    }
    if wanted("urgent") {
        client.block_on(urgent::run(scale, &builds));
    }
    if wanted("users") {
        runtime.block_on(growth::unchanged_users(scale));
    }
    if wanted("products") {
        client.block_on(growth::warm_quotes(scale, &builds));
    }
    if wanted("doors") {
        client.block_on(doors::run(scale, &builds));
    }
    if wanted("start") {
        start::run(&builds);
    }
    if wanted("upkeep") {
        runtime.block_on(upkeep::run(scale));
    }
}
