//! The state of each log: one durable compare-and-swap file, and the mark that says when that file is not the newest.
//!
//! # Order of a change
//! mark (intent) -> state -> answer, and soon after: mark (settled). Each is a compare-and-swap that is on the disk when it returns.
//! The settling only serves to tell a restored state from an interrupted change, so it need not be waited for: a log that is
//! busy settles once a second, and the next change goes on top of an intent as well.
//!
//! A record is on the disk once it is in a journal of its folder, and in the file of its log soon after ([`crate::group_commit`]). "The
//! state" and "the mark" here are the file with what the journal beside it knows of how it went on: an older file is made up for, an
//! older folder is not.
//!
//! # What is found at a start, or after an error
//! | mark | state | then |
//! |---|---|---|
//! | none | | refused: a log begins with `logs add`, which makes both |
//! | any | missing | refused: the state was lost |
//! | any | the mark's record | goes on (an intent is settled first) |
//! | intent | the record before the mark's | goes on with the mark's record: we were killed in between, and had answered nobody |
//! | any | older | refused: a backup was restored |
//! | any | newer, or another one | refused: the mark was restored, or somebody else wrote |
//!
//! # After an error while we run
//! Until the files have been read again nothing is signed, since either content may be there. An error of a sync, or
//! content that we did not write, ends the work on this log until an operator has looked and started us again.

mod error;

pub use error::StateError;

use std::path::{Path, PathBuf};

use stele_durable::compare_and_swap::MAX_CONTENT;
use stele_durable::{Dir, DurableError, Put};
use stele_spec::checkpoint::Origin;
use stele_spec::hash::Digest;

use crate::group_commit::{Beside, CasCell, GroupCommit, JournalView};
use crate::mark::{Mark, Phase};
use crate::record::{Cosigned, LastCosigned, RecordError};
use crate::signer::WitnessKeys;
use crate::trusted_log::TrustedLog;

/// How often two files that contradict each other are looked at from beside.
const LOOKS: u32 = 4;

/// The folders of the states and of the marks. What one witness does goes through one states.
#[derive(Clone, Debug)]
pub struct StateStore {
    state: GroupCommit,
    marks: GroupCommit,
    own: WitnessKeys,
}

/// States and marks as somebody sees them who has no lock: the journals as they were read once, the files as they are.
#[derive(Clone, Debug)]
pub struct StateView {
    store: StateStore,
    marks: JournalView,
    state: JournalView,
}

/// The state of one log. A holder of `&mut` is the only one to decide on this log.
#[derive(Debug)]
pub struct LogState {
    origin: Origin,
    own: WitnessKeys,
    state: CasCell,
    mark: CasCell,
    state_path: PathBuf,
    mark_path: PathBuf,
    condition: Condition,
}

#[derive(Debug)]
enum Condition {
    /// Files and memory agree.
    Known(StateFiles),
    /// An error left the files in one of two contents.
    Uncertain,
    /// Nothing more is signed.
    Stopped(String),
}

/// The files as we know them: their bytes are made again from this, so that a log costs little memory.
#[derive(Clone, Debug)]
struct StateFiles {
    record: LastCosigned,
    phase: Phase,
    previous: Digest,
}

impl StateFiles {
    fn state(&self) -> Vec<u8> {
        self.record.to_bytes()
    }

    fn mark(&self) -> Mark {
        Mark { phase: self.phase, previous: self.previous, record: self.state() }
    }
}

impl StateStore {
    /// Opens the folders, creating them when missing.
    pub fn open(state: &Path, marks: &Path, own: WitnessKeys, beside: Beside) -> Result<Self, DurableError> {
        let [state, marks] = [Dir::open(state)?, Dir::open(marks)?].map(|dir| GroupCommit::new(dir, beside));
        Ok(Self::of(state, marks, own))
    }

    /// States and marks in folders that are open.
    pub fn of(state: GroupCommit, marks: GroupCommit, own: WitnessKeys) -> Self {
        Self { state, marks, own }
    }

    /// Finishes what a killed process had recorded of many logs together. Only for the process that has the lock of the folder.
    pub fn recover(&self) -> Result<(), StateError> {
        self.marks.recover()?;
        Ok(self.state.recover()?)
    }

