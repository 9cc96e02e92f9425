//! Runs a function as Lambda does: the program is a process, and an API passes it its events.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::server::{Asked, Reply, serve};

/// The time that an invocation has.
const TIMEOUT: Duration = Duration::from_secs(20);
const INVOCATION: &str = "/2018-06-01/runtime/invocation";

/// A running function. The process ends when this is dropped.
pub struct Function {
    process: Child,
    events: Sender<Value>,
    results: Receiver<Result<Value, Value>>,
}

impl Function {
    /// Starts a program with the function's environment.
    pub fn start(program: &str, handler: &str, environment: &[(&str, &str)]) -> Self {
        let (events, next) = channel();
        let (ended, results) = channel();
        let api = serve(lambda(next, ended));
        let process = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .env("_HANDLER", handler)
            .env("AWS_LAMBDA_FUNCTION_NAME", handler)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", handler)
            .env("AWS_LAMBDA_LOG_STREAM_NAME", handler)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, events, results }
    }

    /// Returns the function's result for an event, or its error.
    pub fn invoke(&self, event: Value) -> Result<Value, Value> {
        self.events.send(event).unwrap();
        self.results.recv_timeout(TIMEOUT).expect("the function does not answer")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers the API's requests: the function asks for its next event, and reports the result.
fn lambda(
    next: Receiver<Value>,
    ended: Sender<Result<Value, Value>>,
) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let (next, ended) = (Mutex::new(next), Mutex::new(ended));
    move |asked| {
        if asked.path == format!("{INVOCATION}/next") {
            let Ok(event) = next.lock().unwrap().recv() else { return Reply::new(500, "") };
            let mut reply = Reply::new(200, event.to_string());
            let due = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + TIMEOUT;
            reply.headers = vec![
                ("lambda-runtime-aws-request-id", "00000000-0000-0000-0000-000000000001".into()),
                ("lambda-runtime-deadline-ms", due.as_millis().to_string()),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:x-1:1:function:f".into()),
            ];
            return reply;
        }
        let said = serde_json::from_str(&asked.body).unwrap_or(Value::Null);
        let result = if asked.path.ends_with("/response") { Ok(said) } else { Err(said) };
        // Nobody listens any more when the test is over.
        let _ = ended.lock().unwrap().send(result);
        Reply::new(202, "{}")
    }
}
