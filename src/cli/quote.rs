//! `ocache quote`: one quote, or a session of them.

use std::collections::HashSet;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::{Instant, timeout_at};

use super::args::QuoteArgs;
use super::duration::show_duration;
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::interrupt::or_interrupted;
use super::output::Output;
use super::settings::Settings;
use super::view;
use crate::model::{Item, Timestamp};
use crate::ports::{Chain, Clock, SystemClock};
use crate::protocol::{Frame, QuotationFrame, check_items, parse_item};
use crate::runtime::client::{Client, ClientError};
use crate::runtime::gateway::{Access, BoundGateway, GatewayRegistry, RunningGateway, probe};
use crate::runtime::{Role, SHORT_POLL, Shutdown, Slots, Worker};
use crate::stages::Policy;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: QuoteArgs,
) -> Result<(), Failure> {
    let items = match args.items.is_empty() {
        true => None,
        false => Some(check_items(args.items.clone()).map_err(|error| {
            Failure::new(ExitCode::Usage, error.to_string()).hint("such as: P1:2 P3:1")
        })?),
    };
    let gateway = UsedGateway::find(settings, output, &args).await?;
    let session = async {
        let client = Client::connect(gateway.url()).await?;
        match items {
            Some(items) => quote_once(client, output, &args, &items).await,
            None => {
                Session { client, output, args: &args, due: 0, seen: HashSet::new() }.run().await
            }
        }
    };
    let result = or_interrupted(session).await;
    gateway.leave().await;
    result
}

/// The gateway that a quote goes through.
enum UsedGateway {
    /// One that runs somewhere.
    Running(String),
    /// One inside this process, with a provider beside it.
    Own(Box<OwnGateway>),
}

struct OwnGateway {
    engine: Engine,
    gateway: RunningGateway,
    shutdown: Shutdown,
    provider: tokio::task::JoinHandle<()>,
}

impl UsedGateway {
    async fn find(settings: &Settings, output: &Output, args: &QuoteArgs) -> Result<Self, Failure> {
        if let Some(url) = &args.url {
            return Ok(Self::Running(url.clone()));
        }
        let engine = Engine::open(settings, output).await?;
        if let Some(url) = find_gateway(&engine).await {
            engine.close().await;
            return Ok(Self::Running(url));
        }
        let policy = Policy::from(&args.policy);
        let bound = BoundGateway::bind(0).await?;
        let ports = engine.ports(Some(bound.own()));
        let access = Access::default();
        let gateway =
            bound.serve(ports.clone(), policy.clone(), access, &engine.registry, &engine.label)?;
        let shutdown = Shutdown::new();
        let until = shutdown.clone();
        let worker = Worker { ports, policy, slots: Slots::default(), poll_wait: SHORT_POLL };
        let provider =
            tokio::spawn(async move { worker.run(&[Role::QuotationProvider], &until).await });
        Ok(Self::Own(Box::new(OwnGateway { engine, gateway, shutdown, provider })))
    }

    fn url(&self) -> &str {
        match self {
            Self::Running(url) => url,
            Self::Own(own) => own.gateway.websocket(),
        }
    }

    async fn leave(self) {
        if let Self::Own(own) = self {
            own.shutdown.begin();
            // A provider that died has nothing more to drain.
            let _ = own.provider.await;
            own.gateway.stop().await;
            own.engine.close().await;
        }
    }
}

/// A gateway of this engine that runs, on this machine or on AWS.
pub(super) async fn find_gateway(engine: &Engine) -> Option<String> {
    if let Some(url) = running(&engine.registry, &engine.label).await {
        return Some(url);
    }
    match engine.kind() {
        super::engine::Kind::Embedded(_) => None,
        #[cfg(feature = "aws")]
        super::engine::Kind::Aws(aws) => deployed(aws).await,
    }
}

/// The gateway of this engine that runs on this machine. Entries of gateways that died are
/// cleared away.
async fn running(registry: &GatewayRegistry, engine: &str) -> Option<String> {
    for record in registry.records().into_iter().filter(|record| record.engine == engine) {
        match probe(&record).await {
            Ok(()) => return Some(record.websocket),
            Err(error) if error.is_dead() => registry.forget(&record),
            Err(_) => {}
        }
    }
    None
}

/// The gateway that the stack has on AWS. Whoever may not look has to name it with `--url`.
#[cfg(feature = "aws")]
async fn deployed(aws: &crate::aws::Aws) -> Option<String> {
    aws.deployed_websocket().await.unwrap_or_else(|error| {
        tracing::info!(error = %Chain(&error), "no look at deployed gateways");
        None
    })
}

