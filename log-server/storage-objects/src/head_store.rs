//! The newest signed checkpoint as the newest record of the lock.

use crate::public_checkpoint::read;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stele_explain::{Exit, Explain, explain};
use stele_log_core::contract::head_store::{HeadError, HeadErrorKind, HeadStore};
use stele_object_store::lock::{Lock, LockError, LockErrorKind};
use stele_object_store::record::{Record, Step};

/// The lock of a log, taken over by this run.
#[derive(Debug)]
pub struct LockedHead<L>(Mutex<State<L>>);

#[derive(Debug)]
struct State<L> {
    lock: L,
    /// The newest record, of this run.
    newest: Record,
}

/// Why the newest signed checkpoint is not stored.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the lock holds another signed tree head than this run knows")]
    Conflict,
    #[error("another run has taken the lock over: {writer}")]
    Overtaken { writer: String },
    #[error("what was to be signed is no checkpoint")]
    NoCheckpoint,
}

impl<L: Lock> LockedHead<L> {
    /// Takes the lock over from whichever run had it.
    pub fn take(mut lock: L, writer: &str) -> Result<Self, LockError> {
        let newest = lock.take(writer)?;
        Ok(Self::held(lock, newest))
    }

    /// The lock that this run has taken over by this fence. With any other record nothing can be appended.
    pub fn held(lock: L, newest: Record) -> Self {
        tracing::info!(record = newest.number(), epoch = newest.epoch(), "the lock is taken over");
        Self(Mutex::new(State { lock, newest }))
    }
}

impl<L> LockedHead<L> {
    fn state(&self) -> MutexGuard<'_, State<L>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Lock> HeadStore for LockedHead<L> {
    /// As of this run's last record: no other run can have appended since and left this run its right to.
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError> {
        Ok(self.state().newest.head().map(<[u8]>::to_vec))
    }

    fn compare_and_swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), HeadError> {
        let mut state = self.state();
        if state.newest.head() != expected {
            return Err(HeadError::new(HeadErrorKind::Conflict, Failed::Conflict));
        }
        let Some(head) = read(new) else {
            return Err(HeadError::new(HeadErrorKind::Uncertain, Failed::NoCheckpoint));
        };
        let staged = format!("{:020}-{}", head.size(), head.root());
        let before = state.newest.clone();
        let step = Step::Head { staged, note: new.to_vec() };
        state.newest = state.lock.append(Some(&before), step).map_err(failed)?;
        Ok(())
    }

    fn check_held(&self) -> Result<(), HeadError> {
        let state = self.state();
        let newest = state.lock.newest().map_err(failed)?;
        if newest.as_ref() == Some(&state.newest) {
            return Ok(());
        }
        let fence = newest.as_ref().and_then(|newest| state.lock.fence_of(newest).ok()?);
        let writer = fence.as_ref().and_then(Record::writer).unwrap_or("not known").to_owned();
        Err(HeadError::new(HeadErrorKind::Conflict, Failed::Overtaken { writer }))
    }

    /// Another run may take over at any time.
    fn excludes_others(&self) -> bool {
        false
    }
}

fn failed(error: LockError) -> HeadError {
    let kind = match error.kind() {
        LockErrorKind::Overtaken | LockErrorKind::Damaged => HeadErrorKind::Conflict,
        // Nothing was appended as far as the store says; the writer stops all the same, and a start reads what is there.
        LockErrorKind::Unknown | LockErrorKind::Failed => HeadErrorKind::Uncertain,
    };
    HeadError::new(kind, Failed::Lock(error))
}

impl Explain for Failed {
    explain! {
        Self::Lock(error) => error;
        Self::Conflict => Exit::Inconsistent, "overtaken";
        Self::Overtaken { .. } => Exit::Locked, "overtaken",
            hint: "one writer at a time: the one that started last goes on, and this one has stopped; nothing was lost";
        Self::NoCheckpoint => Exit::Internal, "no-checkpoint";
    }
}
