//! The Lambda functions: an event comes in, a stage does its work, its outcome goes out.
//!
//! All functions are one program, and the name of the handler says which function it is. An adapter
//! converts and delegates; it decides nothing that a stage could decide.

mod authorizer;
mod batch;
mod changes;
mod error;
mod following;
mod function;
mod granted;
mod http;
mod load;
mod logging;
mod presence;
mod schedule;
mod serve;
mod settings;
mod source_tables;
mod subscribe;
mod usage;
mod websocket;

#[cfg(test)]
mod tests;

pub use error::{EventError, FunctionStartError};
pub use function::{Function, UnknownHandler};
pub use serve::{is_started_by_lambda, serve};
