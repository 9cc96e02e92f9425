//! One queue as a state machine, without a clock or waiting: time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::{DeduplicationId, GroupId, Timestamp};
use crate::ports::{
    DeadLetter, Depth, MAX_RECEIVES, Outgoing, Posting, Queue, Receipt, Received, Selection,
};

/// How long a deduplication id is remembered, even if its message is already handled.
const DEDUPLICATION_WINDOW: Duration = Duration::from_secs(5 * 60);

/// The messages of a queue, in the order in which they were sent.
pub(super) struct QueueState {
    queue: Queue,
    next_sequence: u64,
    /// Messages that can be received, unless their group is blocked.
    ready: BTreeMap<u64, QueuedMessage>,
    /// Messages that are in flight or delayed.
    hidden: BTreeMap<u64, QueuedMessage>,
    /// When each hidden message will be ready.
    due: BTreeSet<(Timestamp, u64)>,
    dead: BTreeMap<u64, QueuedMessage>,
    used_ids: BTreeSet<DeduplicationId>,
    /// When each used id was first used.
    used_at: BTreeSet<(Timestamp, DeduplicationId)>,
}

/// The states of all queues.
pub(super) struct QueueStates([QueueState; Queue::ALL.len()]);

impl QueueStates {
    pub(super) fn get_mut(&mut self, queue: Queue) -> &mut QueueState {
        &mut self.0[queue as usize]
    }
}

impl Default for QueueStates {
    fn default() -> Self {
        Self(Queue::ALL.map(QueueState::new))
    }
}

struct QueuedMessage {
    id: String,
    body: String,
    group: Option<GroupId>,
    sent_at: Timestamp,
    visible_at: Timestamp,
    receive_count: u32,
}

impl QueueState {
    const fn new(queue: Queue) -> Self {
        Self {
            queue,
            next_sequence: 0,
            ready: BTreeMap::new(),
            hidden: BTreeMap::new(),
            due: BTreeSet::new(),
            dead: BTreeMap::new(),
            used_ids: BTreeSet::new(),
            used_at: BTreeSet::new(),
        }
    }

    /// Adds a message that is known to fit the queue. Drops a duplicate within the deduplication window.
    pub(super) fn send(&mut self, message: &Outgoing, now: Timestamp) {
        match message.posting {
            Posting::Fifo { group, deduplication } => {
                if self.is_first_use(deduplication, now) {
                    self.append(message.body.clone(), Some(group), now, now);
                }
            }
            Posting::Standard { delay } => {
                self.append(message.body.clone(), None, now, now.plus(delay));
            }
        }
    }

    fn is_first_use(&mut self, id: DeduplicationId, now: Timestamp) -> bool {
        while let Some(&(at, old)) = self.used_at.first()
            && at.plus(DEDUPLICATION_WINDOW) <= now
        {
            self.used_at.pop_first();
            self.used_ids.remove(&old);
        }
        let is_new = self.used_ids.insert(id);
        if is_new {
            self.used_at.insert((now, id));
        }
        is_new
    }

