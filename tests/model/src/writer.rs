//! The one writer on its data folder: what is durable when, what is asked before the first signature, what readers are shown.
//!
//! ```text
//! down ─ start ─> recalling ─> open ─ stage ─> staged ─ swap ─> swapped ─ tiles ─> publishing ─> checkpoint staged ─ publish ─> open
//! ```
//!
//! Witnesses are honest, and any of them may be slow for ever. The process is killed, the power goes, the folder is copied and put back, a
//! second process is started on it.

use crate::explore::Told;
use crate::head::{Batch, Head, certified, is_one_history, letter};
use stateright::{Model, Property};
use std::collections::BTreeSet;

/// How many witnesses there are, and how many of them are a quorum.
const WITNESSES: (u8, usize) = (3, 2);

/// The protocol with its rules and bounds.
#[derive(Clone, Debug)]
pub struct Writer {
    /// A batch is staged, durably, before its head is signed.
    pub stages_first: bool,
    /// The signed head is in the head store, durably, before a witness sees it.
    pub swaps_first: bool,
    /// The head store compares before it swaps.
    pub compares: bool,
    /// The lock lets one process at a time write.
    pub excludes: bool,
    /// A start discards staged batches that do not lead to the signed head.
    pub discards: bool,
    /// How many witnesses have said what they cosigned last before anything is signed: W - q + 1.
    pub asks: u32,
    /// Only a head that this log's key signed stops it; a size that a witness names does not.
    pub wants_proof: bool,
    /// A checkpoint is published after a quorum has cosigned it.
    pub waits_for_quorum: bool,
    /// A checkpoint is staged, durably, before readers see it.
    pub stages_checkpoint: bool,
    /// What is staged stays so until a sync has covered its tiles.
    pub settles_after_sync: bool,
    /// Bounds: how many batches, processes, kills, losses of power, and restored copies.
    pub bounds: Bounds,
    /// Whether the first witness names sizes that it never cosigned.
    pub first_witness_lies: bool,
}

/// How often what may happen.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Batches that are signed.
    pub batches: u8,
    /// Processes that may be up.
    pub processes: u8,
    /// How often a process is killed.
    pub kills: u8,
    /// How often the power goes.
    pub power: u8,
    /// How often the copy of the folder is put back.
    pub restores: u8,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            stages_first: true,
            swaps_first: true,
            compares: true,
            excludes: true,
            discards: true,
            asks: 2,
            wants_proof: true,
            waits_for_quorum: true,
            stages_checkpoint: true,
            settles_after_sync: true,
            bounds: Bounds { batches: 2, processes: 1, kills: 1, power: 1, restores: 1 },
            first_witness_lies: false,
        }
    }
}

/// A data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Folder {
    signed_head: Head,
    staged: BTreeSet<Batch>,
    tiles: BTreeSet<Batch>,
    checkpoint: Head,
    staged_checkpoint: Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Down,
    Recalling,
    Open,
    Staged,
    Swapped,
    Publishing,
    CheckpointStaged,
    Stopped,
    /// A witness has shown, or only named, more than is here.
    BackupRestored,
    /// A start found a signed head whose entries are nowhere, or a checkpoint beyond it.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    phase: Phase,
    signed: Head,
    batch: Option<Batch>,
    /// The witnesses that have said what they remember, a bit each.
    answered: u8,
}

/// The folder as it is read, as it is after a loss of power, and as it was copied; who is up; what witnesses and readers have seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    folder: Folder,
    durable: Folder,
    copy: Option<Folder>,
    processes: Vec<Process>,
    last_cosigned: Vec<Head>,
    cosigned: BTreeSet<(u8, Head)>,
    /// The newest checkpoint that readers were shown.
    shown: Head,
    made: u8,
    kills: u8,
    power: u8,
    restores: u8,
    /// Something was signed that contradicts what a quorum had cosigned by then.
    forked: bool,
}

/// A step of a process, a witness, or the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A process starts and recovers.
    Start(u8),
    /// A witness says what it cosigned last.
    Recall(u8, u8),
    /// A batch is staged.
    Stage(u8),
    /// The signed head is swapped.
    Swap(u8),
    /// Tiles are put, and not durable yet.
    PutTiles(u8),
    /// A witness is offered the signed head.
    Offer(u8, u8),
    /// A cosigned checkpoint is staged.
    StageCheckpoint(u8),
    /// Readers see it.
    Publish(u8),
    /// What was put becomes durable, and is staged no longer.
    Sync(u8),
    /// A process is killed.
    Kill(u8),
    /// The power goes.
    PowerLoss,
    /// Somebody copies the folder.
    Copy,
    /// Somebody puts the copy back.
    Restore,
}

