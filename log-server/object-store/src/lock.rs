//! The one thing of a log that changes by comparison: a chain of records, of which the newest says what was signed last and who may sign next.
//!
//! # Contract
//! - [`Lock::append`] makes a record the one after `after`, if `after` is the newest: by its bytes, not by its number. After `Ok` it is durable.
//! - [`LockErrorKind::Overtaken`]: another record stands there. The caller's picture of the log is wrong, and it must not sign.
//! - [`LockErrorKind::Unknown`]: the record may be there, now or later. The caller stops; the next run fences before it reads anything else, so that
//!   what arrives late finds its place taken or is read as the newest.
//! - Signed bytes leave the process only after `Ok`.
//! - [`Lock::newest`] may be stale: then the next append is `Overtaken`.
//!
//! # Trust
//! Who can remove or change a record can make the log sign a fork, which the witnesses refuse to cosign. No record is ever removed: one that was gone
//! could be made anew by a writer who slept.

use crate::object_store::StoreError;
use crate::record::{Record, RecordError, Step, StepError};
use std::fmt;
use stele_explain::{Exit, Explain, explain};

/// How many other runs may take over while this one does.
const TAKES: usize = 16;

/// The chain of records of one log, as one run of a writer uses it.
pub trait Lock: Send + fmt::Debug {
    /// The newest record; `None` before the first.
    fn newest(&self) -> Result<Option<Record>, LockError>;

    /// The record with this number, which stands where it belongs; `None` where none is there.
    fn record(&self, number: u64) -> Result<Option<Record>, LockError>;

    /// Makes this step of this run the record after `after`.
    fn append(&mut self, after: Option<&Record>, step: Step) -> Result<Record, LockError>;

    /// The fence by which the run took over that wrote this record: the first record of its epoch, found in as many questions as the number has bits.
    fn fence_of(&self, record: &Record) -> Result<Option<Record>, LockError> {
        if record.writer().is_some() {
            return Ok(Some(record.clone()));
        }
        // Epochs never fall. `low` is of an earlier one, or before the first record; `high` is of this one.
        let (mut low, mut high) = (0, record.number());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let Some(found) = self.record(middle)? else { return Ok(None) };
            if found.epoch() < record.epoch() { low = middle } else { high = middle }
        }
        Ok(self.record(high)?.filter(|found| found.epoch() == record.epoch() && found.writer().is_some()))
    }

    /// Takes the lock over from whichever run had it: its fence. From here on no run before it can append.
    fn take(&mut self, writer: &str) -> Result<Record, LockError> {
        let mut takes = 1;
        loop {
            let newest = self.newest()?;
            match self.append(newest.as_ref(), Step::Fence { writer: writer.to_owned() }) {
                Err(error) if error.kind() == LockErrorKind::Overtaken && takes < TAKES => takes += 1,
                taken => return taken,
            }
        }
    }
}

impl<L: Lock + ?Sized> Lock for Box<L> {
    fn newest(&self) -> Result<Option<Record>, LockError> {
        (**self).newest()
    }

    fn record(&self, number: u64) -> Result<Option<Record>, LockError> {
        (**self).record(number)
    }

    fn append(&mut self, after: Option<&Record>, step: Step) -> Result<Record, LockError> {
        (**self).append(after, step)
    }
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockErrorKind {
    /// Another record is there.
    Overtaken,
    /// The record may be there, now or later.
    Unknown,
    /// What is there is no chain of this log's records.
    Damaged,
    /// Nothing was appended.
    Failed,
}

/// Why the lock could not be read or appended to.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another record is there.
    #[error("{place}: record {number} of the lock is not this run's; its writer is {writer}")]
    Overtaken {
        /// Where the lock is.
        place: String,
        /// Which record.
        number: u64,
        /// What the newest fence calls its writer, where that could be read.
        writer: String,
    },
    /// Whether the record is there is unknown.
    #[error("{place}: whether record {number} of the lock was written is unknown: {why}")]
    Unknown {
        /// Where the lock is.
        place: String,
        /// Which record.
        number: u64,
        /// Why.
        why: String,
    },
    /// What keeps the lock cannot be used.
    #[error("{place}: {why}")]
    Unusable {
        /// Where the lock is.
        place: String,
        /// Why.
        why: String,
    },
    /// A record is not one.
    #[error("{place}: record {number} of the lock is damaged: {why}")]
    Damaged {
        /// Where the lock is.
        place: String,
        /// Which record.
        number: u64,
        /// What is wrong with it.
        why: Damage,
    },
    /// Something else lies among the records.
    #[error("{place}: {name} is no record of the lock")]
    Stranger {
        /// Where the lock is.
        place: String,
        /// What is there.
        name: String,
    },
    /// The step cannot be a record.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It is not there, and a later one is.
    #[error("it is missing, and a later one is there")]
    Missing,
    /// It is not the record after the one before it.
    #[error("it does not follow from the record before it")]
    Unchained,
    /// It stands under another number.
    #[error("it says that it is record {0}")]
    Number(u64),
    /// It is another log's.
    #[error("it is a record of the log {0}")]
    Origin(String),
    /// Its bytes are none.
    #[error(transparent)]
    Bytes(#[from] RecordError),
}

impl LockError {
    /// What it means.
    pub fn kind(&self) -> LockErrorKind {
        match self {
            Self::Overtaken { .. } => LockErrorKind::Overtaken,
            Self::Unknown { .. } => LockErrorKind::Unknown,
            Self::Damaged { .. } | Self::Stranger { .. } => LockErrorKind::Damaged,
            Self::Unusable { .. } | Self::Step(_) | Self::Store(_) => LockErrorKind::Failed,
        }
    }
}

impl Explain for LockError {
    explain! {
        Self::Overtaken { .. } => Exit::Locked, "overtaken",
            hint: "one writer at a time: the one that started last goes on, and this one has stopped; nothing was lost";
        Self::Unknown { .. } => Exit::Unavailable, "outcome-unknown",
            hint: "start the log again when the store answers: it reads what is there before it goes on";
        Self::Damaged { .. } | Self::Stranger { .. } => Exit::Inconsistent, "lock-damaged",
            hint: "somebody changed or removed what is never changed; going on could sign a second history: bring the bucket back as it was";
        Self::Unusable { .. } => Exit::Unavailable, "lock-unusable",
            hint: "look whether the server runs, at the address and the credentials; nothing was changed";
        Self::Step(_) => Exit::Internal, "lock-step";
        Self::Store(error) => error;
    }
}
