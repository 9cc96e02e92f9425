//! The state that all connections of one address share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use hyper::header::{HeaderMap, HeaderName};
use tokio::time::Instant;

use super::bucket::{Bucket, FillRate};
use super::limits::{Limits, Traffic};
use crate::supervisor::lock;

/// From this many addresses on, those that are quiet again are forgotten.
const FORGET_FROM: usize = 1024;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The origin of a connection, as far as limits are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ClientAddress {
    /// A process of this machine that has proven that it may read the gateway's entry.
    Known,
    /// A process of this machine, as far as the gateway can tell.
    Local,
    /// The address that a reverse proxy reports. Of an IPv6 address only the network counts, because one
    /// customer may have 2^64 addresses.
    Remote(IpAddr),
    /// A client behind a reverse proxy that reports no usable address. All of these clients count as one.
    Unknown,
}

/// What is known of a connection apart from the headers of its requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    /// Whether the other side of the connection has proven that it may read the gateway's entry.
    pub(super) is_known: bool,
    /// Whether the gateway is behind a reverse proxy, so that any connection may be the proxy's.
    pub(super) is_proxied: bool,
}

impl ClientAddress {
    /// Returns the address that the nearest proxy reports: the last one in the list. The client itself
    /// may have written the others.
    pub(super) fn of(headers: &HeaderMap, way: Way) -> Self {
        let Some(list) = headers.get_all(FORWARDED_FOR).iter().next_back() else {
            return match way {
                Way { is_known: true, .. } => Self::Known,
                // A proxy that reports nothing must not make its clients count as local.
                Way { is_proxied: true, .. } => Self::Unknown,
                Way { .. } => Self::Local,
            };
        };
        let last = list.to_str().ok().and_then(|list| list.rsplit(',').next());
        match last.map(str::trim).and_then(parse_address) {
            // One proxy is behind another, and only the outer one knows the client.
            Some(address) if address.is_loopback() => Self::Unknown,
            Some(address) => Self::Remote(address),
            None => Self::Unknown,
        }
    }

    /// Whether the client is on this machine.
    pub(super) const fn is_here(self) -> bool {
        matches!(self, Self::Known | Self::Local)
    }
}

/// Parses an address, with or without a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address: IpAddr = match bare.parse() {
        Ok(address) => address,
        Err(_) => text.parse::<std::net::SocketAddr>().ok()?.ip(),
    };
    Some(match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => IpAddr::V6(network(address)),
        address => address,
    })
}

fn network(address: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)
}

/// The addresses that are connected or were connected a moment ago.
#[derive(Debug)]
pub(super) struct Addresses {
    limits: Limits,
    known: Mutex<KnownAddresses>,
}

#[derive(Debug)]
struct KnownAddresses {
    addresses: HashMap<ClientAddress, Arc<Address>>,
    /// The number of addresses at which quiet ones are forgotten next.
    forget_from: usize,
}

/// The state that all connections of one address share.
#[derive(Debug)]
pub(super) struct Address {
    max_sockets: u32,
    sockets: AtomicU32,
    traffic: Mutex<Traffic>,
    new_users: Mutex<Bucket>,
}

/// A websocket's place in the limit of its address, for as long as it is open.
#[derive(Debug)]
pub(super) struct SocketPlace(Arc<Address>);

impl Addresses {
    pub(super) fn new(limits: Limits) -> Self {
        let known = KnownAddresses { addresses: HashMap::new(), forget_from: FORGET_FROM };
        Self { limits, known: Mutex::new(known) }
    }

    /// Returns the state of a client's address; `None` if the client is not limited by address.
    pub(super) fn find(&self, client: ClientAddress) -> Option<Arc<Address>> {
        if client.is_here() && !self.limits.count_loopback {
            return None;
        }
        let mut known = lock(&self.known);
        if known.addresses.len() >= known.forget_from {
            known.forget();
        }
        let address = known.addresses.entry(client);
        Some(address.or_insert_with(|| Arc::new(Address::new(&self.limits))).clone())
    }
}

impl KnownAddresses {
    /// Forgets addresses that have their full allowance again. It looks at all addresses, so it runs only
    /// when there are twice as many as it left the last time.
    fn forget(&mut self) {
        let now = Instant::now();
        self.addresses
            .retain(|_, address| Arc::strong_count(address) > 1 || !address.is_as_good_as_new(now));
        self.forget_from = FORGET_FROM.max(self.addresses.len() * 2);
    }
}

impl Address {
    fn new(limits: &Limits) -> Self {
        Self {
            max_sockets: limits.sockets_per_address,
            sockets: AtomicU32::new(0),
            traffic: Mutex::new(Traffic::new(limits.frames_per_sec_per_address)),
            new_users: Mutex::new(Bucket::new(FillRate::per_min(0))),
        }
    }

