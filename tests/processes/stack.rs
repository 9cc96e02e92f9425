//! A store for one test: a file, or a stack on a local AWS.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use ocache::embedded::Embedded;
use ocache::memory::MemoryConnections;
use ocache::ports::{Ports, SystemClock, SystemRandomness};
use ocache::supervisor::Supervisor;
use tempfile::TempDir;

/// A store on which processes work, and its ports inside the test.
pub struct Stack {
    /// The engine's name in the report.
    pub engine: &'static str,
    pub ports: Ports,
    dir: TempDir,
    flags: Vec<String>,
    target: Target,
}

enum Target {
    Embedded(Embedded),
    #[cfg(feature = "aws")]
    Aws(Box<ocache::aws::Aws>),
}

impl Stack {
    /// Returns a store in one file.
    pub fn embedded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
        let engine =
            Embedded::open(&dir.path().join("data"), clock, randomness, &Supervisor::new())
                .unwrap();
        let ports = engine.ports(Arc::new(MemoryConnections::default()));
        let target = Target::Embedded(engine);
        Self { engine: "embedded", ports, dir, flags: vec![], target }
    }

    /// Returns a stack on the local AWS.
    #[cfg(feature = "aws")]
    pub async fn aws() -> Self {
        use ocache::aws::{Aws, AwsSettings};
        use ocache::model::Generation;
        use ocache::ports::Randomness as _;

        const ENDPOINT: &str = "OCACHE_TEST_ENDPOINT_URL";
        let endpoint = std::env::var(ENDPOINT).unwrap();
        let name = format!("kill-{}", Generation::from_random(SystemRandomness.bits()));
        let flags = ["--endpoint-url", &endpoint, "--stack", &name].map(str::to_owned).to_vec();
        let settings =
            AwsSettings { endpoint_url: Some(endpoint.clone()), ..AwsSettings::new(name) };
        let aws = Aws::connect(&settings, Arc::new(SystemRandomness)).await.unwrap();
        let plan = aws.plan().await.unwrap();
        aws.apply(&plan, false).await.unwrap();
        let ports = aws.ports(Arc::new(SystemClock), Arc::new(MemoryConnections::default()));
        let dir = tempfile::tempdir().unwrap();
        Self { engine: "aws", ports, dir, flags, target: Target::Aws(Box::new(aws)) }
    }

    /// Returns the name from which its resources on AWS have theirs.
    #[cfg(feature = "aws")]
    pub fn name(&self) -> &str {
        self.flags.last().map_or("", String::as_str)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Returns a command that works on this store, and uses no settings of the machine.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocache"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("OCACHE_") || name.starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.path()).env("OCACHE_DATA_DIR", self.data_dir());
        // A local AWS accepts any credentials; a file needs none.
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.args(args).args(&self.flags).stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Makes a file with this content. Returns its path.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Deletes what was made.
    pub async fn close(self) {
        match self.target {
            Target::Embedded(engine) => engine.close().await,
            #[cfg(feature = "aws")]
            Target::Aws(aws) => aws.destroy(|_| {}).await.unwrap(),
        }
    }
}
