//! The one binary: the command line or, started by Lambda, a function. Maps the result to an exit
//! code, and does nothing else.

use std::process::ExitCode;

use clap::Parser as _;
use ocache::cli::{self, Cli};

fn main() -> ExitCode {
    #[cfg(feature = "aws")]
    if ocache::lambda::is_started_by_lambda() {
        return run(async {
            let served = ocache::lambda::serve().await;
            served.map_err(|error| (format!("error: {}", ocache::ports::Chain(&error)), 1))
        });
    }
    let cli = Cli::parse();
    run(async {
        let done = cli::run(cli).await;
        done.map_err(|failure| (failure.to_text(), failure.code() as u8))
    })
}

fn run(work: impl Future<Output = Result<(), (String, u8)>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(work);
    // A thread that waits for input, or for a disk, must not keep the process from ending.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((text, code)) => {
            eprintln!("{text}");
            ExitCode::from(code)
        }
    }
}
