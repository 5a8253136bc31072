//! Why a log cannot be looked at to the end.

use std::io;
use std::path::PathBuf;
use stele_durable::DurableError;
use stele_durable::lock::LockError;
use stele_explain::{Exit, Explain, explain};
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::staged_recovery::StagedRecoveryError;
use stele_log_core::tiles::StoreError;
use stele_log_storage_files::head_store::TakeError;

/// Why a log cannot be looked at to the end, or what was found.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// There is nothing to look at.
    #[error("no folder {}", .path.display())]
    NoData {
        /// Where the data should be.
        path: PathBuf,
    },
    /// The running log has the lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The machine's files.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The storage of objects failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// What is staged cannot be put again.
    #[error(transparent)]
    Staged(#[from] StagedRecoveryError),
    /// A repair cannot read what it is made from.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder for what is kept between two runs.
    #[error("{}: {source}", .path.display())]
    Scratch {
        /// The folder.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// It stopped where it was told to.
    #[error("{done} of {size} entries were looked at")]
    NotFinished {
        /// So many.
        done: u64,
        /// Of so many.
        size: u64,
    },
    /// Something was found that this program can give back.
    #[error("{files} files are not as they should be, and can be given back")]
    Repairable {
        /// How many.
        files: u64,
    },
    /// Something was found that it cannot.
    #[error("{files} files are not as they should be, of which {lost} cannot be given back from what is here")]
    Damaged {
        /// How many.
        files: u64,
        /// How many of them only a copy or a person can.
        lost: u64,
    },
    /// A copy must not be started.
    #[error("this copy must not be started")]
    UnsafeCopy,
    /// Whether a copy may be started is not known.
    #[error("whether this copy may be started is not known: too few witnesses could be asked")]
    UnknownCopy,
}

impl From<TakeError> for FsckError {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Lock(error) => Self::Lock(error),
            TakeError::Durable(error) => Self::Durable(error),
        }
    }
}

impl Explain for FsckError {
    explain! {
        Self::NoData { .. } => Exit::BadInput, "data-missing", hint: "name the folder of a log that has run, or of a copy of one";
        Self::Lock(error) => error.exit(), error.code(), hint: "stop the log first: only then nothing else writes there";
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::Store(StoreError::Objects(error)) | Self::Objects(error) =>
            error.exit(), error.code(), hint: error.hint();
        Self::Staged(error) => error.machine().map_or(Exit::Inconsistent, Explain::exit), error.code();
        Self::Store(_) => Exit::Io, "files-changed", hint: "files changed while they were read: run it again";
        Self::Scratch { .. } => Exit::Io, "scratch", hint: "is there room, and may this user write there? `--scratch FOLDER` names another folder";
        Self::NotFinished { .. } => Exit::Unavailable, "not-finished", hint: "run it again: it goes on where it stopped";
        Self::Repairable { .. } => Exit::Findings, "repairable", hint: "stop the log and run `stele-log fsck DIR --repair`";
        Self::Damaged { .. } => Exit::Inconsistent, "damaged", hint: "each line says what gives the file back; nothing was written that is not certain";
        Self::UnsafeCopy => Exit::Inconsistent, "unsafe-to-start", hint: "the lines that begin with FAIL say why, and what is missing";
        Self::UnknownCopy => Exit::Unavailable, "asking-witnesses",
            hint: "run it where the witnesses can be reached; `stele-log run` asks them as well, and signs nothing before they answer";
    }
}
