//! The five stages, and the work that follows a load.
//!
//! A stage knows ports and no engine. It does not retry a call: the engine below it does, and so does the
//! queue above it. It returns an outcome for each message, and the runtime acknowledges.

mod base_claims;
mod base_draft;
mod base_maker;
mod base_packing;
mod base_pieces;
mod base_shelf;
mod base_storing;
pub mod change;
mod deadline;
mod doubts;
mod error;
pub mod folding;
mod large_work;
mod list_shelf;
mod log_limit;
mod lookup;
mod made_bases;
mod observer;
mod outcome;
mod own_shelf;
mod policy;
pub mod price_calc;
pub mod prices;
mod push;
pub mod quotation_handler;
pub mod quotation_provider;
mod quote_inputs;
mod recent_orders;
pub mod refresh;
mod set_settings;
mod settings_in_force;
mod shared_in_force;
mod stack_settings;
pub mod subscribe;
mod terms_book;
mod terms_maker;
mod visits;

pub use base_maker::{BaseMaker, Current};
pub use base_shelf::{BaseShelf, Parts, ShelfUse};
pub use deadline::DEADLINE_GRACE;
pub use error::StageError;
pub use lookup::Lookup;
pub use made_bases::MakeBaseError;
pub use observer::{Effect, Observer, Unobserved, Warmth};
pub use outcome::Outcome;
pub use policy::{Answering, Policy};
pub use set_settings::{SetError, SettingChange, set};
pub use settings_in_force::{PolicyInForce, SettingsInForce};
pub use stack_settings::{BadSetting, Setting, StackSettings, UserLimits};
pub use visits::Visits;
