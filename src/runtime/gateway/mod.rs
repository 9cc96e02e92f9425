//! The local gateway: websockets, the HTTP API, `PUT /subscribe`, `POST /load`,
//! `POST /@connections/{id}`, `/health`, `/metrics` and the page on one loopback port, with the routes
//! and limits of API Gateway.

mod addresses;
mod answer_order;
mod awaited;
mod body;
mod bucket;
mod connections;
mod cors;
mod delivery;
mod entry;
mod guarded;
mod http_api;
mod http_reply;
mod known_gateways;
mod limiter;
mod limits;
mod listener;
mod load_door;
mod load_layout;
mod methods;
mod origin;
mod page;
mod prefix;
mod probe;
mod registry;
mod replies;
mod routes;
mod secret;
mod server;
mod session;
mod sockets;
mod start;
mod unfinished;
mod visitors;

pub use awaited::Promise;
pub use body::ReplyBody;
pub use delivery::GatewayConnections;
pub use entry::Tokens;
pub use http_api::{ApiRequest, Behind, Call, HttpApi, Resource, forbidden};
pub use http_reply::Reply;
pub use limits::Limits;
pub use load_door::{LoadDoor, NO_CLAIM, NO_PAGES, may_not_load};
pub use origin::{AllowedOrigins, OriginError};
pub use prefix::{PathPrefix, PrefixError};
pub use probe::{ProbeError, connect, probe, running};
pub use registry::{GatewayRecord, GatewayRegistry, KeysPlace, Registration};
pub use replies::{Replied, ReplyContext, reply_to};
pub use routes::subscribe_reply;
pub use secret::Secret;
pub use server::Access;
pub use sockets::Sockets;
pub use start::{BoundGateway, RunningGateway, StartError};
