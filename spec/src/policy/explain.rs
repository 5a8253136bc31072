//! Exit code, stable code, facts and hint of a refused checkpoint.

use stele_explain::{Exit, Explain, explain};

use super::{RefusedCheckpoint, WitnessProblem};
use crate::checkpoint::CheckpointError;

/// What to do about signatures that do not fit.
const CHANGED: &str =
    "the evidence was changed after it was signed: do not use it; get release.stele again from its publisher";

impl Explain for RefusedCheckpoint {
    explain! {
        Self::UnknownLog { found, known } => Exit::WrongPolicy, "unknown-log",
            hint: "use the policy that lists this log, or do not rely on it",
            "expected": match known.as_slice() {
                [] => "a log of the policy, which lists none".to_owned(),
                known => known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            }, "found": found;
        Self::Log(CheckpointError::NotSigned) => Exit::WrongPolicy, "other-log-key",
            hint: "the policy has another key for this log: ask whoever gave you the policy for the current one; if it is current, do not use this bundle";
        Self::Log(CheckpointError::BadSignature) => Exit::BadSignature, "bad-log-signature", hint: CHANGED;
        Self::Log(_) => Exit::BadInput, "checkpoint-malformed", hint: CHANGED;
        Self::Cosignature { .. } => Exit::BadSignature, "bad-cosignature", hint: CHANGED;
        Self::Quorum { least, found, missing } => Exit::QuorumMissing, "quorum-missing",
            hint: "ask the log for a newer proof, or use the policy of the witnesses that you rely on; never lower the quorum to make this pass",
            "expected": if found < least {
                format!("at least {least} cosignatures")
            } else {
                format!("each group of the quorum, which {} cosignatures do not meet", found)
            },
            "found": found, "missing": names(missing);
    }
}

fn names(missing: &[WitnessProblem]) -> String {
    let names = missing.iter().map(|missing| {
        let other = if missing.other_key { ", which signed with another key" } else { "" };
        format!("{} ({}{other})", missing.witness, missing.key_name)
    });
    names.collect::<Vec<_>>().join(", ")
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
