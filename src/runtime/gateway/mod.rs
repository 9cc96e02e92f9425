//! The local gateway: websockets, `PUT /subscribe`, `POST /@connections/{id}`, `/health`, `/metrics`
//! and the page on one loopback port, with the routes and limits of API Gateway.

mod addresses;
mod answer_order;
mod awaited;
mod body;
mod bucket;
mod cors;
mod delivery;
mod entry;
mod guarded;
mod http_api;
mod known_gateways;
mod limits;
mod listener;
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
pub use http_api::{Asked, Behind, Call, HttpApi, Resource, forbidden};
pub use limits::Limits;
pub use origin::{AllowedOrigins, OriginError};
pub use prefix::{PathPrefix, PrefixError};
pub use probe::{ProbeError, connect, probe};
pub use registry::{GatewayRecord, GatewayRegistry, KeysPlace, Registration};
pub use replies::{Replied, ReplyContext, reply_to};
pub use routes::{Reply, subscribe_reply};
pub use secret::Secret;
pub use server::Access;
pub use sockets::Sockets;
pub use start::{BoundGateway, RunningGateway, StartError};
