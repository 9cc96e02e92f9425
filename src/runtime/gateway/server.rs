//! The gateway of one process: its parts, and the state that they share.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderMap;

use super::cors::RefusedOrigins;
use super::entry::{Door, Tokens};
use super::http_api::{Behind, HttpApi};
use super::limiter::Limiter;
use super::limits::Limits;
use super::load_door::LoadDoor;
use super::methods::methods_of;
use super::origin::{AllowedOrigins, Sender};
use super::page::{PageSettings, WebPage};
use super::prefix::PathPrefix;
use super::secret::Secret;
use super::sockets::Sockets;
use super::unfinished::UnfinishedMessages;
use super::visitors::Visitors;
use crate::model::ConnectionId;
use crate::ports::Ports;
use crate::runtime::Shutdown;
use crate::stages::prices::Prices;
use crate::stages::quotation_handler::QuotationHandler;
use crate::stages::{Lookup, SettingsInForce};

/// How long a customer stays active after a first visit, if the stack requires a second one. It is too
/// short for a refresh.
const FIRST_VISIT_TTL: Duration = Duration::from_secs(1);

/// Who may use a gateway, and how much of it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The origins and host names that are allowed.
    pub origins: AllowedOrigins,
    /// The path prefix under which a reverse proxy publishes it.
    pub prefix: PathPrefix,
    /// The limits of its clients.
    pub limits: Limits,
    /// How tokens are checked while the stack requires them. Otherwise everybody may quote for everybody.
    pub tokens: Option<Tokens>,
}

/// The gateway of one process.
pub struct Gateway {
    /// The lookup that its quotes use.
    pub(super) lookup: Arc<Lookup>,
    pub(super) handler: QuotationHandler,
    pub(super) first_visits: QuotationHandler,
    prices: Prices,
    first_prices: Prices,
    pub(super) http_api: HttpApi,
    pub(super) load_door: LoadDoor,
    pub(super) visitors: Visitors,
    pub(super) limiter: Limiter,
    pub(super) unfinished: Arc<UnfinishedMessages>,
    pub(super) ports: Ports,
    settings: SettingsInForce,
    pub(super) page: WebPage,
    pub(super) sockets: Arc<Sockets>,
    pub(super) origins: AllowedOrigins,
    pub(super) refused_origins: RefusedOrigins,
    pub(super) prefix: PathPrefix,
    pub(super) door: Door,
    pub(super) endpoint: String,
    /// The random name that distinguishes its `/health` from that of others.
    pub(super) instance: String,
    /// The secret of its entry. No reply contains it.
    pub(super) secret: Secret,
}

impl Gateway {
    /// Creates a gateway that will listen at a management endpoint such as `http://127.0.0.1:7070`.
    #[must_use]
    pub(super) fn new(
        ports: Ports,
        settings: SettingsInForce,
        sockets: Arc<Sockets>,
        access: Access,
        endpoint: String,
        page: PageSettings,
        shutdown: &Shutdown,
    ) -> Self {
        let Access { origins, prefix, limits, tokens } = access;
        let metrics = Arc::new(page.metrics.clone());
        let lookup = Lookup::new(&ports);
        metrics.keeps(lookup.bases());
        let handler = QuotationHandler::new(&ports, lookup.clone(), settings.policy());
        let handler = handler.watched().observed_by(metrics);
        let passing_policy = settings.policy().with_ttl_at_most(FIRST_VISIT_TTL);
        let first_visits = handler.with_policy(passing_policy.clone());
        let visitors = Visitors::new(settings.clone(), ports.store.clone(), ports.clock.clone());
        let prices = Prices::new(&ports, lookup.clone(), &handler, settings.policy());
        let first_prices = prices.with_policy(passing_policy);
        let http_api = HttpApi::new(ports.clock.clone(), shutdown.clone(), page.metrics.clone());
        let limiter = Limiter::new(limits);
        let door = Door::new(settings.clone(), tokens);
        let page = WebPage::new(&ports, &settings, sockets.clone(), page);
        let instance = ConnectionId::from_random(ports.randomness.bits()).to_string();
        let secret = Secret::from_random([ports.randomness.bits(), ports.randomness.bits()]);
        Self {
            lookup,
            handler,
            first_visits,
            prices,
            first_prices,
            http_api,
            load_door: LoadDoor::of_gateway(),
            visitors,
            limiter,
            unfinished: Arc::default(),
            ports,
            settings,
            page,
            sockets,
            origins,
            refused_origins: RefusedOrigins::default(),
            prefix,
            door,
            endpoint,
            instance,
            secret,
        }
    }

    /// Whether a request comes from a program or from the gateway's own page.
    pub(super) fn is_own(&self, headers: &HeaderMap) -> bool {
        matches!(self.origins.sender(headers), Sender::NoPage | Sender::OwnPage)
    }

    /// Returns the stages behind requests over HTTP.
    pub(super) const fn behind(&self, first_visit: bool) -> Behind<'_> {
        match first_visit {
            true => Behind { handler: &self.first_visits, prices: &self.first_prices },
            false => Behind { handler: &self.handler, prices: &self.prices },
        }
    }

    /// Returns how long a customer is active after a visit.
    pub(super) fn ttl(&self, first_visit: bool) -> Duration {
        let ttl = self.settings.now().policy.ttl;
        if first_visit { FIRST_VISIT_TTL.min(ttl) } else { ttl }
    }

    /// Returns the methods of a path.
    pub(super) fn methods_of(&self, path: &str) -> &'static [Method] {
        methods_of(path, self.page.has_file(path))
    }
}
