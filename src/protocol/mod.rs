//! The protocol of the websocket: the frames that clients send and receive, and their limits.
//!
//! It has two dialects: that of this version, and that of the original proof of concept, whose clients still
//! work.

mod frame;
mod items;
mod json;
mod object;
mod original;
mod parse;
mod prices;
mod render;
mod request;
mod terms;
mod text;

pub use frame::{
    Frame, LineFrame, QuotationFrame, Told, fits_one_message, render_accepted, render_pong,
    render_quotation,
};
pub use items::{ItemsError, MAX_ITEMS, check_items, parse_item};
pub use object::Object;
pub use parse::{parse, parse_quote_body};
pub use prices::{ShownPrices, TableFormat, parse_prices_body, priced_items, render_prices};
pub use request::{ProtocolError, QuoteBody, Request};
pub use terms::{InvalidFrame, RuleFrame, ScopeFrame, TierFrame};

/// The most bytes of a websocket frame, as on API Gateway.
pub const MAX_FRAME_BYTES: usize = 32 * 1024;
/// The most bytes of a websocket message, as on API Gateway.
pub const MAX_MESSAGE_BYTES: usize = crate::ports::MAX_PUSH_BYTES;
