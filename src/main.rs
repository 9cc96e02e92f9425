//! The one binary: the command line or, if Lambda starts it, a function. It maps the result to an exit code,
//! and does nothing else.

use std::process::ExitCode;

use ocache::cli::{self, Stop};

/// A quote allocates about fifty times. jemalloc takes fewer instructions for that than glibc, and less memory for
/// an idle socket: see `docs/performance.md`. It is built for one size of pages, which other architectures have
/// several of.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    #[cfg(feature = "aws")]
    if ocache::lambda::is_started_by_lambda() {
        return run(async {
            let served = ocache::lambda::serve().await;
            served.map_err(|error| (format!("error: {}", ocache::ports::Chain(&error)), 1))
        });
    }
    let cli = match cli::complete() {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => cli::parse(),
        Err(error) => Err(Stop::Said(Box::new(error))),
    };
    let cli = match cli {
        Ok(cli) => cli,
        Err(Stop::Failed(failure, format)) => {
            return fail(&failure.render(format), failure.code() as u8);
        }
        Err(Stop::Said(said)) => {
            return match cli::print_said(&said) {
                Ok(code) => ExitCode::from(code),
                Err(failure) => fail(&failure.to_text(), failure.code() as u8),
            };
        }
    };
    let format = cli.global.output;
    run(async move {
        let done = cli::run(cli).await;
        done.map_err(|failure| (failure.render(format), failure.code() as u8))
    })
}

fn run(work: impl Future<Output = Result<(), (String, u8)>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("error: the runtime cannot start: {error}"), 1),
    };
    let done = runtime.block_on(work);
    // A thread that is blocked on input or on a disk must not keep the process from ending.
    runtime.shutdown_background();
    match done {
        Ok(()) => {
            cli::finish_saying();
            ExitCode::SUCCESS
        }
        Err((text, code)) => fail(&text, code),
    }
}

fn fail(text: &str, code: u8) -> ExitCode {
    cli::say_last(text);
    ExitCode::from(code)
}
