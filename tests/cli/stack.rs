//! A stack on the local AWS, for tests of processes.

use ocache::model::Generation;
use ocache::ports::{Randomness as _, SystemRandomness};

use super::process::Home;

/// The variable with the endpoint of the local AWS.
const ENDPOINT: &str = "OCACHE_TEST_ENDPOINT_URL";

/// A stack of its own, destroyed when the test is over.
pub struct Stack {
    pub home: Home,
    /// The flags that select the stack and its endpoint.
    pub flags: Vec<String>,
}

impl Stack {
    pub fn new() -> Self {
        let endpoint = std::env::var(ENDPOINT).unwrap();
        let name = format!("cli-{}", Generation::from_random(SystemRandomness.bits()));
        let flags = ["--endpoint-url", &endpoint, "--stack", &name].map(str::to_owned).to_vec();
        let mut home = Home::new();
        // A local AWS accepts any.
        home.environment = &[("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
        Self { home, flags }
    }

    pub fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        args.iter().copied().chain(self.flags.iter().map(String::as_str)).collect()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.home.run(&self.args(&["destroy", "--yes"]));
    }
}
