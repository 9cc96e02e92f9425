//! Answers the jobs of a transaction.

use tokio::runtime::Handle;

use crate::supervisor::Supervisor;

/// Gives answers to waiting tasks.
///
/// An answer wakes a task. From a thread outside the runtime that costs a system call for nearly every
/// answer, from a task of the runtime for hardly any. So several answers are given by one task.
pub(super) struct Answers {
    /// The runtime in which the store was opened.
    runtime: Option<Handle>,
    supervisor: Supervisor,
}

impl Answers {
    /// Returns a giver for the caller's runtime. Without a runtime, answers are given on the thread that
    /// has them.
    pub(super) fn here(supervisor: &Supervisor) -> Self {
        Self { runtime: Handle::try_current().ok(), supervisor: supervisor.clone() }
    }

    /// Gives all of these answers.
    pub(super) fn give<J: Send + 'static>(&self, jobs: Vec<J>, answer: fn(J)) {
        match &self.runtime {
            Some(runtime) if jobs.len() > 1 => {
                let _entered = runtime.enter();
                let answers = async move { jobs.into_iter().for_each(answer) };
                self.supervisor.spawn("the answers of the store", answers);
            }
            _ => jobs.into_iter().for_each(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Returns the threads on which two answers were given.
    fn givers(answers: &Answers) -> [thread::ThreadId; 2] {
        let (told, hears) = mpsc::channel();
        let answer = |told: mpsc::Sender<_>| told.send(thread::current().id()).unwrap();
        answers.give(vec![told.clone(), told], answer);
        [(); 2].map(|()| hears.recv().unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn several_are_given_inside_the_runtime_and_one_where_it_is() {
        let answers = Answers::here(&Supervisor::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let here = thread::current().id();
                let [first, second] = givers(&answers);
                assert!(first == second && first != here);
                answers.give(vec![here], |asked| assert_eq!(thread::current().id(), asked));
            });
        });
    }

    #[test]
    fn without_a_runtime_they_are_given_where_they_are() {
        assert_eq!(givers(&Answers::here(&Supervisor::new())), [thread::current().id(); 2]);
    }
}
