//! In which order a client gets acknowledgements and answers.

use super::sockets::WaitingFrame;
use crate::model::RequestId;
use crate::protocol::Told;

/// Keeps the promise that a quote is acknowledged before it is answered.
///
/// The answer can be pushed before the handler has returned. It then waits for the reply to its own
/// request and for no other: a slow request holds up nobody else's answer. While it waits it counts
/// among the frames and bytes that may wait for its socket.
#[derive(Default)]
pub(super) struct AnswerOrder {
    /// The requests that have no reply yet. A client may have sent one twice.
    in_hand: Vec<RequestId>,
    /// Answers to them, in the order in which they came.
    waiting: Vec<(RequestId, WaitingFrame)>,
}

impl AnswerOrder {
    /// A request whose answer will name this id is being handled.
    pub(super) fn began(&mut self, request: RequestId) {
        self.in_hand.push(request);
    }

    /// A frame was pushed; it may go out at once unless the request that it answers has no reply yet.
    pub(super) fn pushed(&mut self, frame: WaitingFrame) -> Option<WaitingFrame> {
        if self.in_hand.is_empty() {
            return Some(frame);
        }
        let told = Told::of(frame.bytes());
        let is_told = |request: &&RequestId| {
            told.as_ref().is_some_and(|told| told.request_id == request.as_str())
        };
        let Some(request) = self.in_hand.iter().find(is_told).cloned() else { return Some(frame) };
        self.waiting.push((request, frame));
        None
    }

    /// A request is replied to; these frames may follow its replies.
    pub(super) fn finished(&mut self, request: &RequestId) -> Vec<WaitingFrame> {
        if let Some(at) = self.in_hand.iter().position(|one| one == request) {
            self.in_hand.swap_remove(at);
        }
        if self.in_hand.contains(request) {
            return vec![];
        }
        let ready = self.waiting.extract_if(.., |(answered, _)| answered == request);
        ready.map(|(_, frame)| frame).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConnectionId;
    use crate::runtime::gateway::Sockets;

    fn request(id: &str) -> RequestId {
        RequestId::new(id).unwrap()
    }

    /// A frame that waits on a socket.
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
        for id in ["a", "b"] {
            order.began(request(id));
        }
        assert!(order.pushed(answer("a").await).is_none());
        assert!(order.pushed(answer("c").await).is_some(), "it was replied to long ago");
        assert!(order.pushed(frame("not ours").await).is_some());
        assert_eq!(sent(order.finished(&request("b"))), 0);
        assert_eq!(sent(order.finished(&request("a"))), 1);
        assert!(order.pushed(answer("a").await).is_some());
    }

    #[tokio::test]
    async fn of_a_request_that_was_sent_twice_both_are_replied_to_first() {
        let mut order = AnswerOrder::default();
        order.began(request("a"));
        order.began(request("a"));
        assert!(order.pushed(answer("a").await).is_none());
        assert_eq!(sent(order.finished(&request("a"))), 0);
        assert_eq!(sent(order.finished(&request("a"))), 1);
    }

    #[tokio::test]
    async fn answers_in_the_dialect_of_the_original_wait_too() {
        let mut order = AnswerOrder::default();
        order.began(request("q_1"));
        assert!(order.pushed(frame(r#"{"id":"q_1","products":[]}"#).await).is_none());
        assert_eq!(sent(order.finished(&request("q_1"))), 1);
    }
}
