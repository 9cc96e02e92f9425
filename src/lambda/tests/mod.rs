//! The adapters on the memory engine, with events as AWS sends them.

mod batches;
mod frames;
mod others;
mod stack;
mod tokens;
