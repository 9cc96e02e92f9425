//! A few threads that read in parallel, each from a connection of its own.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure::Failure;

enum Order {
    Read(Box<dyn FnOnce(&Connection) + Send>),
    Stop,
}

/// Hands reads to the reading threads.
pub(super) struct Readers {
    orders: Sender<Order>,
    threads: usize,
}

impl Readers {
    /// Starts one thread for each connection.
    pub(super) fn spawn(
        connections: Vec<Connection>,
    ) -> io::Result<(Self, Vec<thread::JoinHandle<()>>)> {
        let (orders, inbox) = mpsc::channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let threads = connections.len();
        let handles = connections
            .into_iter()
            .map(|connection| {
                let inbox = Arc::clone(&inbox);
                thread::Builder::new()
                    .name("ocache-read".into())
                    .spawn(move || serve(&connection, &inbox))
            })
            .collect::<io::Result<_>>()?;
        Ok((Self { orders, threads }, handles))
    }

    /// Reads; everything one call reads is of one moment.
    pub(super) async fn run<T, F>(&self, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let order = Order::Read(Box::new(move |connection| {
            if !answer.is_closed() {
                let _ = answer.send(snapshot(connection, read));
            }
        }));
        // When the threads have ended, the order is dropped here, and `answered` says so.
        let _ = self.orders.send(order);
        answered.await.unwrap_or(Err(Failure::Closed))
    }

    /// Lets the threads do what they were given and end.
    pub(super) fn stop(&self) {
        for _ in 0..self.threads {
            let _ = self.orders.send(Order::Stop);
        }
    }
}

fn serve(connection: &Connection, inbox: &Mutex<Receiver<Order>>) {
    loop {
        let order = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match order {
            Ok(Order::Read(read)) => read(connection),
            Ok(Order::Stop) | Err(_) => return,
        }
    }
}

fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = read(connection);
    if !connection.is_autocommit() {
        connection.prepare_cached("COMMIT")?.execute([])?;
    }
    result
}
