//! Keeps acknowledgements and answers in order.

use super::sockets::WaitingFrame;
use crate::model::{RequestId, UserId};
use crate::protocol::{Request, Told};

/// A request, named as its answer names it. Clients that share a socket may use the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestInHand {
    /// The customer; `None` if the request names none.
    user: Option<UserId>,
    request_id: RequestId,
}

impl RequestInHand {
    pub(super) fn of(request: &Request, request_id: RequestId) -> Self {
        Self { user: request.user().cloned(), request_id }
    }

    fn is_told(&self, told: &Told<'_>) -> bool {
        self.user.as_ref().is_some_and(|user| told.is_about(user, &self.request_id))
    }
}

/// Names a request of its socket until it has its reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// Keeps the promise that a quote is acknowledged before it is answered.
///
/// The answer can be pushed before the handler has returned. It then waits for the reply to its own
/// request only, so a slow request does not delay the answers of others. While it waits, it counts among
/// the frames and bytes that may wait for its socket.
#[derive(Default)]
pub(super) struct AnswerOrder {
    /// The requests that have no reply yet. A client may have sent the same one twice.
    in_hand: Vec<(Ticket, RequestInHand)>,
    /// The number of requests so far.
    begun: u64,
    /// The answers to these requests, in the order in which they came.
    waiting: Vec<(RequestInHand, WaitingFrame)>,
}

impl AnswerOrder {
    /// Notes that a request is being handled.
    pub(super) fn began(&mut self, asked: RequestInHand) -> Ticket {
        self.begun += 1;
        let ticket = Ticket(self.begun);
        self.in_hand.push((ticket, asked));
        ticket
    }

    /// Takes a frame that was pushed. Returns it if it may be sent at once, and keeps it if the request
    /// that it answers has no reply yet.
    pub(super) fn pushed(&mut self, frame: WaitingFrame) -> Option<WaitingFrame> {
        if self.in_hand.is_empty() {
            return Some(frame);
        }
        let told = Told::of(frame.bytes());
        let is_told =
            |asked: &&RequestInHand| told.as_ref().is_some_and(|told| asked.is_told(told));
        let mut in_hand = self.in_hand.iter().map(|(_, asked)| asked);
        let Some(asked) = in_hand.find(is_told).cloned() else { return Some(frame) };
        self.waiting.push((asked, frame));
        None
    }

    /// Notes that a request has its reply. Returns the frames that may follow this reply.
    pub(super) fn finished(&mut self, ticket: Ticket) -> Vec<WaitingFrame> {
        let Some(at) = self.in_hand.iter().position(|(one, _)| *one == ticket) else {
            return vec![];
        };
        let (_, asked) = self.in_hand.swap_remove(at);
        if self.waiting.is_empty() || self.in_hand.iter().any(|(_, other)| *other == asked) {
            return vec![];
        }
        let ready = self.waiting.extract_if(.., |(answered, _)| *answered == asked);
        ready.map(|(_, frame)| frame).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConnectionId;
    use crate::runtime::gateway::Sockets;

    fn request_of(user: &str, id: &str) -> RequestInHand {
        let request_id = RequestId::new(id).unwrap();
        RequestInHand { user: Some(UserId::new(user).unwrap()), request_id }
    }

    fn request(id: &str) -> RequestInHand {
        request_of("AAA", id)
    }

    /// Returns a frame that waits on a socket.
    async fn frame(text: &str) -> WaitingFrame {
        let sockets = Sockets::new();
        let mut socket = sockets.open(ConnectionId::from_random([1; 16]));
        sockets.push(socket.id(), text.to_owned().into());
        socket.next_frame().await.unwrap()
    }

    async fn answer(id: &str) -> WaitingFrame {
        frame(&format!(
            r#"{{"type":"quotation","request_id":"{id}","client":"AAA","status":"answered"}}"#
        ))
        .await
    }

    fn sent(frames: impl IntoIterator<Item = WaitingFrame>) -> usize {
        frames.into_iter().count()
    }

    #[tokio::test]
    async fn an_answer_waits_for_its_own_request_and_no_other() {
        let mut order = AnswerOrder::default();
        assert!(order.pushed(answer("a").await).is_some(), "nothing is in hand");
        let [a, b] = ["a", "b"].map(|id| order.began(request(id)));
        assert!(order.pushed(answer("a").await).is_none());
        assert!(order.pushed(answer("c").await).is_some(), "it was replied to long ago");
        assert!(order.pushed(frame("not ours").await).is_some());
        assert_eq!(sent(order.finished(b)), 0);
        assert_eq!(sent(order.finished(a)), 1);
        assert!(order.pushed(answer("a").await).is_some());
    }

    #[tokio::test]
    async fn of_a_request_that_was_sent_twice_both_are_replied_to_first() {
        let mut order = AnswerOrder::default();
        let [first, second] = [(); 2].map(|()| order.began(request("a")));
        assert!(order.pushed(answer("a").await).is_none());
        assert_eq!(sent(order.finished(second)), 0);
        assert_eq!(sent(order.finished(first)), 1);
    }

    #[tokio::test]
    async fn the_same_id_of_another_client_is_another_request() {
        let mut order = AnswerOrder::default();
        let of_b = order.began(request_of("BBB", "a"));
        assert!(order.pushed(answer("a").await).is_some(), "the answer is of AAA");
        let of_a = order.began(request("a"));
        assert!(order.pushed(answer("a").await).is_none());
        assert_eq!(sent(order.finished(of_b)), 0);
        assert_eq!(sent(order.finished(of_a)), 1);
    }

    #[tokio::test]
    async fn answers_in_the_dialect_of_the_original_wait_too() {
        let mut order = AnswerOrder::default();
        let ticket = order.began(request("q_1"));
        assert!(order.pushed(frame(r#"{"id":"q_1","products":[]}"#).await).is_none());
        assert_eq!(sent(order.finished(ticket)), 1);
    }
}
