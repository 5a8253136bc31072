//! Why `stele-log` ends with another code than 0.

use crate::adopt_error::AdoptError;
use crate::export_error::ExportError;
use crate::fsck_error::FsckError;
use crate::key_error::KeyError;
use crate::policy_edit::EditError;
use crate::reachable::{Disjoint, Unmeetable};
use crate::running::AskError;
use crate::verify_page::VerifyPageError;
use std::io;
use std::path::PathBuf;
use stele_command_line::man_pages::NotWritten;
use stele_daemon::config::ConfigError;
use stele_durable::DurableError;
use stele_durable::key_file::KeyFileError;
use stele_explain::{Exit, Explain, explain};
use stele_log_core::contract::head_store::HeadError;
use stele_log_core::contract::objects::ObjectError;
use stele_log_core::follower::FollowError;
use stele_log_core::log_keys::KeyMismatch;
use stele_log_core::recover::RecoverError;
use stele_log_core::resign::ResignError;
use stele_log_storage_files::head_store::TakeError;
use stele_log_storage_postgres::address::AddressError;
use stele_log_storage_s3::credentials::CredentialsError;
use stele_log_storage_s3::location::LocationError;
use stele_object_store::lock::LockError as BucketLockError;
use stele_object_store::probe::ProbeError;
use stele_spec::checkpoint::CheckpointError;
use stele_spec::note::{NoteError, UnfitName};
use stele_spec::policy::PolicyError;
use stele_terminal::output::OutputError;

