//! Why a key was not added or retired.

use std::path::PathBuf;
use stele_explain::{Exit, Explain, explain};
use stele_log_core::log_keys::KeyMismatch;
use stele_spec::checkpoint::CheckpointError;
use stele_spec::note::KeyHash;

/// Why a key was not added or retired.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There are two already.
    #[error("the log signs with two keys already, {first} and {second}")]
    TwoKeys {
        /// The first.
        first: KeyHash,
        /// The second.
        second: KeyHash,
    },
    /// There is only one.
    #[error("the log signs with one key, {only}")]
    OneKey {
        /// It.
        only: KeyHash,
    },
    /// The policy of the log would not be one any more.
    #[error("the policy has no line of the key {key} that another could be put behind")]
    NoLine {
        /// The key.
        key: KeyHash,
    },
    /// Nothing is published with the second key's signature.
    #[error("the published checkpoint is not signed by the key {second}")]
    NotPublished {
        /// The second key.
        second: KeyHash,
    },
    /// Too few witnesses cosign what the second key alone has signed.
    #[error("too few witnesses cosign a tree head that the key {second} alone has signed: {}", .missing.join("; "))]
    Unknown {
        /// The second key.
        second: KeyHash,
        /// Who has not, and why.
        missing: Vec<String>,
    },
    /// The config would not say what it should.
    #[error("{} cannot be changed: its first lines are not as `stele-log init` writes them", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
    },
    /// A head cannot be signed with the second key alone.
    #[error("cannot sign with the second key: {0}")]
    Sign(CheckpointError),
    /// Not the keys of a log.
    #[error(transparent)]
    Mismatch(#[from] KeyMismatch),
}

impl Explain for KeyError {
    explain! {
        Self::TwoKeys { .. } => Exit::BadInput, "two-keys", hint: "retire the first one: stele-log key retire";
        Self::OneKey { .. } => Exit::BadInput, "one-key", hint: "add one first, and let readers and witnesses come to know it: stele-log key add";
        Self::NoLine { .. } => Exit::WrongPolicy, "log-not-in-policy", hint: "add the line of the log's key to the policy";
        Self::NotPublished { .. } => Exit::Unavailable, "not-published",
            hint: "start the log with both keys, and wait until it has published: at most republish_every seconds";
        Self::Unknown { .. } => Exit::QuorumMissing, "witnesses-missing",
            hint: "have each witness take the second key into the `vkeys` of this log; the first key goes on signing until then";
        Self::Config { .. } => Exit::BadInput, "config", hint: "set `key` and `second_key` in log.toml by hand";
        Self::Sign(_) => Exit::Internal, "signing-failed";
        Self::Mismatch(error) => error;
    }
}