    fn append(
        &mut self,
        body: String,
        group: Option<GroupId>,
        sent_at: Timestamp,
        visible_at: Timestamp,
    ) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let id = format!("{}-{sequence}", self.queue);
        self.hide(
            sequence,
            QueuedMessage { id, body, group, sent_at, visible_at, receive_count: 0 },
        );
    }

    fn hide(&mut self, sequence: u64, message: QueuedMessage) {
        self.due.insert((message.visible_at, sequence));
        self.hidden.insert(sequence, message);
    }

    fn unhide(&mut self, sequence: u64) -> Option<QueuedMessage> {
        let message = self.hidden.remove(&sequence)?;
        self.due.remove(&(message.visible_at, sequence));
        Some(message)
    }

    /// Applies what has become due since the last call: hidden messages become ready, and old ones are
    /// dropped.
    fn catch_up(&mut self, now: Timestamp) {
        while let Some(&(at, sequence)) = self.due.first()
            && at <= now
            && let Some(message) = self.unhide(sequence)
        {
            self.ready.insert(sequence, message);
        }
        // Messages are in the order of sending, so the oldest come first.
        while let Some(oldest) = self.ready.first_entry()
            && oldest.get().sent_at.plus(self.queue.retention()) <= now
        {
            oldest.remove();
        }
    }

    /// Receives up to `max` messages. They may include several of one group, in order, but none of a group
    /// that already had one in flight.
    pub(super) fn receive(
        &mut self,
        max: usize,
        visibility: Duration,
        now: Timestamp,
    ) -> Vec<Received> {
        self.catch_up(now);
        let blocked: BTreeSet<_> = self.hidden.values().filter_map(|held| held.group).collect();
        let is_free = |group: GroupId| !blocked.contains(&group);
        let mut received = vec![];
        let mut from = 0;
        while received.len() < max
            && let Some(sequence) = self.first_ready(from, is_free)
            && let Some(mut message) = self.ready.remove(&sequence)
        {
            from = sequence + 1;
            if message.receive_count >= MAX_RECEIVES {
                self.dead.insert(sequence, message);
                continue;
            }
            message.receive_count += 1;
            message.visible_at = now.plus(visibility);
            received.push(message.received(sequence, self.queue));
            self.hide(sequence, message);
        }
        received
    }

    fn first_ready(&self, from: u64, is_free: impl Fn(GroupId) -> bool) -> Option<u64> {
        let mut candidates = self.ready.range(from..);
        candidates.find(|(_, message)| message.group.is_none_or(&is_free)).map(|(key, _)| *key)
    }

    /// Returns when the next hidden message becomes ready.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Returns the message of a receipt, unless it was received again or became visible.
    fn in_flight(&self, receipt: &Receipt) -> Option<u64> {
        let name = receipt.0.strip_prefix(self.queue.name())?.strip_prefix('-')?;
        let (sequence, count) = name.split_once('-')?;
        let sequence = sequence.parse().ok()?;
        let message = self.hidden.get(&sequence)?;
        (count.parse() == Ok(message.receive_count)).then_some(sequence)
    }

    pub(super) fn acknowledge(&mut self, receipts: &[Receipt], now: Timestamp) {
        self.catch_up(now);
        for receipt in receipts {
            if let Some(sequence) = self.in_flight(receipt) {
                self.unhide(sequence);
            }
        }
    }

    pub(super) fn change_visibility(
        &mut self,
        receipts: &[Receipt],
        visibility: Duration,
        now: Timestamp,
    ) {
        self.catch_up(now);
        for receipt in receipts {
            if let Some(sequence) = self.in_flight(receipt)
                && let Some(message) = self.unhide(sequence)
            {
                self.hide(sequence, QueuedMessage { visible_at: now.plus(visibility), ..message });
            }
        }
    }

    pub(super) fn depth(&mut self, now: Timestamp) -> Depth {
        self.catch_up(now);
        let in_flight = self.hidden.values().filter(|held| held.receive_count > 0).count();
        Depth {
            waiting: self.ready.len() as u64,
            in_flight: in_flight as u64,
            delayed: (self.hidden.len() - in_flight) as u64,
            dead: self.dead.len() as u64,
        }
    }

    pub(super) fn dead_letters(&self, limit: usize) -> Vec<DeadLetter> {
        self.dead.values().take(limit).map(QueuedMessage::dead_letter).collect()
    }

    /// Sends dead letters again, as new messages that are not dropped as duplicates.
    pub(super) fn redrive(&mut self, selection: &Selection, now: Timestamp) -> u64 {
        let letters = self.take_dead_letters(selection);
        let count = letters.len() as u64;
        for letter in letters {
            self.append(letter.body, letter.group, now, now);
        }
        count
    }

    pub(super) fn drop_dead_letters(&mut self, selection: &Selection) -> u64 {
        self.take_dead_letters(selection).len() as u64
    }

    fn take_dead_letters(&mut self, selection: &Selection) -> Vec<QueuedMessage> {
        let chosen = self.dead.extract_if(.., |_, letter| selection.includes(&letter.id));
        chosen.map(|(_, letter)| letter).collect()
    }
}

impl QueuedMessage {
    fn received(&self, sequence: u64, queue: Queue) -> Received {
        Received {
            id: self.id.clone(),
            body: self.body.clone(),
            receipt: Receipt(format!("{queue}-{sequence}-{}", self.receive_count)),
            group: self.group.map(|group| group.to_string()),
            receive_count: self.receive_count,
            sent_at: self.sent_at,
        }
    }