    /// Writes what was recorded of many logs together to the files of each.
    pub fn flush(&self) -> Result<(), StateError> {
        self.marks.flush()?;
        Ok(self.state.flush()?)
    }

    /// Begins a log: state first, then mark. A log that was here before is taken up where it was, or refused as at a
    /// start.
    pub fn begin(&self, origin: &Origin) -> Result<(), StateError> {
        let name = origin.digest().to_string();
        let record = LastCosigned::Nothing(origin.clone()).to_bytes();
        if self.marks.dir().exists(&name)? {
            return self.view()?.look_once(origin).map(|_| ());
        }
        let mark = Mark { phase: Phase::Settled, previous: Digest::of(&record), record: record.clone() };
        match self.state.dir().put_if_absent(&name, &record) {
            Ok(Put::New | Put::Same) => {}
            Err(DurableError::Differs { .. }) => {
                return Err(StateError::NoMark { origin: origin.clone(), mark: self.marks.dir().path_of(&name) });
            }
            Err(error) => return Err(error.into()),
        }
        self.marks.dir().put_if_absent(&name, &mark.to_bytes())?;
        Ok(())
    }

    /// A view from beside, also while a witness runs: it changes nothing.
    pub fn view(&self) -> Result<StateView, StateError> {
        Ok(StateView { marks: self.marks.view()?, state: self.state.view()?, store: self.clone() })
    }

    fn look_once(&self, view: &StateView, origin: &Origin) -> Result<LastCosigned, StateError> {
        let state = self.unread(origin);
        let name = origin.digest().to_string();
        let no_mark = || StateError::NoMark { origin: origin.clone(), mark: state.mark_path.clone() };
        let bytes = self.marks.peek(&view.marks, &name)?.ok_or_else(no_mark)?;
        let mark = Mark::parse(&bytes).ok_or_else(|| StateError::NotAMark { path: state.mark_path.clone() })?;
        let marked = state.parse(&mark.record, &state.mark_path)?;
        let missing = || StateError::Missing {
            origin: origin.clone(),
            path: state.state_path.clone(),
            marked: marked.head().size,
        };
        let found = self.state.peek(&view.state, &name)?.ok_or_else(missing)?;
        let interrupted = mark.phase == Phase::Intent && Digest::of(&found) == mark.previous;
        if found == mark.record || interrupted { Ok(marked) } else { Err(state.disagreement(&found, &marked)?) }
    }

    /// Takes up a log, after all the checks of a start, with what was cosigned last.
    ///
    /// A change that was interrupted, and that a full disk does not let us finish, keeps nobody from starting: it is finished when
    /// there is room, before anything else is signed.
    pub fn load(&self, origin: &Origin) -> Result<(LogState, LastCosigned), StateError> {
        let mut state = self.unread(origin);
        let record = match state.record() {
            Ok(record) => record.clone(),
            Err(error) if error.is_disk_full() => {
                tracing::warn!(%origin, "the disk is full: a change that was interrupted is finished when there is room");
                self.view()?.look_once(origin)?
            }
            Err(error) => return Err(error),
        };
        Ok((state, record))
    }

    /// Puts a checkpoint that carries our own cosignature in place of a state that was lost or restored.
    ///
    /// Refused when the state or the mark that is there knows of anything newer. Nobody else may have the state open.
    pub fn adopt(&self, adopted: &Cosigned) -> Result<(), StateError> {
        let origin = adopted.checkpoint().origin();
        let state = self.unread(origin);
        let marked = state.mark.load()?.and_then(|bytes| Mark::parse(&bytes)).map(|mark| mark.record);
        for known in [state.state.load()?, marked].into_iter().flatten() {
            let Ok(known) = LastCosigned::parse(&known, origin, &self.own) else { continue };
            let (offered, known_age) = (age_of(adopted), age(&known));
            let forks = offered.0 == known_age.0 && adopted.checkpoint().root() != known.head().root;
            if offered.0 < known_age.0 || offered.1 < known_age.1 || forks {
                return Err(StateError::AdoptsOlder { origin: origin.clone(), offered, known: known_age });
            }
        }
        let (name, record) = (origin.digest().to_string(), adopted.to_bytes());
        let mark = Mark { phase: Phase::Settled, previous: Digest::of(&record), record: record.clone() };
        // The mark first: killed in between, the next start refuses again.
        self.marks.dir().replace(&name, &mark.to_bytes())?;
        Ok(self.state.dir().replace(&name, &record)?)
    }

