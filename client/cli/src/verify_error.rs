//! Why `stele verify` does not go by evidence that is well-formed: today's policy, or what the log has, speaks against it.

use stele_explain::{Exit, Explain, explain};
use stele_log_client::statements::Lack;
use stele_verify::VerifyError as BundleError;

/// A bundle whose checkpoints too few of today's witnesses cosigned.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Outgrown(pub(crate) BundleError);

/// What may have made evidence and policy differ.
const NEWER: &str = "is the policy newer than release.stele? `stele fetch PATH` renews it from the log, and --online verifies by what the log has now";

impl Explain for Outgrown {
    explain! {
        Self(error) => error.exit(), error.code(), hint: match error.hint() {
            Some(hint) => format!("{hint}; {NEWER}"),
            None => NEWER.to_owned(),
        }, facts: error.facts();
    }
}

/// Why evidence that holds by itself does not hold against what the log has.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// The log's key history, which the bundle may not have whole, does not let the signer speak.
    #[error("by the key history that the log has, the release at entry {entry} is not its publisher's: {why}")]
    NotTheirs {
        /// The release.
        entry: u64,
        /// The rule.
        code: &'static str,
        /// The reason.
        why: String,
    },
    /// A list without a proof that it is complete leaves out the release, or the keys by which it is its publisher's.
    #[error("the log's answer leaves out entry {entry}, or the keys of its publisher, and is {}", lack.text())]
    LeftOut {
        /// The log.
        url: String,
        /// The release of the evidence.
        entry: u64,
        /// Why the list is not proven complete.
        lack: Lack,
    },
    /// The log does not name the release, although it has it.
    #[error("the log does not name entry {entry} as the release of this coordinate")]
    NotNamed {
        /// The log.
        url: String,
        /// The release of the evidence.
        entry: u64,
        /// What it names.
        found: Option<u64>,
    },
}

impl Explain for VerifyError {
    explain! {
        Self::NotTheirs { code, .. } => Exit::BadSignature, "not-the-publisher",
            hint: "somebody else may speak in this publisher's name: do not use these files",
            "rule": code;
        Self::LeftOut { url, entry, .. } => Exit::Unavailable, "log-answer-unproven",
            hint: "ask again later, or at another address; the evidence holds by itself",
            "log": url, "expected": format!("entry {entry}"), "found": "nothing";
        Self::NotNamed { url, entry, found } => Exit::Inconsistent, "release-not-named",
            hint: "the log's lookups are wrong or behind: ask again later, and report it if it stays so; offline the evidence holds by itself",
            "log": url, "expected": format!("entry {entry}"),
            "found": found.map_or("nothing".to_owned(), |found| format!("entry {found}"));
    }
}
