//! Carries out a run: opens its websockets, and waits until they are done.

use std::panic::resume_unwind;
use std::sync::Arc;

use futures_util::future::try_join_all;
use hdrhistogram::CreationError;
use thiserror::Error;
use tokio::task::JoinSet;

use super::plan::{LoadRun, RunState};
use super::socket::LoadSocket;
use super::tally::Tally;
use crate::runtime::client::{ClientError, Destination, GatewayClient};
use crate::tokens::Token;

/// Why a run ended early.
#[derive(Debug, Error)]
pub enum RunError {
    /// A websocket could not be opened, or broke.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Times cannot be counted. This does not happen in practice, because the bounds are constants.
    #[error("times cannot be counted")]
    Times(#[from] CreationError),
}

impl LoadRun {
    /// Opens the websockets, sends the quotes, and waits for their answers. Every socket is a task of its
    /// own.
    ///
    /// # Errors
    /// Returns [`RunError`] when a websocket cannot be opened or breaks. A quote without an answer is not
    /// an error: the tally counts it.
    pub async fn go(self, to: &Destination, token: Option<&Token>) -> Result<Tally, RunError> {
        let clients = (0..self.sockets.max(1)).map(|_| GatewayClient::connect(to, token));
        let clients = try_join_all(clients).await?;
        let shared = Arc::new(RunState::new(self, Tally::begin()?));
        let mut sockets: JoinSet<Result<(), ClientError>> = JoinSet::new();
        for client in clients {
            sockets.spawn(LoadSocket::new(client, shared.clone()).run());
        }
        while let Some(ended) = sockets.join_next().await {
            // Sockets are never aborted, so a join error is a panic.
            ended.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
        }
        let tally = shared.tally().clone();
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use futures_util::{SinkExt, StreamExt};
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_async;
    use tokio_tungstenite::tungstenite::Message;

    use super::super::plan::{Amount, ServerKind};
    use super::super::quotes::{QuoteMix, RequestNames};
    use super::*;
    use crate::model::{ProductId, UserId};
    use crate::protocol::{Request, parse};

    /// Starts a server that sends these replies to each frame.
    async fn server(replies: fn(&str) -> Vec<String>) -> Destination {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut socket = accept_async(stream).await.unwrap();
                    while let Some(Ok(Message::Text(text))) = socket.next().await {
                        for reply in replies(&text) {
                            // The client may have closed the socket.
                            if socket.send(Message::text(reply)).await.is_err() {
                                return;
                            }
                        }
                    }
                });
            }
        });
        Destination::Url(url)
    }

    /// Longer than any reply takes, also on a busy machine.
    const PATIENT: Duration = Duration::from_secs(60);

    async fn run(replies: fn(&str) -> Vec<String>, names: RequestNames, peer: ServerKind) -> Tally {
        run_for(PATIENT, replies, names, peer).await
    }

    async fn run_for(
        patience: Duration,
        replies: fn(&str) -> Vec<String>,
        names: RequestNames,
        peer: ServerKind,
    ) -> Tally {
        let users: Vec<UserId> = ["A", "B"].map(|id| UserId::new(id).unwrap()).into();
        let products: Vec<ProductId> = ["P1", "P2"].map(|id| id.parse().unwrap()).into();
        let run = LoadRun {
            mix: Arc::new(QuoteMix::new(&users, &products, 1)),
            names,
            amount: Amount::Quotes(20),
            sockets: 3,
            rate: None,
            patience,
            peer,
            check_every: 2,
            expected: None,
            on_end: Arc::new(|| ()),
        };
        run.go(&server(replies).await, None).await.unwrap()
    }

    /// Returns the replies of a gateway at which every product costs 3 dollars.
    fn answered(text: &str, total: &str) -> Vec<String> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let Ok(Request::Quote { user, items, request_id, .. }) = parse(text) else { panic!() };
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let id = request_id.map_or_else(|| format!("q_{made}"), |id| id.to_string());
        let product = &items[0].product;
        vec![
            format!(r#"{{"type":"accepted","request_id":"{id}","message":"m"}}"#),
            format!(
                r#"{{"type":"quotation","request_id":"{id}","client":"{user}","status":"answered","lines":[{{"product":"{product}","name":"n","quantity":"1","list_price":"3.00","discount_percent":"0","unit_price":"3.00","total":"3.00"}}],"total":"{total}","currency":"USD"}}"#
            ),
        ]
    }

    #[tokio::test]
    async fn answers_are_counted_and_some_of_them_checked() {
        for names in [RequestNames::Made, RequestNames::Numbered("warm".to_owned())] {
            let tally = run(|text| answered(text, "3.00"), names, ServerKind::Gateway).await;
            assert_eq!((tally.asked, tally.answered, tally.checked), (20, 20, 10));
            assert_eq!(tally.complaint, None);
            assert!(!tally.until_accepted.is_empty() && !tally.until_answered.is_empty());
        }
    }

    #[tokio::test]
    async fn a_second_push_of_an_answer_is_not_that_of_the_next_quote() {
        let twice = |text: &str| {
            let mut frames = answered(text, "3.00");
            frames.push(frames[1].clone());
            frames
        };
        let tally = run(twice, RequestNames::Made, ServerKind::Gateway).await;
        assert_eq!((tally.answered, tally.checked, tally.complaint), (20, 10, None));
    }

    #[tokio::test]
    async fn a_wrong_answer_that_is_checked_is_none() {
        let tally =
            run(|text| answered(text, "4.00"), RequestNames::Made, ServerKind::Gateway).await;
        assert_eq!((tally.asked, tally.answered, tally.checked), (20, 10, 10));
        assert!(tally.complaint.unwrap().contains("its total is 4.00"));
    }

    #[tokio::test]
    async fn failures_errors_and_silence_are_no_answers() {
        let failed = |text: &str| {
            let failed = answered(text, "3.00")[1].replace("answered", "failed");
            vec![failed.replacen('{', r#"{"reason":"too late","#, 1)]
        };
        let refused = |_: &str| vec![r#"{"type":"error","code":"c","message":"no"}"#.to_owned()];
        for (replies, patience, why) in [
            (failed as fn(&str) -> Vec<String>, PATIENT, "too late"),
            (refused, PATIENT, "no"),
            (|_| vec![], Duration::from_millis(50), "no answer came in time"),
        ] {
            let names = RequestNames::Numbered("warm".to_owned());
            let tally = run_for(patience, replies, names, ServerKind::Gateway).await;
            assert_eq!((tally.asked, tally.answered), (20, 0));
            assert_eq!(tally.complaint.as_deref(), Some(why));
        }
    }

    #[tokio::test]
    async fn an_echo_answers_every_quote() {
        let tally = run(|text| vec![text.to_owned()], RequestNames::Made, ServerKind::Echo).await;
        assert_eq!((tally.asked, tally.answered, tally.checked), (20, 20, 0));
    }
}