impl Writer {
    fn step_of(&self, state: &mut State, who: u8, step: Step) -> Option<()> {
        let State { folder, durable, processes, last_cosigned, cosigned, shown, made, forked, .. } = state;
        let process = processes.get_mut(usize::from(who))?;
        match step {
            Step::Start(_) => {
                if !folder.staged_checkpoint.batches().is_empty()
                    && folder.staged_checkpoint.continues(&folder.checkpoint)
                {
                    folder.checkpoint = folder.staged_checkpoint.clone();
                }
                let head = folder.signed_head.clone();
                if !head.is_within(&[&folder.tiles, &folder.staged]) || !head.continues(&folder.checkpoint) {
                    process.phase = Phase::Refused;
                    return Some(());
                }
                folder.tiles.extend(head.batches());
                folder.staged.retain(|batch| !self.discards && !head.batches().contains(batch));
                *durable = folder.clone();
                *process = Process { phase: Phase::Recalling, signed: head, batch: None, answered: 0 };
                self.go_on_when_asked(process, &folder.checkpoint);
            }
            Step::Recall(_, witness) => {
                let last = last_cosigned.get(usize::from(witness))?;
                if process.answered & (1 << witness) != 0 {
                    return None;
                }
                if self.first_witness_lies && witness == 0 {
                    if self.wants_proof {
                        return None;
                    }
                    process.phase = Phase::BackupRestored;
                } else if process.signed.continues(last) {
                    process.answered |= 1 << witness;
                    self.go_on_when_asked(process, &folder.checkpoint);
                } else {
                    process.phase = Phase::BackupRestored;
                }
            }
            Step::Stage(_) => {
                let batch = process.batch.unwrap_or(Batch { by: who, number: *made });
                *made += u8::from(process.batch.is_none());
                folder.staged.insert(batch);
                durable.staged.insert(batch);
                process.phase = if process.phase == Phase::Open { Phase::Staged } else { Phase::Swapped };
                process.batch = Some(batch);
            }
            Step::Swap(_) => {
                let is_late = process.phase == Phase::Publishing;
                let batch = process.batch.unwrap_or(Batch { by: who, number: *made });
                *made += u8::from(process.batch.is_none());
                process.batch = Some(batch);
                let head = if is_late { process.signed.clone() } else { process.signed.with(batch) };
                if self.compares && !is_late && folder.signed_head != process.signed {
                    process.phase = Phase::Stopped;
                    return Some(());
                }
                *forked |= certified(cosigned, WITNESSES.1).iter().any(|known| !head.continues(known));
                if self.swaps_first || is_late {
                    folder.signed_head = head.clone();
                    durable.signed_head = head.clone();
                }
                process.signed = head;
                if !is_late {
                    process.phase = if self.stages_first { Phase::Swapped } else { Phase::Staged };
                }
            }
            Step::PutTiles(_) => {
                let batch = process.batch?;
                folder.tiles.insert(batch);
                if !self.settles_after_sync {
                    folder.staged.remove(&batch);
                    durable.staged.remove(&batch);
                }
                process.phase = Phase::Publishing;
            }
            Step::Offer(_, witness) => {
                let last = last_cosigned.get_mut(usize::from(witness))?;
                if !process.signed.continues(last) {
                    process.phase = Phase::BackupRestored;
                } else if cosigned.insert((witness, process.signed.clone())) {
                    *last = process.signed.clone();
                } else {
                    return None;
                }
            }
            Step::StageCheckpoint(_) => {
                if self.waits_for_quorum && !certified(cosigned, WITNESSES.1).contains(&process.signed) {
                    return None;
                }
                if self.stages_checkpoint {
                    folder.staged_checkpoint = process.signed.clone();
                    durable.staged_checkpoint = process.signed.clone();
                }
                process.phase = Phase::CheckpointStaged;
            }
            Step::Publish(_) => {
                folder.checkpoint = process.signed.clone();
                *shown = process.signed.clone();
                (process.phase, process.batch) = (Phase::Open, None);
            }
            Step::Sync(_) => {
                if durable.tiles == folder.tiles && durable.checkpoint == folder.checkpoint {
                    return None;
                }
                folder.staged.retain(|batch| !folder.tiles.contains(batch));
                *durable = folder.clone();
            }
            Step::Kill(_) => *process = Process::down(),
            Step::PowerLoss | Step::Copy | Step::Restore => return None,
        }
        Some(())
    }

