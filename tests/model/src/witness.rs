//! One witness and a log whose key signs any head: what is compared, what is durable before an answer, what a start refuses.
//!
//! ```text
//! request ─ decide ─> decided ─ mark: intent ─> marked ─ state ─> recorded ─ answer ─> given out
//! ```
//!
//! The process is killed, the clock is set, a copy of the state is put back.

use crate::explore::Told;
use crate::head::{Batch, Head, is_one_history};
use stateright::{Model, Property};
use std::collections::BTreeSet;

/// The clock shows 0 to this.
const LATEST: u8 = 2;

/// How many requests for one log are in memory at once.
const REQUESTS: usize = 2;

/// The protocol with its rules and bounds.
#[derive(Clone, Debug)]
pub struct Witness {
    /// A head is cosigned only where it continues the one cosigned last.
    pub checks_consistency: bool,
    /// A cosignature is given out after its head is recorded.
    pub records_first: bool,
    /// Requests for one log wait for each other.
    pub one_at_a_time: bool,
    /// No time is signed that is older than the one before.
    pub time_never_back: bool,
    /// The mark says what is about to be recorded before the state is written.
    pub marks_first: bool,
    /// A start compares the state with the mark.
    pub compares_mark: bool,
    /// State and mark are never put back together.
    pub keeps_marks_apart: bool,
    /// How often the process is killed.
    pub kills: u8,
    /// How often the clock is set.
    pub clock_changes: u8,
}

impl Default for Witness {
    fn default() -> Self {
        Self {
            checks_consistency: true,
            records_first: true,
            one_at_a_time: true,
            time_never_back: true,
            marks_first: true,
            compares_mark: true,
            keeps_marks_apart: true,
            kills: 2,
            clock_changes: 2,
        }
    }
}

/// What was cosigned last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct LastCosigned {
    head: Head,
    time: u8,
}

/// The second file: what the state holds, or is about to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Mark {
    is_settled: bool,
    previous: LastCosigned,
    record: LastCosigned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Decided,
    Marked,
    Recorded,
    /// Given out, and not recorded yet: only without the rule.
    Answered,
    AnsweredAndMarked,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    phase: Phase,
    cosigned: LastCosigned,
}

/// The files, the process, and what was given out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    state: LastCosigned,
    mark: Mark,
    copy: Option<(LastCosigned, Mark)>,
    /// What the process holds to be the last; `None` while it is down.
    last: Option<LastCosigned>,
    pending: Vec<Option<Pending>>,
    clock: u8,
    given: BTreeSet<Head>,
    newest_time: u8,
    went_back: bool,
    refused: bool,
    was_put_back: bool,
    kills: u8,
    clock_changes: u8,
}

/// A step of the witness, or of its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The log offers a head, and it is decided on.
    Request(usize, Head),
    /// The mark is written.
    Mark(usize),
    /// The state is written.
    Record(usize),
    /// The cosignature is given out.
    Answer(usize),
    /// The process is killed.
    Kill,
    /// It starts.
    Start,
    /// The clock is set.
    SetClock(u8),
    /// Somebody copies the state.
    Copy,
    /// Somebody puts the copy back.
    Restore,
}

/// What the log's key signs: two histories.
fn signed() -> [Head; 4] {
    let [a, b, c] = [(0, 0), (0, 1), (1, 0)].map(|(by, number)| Batch { by, number });
    [Head::of(&[a]), Head::of(&[a, b]), Head::of(&[c]), Head::of(&[c, b])]
}