    fn unread(&self, origin: &Origin) -> LogState {
        let name = origin.digest().to_string();
        LogState {
            origin: origin.clone(),
            own: self.own.clone(),
            state: self.state.cell(&name),
            mark: self.marks.cell(&name),
            state_path: self.state.dir().path_of(&name),
            mark_path: self.marks.dir().path_of(&name),
            condition: Condition::Uncertain,
        }
    }
}

impl StateView {
    /// What the files of a log say. Mark and state are read one after the other, and a witness that runs may have been in between: where
    /// they contradict each other both are read again after `pause`.
    pub fn look(&mut self, origin: &Origin, pause: impl Fn()) -> Result<LastCosigned, StateError> {
        for _ in 1..LOOKS {
            match self.look_once(origin) {
                Err(StateError::Older { .. } | StateError::Contradiction { .. }) => pause(),
                looked => return looked,
            }
            *self = self.store.view()?;
        }
        self.look_once(origin)
    }

    fn look_once(&self, origin: &Origin) -> Result<LastCosigned, StateError> {
        self.store.look_once(self, origin)
    }
}

/// Reads a checkpoint of `log` with our cosignature from a note, or from the record in a mark.
///
/// Of its lines only the log's and ours are kept, after they were verified.
pub fn read_adoptable(path: &Path, log: &TrustedLog, own: &WitnessKeys) -> Result<Cosigned, StateError> {
    let unreadable = |reason| StateError::Unreadable { path: path.to_owned(), reason };
    let missing = || StateError::NotAMark { path: path.to_owned() };
    let bytes = stele_durable::read_file(path, MAX_CONTENT)?.ok_or_else(missing)?;
    let record = Mark::parse(&bytes).map_or(bytes, |mark| mark.record);
    let cosigned = Cosigned::parse(&record, log.origin(), own).map_err(unreadable)?;
    let verified = log.verify(cosigned.note()).map_err(|error| unreadable(RecordError::Checkpoint(error)))?;
    cosigned.reduced_to(&verified).map_err(unreadable)
}

impl LogState {
    /// What was cosigned last. After an error the files are read again first.
    pub fn record(&mut self) -> Result<&LastCosigned, StateError> {
        if matches!(self.condition, Condition::Uncertain) {
            self.settle()?;
        }
        match &self.condition {
            Condition::Known(known) => Ok(&known.record),
            Condition::Uncertain => Err(self.stopped("its files could not be read again")),
            Condition::Stopped(reason) => Err(self.stopped(reason)),
        }
    }

    /// Records a cosigned checkpoint durably. Only after `Ok` its cosignature may leave us.
    pub fn advance(&mut self, next: &Cosigned) -> Result<(), StateError> {
        self.record()?;
        let Condition::Known(known) = std::mem::replace(&mut self.condition, Condition::Uncertain) else {
            return Err(self.stopped("its files could not be read again"));
        };
        let before = known.state();
        let intent = Mark { phase: Phase::Intent, previous: Digest::of(&before), record: next.to_bytes() };
        let written = self.write(&known.mark().to_bytes(), &before, &intent);
        self.remember(written)?;
        let record = LastCosigned::Cosigned(Box::new(next.clone()));
        self.condition = Condition::Known(StateFiles { record, phase: Phase::Intent, previous: intent.previous });
        Ok(())
    }

    /// Lets the mark say that the change is done. From then on a state from before it is known for a restored one.
    pub fn settle_mark(&mut self) -> Result<(), StateError> {
        let Condition::Known(known @ StateFiles { phase: Phase::Intent, .. }) = &self.condition else { return Ok(()) };
        let intent = known.mark();
        let before = intent.to_bytes();
        let swapped = self.mark.swap(Some(&before), &intent.settled().to_bytes()).map_err(StateError::from);
        match self.remember(swapped) {
            Ok(()) => {
                if let Condition::Known(known) = &mut self.condition {
                    known.phase = Phase::Settled;
                }
                Ok(())
            }
            Err(error) => {
                // The mark has one of two contents: nothing more is signed before a look at the files.
                if matches!(self.condition, Condition::Known(_)) {
                    self.condition = Condition::Uncertain;
                }
                Err(error)
            }
        }
    }

