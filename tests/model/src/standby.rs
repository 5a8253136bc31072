//! A writer, and standbys that take over from it: the lock is a chain of records, each made only where none is and after the one before.
//!
//! ```text
//! standby ─ fence ─> recovering ─> open ─ stage ─> staged ─ append ─> appended ─ tiles ─> publishing ─> open
//! ```
//!
//! The words are those of `log-server/storage-objects` (`LockWatch::fence`, `LockedHead`) and of `recover` in `log-server/core`. Any writer may pause
//! between two steps for as long as it likes, and the first one may die. An append whose answer is lost stops its
//! writer. A lock that forgets is one whose server lost its newest record at a failover.

use crate::explore::Told;
use crate::head::{Batch, Head, certified, is_one_history, letter};
use stateright::{Model, Property};
use std::collections::{BTreeMap, BTreeSet};

/// How many witnesses there are.
const WITNESSES: u8 = 3;

/// What an append compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compares {
    /// The number and the content of the record before.
    Record,
    /// The number alone.
    Number,
    /// Nothing is compared: a record has the size of its tree as its name, and no two have the same.
    Size,
}

/// Which staged batches a take-over discards once it has finished its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discards {
    /// None.
    Nothing,
    /// Those that lead to trees no larger than its head.
    UpToHead,
    /// All.
    All,
}

/// The protocol with its rules and bounds.
#[derive(Clone, Debug)]
pub struct Standby {
    /// A take-over appends a fence before it reads anything else.
    pub fences: bool,
    /// The public checkpoint is replaced only where it is the one that the writer saw.
    pub replaces_what_it_saw: bool,
    /// What an append compares.
    pub compares: Compares,
    /// Which staged batches a take-over discards.
    pub discards: Discards,
    /// A take-over asks as many witnesses as share one with every quorum.
    pub asks: bool,
    /// How many witnesses are a quorum.
    pub quorum: u8,
    /// How often the lock loses its newest record.
    pub losses: u8,
    /// How many writers there are; all but the first begin as standbys.
    pub writers: u8,
}

impl Default for Standby {
    fn default() -> Self {
        Self {
            fences: true,
            replaces_what_it_saw: true,
            compares: Compares::Record,
            discards: Discards::UpToHead,
            asks: true,
            quorum: 2,
            losses: 0,
            writers: 2,
        }
    }
}

/// Who made a record: different for any two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Nonce {
    Start,
    Fence(u8),
    Head(Batch),
}

/// A record of the lock. Its number is its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Record {
    head: Head,
    nonce: Nonce,
}

/// How far a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Standby,
    Recovering,
    Open,
    Staged,
    Appended,
    Publishing,
    Stopped,
    /// A take-over found a signed head whose entries are nowhere.
    EntriesLost,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Writer {
    phase: Phase,
    /// Number and nonce of the newest record that it knows.
    known: Option<(usize, Nonce)>,
    head: Head,
    batch: Option<Batch>,
    made: u8,
    /// The checkpoint that it replaces.
    seen: Head,
}

/// What the store holds, what the witnesses remember, how far each writer is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    lock: Vec<Record>,
    /// Each with how many batches lead to its head.
    staged: BTreeMap<Batch, usize>,
    tiles: BTreeSet<Batch>,
    checkpoint: Head,
    went_back: bool,
    last_cosigned: Vec<Head>,
    cosigned: BTreeSet<(u8, Head)>,
    writers: Vec<Writer>,
    lost: u8,
}

/// A step of one writer, or of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The lock loses its newest record.
    Lose,
    /// A writer dies.
    Die(u8),
    /// A standby fences: it takes the lock over.
    Fence(u8),
    /// It finishes what was begun, and asks the witnesses.
    Recover(u8),
    /// A writer stages a batch.
    Stage(u8),
    /// It appends the head to the lock.
    Append(u8),
    /// It appends the head, and gets no answer.
    AppendUnanswered(u8),
    /// It puts the tiles.
    PutTiles(u8),
    /// A witness cosigns its head.
    Cosign(u8, u8),
    /// It replaces the public checkpoint.
    Publish(u8),
}

impl Standby {
    /// Whether an append of `head` after what the writer knows finds its place free.
    fn lands(&self, lock: &[Record], writer: &Writer, head: &Head) -> bool {
        let newest = lock.last().map(|record| record.nonce);
        match self.compares {
            Compares::Record => writer.known == newest.map(|nonce| (lock.len(), nonce)),
            Compares::Number => writer.known.is_some_and(|(number, _)| number == lock.len()),
            // Batches of different writers have different sizes.
            Compares::Size => {
                let size = |head: &Head| head.batches().iter().map(|batch| u32::from(batch.by) + 1).sum::<u32>();
                lock.iter().all(|record| size(&record.head) != size(head))
            }
        }
    }

