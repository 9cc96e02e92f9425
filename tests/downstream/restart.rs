//! Tests that the local AWS itself is stopped and started again, with its stored data.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ocache::ports::QuotationStatus;
use ocache::pricing::Currency;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::system::{LOOK, System, WARM};

/// The variable with the program of the local AWS.
const PROGRAM: &str = "OCACHE_TEST_MINISTACK";

/// A local AWS for one test, which saves its state in a folder when it is stopped.
struct LocalAws {
    port: u16,
    process: Child,
}

impl LocalAws {
    async fn start(program: &str, dir: &Path, port: u16) -> Self {
        let log = File::create(dir.join("log")).unwrap();
        let process = Command::new(program)
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", dir.join("state"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut aws = Self { port, process };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if let Some(status) = aws.process.try_wait().unwrap() {
                let log = std::fs::read_to_string(dir.join("log")).unwrap();
                panic!("the local AWS ended, {status}: {log}");
            }
            sleep(LOOK).await;
        }
        aws
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks it to stop, and waits until it has saved its state.
    async fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        while self.process.try_wait().unwrap().is_none() {
            sleep(LOOK).await;
        }
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        // It may have been stopped.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn a_restart_of_the_local_aws_is_outlived() {
    let program = std::env::var(PROGRAM).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let aws = LocalAws::start(&program, dir.path(), free).await;
    let mut system = System::new(&aws.url(), |_| {}).await;
    system.run();
    assert_eq!(system.answer(&system.ports).await.total.format(Currency::USD), "2029.00");
    let before = system.ask(&system.ports, WARM).await.unwrap();
    assert!(matches!(system.end(&before).await, QuotationStatus::Answered(_)));

    let under_way = system.ask(&system.ports, "BBB").await.unwrap();
    aws.stop().await;
    // The client is told that it cannot get a quote now, and nothing is promised.
    let refused = timeout(Duration::from_secs(60), system.ask(&system.ports, WARM)).await;
    assert!(refused.expect("it ends").is_err());
    let aws = LocalAws::start(&program, dir.path(), free).await;

    let kept = system.end(&before).await;
    assert!(matches!(kept, QuotationStatus::Answered(_)), "{kept:?}");
    assert_ne!(system.end(&under_way).await, QuotationStatus::Pending);
    assert_eq!(system.answer(&system.ports).await.total.format(Currency::USD), "2029.00");
    let now = system.direct.clock.now();
    system.refreshed_after(now).await;
    assert_eq!(system.given_up().await, 0);
    system.close().await;
    aws.stop().await;
}
