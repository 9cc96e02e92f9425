//! Whether the role of each function allows what the function does, and nothing else.
//!
//! The functions run as Lambda runs them, this very program started under a local runtime API, and
//! talk to a small stand-in for AWS that does what they ask for and writes down who asked for what.
//! `infra/roles.tf` must grant exactly that.

#[cfg(feature = "aws")]
mod roles {
    mod aws;
    mod calls;
    mod flow;
    mod grants;
    mod table;

    #[path = "../lambda/runtime_api.rs"]
    pub mod runtime_api;
    #[path = "../lambda/server.rs"]
    pub mod server;
}
