//! Tests that the role of each function allows what the function does, and nothing else.
//!
//! The functions run as on Lambda: this program is started under a local runtime API. Its AWS is a small
//! stand-in that does what it is asked for, and notes who asked for what. `infra/roles.tf` must grant
//! exactly that.

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
