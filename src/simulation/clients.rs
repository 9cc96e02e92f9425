//! The actions of clients: they quote, ask again, and come back on another connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::fleet::{Fleet, Gateway};
use super::world::World;
use crate::model::{
    ConnectionRef, Dialect, Item, ProductId, QuotationKey, RequestId, Timestamp, UserId,
};
use crate::ports::{Clock, Quotation, QuotationStatus};
use crate::protocol::render_quotation;
use crate::stages::DEADLINE_GRACE;
use crate::stages::quotation_handler::{Accepted, Ask};
use crate::stages::subscribe::{subscribe, unsubscribe};

/// The client of one user.
pub(super) struct SimulatedClient {
    pub(super) user: UserId,
    socket: Option<Socket>,
    /// The quotes that were sent under ids of the client's own.
    own: Vec<(RequestId, Vec<Item>)>,
}

/// A connection, and the gateway at its other end.
#[derive(Clone)]
pub(super) struct Socket {
    pub(super) gateway: Arc<Gateway>,
    pub(super) connection: ConnectionRef,
}

impl SimulatedClient {
    pub(super) const fn new(user: UserId) -> Self {
        Self { user, socket: None, own: vec![] }
    }

    /// Returns the client's connection. Opens a new one if none is open.
    pub(super) fn socket(&mut self, world: &Arc<World>, fleet: &Fleet) -> Option<Socket> {
        let open = |socket: &&Socket| {
            !socket.gateway.process.is_dead() && !world.is_closed(&socket.connection)
        };
        if let Some(socket) = self.socket.as_ref().filter(open) {
            return Some(socket.clone());
        }
        let gateway = fleet.gateway()?;
        let connection = gateway.connect(world);
        self.socket = Some(Socket { gateway, connection });
        self.socket.clone()
    }

    /// Closes the client's connection.
    pub(super) fn leave(&mut self, world: &World) {
        if let Some(socket) = self.socket.take() {
            world.tell("client", || format!("{:?} leaves {}", self.user, socket.connection.id));
            world.close(&socket.connection);
        }
    }

    /// Makes up a quote. Mostly it is a new one, sometimes a repetition under an id of the client's own,
    /// or another quote under such an id.
    pub(super) fn ask(&mut self, world: &World, connection: ConnectionRef) -> Ask {
        let chance = &world.chance;
        let mut items = items(world);
        let mut request_id = None;
        if chance.one_in(2) {
            let known = chance.index(self.own.len() + 2);
            let id = match self.own.get(known) {
                Some((id, asked)) => {
                    if !chance.one_in(8) {
                        items.clone_from(asked);
                    }
                    Some(id.clone())
                }
                None => RequestId::new((self.own.len() + 1).to_string()).ok(),
            };
            if known >= self.own.len()
                && let Some(id) = &id
            {
                self.own.push((id.clone(), items.clone()));
            }
            request_id = id;
        }
        Ask {
            user: self.user.clone(),
            items,
            request_id,
            dialect: Dialect::Current,
            connection: Some(connection),
        }
    }
}

/// Draws some products, most of which exist.
fn items(world: &World) -> Vec<Item> {
    let chance = &world.chance;
    let products = &world.plan.products;
    let mut chosen: Vec<ProductId> = vec![];
    for _ in 0..=chance.below(4) {
        let product = match products.get(chance.index(products.len() + 1)) {
            Some(product) => Some(product.clone()),
            None => ProductId::new("no such product").ok(),
        };
        chosen.extend(product.filter(|product| !chosen.contains(product)));
    }
    chosen
        .into_iter()
        .filter_map(|product| {
            let quantity = chance.pick(["1", "2", "12", "0.5", "1.333", "0.001", "750"]);
            Some(Item { product, quantity: quantity.parse().ok()? })
        })
        .collect()
}

