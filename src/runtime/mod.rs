//! What runs the stages in a process: consumers, the schedule, the gateway, and their end.

mod breaker;
mod consumer;
mod gate;
pub mod gateway;

mod schedule;
mod shutdown;
mod worker;

pub use breaker::Breaker;
pub use consumer::{Consumer, Handler};
pub use gate::UrgentGate;

pub use schedule::run_schedule;
pub use shutdown::Shutdown;
pub use worker::{Role, Slots, Worker};
