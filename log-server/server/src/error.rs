//! Why `stele-log` ends with another code than 0.

use crate::adopt_error::AdoptError;
use crate::policy_edit::EditError;
use crate::reachable::Unmeetable;
use crate::running::AskError;
use std::io;
use std::path::PathBuf;
use stele_daemon::config::ConfigError;
use stele_durable::DurableError;
use stele_durable::key_file::KeyFileError;
use stele_explain::{Exit, Explain};
use stele_log_core::recover::RecoverError;
use stele_log_storage_files::head_store::TakeError;
use stele_spec::checkpoint::{CheckpointError, UnfitOrigin};
use stele_spec::note::NoteError;
use stele_spec::policy::PolicyError;
use stele_terminal::output::OutputError;

/// Everything that ends the program.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key's file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// What is in the key's file.
    #[error("{}: {error}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: NoteError,
    },
    /// The key is another log's, or a witness's.
    #[error("the key in {} is that of {found}, the config's origin is {origin}", .path.display())]
    OtherKey {
        /// The file.
        path: PathBuf,
        /// The name in the key.
        found: String,
        /// The config's origin.
        origin: String,
    },
    /// Not an origin, or not one that a key can be named by.
    #[error("origin: {0}")]
    Origin(CheckpointError),
    /// The origin cannot name a key.
    #[error("origin: {0}")]
    KeyName(NoteError),
    /// There is no policy.
    #[error("no policy file {}", .path.display())]
    PolicyMissing {
        /// The file.
        path: PathBuf,
    },
    /// The policy cannot be read.
    #[error("{}: {error}", .path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: PolicyError,
    },
    /// The policy does not list this log.
    #[error("{} does not list this log", .path.display())]
    NotInPolicy {
        /// The file.
        path: PathBuf,
        /// The line that it needs.
        line: String,
    },
    /// The quorum can never be met.
    #[error("{}: {error}", .path.display())]
    Unmeetable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: Unmeetable,
    },
    /// The policy is not edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A look at the folder found what must be mended.
    #[error("problems found: {problems}")]
    Unfit {
        /// How many.
        problems: usize,
    },
    /// A look at the log found what must be mended.
    #[error("{failed} of {checks} checks failed")]
    Unwell {
        /// How many failed.
        failed: usize,
        /// Of how many.
        checks: usize,
    },
    /// The running log names problems.
    #[error("the log is unwell, problems: {problems}")]
    Troubled {
        /// How many.
        problems: usize,
    },
    /// The running log could not be asked.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Nobody knows where the running log is.
    #[error("the config's address {listen} does not say where the running log is")]
    NoAddress {
        /// The address.
        listen: String,
    },
    /// The line could not be put into the config.
    #[error("{}: cannot put `frozen` where it counts", .path.display())]
    NotFrozen {
        /// The file.
        path: PathBuf,
    },
    /// What a running log cannot change.
    #[error("{what} is another than at the start")]
    Fixed {
        /// The field.
        what: &'static str,
    },
    /// The folder holds a log already.
    #[error("{} exists already", .path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The lock.
    #[error(transparent)]
    Take(#[from] TakeError),
    /// The stored log does not fit together.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// A copy is not adopted.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The origin is none that a new log should have.
    #[error("origin: {0}")]
    UnfitOrigin(UnfitOrigin),
    /// The machine's files.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The address.
    #[error("cannot listen on {address}")]
    Listen {
        /// As asked for.
        address: String,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// Threads, signals, randomness.
    #[error("the machine refuses {what}")]
    Machine {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Standard output.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Explain for LogError {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::KeyFile(error) => error.exit(),
            Self::Take(TakeError::Lock(error)) => error.exit(),
            Self::Take(TakeError::Durable(error)) | Self::Durable(error) => error.exit(),
            Self::Recover(error) => error.exit(),
            Self::Adopt(error) => error.exit(),
            Self::Output(error) => error.exit(),
            Self::Edit(error) => error.exit(),
            Self::Ask(AskError::Http(error)) => error.exit(),
            Self::Ask(AskError::Other { .. }) | Self::Unwell { .. } | Self::Troubled { .. } => Exit::Unavailable,
            Self::Unmeetable { error, .. } => error.exit(),
            Self::Unfit { .. } | Self::NotFrozen { .. } | Self::Fixed { .. } => Exit::BadInput,
            Self::NoAddress { .. } => Exit::Usage,
            Self::UnfitOrigin(_)
            | Self::Key { .. }
            | Self::OtherKey { .. }
            | Self::Origin(_)
            | Self::KeyName(_)
            | Self::Exists { .. } => Exit::BadInput,
            Self::PolicyMissing { .. } | Self::Policy { .. } | Self::NotInPolicy { .. } => Exit::WrongPolicy,
            Self::Listen { .. } | Self::Machine { .. } => Exit::Io,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::KeyFile(error) => error.code(),
            Self::Take(TakeError::Lock(error)) => error.code(),
            Self::Take(TakeError::Durable(error)) | Self::Durable(error) => error.code(),
            Self::Recover(error) => error.code(),
            Self::Adopt(error) => error.code(),
            Self::Output(error) => error.code(),
            Self::Edit(error) => error.code(),
            Self::Ask(AskError::Http(error)) => error.code(),
            Self::Ask(AskError::Other { .. }) => "not-a-log",
            Self::Unwell { .. } | Self::Troubled { .. } => "unwell",
            Self::Unmeetable { error, .. } => error.code(),
            Self::Unfit { .. } => "unfit",
            Self::NotFrozen { .. } => "config-invalid",
            Self::Fixed { .. } => "fixed-until-restart",
            Self::NoAddress { .. } => "no-address",
            Self::Key { .. } => "not-a-key",
            Self::OtherKey { .. } => "other-key",
            Self::Origin(_) | Self::KeyName(_) | Self::UnfitOrigin(_) => "bad-origin",
            Self::PolicyMissing { .. } => "policy-missing",
            Self::Policy { error: PolicyError::NoQuorum, .. } => "policy-without-quorum",
            Self::Policy { .. } => "policy-invalid",
            Self::NotInPolicy { .. } => "log-not-in-policy",
            Self::Exists { .. } => "exists",
            Self::Listen { .. } => "cannot-listen",
            Self::Machine { .. } => "machine",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::KeyFile(error) => error.hint(),
            Self::Take(TakeError::Lock(error)) => error.hint(),
            Self::Take(TakeError::Durable(error)) | Self::Durable(error) => error.hint(),
            Self::Recover(error) => error.hint(),
            Self::Adopt(error) => error.hint(),
            Self::Edit(error) => error.hint(),
            Self::Ask(AskError::Http(error)) => error.hint(),
            Self::Ask(AskError::Other { .. }) => Some("is this the log's address?".into()),
            Self::Unwell { .. } | Self::Unfit { .. } => Some("look at the lines that begin with FAIL".into()),
            Self::Troubled { .. } => {
                Some("look at the lines that begin with `problem`; `stele-log doctor` looks further".into())
            }
            Self::Unmeetable { error, .. } => error.hint(),
            Self::NotFrozen { .. } => Some("write `frozen = true` above the first table of the file".into()),
            Self::Fixed { .. } => Some("start the log anew to change it".into()),
            Self::NoAddress { .. } => Some("say where it is with --url".into()),
            Self::Policy { error: PolicyError::NoQuorum, .. } => Some(
                "add a `witness NAME VKEY URL` line for each witness and a `quorum` line; `quorum none` publishes \
                 tree heads that no witness has seen"
                    .into(),
            ),
            Self::PolicyMissing { .. } => Some("`stele-log init` writes one to start from".into()),
            Self::NotInPolicy { line, .. } => Some(format!("add the line: {line}")),
            Self::OtherKey { .. } => Some("a log keeps its key and its origin for ever; name the right files".into()),
            Self::Origin(_) | Self::KeyName(_) | Self::UnfitOrigin(_) => {
                Some("use the address of the log without https://, such as log.example/stele".into())
            }
            Self::Exists { .. } => Some("choose a new folder; nothing was changed".into()),
            Self::Listen { .. } => {
                Some("is another program listening there? `--listen 127.0.0.1:0` takes a free port".into())
            }
            _ => None,
        }
    }
}