    fn step_of(&self, state: &mut State, who: u8, step: Step) -> Option<()> {
        let asked = usize::from(WITNESSES - self.quorum + 1);
        let State { lock, staged, tiles, checkpoint, went_back, last_cosigned, cosigned, writers, .. } = state;
        let writer = writers.get_mut(usize::from(who))?;
        match step {
            Step::Lose => {}
            Step::Die(_) => writer.stop(),
            Step::Fence(_) => {
                let newest = lock.last()?.clone();
                (writer.head, writer.phase) = (newest.head.clone(), Phase::Recovering);
                if self.fences {
                    lock.push(Record { head: newest.head, nonce: Nonce::Fence(who) });
                }
                writer.known = Some((lock.len(), lock.last()?.nonce));
            }
            Step::Recover(_) => {
                let held = staged.keys().copied().collect();
                if !writer.head.is_within(&[tiles, &held]) {
                    writer.phase = Phase::EntriesLost;
                } else if self.asks && last_cosigned.iter().take(asked).any(|last| !writer.head.continues(last)) {
                    writer.stop();
                } else {
                    writer.phase = if writer.head == *checkpoint { Phase::Open } else { Phase::Publishing };
                    writer.seen = checkpoint.clone();
                    tiles.extend(writer.head.batches());
                    match self.discards {
                        Discards::Nothing => {}
                        Discards::UpToHead => staged.retain(|_, length| *length > writer.head.batches().len()),
                        Discards::All => staged.clear(),
                    }
                }
            }
            Step::Stage(_) => {
                let batch = Batch { by: who, number: writer.made };
                staged.insert(batch, writer.head.batches().len() + 1);
                (writer.batch, writer.phase) = (Some(batch), Phase::Staged);
                writer.made += 1;
            }
            Step::Append(_) | Step::AppendUnanswered(_) => {
                let batch = writer.batch?;
                let head = writer.head.with(batch);
                let lands = self.lands(lock, writer, &head);
                if !lands || step == Step::AppendUnanswered(who) {
                    writer.stop();
                } else {
                    (writer.phase, writer.head) = (Phase::Appended, head.clone());
                    writer.known = Some((lock.len() + 1, Nonce::Head(batch)));
                }
                if lands {
                    lock.push(Record { head, nonce: Nonce::Head(batch) });
                } else if step == Step::AppendUnanswered(who) {
                    return None;
                }
            }
            Step::PutTiles(_) => {
                let batch = writer.batch?;
                tiles.insert(batch);
                staged.remove(&batch);
                writer.phase = Phase::Publishing;
            }
            Step::Cosign(_, witness) => {
                let last = last_cosigned.get_mut(usize::from(witness))?;
                if !writer.head.continues(last) || !cosigned.insert((witness, writer.head.clone())) {
                    return None;
                }
                *last = writer.head.clone();
            }
            Step::Publish(_) => {
                let count = cosigned.iter().filter(|(_, head)| *head == writer.head).count();
                if count < usize::from(self.quorum) {
                    return None;
                }
                if self.replaces_what_it_saw && *checkpoint != writer.seen {
                    writer.stop();
                } else {
                    *went_back |= !writer.head.continues(checkpoint);
                    *checkpoint = writer.head.clone();
                    (writer.phase, writer.batch, writer.seen) = (Phase::Open, None, writer.head.clone());
                }
            }
        }
        Some(())
    }
}

impl Writer {
    /// What it knew is of no use any more.
    fn stop(&mut self) {
        *self = Self {
            phase: Phase::Stopped,
            known: None,
            head: Head::default(),
            batch: None,
            made: self.made,
            seen: Head::default(),
        };
    }
}