    /// Reads the file from the disk again and verifies it as if it were new.
    pub fn check(&mut self) -> Result<&LastCosigned, StateError> {
        self.record()?;
        let on_disk = self.state.load()?;
        if let Condition::Known(known) = &self.condition
            && on_disk != Some(known.state())
        {
            let reason = format!("{} was changed by somebody else", self.state_path.display());
            self.condition = Condition::Stopped(reason);
        }
        if let Some(bytes) = on_disk {
            self.parse(&bytes, &self.state_path)?;
        }
        self.record()
    }

    fn write(&self, mark: &[u8], state: &[u8], intent: &Mark) -> Result<(), StateError> {
        self.mark.swap(Some(mark), &intent.to_bytes())?;
        self.state.swap(Some(state), &intent.record)?;
        Ok(())
    }

    /// After an error that no second look can mend, nothing more is signed.
    fn remember<T>(&mut self, outcome: Result<T, StateError>) -> Result<T, StateError> {
        if let Err(error) = &outcome
            && error.is_final()
        {
            self.condition = Condition::Stopped(stele_explain::text(error).trim_end().to_owned());
        }
        outcome
    }

    fn settle(&mut self) -> Result<(), StateError> {
        let read = self.read();
        let known = self.remember(read)?;
        self.condition = Condition::Known(known);
        Ok(())
    }

    /// The table in the module documentation.
    fn read(&self) -> Result<StateFiles, StateError> {
        let no_mark = || StateError::NoMark { origin: self.origin.clone(), mark: self.mark_path.clone() };
        let mark_bytes = self.mark.load()?.ok_or_else(no_mark)?;
        let mark = Mark::parse(&mark_bytes).ok_or_else(|| StateError::NotAMark { path: self.mark_path.clone() })?;
        let record = self.parse(&mark.record, &self.mark_path)?;
        let state = self.state.load()?.ok_or_else(|| StateError::Missing {
            origin: self.origin.clone(),
            path: self.state_path.clone(),
            marked: record.head().size,
        })?;
        let interrupted = mark.phase == Phase::Intent && Digest::of(&state) == mark.previous;
        if state != mark.record && !interrupted {
            return Err(self.disagreement(&state, &record)?);
        }
        if mark.phase == Phase::Intent {
            // Written even where it is there already: the process that renamed it may have been killed before the sync.
            tracing::warn!(origin = %self.origin, size = record.head().size, "finishing a change that was interrupted");
            self.state.swap(Some(&state), &mark.record)?;
            self.mark.swap(Some(&mark_bytes), &mark.clone().settled().to_bytes())?;
        }
        Ok(StateFiles { record, phase: Phase::Settled, previous: mark.previous })
    }

    fn disagreement(&self, state: &[u8], marked: &LastCosigned) -> Result<StateError, StateError> {
        let (found, marked) = (age(&self.parse(state, &self.state_path)?), age(marked));
        let (origin, path) = (self.origin.clone(), self.state_path.clone());
        Ok(if found < marked {
            StateError::Older { origin, path, found, marked }
        } else {
            StateError::Contradiction { origin, path, mark: self.mark_path.clone(), found, marked }
        })
    }

    fn parse(&self, bytes: &[u8], path: &Path) -> Result<LastCosigned, StateError> {
        LastCosigned::parse(bytes, &self.origin, &self.own)
            .map_err(|reason| StateError::Unreadable { path: path.to_owned(), reason })
    }

    fn stopped(&self, reason: &str) -> StateError {
        StateError::Stopped { origin: self.origin.clone(), reason: reason.to_owned() }
    }
}

/// Size, then time: how far a record goes.
fn age(record: &LastCosigned) -> (u64, u64) {
    record.cosigned().map_or((0, 0), age_of)
}

fn age_of(cosigned: &Cosigned) -> (u64, u64) {
    (cosigned.checkpoint().size(), cosigned.time().seconds())
}

#[cfg(test)]
mod tests;
