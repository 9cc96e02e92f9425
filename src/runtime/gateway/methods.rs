//! The methods of each path.

use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, StatusCode};

use super::http_api::Resource;
use super::http_reply::{Reply, problem};

/// The prefix of the connections' paths, before their ids.
pub(super) const MANAGEMENT: &str = "/@connections/";
/// The path of loads.
pub(super) const LOAD: &str = "/load";
const READ: &[Method] = &[Method::GET, Method::HEAD];
const PUT: &[Method] = &[Method::PUT];
const POST: &[Method] = &[Method::POST];

/// Returns the methods of a path without `OPTIONS`; empty if the path does not exist. `is_file` says
/// whether the path is a file of the page.
pub(super) fn methods_of(path: &str, is_file: bool) -> &'static [Method] {
    match path {
        "/health" | "/products" | "/clients" | "/clients/active" | "/explain" | "/live"
        | "/worth" | "/metrics" => READ,
        "/subscribe" => PUT,
        LOAD => POST,
        path if path.starts_with(MANAGEMENT) => POST,
        _ if is_file => READ,
        // If a part of the path is not UTF-8, no resource has it, but its methods are known.
        path => Resource::of(path).map_or(&[], |resource| match resource {
            Some(resource) => resource.methods(),
            None => READ,
        }),
    }
}

/// Whether pages may use a path. Pages have no use for the paths that only programs need.
pub(super) fn is_for_pages(path: &str) -> bool {
    !path.starts_with(MANAGEMENT) && path != LOAD
}

/// Returns the methods as a header value.
pub(super) fn list(methods: &[Method]) -> Option<HeaderValue> {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    HeaderValue::try_from(names.join(", ")).ok()
}

/// Adds the `Allow` header, for a client that sent `OPTIONS` or another method.
pub(super) fn allow(mut reply: Reply, methods: &[Method]) -> Reply {
    let all: Vec<Method> = methods.iter().cloned().chain([Method::OPTIONS]).collect();
    if let Some(all) = list(&all) {
        reply.headers_mut().insert(ALLOW, all);
    }
    reply
}

/// Returns the reply to a method that a path does not have.
pub(super) fn not_allowed(method: &Method, path: &str, methods: &[Method]) -> Reply {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let message = format!("{method} {path} is not possible; use {}", names.join(" or "));
    allow(problem(StatusCode::METHOD_NOT_ALLOWED, &message), methods)
}
