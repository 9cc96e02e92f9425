//! Runs the stages in a process: consumers, schedule, gateway and shutdown.

mod announcing;
mod breaker;
pub mod client;
mod consumer;
mod follow_settings;
mod gate;
pub mod gateway;
mod handler;
mod key_set_place;
mod known_keys;
pub mod metrics;
mod ready_check;
mod schedule;
mod shutdown;
mod token_check;
mod worker;

pub use announcing::Announcer;
#[cfg(feature = "aws")]
pub(crate) use announcing::{about, lives_until};
pub use breaker::{Breaker, Pass};
#[cfg(feature = "aws")]
pub(crate) use consumer::postpone;
pub use consumer::{Consumer, backoff};
pub use follow_settings::follow_settings;
pub use gate::UrgentGate;
pub use handler::{Handler, handle};
pub use key_set_place::{KeySetPlace, KeySetUrlError};
pub use ready_check::{MadeUp, ReadyCheckError, ready_check};

pub use known_keys::NotGranted;
pub use schedule::run_schedule;
pub use shutdown::Shutdown;
pub use token_check::{IdentityProvider, TokenCheck, ticket};
pub use worker::{LONG_POLL, Role, SHORT_POLL, Slots, Worker};
