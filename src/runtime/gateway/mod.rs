//! The local gateway: websockets, `PUT /subscribe`, `POST /@connections/{id}` and `/health` on one
//! loopback port, with the routes and limits of API Gateway.

mod delivery;
mod origin;
mod probe;
mod registry;
mod routes;
mod server;
mod session;
mod sockets;
mod start;

pub use delivery::GatewayConnections;
pub use origin::{AllowedOrigins, OriginError};
pub use probe::{ProbeError, probe};
pub use registry::{GatewayRecord, GatewayRegistry, Registration};
pub use routes::{Reply, subscribe_reply};
pub use server::{Gateway, bind};
pub use session::{SessionContext, reply_to, run_session};
pub use sockets::Sockets;
pub use start::{BoundGateway, RunningGateway, StartError};
