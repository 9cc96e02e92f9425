//! Which function this process is.

use std::str::FromStr;

use super::StartError;

/// The functions, by the names of their handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Decides whether a client may connect or subscribe.
    Authorizer,
    /// Handles `PUT /subscribe`.
    Subscribe,
    /// Handles quotes and prices over HTTP.
    HttpApi,
    /// Handles `POST /load`.
    Load,
    /// Handles the streams of source tables.
    LoadChanges,
    /// Handles the schedule.
    Refresh,
    /// Handles both queues of calculations.
    PriceCalc,
    /// Handles every frame of a websocket.
    QuotationHandler,
    /// Handles the queue of quotations.
    QuotationProvider,
    /// Handles the opening of a websocket.
    Connect,
    /// Handles the closing of a websocket.
    Disconnect,
}

impl Function {
    /// All functions.
    pub const ALL: [Self; 11] = [
        Self::Authorizer,
        Self::Subscribe,
        Self::HttpApi,
        Self::Load,
        Self::LoadChanges,
        Self::Refresh,
        Self::PriceCalc,
        Self::QuotationHandler,
        Self::QuotationProvider,
        Self::Connect,
        Self::Disconnect,
    ];

    /// Returns the name of the handler.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorizer => "authorizer",
            Self::Subscribe => "subscribe",
            Self::HttpApi => "http-api",
            Self::Load => "load",
            Self::LoadChanges => "load-changes",
            Self::Refresh => "refresh",
            Self::PriceCalc => "price-calc",
            Self::QuotationHandler => "quotation-handler",
            Self::QuotationProvider => "quotation-provider",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
        }
    }

    /// Returns the names of all handlers, for messages.
    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl FromStr for Function {
    type Err = StartError;

    fn from_str(handler: &str) -> Result<Self, StartError> {
        let mut all = Self::ALL.into_iter();
        all.find(|function| function.name() == handler)
            .ok_or_else(|| StartError::Handler { handler: handler.to_owned() })
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
