//! A Lambda function that does nothing. Cold starts of ocache's functions are compared with it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let handle = async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload);
    runtime.block_on(run(service_fn(handle)))
}
