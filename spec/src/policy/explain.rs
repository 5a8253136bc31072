//! Exit code, stable code, facts and hint of a refused checkpoint.

use stele_explain::{Exit, Explain};

use super::RefusedCheckpoint;
use crate::checkpoint::CheckpointError;

impl Explain for RefusedCheckpoint {
    fn exit(&self) -> Exit {
        match self {
            Self::UnknownLog { .. } | Self::Log(CheckpointError::NotSigned) => Exit::WrongPolicy,
            Self::Log(CheckpointError::BadSignature) | Self::Cosignature { .. } => Exit::BadSignature,
            Self::Log(_) => Exit::BadInput,
            Self::Quorum { .. } => Exit::QuorumMissing,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownLog { .. } => "unknown-log",
            Self::Log(CheckpointError::NotSigned) => "other-log-key",
            Self::Log(CheckpointError::BadSignature) => "bad-log-signature",
            Self::Log(_) => "checkpoint-malformed",
            Self::Cosignature { .. } => "bad-cosignature",
            Self::Quorum { .. } => "quorum-missing",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownLog { .. } => "use the policy that lists this log, or do not rely on it",
            Self::Log(CheckpointError::NotSigned) => {
                "the policy has another key for this log: is the policy current, and from whom is the bundle?"
            }
            Self::Quorum { .. } => {
                "ask the log for a newer proof, or use the policy of the witnesses that you rely on; never lower the quorum to make this pass"
            }
            _ => "the evidence was changed after it was signed: get release.stele again",
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Quorum { least, found, missing } => {
                let names = missing.iter().map(|missing| {
                    let other = if missing.other_key { ", which signed with another key" } else { "" };
                    format!("{} ({}{other})", missing.witness, missing.key_name)
                });
                let missing = names.collect::<Vec<_>>().join(", ");
                vec![
                    ("expected", format!("at least {least} cosignatures")),
                    ("found", found.to_string()),
                    ("missing", missing),
                ]
            }
            Self::UnknownLog { found, known } => {
                let known: Vec<_> = known.iter().map(ToString::to_string).collect();
                vec![("expected", known.join(", ")), ("found", found.to_string())]
            }
            _ => Vec::new(),
        }
    }
}

impl RefusedCheckpoint {
    /// What to do where a log served the checkpoint, and no bundle brought it.
    pub fn served_hint(&self) -> &'static str {
        match self {
            Self::UnknownLog { .. } => "use the policy that lists this log, or do not rely on it",
            Self::Log(CheckpointError::NotSigned) => {
                "the policy has another key for this log: is the policy current, and is this the log's address?"
            }
            Self::Quorum { .. } => {
                "ask again later: the log waits for its witnesses; or use the policy of the witnesses that you rely on; \
                 never lower the quorum to make this pass"
            }
            _ => {
                "ask again, or at another address: what is served was changed after it was signed; if it stays so, tell the log's operator"
            }
        }
    }
}
