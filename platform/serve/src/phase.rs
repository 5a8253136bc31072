//! What a connection waits for, and since when: the state that its parts share.

use crate::limits::Limits;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Why a body was cut. The server then answers in place of the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    #[error("the request's body took too long")]
    TooSlow,
    #[error("the request's body is larger than {limit} bytes")]
    TooLarge { limit: u64 },
}

/// What the parts of one connection know about it together. Only hyper's `poll` changes it.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    requests: u64,
    cut: Option<Cut>,
    unread: bool,
    /// Since when the other side owes us more of a body, or the taking of an answer.
    owed: Option<Instant>,
}

/// What a connection waits for from the other side, and since when. Ordered by who ends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waiting {
    /// The next request.
    ForARequest(Instant),
    /// The rest of a header or of a body, or that it takes its answer.
    WithinOne(Instant),
}

/// What the connection waits for.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A request; since when.
    Idle(Instant),
    /// The rest of a header; since when.
    Header(Instant),
    /// Us, or the body, which has a deadline of its own.
    Busy,
    /// The other side, to take an answer that hyper has in full; the socket has a deadline for that. When bytes of it were last
    /// handed to the kernel.
    Writing(Instant),
}

impl Default for State {
    fn default() -> Self {
        Self { phase: Phase::Idle(Instant::now()), requests: 0, cut: None, unread: false, owed: None }
    }
}

impl Shared {
    /// Notes that the handler's body was cut: the answer is the server's.
    pub(crate) fn cut(&self, cut: Cut) {
        self.state().cut = Some(cut);
    }

    /// Notes that the other side may still be sending a body that is not read.
    pub(crate) fn left_unread(&self) {
        self.state().unread = true;
    }

    /// Whether the other side may still be sending a body that is not read.
    pub(crate) fn is_unread(&self) -> bool {
        self.state().unread
    }

    /// Why the handler's body was cut, if it was.
    pub(crate) fn cut_of_body(&self) -> Option<Cut> {
        self.state().cut
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bytes_came(&self) {
        let mut state = self.state();
        if let Phase::Idle(_) = state.phase {
            state.phase = Phase::Header(Instant::now());
        }
    }

    pub(crate) fn request_came(&self) {
        let mut state = self.state();
        *state = State { phase: Phase::Busy, requests: state.requests + 1, ..State::default() };
    }

    /// Notes that the handler waits for more of the body.
    pub(crate) fn body_awaited(&self) {
        self.state().owed.get_or_insert_with(Instant::now);
    }

    /// Notes that more of the body is there, or its end.
    pub(crate) fn body_came(&self) {
        self.state().owed = None;
    }

    /// What it waits for, unless it is we who are at work.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let state = self.state();
        match state.phase {
            Phase::Idle(since) => Some(Waiting::ForARequest(since)),
            Phase::Header(since) => Some(Waiting::WithinOne(since)),
            Phase::Busy | Phase::Writing(_) => state.owed.map(Waiting::WithinOne),
        }
    }

    pub(crate) fn answered(&self) {
        self.state().phase = Phase::Writing(Instant::now());
    }

    /// Before bytes are handed to the kernel: what the other side does once it has them comes after this.
    pub(crate) fn writes(&self) {
        if let Phase::Writing(last) = &mut self.state().phase {
            *last = Instant::now();
        }
    }

    pub(crate) fn written(&self) {
        let mut state = self.state();
        if let Phase::Writing(last) = state.phase {
            state.phase = Phase::Idle(last);
            state.owed = None;
        }
    }

    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        match self.state().phase {
            Phase::Idle(since) => Some(since + limits.idle_time),
            Phase::Header(since) => Some(since + limits.header_time),
            Phase::Busy | Phase::Writing(_) => None,
        }
    }

    pub(crate) fn is_fresh(&self) -> bool {
        let state = self.state();
        state.requests == 0 && matches!(state.phase, Phase::Idle(_))
    }

    /// Whether the other side had more to say when we ended.
    pub(crate) fn is_cut_short(&self) -> bool {
        let state = self.state();
        state.unread || matches!(state.phase, Phase::Header(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_late_flush_makes_no_connection_younger_than_what_the_other_side_did_with_its_answer() {
        let (first, second) = (Shared::default(), Shared::default());
        for shared in [&first, &second] {
            shared.request_came();
            shared.answered();
            tokio::time::advance(Duration::from_millis(1)).await;
            shared.writes();
        }
        second.written();
        tokio::time::advance(Duration::from_secs(1)).await;
        first.written();
        assert!(first.waiting() < second.waiting());
    }
}