/// Everything that ends the program.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Man pages that cannot be written.
    #[error(transparent)]
    ManPages(#[from] NotWritten),
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
    /// Two keys that are not those of one log.
    #[error(transparent)]
    Keys(#[from] KeyMismatch),
    /// A key is not added or retired.
    #[error(transparent)]
    KeyChange(#[from] KeyError),
    /// The newest head cannot be signed with the keys of now.
    #[error(transparent)]
    Resign(#[from] ResignError),
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
    #[error("{} does not list this log under each of its keys", .path.display())]
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
    /// The page that verifies.
    #[error(transparent)]
    VerifyPage(#[from] VerifyPageError),
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
    /// Quorums that are too small for a log in a bucket.
    #[error(transparent)]
    Disjoint(#[from] Disjoint),
    /// The bucket that is to hold the log.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The database that is to hold the lock.
    #[error(transparent)]
    LockAddress(AddressError),
    /// By what the object store knows the log.
    #[error(transparent)]
    Credentials(CredentialsError),
    /// The storage cannot be taken.
    #[error(transparent)]
    Storage(Box<StorageError>),
    /// The config names a bucket, and there is a log in files.
    #[error("{} holds a log in files, and the config keeps it in a bucket", .data.display())]
    InFiles {
        /// The data folder.
        data: PathBuf,
    },
    /// A standby of a log in files.
    #[error("a standby follows a log in a bucket, and this log is kept in files: {}", .data.display())]
    StandbyInFiles {
        /// The data folder.
        data: PathBuf,
    },
    /// The writer was overtaken, and follows again.
    #[error("{message}")]
    Overtaken {
        /// What the lock, or the public checkpoint, said.
        message: String,
    },
    /// A standby follows no further.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// A verb that looks at files.
    #[error("`stele-log {verb}` looks at files, and this log is kept in {place}")]
    InBucket {
        /// The verb.
        verb: &'static str,
        /// The bucket.
        place: String,
    },
    /// The stored log does not fit together.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// A copy is not adopted.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The public files are not copied.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A log that is looked at as a whole.
    #[error(transparent)]
    Fsck(#[from] FsckError),
    /// The origin is none that a new log should have.
    #[error("origin: {0}")]
    UnfitOrigin(UnfitName),
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

/// Why a storage cannot be taken by a run.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The object store lies, or cannot be asked.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The lock in the bucket.
    #[error(transparent)]
    Lock(#[from] BucketLockError),
    /// There is a log in the bucket, and no lock.
    #[error("there is a published log in {place}, and no record of its lock")]
    LockLost {
        /// The bucket.
        place: String,
    },
    /// A take-over without a fence.
    #[error("the lock is not this run's")]
    NotHeld,
    /// The objects in the bucket.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The newest signed tree head in files.
    #[error(transparent)]
    Head(#[from] HeadError),
}

impl Explain for StorageError {
    explain! {
        Self::Probe(error) => error;
        Self::Lock(error) => error;
        Self::LockLost { .. } => Exit::Inconsistent, "lock-damaged",
            hint: "somebody removed what is never removed; going on could sign a second history: bring the bucket back as it was";
        Self::NotHeld => Exit::Internal, "lock-not-held";
        Self::Objects(error) => error;
        Self::Head(error) => error;
    }
}

impl Explain for LogError {
    explain! {
        Self::Config(error) => error;
        Self::ManPages(error) => error;
        Self::KeyFile(error) => error;
        Self::Take(TakeError::Lock(error)) => error;
        Self::Take(TakeError::Durable(error)) | Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::Disjoint(error) => error;
        Self::Location(error) => error;
        Self::LockAddress(error) => error;
        Self::Credentials(error) => error;
        Self::Storage(error) => error.as_ref();
        Self::InFiles { .. } => Exit::BadInput, "log-in-files",
            hint: "a log does not move by its config alone: take `[objects]` out of it, or begin the bucket's log in a new folder";
        Self::StandbyInFiles { .. } => Exit::BadInput, "standby-in-files",
            hint: "files have one writer, and no other machine sees them: run it without --standby, or keep a log in a bucket: `stele-log init --objects`";
        Self::Overtaken { .. } => Exit::Locked, "overtaken", hint: "start it again with --standby";
        Self::Follow(error) => error;
        Self::InBucket { .. } => Exit::Unsupported, "log-in-bucket",
            hint: "each start reads everything back from the bucket and refuses what does not fit; `stele audit` looks at what is public";
        Self::Recover(error) => error;
        Self::Adopt(error) => error;
        Self::Export(error) => error;
        Self::Fsck(error) => error;
        Self::Output(error) => error;
        Self::Edit(error) => error;
        Self::Ask(AskError::Http(error)) => error;
        Self::Ask(AskError::Other { .. }) => Exit::Unavailable, "not-a-log", hint: "is this the log's address?";
        Self::Ask(AskError::OtherLog { .. }) => Exit::Unavailable, "other-log",
            hint: "the log of this folder is down, or listens elsewhere than its config says: start it, or say where it is with --url";
        Self::Unwell { .. } => Exit::Unavailable, "unwell", hint: "look at the lines that begin with FAIL";
        Self::Troubled { .. } => Exit::Unavailable, "unwell",
            hint: "look at the lines that begin with `problem`; `stele-log doctor` looks further";
        Self::Unfit { .. } => Exit::BadInput, "unfit", hint: "look at the lines that begin with FAIL";
        Self::Unmeetable { error, .. } => error;
        Self::VerifyPage(error) => error;
        Self::NotFrozen { .. } => Exit::BadInput, "config-invalid",
            hint: "write `frozen = true` above the first table of the file";
        Self::Fixed { .. } => Exit::BadInput, "fixed-until-restart", hint: "restart the log to change it";
        Self::NoAddress { .. } => Exit::Usage, "no-address", hint: "say where it is with --url";
        Self::Key { .. } => Exit::BadInput, "not-a-key";
        Self::OtherKey { .. } => Exit::BadInput, "other-key",
            hint: "a log keeps its origin for ever, and its keys have that name; name the right files";
        Self::Keys(error) => error;
        Self::KeyChange(error) => error;
        Self::Resign(error) => error;
        Self::Origin(_) | Self::KeyName(_) | Self::UnfitOrigin(_) => Exit::BadInput, "bad-origin",
            hint: "use the address of the log without https://, such as log.example/stele";
        Self::PolicyMissing { .. } => Exit::WrongPolicy, "policy-missing",
            hint: "`stele-log init` writes one to start from";
        Self::Policy { error: PolicyError::NoQuorum, .. } => Exit::WrongPolicy, "policy-without-quorum",
            hint: "add a `witness NAME VKEY URL` line for each witness and a `quorum` line; `quorum none` publishes \
                   tree heads that no witness has seen";
        Self::Policy { .. } => Exit::WrongPolicy, "policy-invalid";
        Self::NotInPolicy { line, .. } => Exit::WrongPolicy, "log-not-in-policy", hint: format!("add the line: {line}");
        Self::Exists { .. } => Exit::BadInput, "exists", hint: "choose a new folder; nothing was changed";
        Self::Listen { .. } => Exit::Io, "cannot-listen",
            hint: "is another program listening there? `--listen 127.0.0.1:0` takes a free port";
        Self::Machine { .. } => Exit::Io, "machine";
    }
}