/// Sends a quote to the gateway, and notes whether it is accepted. A gateway that dies does not reply.
pub(super) async fn quote(world: Arc<World>, gateway: Arc<Gateway>, ask: Ask) -> Option<Accepted> {
    let (user, connection) = (ask.user.clone(), ask.connection.clone()?);
    world.tell("client", || {
        format!("{user:?} asks {:?} of {}", ask.request_id, connection.endpoint)
    });
    let asked_at = gateway.process.clock.now();
    let accepted = match gateway.process.while_alive(gateway.handler.quote(ask)).await? {
        Ok(accepted) => accepted,
        Err(error) => {
            world.tell("client", || format!("{user:?} is refused: {error}"));
            return None;
        }
    };
    world.tell("client", || format!("{user:?} is accepted: {}", accepted.request_id));
    world.record(|ledger, _| ledger.promises.accepted(&user, &accepted.request_id));
    match &accepted.settled {
        Some(settled) => show(&world, settled, asked_at),
        None => {
            let told_by = gateway.handler.told_by(accepted.deadline, asked_at);
            let socket = Socket { gateway, connection };
            watch(&world, socket, user, accepted.request_id.clone(), told_by);
        }
    }
    Some(accepted)
}

/// Asks for an earlier quotation again.
pub(super) async fn get(world: Arc<World>, socket: Socket, user: UserId, request_id: RequestId) {
    let Socket { gateway, connection } = socket;
    world.tell("client", || format!("{user:?} asks for {request_id} again"));
    let asked_at = gateway.process.clock.now();
    let getting = gateway.handler.get(&user, &request_id, &connection);
    if let Some(Ok(Some(quotation))) = gateway.process.while_alive(getting).await {
        show(&world, &quotation, asked_at);
        if quotation.status_at(asked_at) == QuotationStatus::Pending {
            let told_by = gateway.handler.told_by(quotation.deadline, asked_at);
            let socket = Socket { gateway, connection };
            watch(&world, socket, user, request_id, told_by);
        }
    }
}

/// Has the gateway watch the deadline of a quotation, if gateways do so in this run.
fn watch(
    world: &Arc<World>,
    socket: Socket,
    user: UserId,
    request_id: RequestId,
    deadline: Timestamp,
) {
    let key = QuotationKey::new(&user, &request_id);
    world.record(|ledger, _| ledger.promises.awaited(&key, &socket.connection));
    if world.plan.watched {
        tokio::spawn(tell_at_deadline(world.clone(), socket, user, request_id, deadline));
    }
}

/// Tells a client the outcome when the deadline has passed, as the session of its socket does. The watch
/// dies with the gateway.
async fn tell_at_deadline(
    world: Arc<World>,
    Socket { gateway, connection }: Socket,
    user: UserId,
    request_id: RequestId,
    deadline: Timestamp,
) {
    let key = QuotationKey::new(&user, &request_id);
    let clock = &gateway.process.clock;
    sleep(deadline.since(clock.now()) + DEADLINE_GRACE).await;
    let is_told = || world.look(|ledger| ledger.promises.get(&key).is_some_and(|it| it.told));
    while !world.is_closed(&connection) && !is_told() {
        match gateway.process.while_alive(gateway.handler.fail(&user, &request_id)).await {
            Some(Ok(Some(quotation))) => return show(&world, &quotation, clock.now()),
            None | Some(Ok(None)) => return,
            Some(Err(_)) => sleep(Duration::from_secs(1)).await,
        }
    }
}

/// Records what the gateway writes to its client.
fn show(world: &World, quotation: &Quotation, asked_at: Timestamp) {
    if let Ok(text) = render_quotation(quotation, asked_at) {
        world.tell("client", || format!("is shown {text}"));
        world.note(|ledger, _| ledger.shown(&text));
    }
}

/// Subscribes a user. Returns whether this succeeded.
pub(super) async fn come(world: Arc<World>, gateway: Arc<Gateway>, user: UserId) -> bool {
    let (store, queues) = (&*gateway.ports.store, &*gateway.ports.queues);
    let now = gateway.process.clock.now();
    let subscribing = subscribe(store, queues, &user, world.plan.policy.ttl, now);
    gateway.process.while_alive(subscribing).await.is_some_and(|done| done.is_ok())
}

/// Unsubscribes a user, whose table then need not be kept warm.
pub(super) async fn go(gateway: Arc<Gateway>, user: UserId) {
    let store = &*gateway.ports.store;
    let unsubscribing = unsubscribe(store, Some(gateway.handler.visits()), &user);
    // If this fails, the user expires a little later.
    let _ = gateway.process.while_alive(unsubscribing).await;
}
