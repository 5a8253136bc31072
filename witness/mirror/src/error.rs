//! Why a mirror does not start, or does not sign.

use stele_durable::DurableError;
use stele_explain::{Exit, Explain, explain};
use stele_spec::checkpoint::{CheckpointError, Origin};
use stele_spec::hash::RootHash;
use stele_spec::tiledlog::TiledLogError;

use crate::copy::CopyError;
use crate::receive::ReceiveError;
use crate::verify::NotWhole;
use stele_witness_core::record::RecordError;
use stele_witness_core::state::StateError;
use stele_witness_core::wall_clock::ClockFault;

/// Why a mirror does not start, or does not sign.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// What was signed cannot be trusted to be the newest.
    #[error("mirror: {0}")]
    State(#[from] StateError),
    /// The copy is not what was signed for.
    #[error("the copy of {origin} in {folder}: {reason}")]
    Damaged {
        /// The log.
        origin: Origin,
        /// Where.
        folder: String,
        /// What.
        reason: NotWhole,
    },
    /// What is missing cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// What was pushed cannot be put beside what is here.
    #[error(transparent)]
    Push(ReceiveError),
    /// What was copied is not consistent with what was signed before. Since only what our witness cosigned is copied, this is a bug,
    /// or somebody has changed the state.
    #[error("{origin} at size {size} has another beginning than what this mirror signed: at {known} it was {expected}")]
    OtherHistory {
        /// The log.
        origin: Origin,
        /// The size of the new tree.
        size: u64,
        /// The size that was signed.
        known: u64,
        /// Its root.
        expected: RootHash,
    },
    /// No signature can be dated now.
    #[error(transparent)]
    Clock(#[from] ClockFault),
    /// The witness's record has no line of the log's keys any more: they were changed in the config.
    #[error("what was cosigned is not signed by a key that is trusted now: {0}")]
    Untrusted(CheckpointError),
    /// What we signed cannot be read back.
    #[error("signed, but it does not verify: {0}")]
    Signing(#[from] RecordError),
    /// This machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl MirrorError {
    /// What was found in a copy.
    pub(crate) fn damaged(origin: &Origin, folder: String, reason: impl Into<NotWhole>) -> Self {
        Self::Damaged { origin: origin.clone(), folder, reason: reason.into() }
    }

    /// What to tell who runs the mirror: none where it is the log that cannot be read, or that serves something else.
    pub(crate) fn problem(&self) -> Option<String> {
        (!matches!(self, Self::Copy(CopyError::Log(_) | CopyError::Manifest(_)))).then(|| match self.hint() {
            Some(hint) => format!("{self}; {hint}"),
            None => self.to_string(),
        })
    }

    /// Whether it is nothing but the log that cannot be read.
    pub fn is_the_logs(&self) -> bool {
        matches!(self, Self::Copy(CopyError::Log(TiledLogError::Files(_)) | CopyError::Manifest(_)))
    }
}

impl Explain for MirrorError {
    explain! {
        Self::State(error) => error.exit(), error.code(),
            hint: error.hint().map(|hint| hint.replace("logs adopt", "mirror adopt")), facts: error.facts();
        Self::Damaged { folder, reason, .. } =>
            if let NotWhole::Durable(error) = reason { error.exit() } else { Exit::Inconsistent }, "copy-damaged",
            hint: format!(
                "nothing of it is served. `stele-witness mirror verify DIR` looks at all of it; remove what is damaged and {folder}/copied: \
                 the next run copies it again from the log, and accepts nothing that does not hash to what was signed"
            );
        Self::Copy(CopyError::Log(TiledLogError::Gone { .. })) => Exit::Unavailable, "not-copied",
            hint: "a mirror begins with entry 0: name in `pull` another mirror that keeps all of the log, or ask its operator for what is missing";
        Self::Copy(_) => Exit::Unavailable, "not-copied";
        Self::OtherHistory { .. } => Exit::Inconsistent, "other-history";
        Self::Clock(fault) => Exit::Unavailable, fault.code(), hint: fault.hint();
        Self::Untrusted(_) => Exit::Inconsistent, "not-signed";
        Self::Signing(_) | Self::Push(_) => Exit::Internal, "internal";
        Self::Durable(error) => error;
    }
}
