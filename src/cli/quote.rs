//! `ocache quote`: sends one quote, or a session of them.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::args::QuoteArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::find_gateway::{FoundGateway, find_gateway};
use super::interrupt::or_interrupted;
use super::known::meant_products;
use super::output::Output;
use super::own_gateway::OwnGateway;
use super::settings::Settings;
use super::shell::quoted;
use super::stack_settings::{self, Given};
use super::view;
use super::workers::{Workers, names, start_one};
use crate::model::{Item, show_duration};
use crate::ports::{Chain, Clock, FailureReason, ProcessRole, SystemClock};
use crate::protocol::{Frame, QuotationFrame, check_items};
use crate::runtime::Role;
use crate::runtime::client::{ClientError, Destination, GatewayClient};
use crate::tokens::Token;

mod input;
mod line;
mod pace;
mod session;

use session::Session;

/// When a quote is not answered by then, it waits for other processes. The command then checks whether
/// any are alive.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// The hint for a caller who was not admitted, or not for this customer.
const NEEDS_TOKEN: &str = "give a token for this customer with --token or OCACHE_TOKEN; `ocache token --client USER` makes one";

pub(super) async fn run(settings: &Settings, output: &Output, args: QuoteArgs) -> Result<()> {
    let items = match args.items.is_empty() {
        true => None,
        false => Some(check_items(args.items.clone()).map_err(|error| {
            Failure::new(ExitCode::Usage, error.to_string())
                .hint("name products and quantities, such as: P1:2 P3:1")
        })?),
    };
    let gateway = UsedGateway::find(settings, output, &args).await?;
    let (engine, others) = (gateway.engine.as_ref(), gateway.others());
    let quoter = Quoter { settings, output, args: &args, engine, others };
    let session = async {
        let token = args.token.as_ref().or(gateway.ticket.as_ref());
        let client = GatewayClient::connect(&gateway.destination, token).await?;
        match items {
            Some(items) => quoter.quote_once(client, &items).await,
            None => Session::new(client, &quoter).run().await,
        }
    };
    let result = or_interrupted(session).await;
    gateway.leave().await;
    result
}

/// The gateway to which the quotes are sent.
struct UsedGateway {
    destination: Destination,
    /// A token for it, if one could be made.
    ticket: Option<Token>,
    /// The engine of the gateway; `None` if `--url` names it.
    engine: Option<Engine>,
    /// The gateway, if it is inside this process, with a provider beside it.
    own: Option<OwnGateway>,
}

impl UsedGateway {
    async fn find(settings: &Settings, output: &Output, args: &QuoteArgs) -> Result<Self> {
        if let Some(url) = &args.url {
            let destination = Destination::Url(url.clone());
            return Ok(Self { destination, ticket: None, engine: None, own: None });
        }
        let engine = Engine::open_existing(settings, output).await?;
        let only = || std::iter::once(args.client.clone()).collect();
        let wished = args.token.is_none().then(only);
        let given = Given::read(settings)?;
        if let Some(found) = find_gateway(settings, &engine, wished.clone()).await? {
            stack_settings::mention(&engine, output, &given).await?;
            let FoundGateway { gateway: destination, ticket } = found;
            return Ok(Self { destination, ticket, engine: Some(engine), own: None });
        }
        // Fail early without a stack. A gateway on it could only reply that it is unavailable.
        engine.ports(None).store.catalogue_head().await?;
        let roles = &[Role::QuotationProvider];
        let own = OwnGateway::start(settings, output, &engine, &given, wished, roles).await?;
        let (destination, ticket) = (own.destination(), own.ticket.clone());
        Ok(Self { destination, ticket, engine: Some(engine), own: Some(own) })
    }

    /// Returns the roles that other processes must run for a quote that is not answered at once.
    const fn others(&self) -> &'static [ProcessRole] {
        match self.own {
            None => &[ProcessRole::QuotationProvider, ProcessRole::PriceCalc],
            Some(_) => &[ProcessRole::PriceCalc],
        }
    }

    async fn leave(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
        if let Some(engine) = self.engine {
            engine.close().await;
        }
    }
}

/// The state that all quotes of a run share.
struct Quoter<'a> {
    settings: &'a Settings,
    output: &'a Output,
    args: &'a QuoteArgs,
    /// The engine of the gateway, if it is known.
    engine: Option<&'a Engine>,
    /// The roles that other processes must run for a quote that is not answered at once.
    others: &'static [ProcessRole],
}

