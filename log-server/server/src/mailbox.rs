//! What waits for the sequencer: submissions, so many at most, answers of witnesses, and the word to stop.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stele_clock::Clock;
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::endpoint::WitnessAnswer;
use stele_log_core::sequencer_event::Event;
use stele_log_core::settings::Settings;
use stele_log_core::submission::{Reply, Submission, Unavailable};
use tokio::sync::oneshot;

/// Where a reply goes.
pub type ReplyTo = oneshot::Sender<Reply>;

/// The mailbox of the sequencer's thread. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Mailbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    most: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    submissions: VecDeque<(Box<Submission>, ReplyTo)>,
    answers: VecDeque<WitnessAnswer>,
    synced: Option<Result<u64, ObjectError>>,
    changed: Option<Arc<Settings>>,
    take_over: Option<Duration>,
    stop: bool,
    closed: bool,
}

/// What a standby's thread is woken by.
#[derive(Debug)]
pub enum Woken {
    /// The time is over.
    Idle,
    /// Settings to go on under.
    Changed(Arc<Settings>),
    /// It was told to take over, at this time of the steady clock.
    TakeOver(Duration),
    /// It is to stop.
    Stop,
}

impl Mailbox {
    /// An empty mailbox for at most so many submissions.
    pub fn new(most: usize) -> Self {
        Self { inner: Arc::new(Inner { waiting: Mutex::default(), changed: Condvar::new(), most }) }
    }

    /// Puts a submission, unless too many wait already or nobody will read it.
    pub fn submit(&self, submission: Submission, to: ReplyTo) -> Result<(), Unavailable> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(Unavailable::Stopping);
        }
        if waiting.submissions.len() >= self.inner.most {
            return Err(Unavailable::PoolFull);
        }
        waiting.submissions.push_back((Box::new(submission), to));
        self.inner.changed.notify_one();
        Ok(())
    }

    /// Puts an answer of a witness; whether it will be read.
    pub fn answer(&self, answer: WitnessAnswer) -> bool {
        let mut waiting = self.waiting();
        if !waiting.closed {
            waiting.answers.push_back(answer);
            self.inner.changed.notify_one();
        }
        !waiting.closed
    }

    /// Puts how a sync of the storage ended; one at a time is under way.
    pub fn synced(&self, outcome: Result<u64, ObjectError>) {
        self.waiting().synced = Some(outcome);
        self.inner.changed.notify_one();
    }

    /// Puts settings to go on under; newer ones take the place of those that were not read yet.
    pub fn change(&self, settings: Arc<Settings>) {
        self.waiting().changed = Some(settings);
        self.inner.changed.notify_one();
    }

    /// Asks a standby to take over, now by the steady clock; a writer takes no notice.
    pub fn take_over(&self, now: Duration) {
        self.waiting().take_over = Some(now);
        self.inner.changed.notify_one();
    }

    /// Waits as a standby, for so long at most. To stop stays asked for.
    pub fn rest(&self, wait: Duration) -> Woken {
        let is_quiet =
            |waiting: &mut Waiting| !waiting.stop && waiting.take_over.is_none() && waiting.changed.is_none();
        let waited = self.inner.changed.wait_timeout_while(self.waiting(), wait, is_quiet);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        if waiting.stop {
            return Woken::Stop;
        }
        if let Some(settings) = waiting.changed.take() {
            return Woken::Changed(settings);
        }
        waiting.take_over.take().map_or(Woken::Idle, Woken::TakeOver)
    }

    /// How many submissions wait for the sequencer.
    pub fn queued(&self) -> usize {
        self.waiting().submissions.len()
    }

    /// Asks the sequencer to stop.
    pub fn stop(&self) {
        self.waiting().stop = true;
        self.inner.changed.notify_one();
    }

    /// Takes nothing any more, and refuses what waits.
    pub fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        for (_, to) in std::mem::take(&mut waiting.submissions) {
            // Who has gone away finds out when asking again.
            let _ = to.send(Reply::Unavailable(Unavailable::Stopping));
        }
    }

    /// Waits for the next event. A submission is one only where it is accepted; `wake_at` is by the steady clock.
    pub fn wait(&self, clock: &dyn Clock, accepts: bool, wake_at: Option<Duration>) -> Event<ReplyTo> {
        let mut waiting = self.waiting();
        loop {
            if let Some(answer) = waiting.answers.pop_front() {
                return Event::Answered(answer);
            }
            if let Some(outcome) = waiting.synced.take() {
                return Event::Synced(outcome);
            }
            if let Some(settings) = waiting.changed.take() {
                return Event::Changed { settings, without: Vec::new() };
            }
            if std::mem::take(&mut waiting.stop) {
                return Event::Stop;
            }
            if accepts && let Some((submission, to)) = waiting.submissions.pop_front() {
                return Event::Submitted(submission, to);
            }
            let changed = &self.inner.changed;
            waiting = match wake_at.map(|wake_at| wake_at.saturating_sub(clock.steady())) {
                Some(Duration::ZERO) => return Event::Idle,
                Some(wait) => changed.wait_timeout(waiting, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