    /// Nothing is signed before so many have answered.
    fn go_on_when_asked(&self, process: &mut Process, checkpoint: &Head) {
        if process.answered.count_ones() >= self.asks {
            process.phase = if process.signed == *checkpoint { Phase::Open } else { Phase::Publishing };
        }
    }

    fn may_start(&self, state: &State) -> bool {
        !self.excludes || state.processes.iter().all(|process| !process.is_up())
    }
}

impl Process {
    fn down() -> Self {
        Self { phase: Phase::Down, signed: Head::default(), batch: None, answered: 0 }
    }

    /// A stopped writer serves its readers and holds its lock.
    fn is_up(&self) -> bool {
        !matches!(self.phase, Phase::Down | Phase::Refused)
    }
}

impl State {
    fn all_down(&mut self) {
        self.processes.iter_mut().for_each(|process| *process = Process::down());
    }
}

impl Model for Writer {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            folder: Folder::default(),
            durable: Folder::default(),
            copy: None,
            processes: (0..self.bounds.processes).map(|_| Process::down()).collect(),
            last_cosigned: (0..WITNESSES.0).map(|_| Head::default()).collect(),
            cosigned: BTreeSet::new(),
            shown: Head::default(),
            made: 0,
            kills: 0,
            power: 0,
            restores: 0,
            forked: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let witnesses = 0..WITNESSES.0;
        for (who, process) in (0..).zip(&state.processes) {
            match process.phase {
                Phase::Down if self.may_start(state) => steps.push(Step::Start(who)),
                Phase::Recalling => steps.extend(witnesses.clone().map(|witness| Step::Recall(who, witness))),
                Phase::Open if state.made < self.bounds.batches => {
                    steps.push(if self.stages_first { Step::Stage(who) } else { Step::Swap(who) });
                }
                Phase::Staged => steps.push(if self.stages_first { Step::Swap(who) } else { Step::Stage(who) }),
                Phase::Swapped => steps.push(Step::PutTiles(who)),
                Phase::Publishing => {
                    steps.extend(witnesses.clone().map(|witness| Step::Offer(who, witness)));
                    steps.push(Step::StageCheckpoint(who));
                    if !self.swaps_first && state.folder.signed_head != process.signed {
                        steps.push(Step::Swap(who));
                    }
                }
                Phase::CheckpointStaged => steps.push(Step::Publish(who)),
                Phase::Down | Phase::Open | Phase::Stopped | Phase::BackupRestored | Phase::Refused => {}
            }
            if matches!(process.phase, Phase::Open | Phase::Staged | Phase::Publishing | Phase::CheckpointStaged) {
                steps.push(Step::Sync(who));
            }
            if process.is_up() && state.kills < self.bounds.kills {
                steps.push(Step::Kill(who));
            }
        }
        if state.power < self.bounds.power {
            steps.push(Step::PowerLoss);
        }
        if state.restores < self.bounds.restores {
            if state.copy.is_none() {
                steps.push(Step::Copy);
            } else if state.processes.iter().all(|process| !process.is_up()) {
                steps.push(Step::Restore);
            }
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        match step {
            Step::PowerLoss => {
                state.power += 1;
                state.folder = state.durable.clone();
                state.all_down();
            }
            Step::Copy => state.copy = Some(state.folder.clone()),
            Step::Restore => {
                state.restores += 1;
                state.folder = state.copy.clone()?;
                state.durable = state.folder.clone();
                // What readers were shown may be gone with it.
                state.shown = Head::default();
                state.all_down();
            }
            _ => {
                self.step_of(&mut state, step.who()?, step)?;
                state.kills += u8::from(matches!(step, Step::Kill(_)));
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut promises = vec![
            Property::always("no two histories have a quorum", |_, state: &State| {
                is_one_history(certified(&state.cosigned, WITNESSES.1))
            }),
            Property::always("nothing is signed that contradicts what a quorum had cosigned", |_, state: &State| {
                !state.forked
            }),
            Property::always("what a witness cosigned is in the head store", |_, state: &State| {
                state.restores > 0 || state.last_cosigned.iter().all(|last| state.durable.signed_head.continues(last))
            }),
            Property::always("the entries of the signed head are durable", |_, state: &State| {
                let Folder { signed_head, tiles, staged, .. } = &state.durable;
                signed_head.is_within(&[tiles, staged])
            }),
        ];
        // Two processes on one folder may stop each other and take readers back; what is signed is one history all the same.
        if self.excludes {
            promises.extend(self.promises_of_one_process());
        }
        promises
    }
}

impl Writer {
    fn promises_of_one_process(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a published head has a quorum", |_, state: &State| {
                let Folder { checkpoint, .. } = &state.folder;
                checkpoint.batches().is_empty() || certified(&state.cosigned, WITNESSES.1).contains(checkpoint)
            }),
            Property::always("a running log's published head never goes back", |_, state: &State| {
                state.folder.checkpoint.continues(&state.shown) || !state.processes.iter().any(Process::is_up)
            }),
            Property::always("a log whose folder was never put back is not refused", |_, state: &State| {
                let refused = |process: &Process| matches!(process.phase, Phase::BackupRestored | Phase::Refused);
                state.restores > 0 || !state.processes.iter().any(refused)
            }),
            Property::sometimes("every batch is published", |model, state: &State| {
                state.shown.batches().len() == usize::from(model.bounds.batches)
            }),
            Property::sometimes("a restored copy is refused", |model, state: &State| {
                model.bounds.restores == 0
                    || state.processes.iter().any(|process| process.phase == Phase::BackupRestored)
            }),
        ]
    }
}

