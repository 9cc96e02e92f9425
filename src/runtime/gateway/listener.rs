//! The port of a gateway, on both loopback addresses.
//!
//! `localhost` may mean either address, and the machine decides which one a client tries first. If
//! another program had the port on the other address, some clients would send their tokens there.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};

/// How many free ports are tried if another program has the port on one of the addresses.
const MAX_TRIES: u32 = 16;

/// Accepts connections to 127.0.0.1 and, if the machine has it, to ::1.
pub(super) struct Listener {
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Listener {
    /// Opens a port; 0 means any port that is free on both addresses.
    ///
    /// # Errors
    /// Fails when the port is taken on one of the addresses, or may not be opened.
    pub(super) async fn bind(port: u16) -> io::Result<Self> {
        let mut tries = 1;
        loop {
            match Self::try_bind(port).await {
                Err(error) if port == 0 && is_taken(&error) && tries < MAX_TRIES => tries += 1,
                bound => return bound,
            }
        }
    }

    async fn try_bind(port: u16) -> io::Result<Self> {
        let v4 = bind(Ipv4Addr::LOCALHOST.into(), port).await?;
        let port = v4.local_addr()?.port();
        match bind(Ipv6Addr::LOCALHOST.into(), port).await {
            Ok(v6) => Ok(Self { v4, v6: Some(v6) }),
            Err(error) if is_taken(&error) => Err(error),
            // The machine has no IPv6 loopback address.
            Err(_) => Ok(Self { v4, v6: None }),
        }
    }

    /// Returns the IPv4 address.
    ///
    /// # Errors
    /// Fails when the system does not return it.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.v4.local_addr()
    }

    /// Returns the next connection. Cancelling loses none.
    ///
    /// # Errors
    /// Fails when a connection could not be accepted.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let Some(v6) = &self.v6 else { return self.v4.accept().await };
        tokio::select! {
            accepted = self.v4.accept() => accepted,
            accepted = v6.accept() => accepted,
        }
    }
}

async fn bind(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let address = SocketAddr::from((address, port));
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}

fn is_taken(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrInUse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_addresses_lead_to_it() {
        let listener = Listener::bind(0).await.unwrap();
        let port = listener.address().unwrap().port();
        for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            if address.is_ipv6() && listener.v6.is_none() {
                eprintln!("not tried: this machine has no IPv6");
                continue;
            }
            let (client, taken) =
                tokio::join!(TcpStream::connect((address, port)), listener.accept());
            assert_eq!(taken.unwrap().1, client.unwrap().local_addr().unwrap());
        }
    }

    #[tokio::test]
    async fn a_port_that_another_has_on_one_address_is_taken() {
        let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else {
            eprintln!("not tried: this machine has no IPv6");
            return;
        };
        let port = other.local_addr().unwrap().port();
        let error = Listener::bind(port).await.err().unwrap();
        assert!(is_taken(&error) && error.to_string().contains("[::1]"), "{error}");
    }
}
