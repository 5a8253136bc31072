//! The lock as a standby watches it: it reads, until it fences.
//!
//! A standby that guesses that the writer is gone fences after the record that it saw last, and after no other: where the writer has appended meanwhile, or
//! another standby has fenced, that place is taken, and nothing has happened. One that is told to take over fences after whatever that writer appends
//! meanwhile; where another run has fenced since, nothing has happened either: of two that are told at once one takes over.

use crate::head_store::LockedHead;
use crate::public_checkpoint::read;
use stele_object_store::lock::{Lock, LockError, LockErrorKind};
use stele_object_store::record::{Record, Run, Step};

/// The lock of a log that another run holds.
#[derive(Debug)]
pub struct LockWatch<L> {
    lock: L,
    run: Run,
    newest: Option<Record>,
    /// The fence of the newest record's run.
    fence: Option<Record>,
}

/// How many records the writer may append while a standby that was told to take over fences.
const TAKES: usize = 16;

/// Why a standby fences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has heard nothing of the writer.
    Silence,
    /// It was told to.
    Told,
}

/// What came of a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    /// The lock is this run's.
    Won,
    /// Its place was taken, or it is not known whether it landed: this run goes on following. One that lands later is seen as the newest record.
    Lost,
}

impl<L: Lock> LockWatch<L> {
    /// Watches a lock as this run.
    pub fn new(lock: L, run: Run) -> Self {
        Self { lock, run, newest: None, fence: None }
    }

    /// Looks for the newest record; whether it is another than before.
    pub fn look(&mut self) -> Result<bool, LockError> {
        let newest = self.lock.newest()?;
        if newest == self.newest {
            return Ok(false);
        }
        let epoch = |record: &Option<Record>| record.as_ref().map(Record::epoch);
        if epoch(&newest) != epoch(&self.fence) {
            self.fence = newest.as_ref().map(|newest| self.lock.fence_of(newest)).transpose()?.flatten();
        }
        self.newest = newest;
        Ok(true)
    }

    /// Whether there is a record at all.
    pub fn is_new(&self) -> bool {
        self.newest.is_none()
    }

    /// What the run that holds the lock calls itself.
    pub fn writer(&self) -> Option<&str> {
        self.fence.as_ref().and_then(Record::writer)
    }

    /// Where the run that holds the lock is reached, if its fence says so.
    pub fn writer_address(&self) -> Option<String> {
        self.fence.as_ref().and_then(Record::writer_address)
    }

    /// Whether the run that holds the lock is on another machine than one of this name, and is reached on its own machine alone: its silence says nothing.
    pub fn is_local_elsewhere(&self, run: &str) -> bool {
        self.fence.as_ref().is_some_and(|fence| fence.is_local_elsewhere(run))
    }

    /// The newest signed checkpoint, a note; `None` before the first.
    pub fn head(&self) -> Option<&[u8]> {
        self.newest.as_ref().and_then(Record::head)
    }

    /// The size of the newest signed tree; 0 before the first.
    pub fn signed_size(&self) -> u64 {
        self.head().and_then(read).map_or(0, |checkpoint| checkpoint.size())
    }

    /// Whether the newest record is this run's fence: it has the lock.
    pub fn is_held(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| newest.run() == self.run)
    }

    /// The number of take-overs up to the run that holds the lock; 0 before the first record.
    pub fn epoch(&self) -> u64 {
        self.newest.as_ref().map_or(0, Record::epoch)
    }

    /// Fences, as `writer`. Where there is no record at all there is no log to take over.
    pub fn fence(&mut self, writer: &str, why: Why) -> Result<Fenced, LockError> {
        let (epoch, mut takes) = (self.epoch(), if why == Why::Told { TAKES } else { 1 });
        while takes > 0 && !self.is_new() {
            if self.is_held() {
                return Ok(Fenced::Won);
            }
            if self.epoch() != epoch {
                break;
            }
            match self.lock.append(self.newest.as_ref(), Step::Fence { writer: writer.to_owned() }) {
                Ok(fence) => {
                    (self.newest, self.fence) = (Some(fence.clone()), Some(fence));
                    return Ok(Fenced::Won);
                }
                Err(error) if matches!(error.kind(), LockErrorKind::Overtaken | LockErrorKind::Unknown) => {
                    tracing::info!(%error, "the lock was not taken over");
                    if error.kind() == LockErrorKind::Unknown || takes == 1 {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
            takes -= 1;
            self.look()?;
        }
        Ok(Fenced::Lost)
    }

    /// The lock, where it [is held](Self::is_held).
    pub fn into_held(self) -> Option<LockedHead<L>> {
        let newest = self.newest.filter(|newest| newest.run() == self.run)?;
        Some(LockedHead::held(self.lock, newest))
    }

    /// The lock, for a run that takes it over at once.
    pub fn into_lock(self) -> L {
        self.lock
    }
}