impl Quoter<'_> {
    async fn quote_once(&self, mut client: GatewayClient, items: &[Item]) -> Result<()> {
        let args = self.args;
        let deadline = Instant::now() + args.timeout;
        client.quote(&args.client, items, args.request_id.as_ref()).await?;
        let (mut request_id, mut look_at) = (None, None);
        let quotation = loop {
            let received = tokio::select! {
                received = client.next() => received?,
                () = sleep_until(look_at.unwrap_or(deadline)), if look_at.is_some() => {
                    look_at = None;
                    match self.nobody_works().await {
                        Some(failure) => return Err(failure),
                        None => continue,
                    }
                }
                () = sleep_until(deadline) => return Err(timed_out(self, request_id.as_deref())),
            };
            match received.frame {
                Frame::Accepted { request_id: id, message } => {
                    self.output.note(&format!("{message} ({id})"));
                    request_id = Some(id);
                    look_at = Some(Instant::now() + LOOK_AFTER);
                }
                Frame::Quotation(quotation) => break quotation,
                Frame::Error { code, message } => {
                    if let (Some(engine), "unavailable") = (self.engine, &*code) {
                        // The gateway does not tell clients the reason. This command may ask the store
                        // itself.
                        engine.ports(None).store.catalogue_head().await?;
                    }
                    return Err(refused(&code, message));
                }
                Frame::Pong => {}
            }
        };
        client.close().await;
        self.show(&quotation).await
    }

    /// Returns a failure if a quote must wait for other processes and none of them is alive.
    async fn nobody_works(&self) -> Option<Failure> {
        let missing = self.missing_roles().await.filter(|missing| !missing.is_empty())?;
        let message =
            format!("no answer can come: no process of this stack runs {}", names(&missing));
        Some(Failure::new(ExitCode::TimedOut, message).hint(start_one(&self.settings.as_flags)))
    }

    /// Returns the roles that a quote may need and that no process runs; `None` if that is unknown.
    async fn missing_roles(&self) -> Option<Vec<ProcessRole>> {
        match Workers::look(self.engine?).await {
            Ok(workers) => Some(workers.missing(self.others)),
            Err(error) => {
                tracing::debug!(error = %Chain(&error), "the living processes are unknown");
                None
            }
        }
    }

    /// Prints a quotation. Fails if it contains no price.
    async fn show(&self, quotation: &QuotationFrame) -> Result<()> {
        let has_failed = quotation.status == "failed";
        if !has_failed || self.output.is_json() {
            let frame = Frame::Quotation(quotation.clone());
            self.output.data(&frame, |_| view::quotation(quotation, SystemClock.now()))?;
        }
        if has_failed {
            return Err(self.failed(quotation).await);
        }
        let unavailable: Vec<&str> = quotation.unavailable.iter().map(String::as_str).collect();
        let meant = match self.engine {
            Some(engine) if !unavailable.is_empty() => meant_products(engine, &unavailable).await,
            _ => None,
        };
        if quotation.lines.is_empty() {
            let message = match unavailable.is_empty() {
                true => "no product is sold in the quantity that was asked for".to_owned(),
                false => format!("there is no price for any of: {}", unavailable.join(", ")),
            };
            let Self { settings, args, .. } = self;
            let client = quoted(args.client.as_str());
            return Err(Failure::new(ExitCode::NotFound, message).hint(meant.unwrap_or_else(
                || {
                    format!(
                        "`ocache prices{} {client}` lists the products with a price",
                        settings.as_flags
                    )
                },
            )));
        }
        if let Some(meant) = meant {
            self.output.note(&format!("hint: {meant}"));
        }
        Ok(())
    }

    /// Returns the failure that a failed quotation is, with a hint at its cause.
    async fn failed(&self, quotation: &QuotationFrame) -> Failure {
        let reason = quotation.reason.clone().unwrap_or_default();
        let message = format!("quotation {} failed: {reason}", quotation.request_id);
        if reason == FailureReason::DeadlinePassed.to_string() {
            Failure::new(ExitCode::TimedOut, message).hint(self.cause_of_delay().await)
        } else if reason == FailureReason::EmptyCatalogue.to_string() {
            Failure::new(ExitCode::NotFound, message).hint("load some with `ocache load PATH`")
        } else {
            Failure::new(ExitCode::Failure, message)
        }
    }

    /// Returns a hint at why no answer was there within the stack's `quote-within`.
    async fn cause_of_delay(&self) -> String {
        match self.missing_roles().await {
            None => "check with `ocache doctor` that a price-calc worker runs".to_owned(),
            Some(missing) if missing.is_empty() => "workers run but did not answer within `quote-within`; `ocache status` shows the work \
                 that waits"
                .to_owned(),
            Some(missing) => format!(
                "no process of this stack runs {}; {}",
                names(&missing),
                start_one(&self.settings.as_flags)
            ),
        }
    }
}

fn timed_out(quoter: &Quoter<'_>, request_id: Option<&str>) -> Failure {
    let waited = show_duration(quoter.args.timeout);
    let message = format!("no answer came within {waited}");
    let hint = match request_id {
        Some(id) => format!(
            "`ocache quotation {id}` shows the answer when it exists; `ocache doctor` says whether anybody works on it"
        ),
        None => "`ocache doctor` says whether a price-calc worker runs".to_owned(),
    };
    Failure::new(ExitCode::TimedOut, message).hint(hint)
}

fn refused(code: &str, message: String) -> Failure {
    let exit = match code {
        "unavailable" | "rate_limited" => ExitCode::Unreachable,
        "not_found" => ExitCode::NotFound,
        "forbidden" => ExitCode::Denied,
        _ => ExitCode::BadData,
    };
    let failure = Failure::new(exit, format!("the gateway refused the quote: {message}"));
    match exit {
        ExitCode::Denied => failure.hint(NEEDS_TOKEN),
        _ => failure,
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = Chain(&error).to_string();
        match error {
            ClientError::Frame(_) => Self::new(ExitCode::Failure, message),
            ClientError::Denied { .. } => Self::new(ExitCode::Denied, message).hint(NEEDS_TOKEN),
            _ => Self::new(ExitCode::Unreachable, message)
                .hint("start a gateway with `ocache up` or `ocache serve`, or leave --url out"),
        }
    }
}
