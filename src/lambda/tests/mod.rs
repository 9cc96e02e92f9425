//! Tests of the adapters on the memory engine, with events as AWS sends them.

mod any_event;
mod batches;
mod changes;
mod frames;
mod http;
mod others;
mod stack;
mod tokens;