    fn dead_letter(&self) -> DeadLetter {
        DeadLetter {
            id: self.id.clone(),
            body: self.body.clone(),
            group: self.group.map(|group| group.to_string()),
            sent_at: self.sent_at,
            receive_count: Some(self.receive_count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::testing;

    const HIDDEN: Duration = Duration::from_secs(30);

    fn fifo(body: &str, id: u8) -> Outgoing {
        testing::fifo("ann", body, [id; 16])
    }

    fn bodies(queue: &mut QueueState, at: Timestamp) -> Vec<String> {
        queue.receive(10, HIDDEN, at).into_iter().map(|message| message.body).collect()
    }

    #[test]
    fn old_messages_are_dropped_unread() {
        for queue in Queue::ALL {
            let end = Timestamp::default().plus(queue.retention());
            let message = match queue.is_fifo() {
                true => fifo("old", 1),
                false => Outgoing {
                    body: "old".to_owned(),
                    posting: Posting::Standard { delay: Duration::from_secs(900) },
                },
            };
            for (at, left) in [(end.minus(Duration::from_millis(1)), 1), (end, 0)] {
                let mut state = QueueState::new(queue);
                state.send(&message, Timestamp::default());
                assert_eq!(state.receive(1, HIDDEN, at).len(), left, "{queue} at {at}");
                assert_eq!(state.depth(at).waiting, 0);
            }
        }
    }

    #[test]
    fn a_received_message_also_grows_old() {
        let mut state = QueueState::new(Queue::Refresh);
        state.send(&fifo("old", 1), Timestamp::default());
        let almost = Timestamp::default().plus(Queue::Refresh.retention()).minus(HIDDEN / 2);
        assert_eq!(bodies(&mut state, almost), ["old"]);
        assert!(bodies(&mut state, almost.plus(HIDDEN)).is_empty());
        assert_eq!(state.depth(almost.plus(HIDDEN)), Depth::default());
    }

    #[test]
    fn an_id_counts_again_after_five_minutes() {
        let mut state = QueueState::new(Queue::Quotation);
        let start = Timestamp::from_secs(1000);
        let end = start.plus(Duration::from_secs(300));
        state.send(&fifo("first", 1), start);
        // A dropped duplicate does not extend the window.
        for at in [start, end.minus(Duration::from_millis(1)), end] {
            state.send(&fifo("again", 1), at);
            let sent = if at == end { 2 } else { 1 };
            assert_eq!(state.depth(at).waiting, sent, "at {at}");
        }
    }

    #[test]
    fn a_message_in_flight_blocks_those_of_its_group_that_came_back_before_it() {
        let mut state = QueueState::new(Queue::Quotation);
        let now = Timestamp::default();
        state.send(&fifo("1", 1), now);
        state.send(&fifo("2", 2), now);
        let received = state.receive(10, HIDDEN, now);
        assert_eq!(received.len(), 2);
        let receipts: Vec<_> = received.into_iter().map(|message| message.receipt).collect();
        state.change_visibility(&receipts[..1], Duration::ZERO, now);
        assert!(bodies(&mut state, now).is_empty());
        state.change_visibility(&receipts[1..], Duration::ZERO, now);
        assert_eq!(bodies(&mut state, now), ["1", "2"]);
    }

    #[test]
    fn a_receipt_of_another_queue_or_of_nothing_does_nothing() {
        let mut state = QueueState::new(Queue::Quotation);
        let now = Timestamp::default();
        state.send(&fifo("1", 1), now);
        let receipt = state.receive(1, HIDDEN, now).remove(0).receipt;
        for other in ["", "-", "quotation-0", "quotation-0-0", "refresh-0-1", "quotation-9-1"] {
            state.acknowledge(&[Receipt(other.to_owned())], now);
            assert_eq!(state.depth(now).in_flight, 1, "{other}");
        }
        state.acknowledge(&[receipt], now);
        assert_eq!(state.depth(now), Depth::default());
    }

    #[test]
    fn a_receipt_is_worth_nothing_once_its_time_is_over() {
        let mut state = QueueState::new(Queue::Provider);
        let (start, over) = (Timestamp::default(), Timestamp::default().plus(HIDDEN));
        state.send(&Outgoing::standard("1"), start);
        let receipt = state.receive(1, HIDDEN, start).remove(0).receipt;
        state.acknowledge(std::slice::from_ref(&receipt), over);
        state.change_visibility(&[receipt], HIDDEN, over);
        assert_eq!(bodies(&mut state, over), ["1"]);
    }
}
