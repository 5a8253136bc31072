//! What goes to the writer, and what comes back: a submission, its reply, and why nothing can be logged now.

use crate::file_digests::FileDigestIndex;
use crate::refusal::AdmissionRefusal;
use crate::submitted_manifest::SubmittedManifest;
use stele_spec::hash::{IndexKey, LeafHash};
use stele_spec::statement::SignedStatement;

/// A statement whose signature was verified, on its way to a batch.
#[derive(Debug)]
pub struct Submission {
    /// The statement.
    pub signed: SignedStatement,
    /// Its hash.
    pub leaf: LeafHash,
    /// The keys that it will be listed under.
    pub keys: Vec<IndexKey>,
    /// The files of its manifest.
    pub files: FileDigestIndex,
    /// The manifest, where it came with the statement and is not public yet.
    pub manifest: Option<SubmittedManifest>,
}

impl Submission {
    /// How many bytes its batch grows by.
    pub fn length(&self) -> usize {
        self.signed.bytes().len() + self.manifest.as_ref().map_or(0, |manifest| manifest.bytes().len())
    }
}

/// What becomes of a submission. `Logged` and `Refused` are sent when the head they rest on is published.
#[derive(Debug)]
pub enum Reply {
    /// It is in the log.
    Logged {
        /// Where.
        position: u64,
        /// Whether it was there before.
        known: bool,
    },
    /// It is refused.
    Refused(AdmissionRefusal),
    /// Not now.
    Unavailable(Unavailable),
}

/// Why nothing can be logged now. Trying again is harmless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The log has not published its first head yet.
    #[error("the log is starting")]
    Starting,
    /// Too many submissions wait already (`limits.pending_submissions`).
    #[error("too many submissions are waiting")]
    PoolFull,
    /// Too few witnesses have said what they cosigned last.
    #[error(
        "the log asks its witnesses what they cosigned last before it signs anything; /healthz says whom it waits for"
    )]
    AskingWitnesses,
    /// A witness has shown that the log signed more than it has here.
    #[error(
        "the log's data is older than what it signed; it signs nothing until an operator has brought it up to date"
    )]
    BackupRestored,
    /// Too few witnesses have cosigned.
    #[error("too few witnesses have cosigned; the statement may be logged once they do")]
    QuorumMissing,
    /// What stands in the way is signed and not yet published.
    #[error("an entry that decides about this statement is signed and not yet published: send it again")]
    NotYetPublished,
    /// The writer met an error after which it must not go on.
    #[error("the log takes nothing until its operator has mended it; what is published can be read")]
    WriterStopped,
    /// This is a standby.
    #[error("this is a standby of the log, and takes nothing; the writer is at {}", .writer.as_deref().unwrap_or("an address that its fence does not name"))]
    Standby {
        /// Where the writer is reached, if that is known.
        writer: Option<String>,
        /// Whether it was heard of a moment ago: then there is no use in asking this one again.
        is_heard: bool,
    },
    /// The log is going down.
    #[error("the log is stopping")]
    Stopping,
    /// It took longer than a submission may wait.
    #[error("the proof was not there in time; the statement may be logged")]
    TooSlow,
    /// The disk did not take it; nothing was logged.
    #[error("the log cannot store anything now: {message}")]
    Storage {
        /// A stable word for programs.
        code: &'static str,
        /// The error.
        message: String,
    },
}

impl Unavailable {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::PoolFull => "pool-full",
            Self::AskingWitnesses => "asking-witnesses",
            Self::BackupRestored => "backup-restored",
            Self::QuorumMissing => "quorum-missing",
            Self::NotYetPublished => "not-yet-published",
            Self::WriterStopped => "writer-stopped",
            Self::Standby { .. } => "standby",
            Self::Stopping => "stopping",
            Self::TooSlow => "too-slow",
            Self::Storage { code, .. } => code,
        }
    }

    /// When to try again, in seconds.
    pub fn retry_after(&self) -> u64 {
        match self {
            Self::PoolFull | Self::NotYetPublished => 1,
            Self::Starting => 2,
            Self::TooSlow | Self::Stopping | Self::Standby { .. } => 5,
            Self::QuorumMissing | Self::AskingWitnesses => 10,
            Self::Storage { .. } => 30,
            Self::WriterStopped | Self::BackupRestored => 60,
        }
    }
}
