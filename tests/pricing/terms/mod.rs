//! Tests of price lists, ladders, floors, currencies, windows and roundings against an oracle that follows
//! the rules literally, in exact decimals.

mod agreement;
mod cases;
mod drawn;
mod module;
mod oracle;
mod rules;
mod world;