    /// Takes a place for one more websocket; `None` when all are taken.
    pub(super) fn open_socket(self: &Arc<Self>) -> Option<SocketPlace> {
        let more = |open: u32| (open < self.max_sockets).then_some(open + 1);
        self.sockets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(SocketPlace(self.clone()))
    }

    pub(super) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        lock(&self.traffic)
    }

    /// Takes one of `per_min` new users a minute, which may also come at once. Returns whether there was
    /// one left.
    pub(super) fn take_new_user(&self, per_min: u32) -> bool {
        let mut new_users = lock(&self.new_users);
        new_users.set_rate(FillRate::per_min(per_min.into()));
        new_users.take(1, Instant::now())
    }

    fn is_as_good_as_new(&self, now: Instant) -> bool {
        self.traffic().is_full(now) && lock(&self.new_users).is_full(now)
    }
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn forwarded(lists: &[&str]) -> ClientAddress {
        let headers = lists.iter().map(|list| (FORWARDED_FOR, list.parse().unwrap()));
        ClientAddress::of(&headers.collect(), Way::default())
    }

    fn remote(address: &str) -> ClientAddress {
        ClientAddress::Remote(address.parse().unwrap())
    }

    #[test]
    fn the_address_is_what_the_nearest_proxy_says() {
        assert_eq!(forwarded(&["203.0.113.9, 127.0.0.1"]), ClientAddress::Unknown);
        assert_eq!(forwarded(&["::1"]), ClientAddress::Unknown);
        assert_eq!(forwarded(&["1.2.3.4, 203.0.113.9"]), remote("203.0.113.9"));
        assert_eq!(forwarded(&["1.2.3.4", "203.0.113.9:1234"]), remote("203.0.113.9"));
        assert_eq!(forwarded(&["::ffff:203.0.113.9"]), remote("203.0.113.9"));
        assert_eq!(forwarded(&["[2001:db8:1:2:3:4:5:6]:99"]), remote("2001:db8:1:2::"));
        assert_eq!(forwarded(&["[2001:db8:1:2::9]"]), remote("2001:db8:1:2::"));
        for nonsense in ["", "unknown", "1.2.3.4,", "1.2.3"] {
            assert_eq!(forwarded(&[nonsense]), ClientAddress::Unknown, "{nonsense}");
        }
    }

    #[test]
    fn a_proxy_that_says_nothing_hides_strangers() {
        let of = |is_known, is_proxied| {
            let way = Way { is_known, is_proxied };
            ClientAddress::of(&HeaderMap::new(), way)
        };
        assert_eq!(of(false, false), ClientAddress::Local);
        assert_eq!(of(false, true), ClientAddress::Unknown);
        assert_eq!((of(true, false), of(true, true)), (ClientAddress::Known, ClientAddress::Known));
        // A forwarded client is elsewhere, even if a local proxy forwards it.
        let headers = HeaderMap::from_iter([(FORWARDED_FOR, "203.0.113.9".parse().unwrap())]);
        let way = Way { is_known: true, is_proxied: true };
        assert_eq!(ClientAddress::of(&headers, way), remote("203.0.113.9"));
    }

    #[test]
    fn places_of_an_address_are_given_back() {
        let limits = Limits { sockets_per_address: 2, ..Limits::default() };
        let addresses = Addresses::new(limits);
        let address = || addresses.find(remote("203.0.113.9")).unwrap();
        let (first, second) = (address().open_socket(), address().open_socket());
        assert!(first.is_some() && second.is_some());
        assert!(address().open_socket().is_none());
        assert!(addresses.find(remote("203.0.113.8")).unwrap().open_socket().is_some());
        drop(first);
        assert!(address().open_socket().is_some());
    }

    #[test]
    fn this_machine_counts_when_told_so() {
        let found = |limits| Addresses::new(limits).find(ClientAddress::Local).is_some();
        assert!(!found(Limits::default()));
        assert!(found(Limits { count_loopback: true, ..Limits::default() }));
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_forgotten_when_they_have_calmed_down() {
        let addresses = Addresses::new(Limits::default());
        let find = |n: u32| addresses.find(ClientAddress::Remote(IpAddr::V4(n.into()))).unwrap();
        let connected = find(0).open_socket();
        for n in 0..2 * FORGET_FROM as u32 {
            assert!(find(n).take_new_user(6000));
        }
        assert_eq!(lock(&addresses.known).addresses.len(), 2 * FORGET_FROM, "none is calm yet");
        tokio::time::advance(Duration::from_secs(60)).await;
        find(u32::MAX);
        assert_eq!(lock(&addresses.known).addresses.len(), 2);
        assert!(connected.is_some());
    }
}