impl Model for Standby {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let writer = |who: u8| Writer {
            phase: if who == 0 { Phase::Open } else { Phase::Standby },
            known: (who == 0).then_some((1, Nonce::Start)),
            head: Head::default(),
            batch: None,
            made: 0,
            seen: Head::default(),
        };
        vec![State {
            lock: vec![Record { head: Head::default(), nonce: Nonce::Start }],
            staged: BTreeMap::new(),
            tiles: BTreeSet::new(),
            checkpoint: Head::default(),
            went_back: false,
            last_cosigned: (0..WITNESSES).map(|_| Head::default()).collect(),
            cosigned: BTreeSet::new(),
            writers: (0..self.writers).map(writer).collect(),
            lost: 0,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.lost < self.losses && state.lock.len() > 1 {
            steps.push(Step::Lose);
        }
        for (who, writer) in (0..).zip(&state.writers) {
            if who == 0 && !matches!(writer.phase, Phase::Stopped | Phase::EntriesLost) {
                steps.push(Step::Die(who));
            }
            match writer.phase {
                Phase::Standby => steps.push(Step::Fence(who)),
                Phase::Recovering => steps.push(Step::Recover(who)),
                // The first writer makes two batches, each standby one.
                Phase::Open if writer.made < if who == 0 { 2 } else { 1 } => steps.push(Step::Stage(who)),
                Phase::Staged => steps.extend([Step::Append(who), Step::AppendUnanswered(who)]),
                Phase::Appended => steps.push(Step::PutTiles(who)),
                Phase::Publishing => {
                    steps.extend((0..WITNESSES).map(|witness| Step::Cosign(who, witness)));
                    steps.push(Step::Publish(who));
                }
                Phase::Open | Phase::Stopped | Phase::EntriesLost => {}
            }
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        if step == Step::Lose {
            state.lock.pop();
            state.lost += 1;
            return Some(state);
        }
        self.step_of(&mut state, step.who()?, step)?;
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no two histories have a quorum", |model, state: &State| {
                is_one_history(certified(&state.cosigned, usize::from(model.quorum)))
            }),
            Property::always("the lock holds one history", |_, state: &State| {
                is_one_history(state.lock.iter().map(|record| &record.head))
            }),
            Property::always("the entries of the signed head are somewhere", |_, state: &State| {
                let held = |writer: &&Writer| writer.phase == Phase::Appended;
                let held = state.writers.iter().filter(held).filter_map(|writer| writer.batch).collect();
                let staged = state.staged.keys().copied().collect();
                state.lock.last().is_some_and(|newest| newest.head.is_within(&[&state.tiles, &staged, &held]))
            }),
            Property::always("a take-over finds the entries of its head", |_, state: &State| {
                state.writers.iter().all(|writer| writer.phase != Phase::EntriesLost)
            }),
            Property::always("the public checkpoint never goes back", |_, state: &State| !state.went_back),
            Property::sometimes("a standby publishes a batch of its own", |_, state: &State| {
                state.checkpoint.batches().iter().any(|batch| batch.by > 0)
            }),
            Property::sometimes("a writer that was overtaken has stopped", |_, state: &State| {
                state.writers.first().is_some_and(|writer| writer.phase == Phase::Stopped)
                    && state.checkpoint.batches().iter().any(|batch| batch.by == 0)
                    && state.checkpoint.batches().iter().any(|batch| batch.by > 0)
            }),
        ]
    }
}

impl Step {
    fn who(self) -> Option<u8> {
        match self {
            Self::Lose => None,
            Self::Die(who)
            | Self::Fence(who)
            | Self::Recover(who)
            | Self::Stage(who)
            | Self::Append(who)
            | Self::AppendUnanswered(who)
            | Self::PutTiles(who)
            | Self::Cosign(who, _)
            | Self::Publish(who) => Some(who),
        }
    }
}

impl Told for Standby {
    fn tell(&self, _: &State, step: &Step, after: &State) -> String {
        let Some(who) = step.who() else { return "the lock loses its newest record".into() };
        let name = letter(who);
        let Some(writer) = after.writers.get(usize::from(who)) else { return name.into() };
        let head = &writer.head;
        let stopped = writer.phase == Phase::Stopped;
        match step {
            Step::Lose | Step::Die(_) => format!("{name} dies"),
            Step::Fence(_) if self.fences => format!("{name} fences and reads {head}"),
            Step::Fence(_) => format!("{name} reads {head}"),
            Step::Recover(_) if writer.phase == Phase::EntriesLost => format!("{name} finds no entries of {head}"),
            Step::Recover(_) if stopped => format!("{name} stops: a witness knows more"),
            Step::Recover(_) if self.discards == Discards::All => {
                format!("{name} finishes {head} and discards what else is staged")
            }
            Step::Recover(_) => format!("{name} finishes {head}"),
            Step::Stage(_) => {
                format!("{name} stages {}", writer.batch.map_or_else(String::new, |batch| batch.to_string()))
            }
            Step::Append(_) if stopped => format!("{name} is overtaken and stops"),
            Step::Append(_) => format!("{name} appends {head}"),
            Step::AppendUnanswered(_) => format!("{name} appends, gets no answer and stops"),
            Step::PutTiles(_) => format!("{name} puts tiles"),
            Step::Cosign(_, witness) => format!("w{witness} cosigns {head}"),
            Step::Publish(_) if stopped => format!("{name} finds another checkpoint and stops"),
            Step::Publish(_) => format!("{name} publishes {head}"),
        }
    }
}
