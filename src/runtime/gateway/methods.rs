//! Which methods each path takes.

use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, StatusCode};

use super::http_api::Resource;
use super::http_reply::{Reply, problem};

/// Below this are the connections, by their ids.
pub(super) const MANAGEMENT: &str = "/@connections/";
/// Takes products and discounts.
pub(super) const LOAD: &str = "/load";
const READ: &[Method] = &[Method::GET, Method::HEAD];
const PUT: &[Method] = &[Method::PUT];
const POST: &[Method] = &[Method::POST];

/// The methods of a path, but for `OPTIONS`; none where there is nothing. `is_file` says whether the
/// path is a file of the page.
pub(super) fn methods_of(path: &str, is_file: bool) -> &'static [Method] {
    match path {
        "/health" | "/products" | "/clients" | "/clients/active" | "/explain" | "/live"
        | "/worth" | "/metrics" => READ,
        "/subscribe" => PUT,
        LOAD => POST,
        path if path.starts_with(MANAGEMENT) => POST,
        _ if is_file => READ,
        // What a part of it that is no text would name is not there; its methods are.
        path => Resource::of(path).map_or(&[], |resource| match resource {
            Some(resource) => resource.methods(),
            None => READ,
        }),
    }
}

/// Whether pages may use a path: not what only programs have a reason to.
pub(super) fn is_for_pages(path: &str) -> bool {
    !path.starts_with(MANAGEMENT) && path != LOAD
}

/// As headers write them.
pub(super) fn list(methods: &[Method]) -> Option<HeaderValue> {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    HeaderValue::try_from(names.join(", ")).ok()
}

/// What can be done with a path, for whoever asks with `OPTIONS` or has tried something else.
pub(super) fn allow(mut reply: Reply, methods: &[Method]) -> Reply {
    let all: Vec<Method> = methods.iter().cloned().chain([Method::OPTIONS]).collect();
    if let Some(all) = list(&all) {
        reply.headers_mut().insert(ALLOW, all);
    }
    reply
}

/// The reply to a method that a path does not take.
pub(super) fn not_allowed(method: &Method, path: &str, methods: &[Method]) -> Reply {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let message = format!("{method} {path} is not possible; use {}", names.join(" or "));
    allow(problem(StatusCode::METHOD_NOT_ALLOWED, &message), methods)
}
