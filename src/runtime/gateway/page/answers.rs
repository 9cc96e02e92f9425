//! The benefit of the cache as the page shows it: how many quotes were answered at once, how fast, and
//! how old the prices were.

use serde::Serialize;

use crate::model::Timestamp;
use crate::runtime::metrics::{Answers, SLOT};

/// How quotations were answered in the last minutes.
#[derive(Serialize)]
pub(super) struct AnswersView {
    slot_secs: u64,
    /// The figures of all slots together.
    all: Figures,
    slots: Vec<AnswersSlot>,
}

#[derive(Serialize)]
struct AnswersSlot {
    from: String,
    #[serde(flatten)]
    figures: Figures,
}

/// The figures of a period. A figure without measurements is null.
#[derive(Serialize)]
pub(super) struct Figures {
    at_once: u64,
    waited: u64,
    failed: u64,
    share_at_once: Option<f64>,
    p50_ms: Option<u64>,
    p99_ms: Option<u64>,
    wait_p50_ms: Option<u64>,
    wait_p99_ms: Option<u64>,
    age_p50_secs: Option<u64>,
    age_p99_secs: Option<u64>,
}

impl AnswersView {
    pub(super) fn of(course: &[(Timestamp, Answers)]) -> Self {
        let slot = |(from, answers): &(Timestamp, Answers)| AnswersSlot {
            from: from.to_string(),
            figures: Figures::of(answers),
        };
        Self {
            slot_secs: SLOT.as_secs(),
            all: Figures::of_all(course),
            slots: course.iter().map(slot).collect(),
        }
    }
}

impl Figures {
    pub(super) fn of_all(course: &[(Timestamp, Answers)]) -> Self {
        Self::of(&Answers::all(course.iter().map(|(_, answers)| answers)))
    }

    fn of(answers: &Answers) -> Self {
        Self {
            at_once: answers.at_once,
            waited: answers.waited,
            failed: answers.failed,
            share_at_once: answers.share_at_once(),
            p50_ms: answers.millis_at(0.5),
            p99_ms: answers.millis_at(0.99),
            wait_p50_ms: answers.wait_millis_at(0.5),
            wait_p99_ms: answers.wait_millis_at(0.99),
            age_p50_secs: answers.age_secs_at(0.5),
            age_p99_secs: answers.age_secs_at(0.99),
        }
    }
}
