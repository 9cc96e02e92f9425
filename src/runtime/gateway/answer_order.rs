//! In which order a client gets acknowledgements and answers.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

/// Keeps the promise that a quote is acknowledged before it is answered.
///
/// The answer can be pushed before the handler has returned. It then waits for every request
/// that was in hand when it came; the one it answers is among them.
#[derive(Default)]
pub(super) struct AnswerOrder {
    next: u64,
    in_hand: BTreeSet<u64>,
    /// Frames that wait, each for all requests below a number.
    waiting: VecDeque<(u64, Bytes)>,
}

impl AnswerOrder {
    pub(super) fn began(&mut self) -> u64 {
        let number = self.next;
        self.in_hand.insert(number);
        self.next += 1;
        number
    }

    /// A frame was pushed; it may go out at once when nothing is in hand.
    pub(super) fn pushed(&mut self, frame: Bytes) -> Option<Bytes> {
        if self.in_hand.is_empty() && self.waiting.is_empty() {
            return Some(frame);
        }
        self.waiting.push_back((self.next, frame));
        None
    }

    /// A request is replied to; these frames may follow its replies.
    pub(super) fn finished(&mut self, number: u64) -> Vec<Bytes> {
        self.in_hand.remove(&number);
        let oldest = self.in_hand.first().copied().unwrap_or(u64::MAX);
        let ready = self.waiting.iter().take_while(|(below, _)| *below <= oldest).count();
        self.waiting.drain(..ready).map(|(_, frame)| frame).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_waits_for_the_requests_before_it() {
        let mut order = AnswerOrder::default();
        let frame = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert_eq!(order.pushed(frame("a")), Some(frame("a")));
        let (first, second) = (order.began(), order.began());
        assert_eq!(order.pushed(frame("b")), None);
        let third = order.began();
        assert_eq!(order.pushed(frame("c")), None);
        assert!(order.finished(second).is_empty());
        assert_eq!(order.finished(first), [frame("b")]);
        assert_eq!(order.finished(third), [frame("c")]);
        assert_eq!(order.pushed(frame("d")), Some(frame("d")));
    }
}
