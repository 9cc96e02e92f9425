//! Which function this process is.

use std::str::FromStr;

use thiserror::Error;

use crate::model::named;

named! {
    /// The functions, by the names of their handlers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Function {
        /// Decides whether a client may connect or subscribe.
        Authorizer => "authorizer",
        /// Handles `PUT /subscribe`.
        Subscribe => "subscribe",
        /// Handles quotes and prices over HTTP.
        HttpApi => "http-api",
        /// Handles `POST /load`.
        Load => "load",
        /// Handles the streams of source tables.
        LoadChanges => "load-changes",
        /// Handles the schedule.
        Refresh => "refresh",
        /// Handles both queues of calculations.
        PriceCalc => "price-calc",
        /// Handles every frame of a websocket.
        QuotationHandler => "quotation-handler",
        /// Handles the queue of quotations.
        QuotationProvider => "quotation-provider",
        /// Handles the opening of a websocket.
        Connect => "connect",
        /// Handles the closing of a websocket.
        Disconnect => "disconnect",
    }
}

/// No function has a handler of this name.
#[derive(Debug, Error)]
#[error("handler `{handler}` is none of {known}", known = Function::ALL.map(Function::name).join(", "))]
pub struct UnknownHandler {
    /// The configured handler.
    pub handler: String,
}

impl FromStr for Function {
    type Err = UnknownHandler;

    fn from_str(handler: &str) -> Result<Self, UnknownHandler> {
        let mut all = Self::ALL.into_iter();
        all.find(|function| function.name() == handler)
            .ok_or_else(|| UnknownHandler { handler: handler.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_functions() {
        for function in Function::ALL {
            assert_eq!(function.name().parse::<Function>().unwrap(), function);
        }
        let error = "bootstrap".parse::<Function>().unwrap_err().to_string();
        assert!(error.contains("`bootstrap`") && error.contains("price-calc"), "{error}");
    }
}