impl Witness {
    fn step_of(&self, state: &mut State, at: usize, step: &Step) -> Option<()> {
        let last = state.last.clone()?;
        let slot = state.pending.get_mut(at)?;
        if let Step::Request(_, head) = step {
            let grows = head.continues(&last.head) || !self.checks_consistency;
            let in_time = state.clock >= last.time || !self.time_never_back;
            if slot.is_some() || !grows || !in_time {
                return None;
            }
            let cosigned = LastCosigned { head: head.clone(), time: state.clock };
            if cosigned == last {
                return None;
            }
            *slot = Some(Pending { phase: Phase::Decided, cosigned });
            return Some(());
        }
        let pending = slot.as_mut()?;
        match (step, pending.phase) {
            (Step::Mark(_), Phase::Decided | Phase::Answered) => {
                state.mark =
                    Mark { is_settled: false, previous: state.state.clone(), record: pending.cosigned.clone() };
                let is_answered = pending.phase == Phase::Answered;
                pending.phase = if is_answered { Phase::AnsweredAndMarked } else { Phase::Marked };
            }
            (Step::Record(_), phase) => {
                let is_marked = matches!(phase, Phase::Marked | Phase::AnsweredAndMarked);
                let is_answered = matches!(phase, Phase::Answered | Phase::AnsweredAndMarked);
                if phase == Phase::Recorded || (!is_marked && self.marks_first) {
                    return None;
                }
                state.state = pending.cosigned.clone();
                state.mark.is_settled |= is_marked;
                pending.phase = Phase::Recorded;
                if is_answered {
                    state.last = Some(pending.cosigned.clone());
                    *slot = None;
                }
            }
            (Step::Answer(_), phase) => {
                let is_due = if self.records_first { phase == Phase::Recorded } else { phase == Phase::Decided };
                if !is_due {
                    return None;
                }
                let LastCosigned { head, time } = pending.cosigned.clone();
                state.went_back |= time < state.newest_time;
                state.newest_time = state.newest_time.max(time);
                state.given.insert(head);
                state.last = Some(pending.cosigned.clone());
                if phase == Phase::Recorded {
                    // Without the rule the mark comes last.
                    if !self.marks_first {
                        state.mark = Mark { is_settled: true, record: pending.cosigned.clone(), ..Mark::default() };
                    }
                    *slot = None;
                } else {
                    pending.phase = Phase::Answered;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// What a start finds: the state that the mark names, or the one before where the mark came first.
    fn start(&self, state: &mut State) {
        let Mark { is_settled, previous, record } = &state.mark;
        let fits = state.state == *record || (!is_settled && state.state == *previous);
        if self.compares_mark && !fits {
            state.refused = true;
            return;
        }
        if self.compares_mark {
            state.state = record.clone();
            state.mark.is_settled = true;
        }
        state.last = Some(state.state.clone());
    }
}

impl Model for Witness {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let mark = Mark { is_settled: true, ..Mark::default() };
        vec![State {
            state: LastCosigned::default(),
            mark,
            copy: None,
            last: Some(LastCosigned::default()),
            pending: vec![None; REQUESTS],
            clock: 1,
            given: BTreeSet::new(),
            newest_time: 0,
            went_back: false,
            refused: false,
            was_put_back: false,
            kills: 0,
            clock_changes: 0,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.last.is_some() {
            let is_free = state.pending.iter().all(Option::is_none) || !self.one_at_a_time;
            for (at, pending) in state.pending.iter().enumerate() {
                match pending {
                    None if is_free => steps.extend(signed().map(|head| Step::Request(at, head))),
                    None => {}
                    Some(_) => steps.extend([Step::Mark(at), Step::Record(at), Step::Answer(at)]),
                }
            }
            if state.kills < self.kills {
                steps.push(Step::Kill);
            }
        } else {
            if !state.refused {
                steps.push(Step::Start);
            }
            if state.copy.is_some() && !state.was_put_back {
                steps.push(Step::Restore);
            }
        }
        if state.copy.is_none() {
            steps.push(Step::Copy);
        }
        if state.clock_changes < self.clock_changes {
            steps.extend((0..=LATEST).filter(|time| *time != state.clock).map(Step::SetClock));
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        match &step {
            Step::Request(at, _) | Step::Mark(at) | Step::Record(at) | Step::Answer(at) => {
                self.step_of(&mut state, *at, &step)?;
            }
            Step::Kill => {
                state.kills += 1;
                state.last = None;
                state.pending.iter_mut().for_each(|pending| *pending = None);
            }
            Step::Start => self.start(&mut state),
            Step::SetClock(time) => (state.clock, state.clock_changes) = (*time, state.clock_changes + 1),
            Step::Copy => state.copy = Some((state.state.clone(), state.mark.clone())),
            Step::Restore => {
                let (copied, mark) = state.copy.clone()?;
                state.state = copied;
                if !self.keeps_marks_apart {
                    state.mark = mark;
                }
                (state.was_put_back, state.refused) = (true, false);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a witness cosigns one history", |_, state: &State| is_one_history(&state.given)),
            Property::always("a witness never signs an older time", |_, state: &State| !state.went_back),
            Property::always("a witness starts on its own files", |_, state: &State| {
                !state.refused || state.was_put_back
            }),
            Property::sometimes("two heads are cosigned", |_, state: &State| state.given.len() > 1),
            Property::sometimes("a state that was put back is refused", |_, state: &State| state.refused),
        ]
    }
}

impl Told for Witness {
    fn tell(&self, _: &State, step: &Step, after: &State) -> String {
        let of = |at: &usize| {
            let pending = after.pending.get(*at).and_then(Option::as_ref);
            pending.map_or_else(|| format!("request {}", at + 1), |pending| pending.cosigned.head.to_string())
        };
        match step {
            Step::Request(_, head) => format!("{head} is asked for at time {} and granted", after.clock),
            Step::Mark(at) => format!("the mark names {}", of(at)),
            Step::Record(at) => format!("{} is recorded", of(at)),
            Step::Answer(_) => {
                format!("{} is given out", after.last.as_ref().map_or_else(String::new, |last| last.head.to_string()))
            }
            Step::Kill => "the witness is killed".into(),
            Step::Start if after.refused => "it does not start".into(),
            Step::Start => "it starts".into(),
            Step::SetClock(time) => format!("the clock is set to {time}"),
            Step::Copy => "the state is copied".into(),
            Step::Restore => "the copy is put back".into(),
        }
    }
}