async fn quote_once(
    mut client: Client,
    output: &Output,
    args: &QuoteArgs,
    items: &[Item],
) -> Result<(), Failure> {
    let deadline = Instant::now() + args.timeout;
    client.quote(&args.client, items, args.request_id.as_ref()).await?;
    let mut request_id = None;
    let quotation = loop {
        let Ok(received) = timeout_at(deadline, client.next()).await else {
            return Err(timed_out(args, request_id.as_deref()));
        };
        match received?.frame {
            Frame::Accepted { request_id: id, message } => {
                output.note(&format!("{message} ({id})"));
                request_id = Some(id);
            }
            Frame::Quotation(quotation) => break quotation,
            Frame::Error { code, message } => return Err(refused(&code, message)),
            Frame::Pong => {}
        }
    };
    client.close().await;
    print(output, &quotation)?;
    match quotation.status.as_str() {
        "failed" => Err(failed(&quotation)),
        _ => Ok(()),
    }
}

fn print(output: &Output, quotation: &QuotationFrame) -> Result<(), Failure> {
    let now: Timestamp = SystemClock.now();
    if quotation.status == "failed" && !output.is_json() {
        return Ok(());
    }
    output.data(&Frame::Quotation(quotation.clone()), |_| view::quotation(quotation, now))
}

/// Quotes as they are typed; replies as they come.
struct Session<'a> {
    client: Client,
    output: &'a Output,
    args: &'a QuoteArgs,
    /// Quotes sent whose answer has not come.
    due: usize,
    /// Answers that came already: a quotation may be pushed twice.
    seen: HashSet<String>,
}

impl Session<'_> {
    async fn run(mut self) -> Result<(), Failure> {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        self.output.note("a line such as P1:2 P3:1 is a quote; end of input ends the session");
        loop {
            tokio::select! {
                line = lines.next_line() => match line.map_err(Failure::internal)? {
                    Some(line) => self.ask(&line).await?,
                    None => break,
                },
                received = self.client.next() => self.take(received?.frame)?,
            }
        }
        let deadline = Instant::now() + self.args.timeout;
        while self.due > 0 {
            match timeout_at(deadline, self.client.next()).await {
                Ok(received) => self.take(received?.frame)?,
                Err(_) => return Err(timed_out(self.args, None)),
            }
        }
        self.client.close().await;
        Ok(())
    }

    async fn ask(&mut self, line: &str) -> Result<(), Failure> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let items = line.split_whitespace().map(parse_item).collect::<Result<_, _>>();
        match items.and_then(check_items) {
            Ok(items) => {
                self.client.quote(&self.args.client, &items, None).await?;
                self.due += 1;
            }
            // A typing error ends no session.
            Err(error) => self.output.note(&format!("error: {error}")),
        }
        Ok(())
    }

    fn take(&mut self, frame: Frame) -> Result<(), Failure> {
        match frame {
            Frame::Accepted { request_id, message } => {
                self.output.note(&format!("{message} ({request_id})"));
            }
            Frame::Quotation(quotation) => {
                if self.seen.insert(quotation.request_id.clone()) {
                    self.due = self.due.saturating_sub(1);
                    let now = SystemClock.now();
                    let frame = Frame::Quotation(quotation.clone());
                    self.output.data(&frame, |_| view::quotation(&quotation, now))?;
                }
            }
            Frame::Error { code, message } => {
                self.due = self.due.saturating_sub(1);
                self.output.note(&format!("error: {message} ({code})"));
            }
            Frame::Pong => {}
        }
        Ok(())
    }
}

fn timed_out(args: &QuoteArgs, request_id: Option<&str>) -> Failure {
    let waited = show_duration(args.timeout);
    let message = format!("no answer came within {waited}");
    let hint = match request_id {
        Some(id) => format!(
            "`ocache quotation {id}` shows it when it is there; is a price-calc worker running?"
        ),
        None => "is a price-calc worker running? `ocache up` runs everything".to_owned(),
    };
    Failure::new(ExitCode::TimedOut, message).hint(hint)
}

fn refused(code: &str, message: String) -> Failure {
    let exit = match code {
        "unavailable" => ExitCode::Unreachable,
        "not_found" => ExitCode::NotFound,
        _ => ExitCode::BadData,
    };
    Failure::new(exit, format!("the gateway refused the quote: {message}"))
}

fn failed(quotation: &QuotationFrame) -> Failure {
    let reason = quotation.reason.clone().unwrap_or_default();
    let message = format!("quotation {} failed: {reason}", quotation.request_id);
    let late = crate::ports::FailureReason::DeadlinePassed.to_string();
    let empty = crate::ports::FailureReason::EmptyCatalogue.to_string();
    if reason == late {
        let hint =
            "no price-calc worker seems to run; start `ocache worker price-calc` or `ocache up`";
        Failure::new(ExitCode::TimedOut, message).hint(hint)
    } else if reason == empty {
        Failure::new(ExitCode::NotFound, message).hint("load some with `ocache load PATH`")
    } else {
        Failure::new(ExitCode::Failure, message)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = Chain(&error).to_string();
        match error {
            ClientError::Frame(_) => Self::new(ExitCode::Failure, message),
            _ => Self::new(ExitCode::Unreachable, message)
                .hint("start a gateway with `ocache up` or `ocache serve`, or leave --url out"),
        }
    }
}