impl Step {
    fn who(self) -> Option<u8> {
        match self {
            Self::PowerLoss | Self::Copy | Self::Restore => None,
            Self::Start(who)
            | Self::Recall(who, _)
            | Self::Stage(who)
            | Self::Swap(who)
            | Self::PutTiles(who)
            | Self::Offer(who, _)
            | Self::StageCheckpoint(who)
            | Self::Publish(who)
            | Self::Sync(who)
            | Self::Kill(who) => Some(who),
        }
    }
}

impl Told for Writer {
    fn tell(&self, before: &State, step: &Step, after: &State) -> String {
        let process = step.who().and_then(|who| after.processes.get(usize::from(who)));
        let name = step.who().map_or_else(String::new, |who| letter(who).to_string());
        let phase = process.map(|process| process.phase);
        let head = process.map(|process| process.signed.clone()).unwrap_or_default();
        let batch = process.and_then(|process| process.batch).map_or_else(String::new, |batch| batch.to_string());
        match step {
            Step::Start(_) if phase == Some(Phase::Refused) => format!("{name} starts and refuses what it finds"),
            Step::Start(_) => format!("{name} starts at {head}"),
            Step::Recall(_, witness) if phase == Some(Phase::BackupRestored) => {
                format!("w{witness} says that it has more, and {name} stops")
            }
            Step::Recall(_, witness) => format!("w{witness} knows no more"),
            Step::Stage(_) => format!("{name} stages {batch}"),
            Step::Swap(_) if phase == Some(Phase::Stopped) => format!("{name} finds another head and stops"),
            Step::Swap(_) if after.folder.signed_head == before.folder.signed_head => format!("{name} signs {head}"),
            Step::Swap(_) => format!("{name} signs and swaps {head}"),
            Step::PutTiles(_) => format!("{name} puts the tiles of {batch}"),
            Step::Offer(_, witness) if phase == Some(Phase::BackupRestored) => {
                format!("w{witness} shows {name} another head, and {name} stops")
            }
            Step::Offer(_, witness) => format!("w{witness} cosigns {head}"),
            Step::StageCheckpoint(_) if self.stages_checkpoint => format!("{name} stages the checkpoint {head}"),
            Step::StageCheckpoint(_) => format!("{name} has the checkpoint {head}"),
            Step::Publish(_) => format!("{name} publishes {head}"),
            Step::Sync(_) => format!("{name} syncs"),
            Step::Kill(_) => format!("{name} is killed"),
            Step::PowerLoss => "the power goes".into(),
            Step::Copy => format!("the folder is copied at {}", after.folder.signed_head),
            Step::Restore => format!("the copy of {} is put back", after.folder.signed_head),
        }
    }
}
