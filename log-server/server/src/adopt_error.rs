//! Why a copy is not adopted.

use stele_durable::DurableError;
use stele_durable::lock::LockError;
use stele_explain::{Exit, Explain, explain};
use stele_fetch::static_files::SourceError;
use stele_log_core::contract::head_store::HeadError;
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::recall::Elsewhere;
use stele_log_core::recover::RecoverError;
use stele_log_core::tiles::StoreError;
use stele_spec::checkpoint::CheckpointError;
use stele_spec::policy::RefusedCheckpoint;
use stele_spec::tile::{TileError, TilePath};

/// Why a copy is not adopted. Nothing of the log was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// A file of the copy cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its checkpoint is not this log's.
    #[error("the checkpoint in {from} is not signed by this log's key: {error}")]
    NotOurs {
        /// The copy.
        from: String,
        /// What is wrong.
        error: CheckpointError,
    },
    /// Its checkpoint has too few cosignatures.
    #[error("the checkpoint in {from} does not satisfy the policy: {error}")]
    BelowPolicy {
        /// The copy.
        from: String,
        /// What is wrong.
        error: RefusedCheckpoint,
    },
    /// A bundle is none.
    #[error("{place} is no entry bundle of its width: {error}")]
    Bundle {
        /// Where.
        place: String,
        /// What is wrong.
        error: TileError,
    },
    /// Its entries do not lead to its checkpoint.
    #[error("what {from} holds is not the tree of its checkpoint: {error}")]
    Unproven {
        /// The copy.
        from: String,
        /// What a start would say.
        error: Box<RecoverError>,
    },
    /// Another process works on what is put together.
    #[error("what {from} holds is not the tree of its checkpoint: {error}")]
    Busy {
        /// The copy.
        from: String,
        /// Who holds it.
        error: LockError,
    },
    /// The log knows more than the copy, or something else.
    #[error("{}", behind(.from, .found))]
    Behind {
        /// The copy.
        from: String,
        /// What holds more, and what.
        found: Elsewhere,
    },
    /// Too few witnesses can be asked.
    #[error("too few witnesses have said what they cosigned last: {}", .missing.join("; "))]
    NotAsked {
        /// Each that has not, and why.
        missing: Vec<String>,
    },
    /// Other bytes are here under the name of a tile.
    #[error("{path} here holds other bytes than the copy, which leads to the signed root")]
    Differs {
        /// Which.
        path: TilePath,
    },
    /// A file cannot be read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The storage of objects failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The signed head cannot be loaded, or was changed meanwhile.
    #[error(transparent)]
    HeadStore(#[from] HeadError),
}

fn behind(from: &str, found: &Elsewhere) -> String {
    match found {
        Elsewhere::Larger { holder, theirs, ours } => format!(
            "{holder} has a tree head of {theirs} entries signed by this log's key, and the copy in {from} only {ours} entries"
        ),
        Elsewhere::Other { holder, size, theirs, ours } => format!(
            "{holder} has a tree head of {size} entries with root {theirs} signed by this log's key; the first {size} entries \
             of {from} have root {ours}: two histories were signed"
        ),
    }
}

/// What to do about a copy that is not whole.
const TAKE_ANOTHER: &str = "nothing was changed: take another copy, or fetch this one again when it is complete";

impl Explain for AdoptError {
    explain! {
        Self::Source(error) => error.exit(), error.code(), hint: error.hint();
        Self::NotOurs { .. } => Exit::BadSignature, "checkpoint-refused",
            hint: "name the copy of this log, or bring back the key that it was made with";
        Self::BelowPolicy { .. } => Exit::QuorumMissing, "quorum-missing",
            hint: "take a copy whose checkpoint the witnesses of the policy have cosigned";
        Self::Bundle { .. } => Exit::Inconsistent, "entries-damaged", hint: TAKE_ANOTHER;
        Self::Unproven { error, .. } => error.exit(), error.code(), hint: TAKE_ANOTHER;
        Self::Behind { .. } => Exit::Inconsistent, "adopts-older",
            hint: "nothing was changed: find a newer copy (the web server's, a mirror's, an auditor's)";
        Self::NotAsked { .. } => Exit::Unavailable, "asking-witnesses",
            hint: "nothing was changed: try again when they can be reached; a newer tree head may be known to them alone";
        Self::Differs { .. } => Exit::Inconsistent, "tile-differs",
            hint: "nothing was changed: move data/public away and run this again";
        Self::Store(StoreError::Objects(error)) | Self::Objects(error) =>
            error.exit(), error.code(), hint: error.hint();
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::Busy { error, .. } => error.exit(), error.code(), hint: TAKE_ANOTHER;
        Self::Store(_) => Exit::Inconsistent, "entries-damaged", hint: TAKE_ANOTHER;
        Self::HeadStore(error) => error.exit(), error.code(), hint: error.hint();
    }
}
