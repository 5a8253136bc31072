//! Why the program ends: every error with its exit code and hint.

use std::io;
use std::path::PathBuf;

use stele_command_line::man_pages::NotWritten;
use stele_daemon::config::ConfigError;
use stele_durable::DurableError;
use stele_durable::key_file::KeyFileError;
use stele_durable::lock::LockError;
use stele_explain::{Exit, Explain, explain};
use stele_fetch::roots::RootsError;
use stele_spec::checkpoint::Origin;
use stele_spec::misbehaviour::EvidenceError;
use stele_spec::note::{NoteError, UnfitName};
use stele_terminal::output::OutputError;

use crate::config::InvalidConfig;
use stele_bastion::{BastionAddress, IdentityError};
use stele_mirror::MirrorError;
use stele_ssh_agent::AgentError;
use stele_witness_core::signer::KeyMismatch;
use stele_witness_core::state::StateError;

/// Why a command failed, or the witness did not start.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Man pages that cannot be written.
    #[error(transparent)]
    ManPages(#[from] NotWritten),
    /// A name, origin or key in an argument that cannot be.
    #[error("{what} {value:?}: {reason}")]
    Argument {
        /// Which argument.
        what: &'static str,
        /// As given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that no new key should have.
    #[error("name {name:?}: {reason}")]
    UnfitName {
        /// As given.
        name: String,
        /// What is wrong with it.
        reason: UnfitName,
    },
    /// There is a witness already.
    #[error("{} is a witness's folder already", .folder.display())]
    AlreadyThere {
        /// The folder.
        folder: PathBuf,
    },
    /// The config says what cannot be.
    #[error("{}: {reason}", .path.display())]
    Unfit {
        /// The config.
        path: PathBuf,
        /// What.
        reason: InvalidConfig,
    },
    /// The key file holds no signer string.
    #[error("{}: {reason}", .path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: NoteError,
    },
    /// A key or roots with which no bastion can be reached.
    #[error("{}: {reason}", .path.display())]
    Bastion {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it, or with the roots.
        reason: IdentityError,
    },
    /// The ssh-agent that holds the key.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// There is a second key already.
    #[error("{} names an ML-DSA-44 key already", .path.display())]
    KeyThere {
        /// The config.
        path: PathBuf,
    },
    /// Root certificates.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// Keys that are not a witness's, or of two witnesses.
    #[error("{} and what is beside it: {reason}", .path.display())]
    Keyring {
        /// The first key file.
        path: PathBuf,
        /// What is wrong with them.
        reason: KeyMismatch,
    },
    /// Config and key disagree about who we are.
    #[error("the config names {config}, the key {key}")]
    OtherName {
        /// In the config.
        config: String,
        /// In the key.
        key: String,
    },
    /// A known origin with another key.
    #[error("{origin} is known with another key")]
    KnownLog {
        /// The log.
        origin: Origin,
        /// Its keys in the config.
        known: String,
        /// The key given.
        given: String,
    },
    /// A checkpoint of a log that we do not cosign.
    #[error("{} is a checkpoint of {origin}, which this witness does not cosign", .path.display())]
    UnknownLog {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        origin: String,
    },
    /// A log that is not in the config.
    #[error("this witness does not list {origin}")]
    NoSuchLog {
        /// As given.
        origin: String,
    },
    /// A table that was not written by `logs add`.
    #[error("{} is not as `logs add` writes it", .path.display())]
    EditByHand {
        /// The config.
        path: PathBuf,
        /// The log.
        origin: String,
        /// What was to be.
        disabled: bool,
    },
    /// A table that cannot be told to mirror.
    #[error("{} is not as `logs add` writes it", .path.display())]
    MirrorByHand {
        /// The config.
        path: PathBuf,
        /// The log.
        origin: String,
    },
    /// A table that cannot be told that its index is cosigned.
    #[error("{} is not as `logs add` writes it", .path.display())]
    IndexByHand {
        /// The config.
        path: PathBuf,
        /// The log.
        origin: String,
    },
    /// The index cosigner's state is not to be trusted.
    #[error("index cosigner: {0}")]
    IndexState(StateError),
    /// A table that cannot be told where its log is pulled from.
    #[error("{} is not as `logs add` writes it", .path.display())]
    OptionsByHand {
        /// The config.
        path: PathBuf,
        /// The log.
        origin: String,
    },
    /// A bastion that is listed with other roots.
    #[error("bastion {place} is listed already, and not with these roots")]
    OtherRoots {
        /// Where it is.
        place: BastionAddress,
    },
    /// The mirror's.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A list of logs that cannot be had.
    #[error("{from}: {reason}")]
    List {
        /// Address or file.
        from: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A list has other keys for logs that we know.
    #[error("the list has other keys for {}", .changed.iter().map(|(origin, ..)| origin.to_string()).collect::<Vec<_>>().join(", "))]
    ChangedKeys {
        /// Origin, the keys we know, the one listed.
        changed: Vec<(Origin, String, String)>,
    },
    /// The keys on the disk are not those that the process runs with.
    #[error("the keys on the disk are others than those that this process signs with")]
    OtherKeys,
    /// The examination found something.
    #[error("{failed} of {checks} checks failed")]
    Unwell {
        /// How many failed.
        failed: usize,
        /// Of how many.
        checks: usize,
    },
    /// A look at a mirror that found nothing to look at.
    #[error("nothing was verified: {}", if *.mirrored == 0 { "no log is mirrored here" } else { "no copy is signed yet" })]
    NothingMirrored {
        /// How many logs are to be mirrored.
        mirrored: usize,
    },
    /// No evidence of this id.
    #[error("no evidence {id:?} is kept here")]
    NoEvidence {
        /// As given.
        id: String,
    },
    /// Evidence that is longer than a file of it may be.
    #[error("{id}: {reason}")]
    Unexportable {
        /// Which.
        id: String,
        /// What is wrong with it.
        reason: EvidenceError,
    },
    /// The listening address.
    #[error("cannot listen on {address}")]
    Listen {
        /// As given.
        address: String,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// The machine's random source, runtime or signals.
    #[error("cannot {what}")]
    Machine {
        /// What failed.
        what: &'static str,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// The config cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// Another process is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state is not to be trusted.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// Standard output.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// How to see the logs of a witness.
const LOGS_LIST: &str = "`stele-witness logs list DIR` shows the logs it cosigns";

impl Explain for WitnessError {
    explain! {
        Self::ManPages(error) => error;
        Self::Argument { .. } => Exit::Usage, "bad-argument";
        Self::UnfitName { .. } => Exit::Usage, "bad-argument",
            hint: "use its address without https://, such as witness.example/w1";
        Self::AlreadyThere { .. } => Exit::BadInput, "already-there", hint: "a new key needs a new folder and a new name";
        Self::Unfit { .. } => Exit::BadInput, "config-unfit";
        Self::Key { .. } => Exit::BadInput, "not-a-signer-key";
        Self::Bastion { .. } => Exit::BadInput, "not-a-bastion-key";
        Self::Keyring { .. } => Exit::BadInput, "not-a-cosigner";
        Self::OtherName { .. } => Exit::BadInput, "other-name",
            hint: "the name belongs to the key: correct `name` in the config";
        Self::KnownLog { known, given, .. } => Exit::Refused, "known-log",
            hint: "a changed key is for a person to judge: ask the log's operator over another channel, then edit `vkeys` \
                   in witness.toml",
            "expected": known, "found": given;
        Self::UnknownLog { .. } => Exit::BadInput, "unknown-log", hint: LOGS_LIST;
        Self::NoSuchLog { .. } => Exit::Usage, "no-such-log", hint: LOGS_LIST;
        Self::EditByHand { origin, disabled, .. } => Exit::BadInput, "edit-by-hand",
            hint: format!("write `disabled = {disabled}` into the [[log]] of {origin} yourself");
        Self::MirrorByHand { origin, .. } => Exit::BadInput, "edit-by-hand",
            hint: format!("write `mirror = true` into the [[log]] of {origin} yourself, below its `origin`");
        Self::IndexByHand { origin, .. } => Exit::BadInput, "edit-by-hand",
            hint: format!("write `index = true` into the [[log]] of {origin} yourself, below its `origin`");
        Self::IndexState(error) => error.exit(), error.code(),
            hint: error.hint().map(|hint| hint.replace("logs adopt", "index adopt")), facts: error.facts();
        Self::OptionsByHand { origin, .. } => Exit::BadInput, "edit-by-hand",
            hint: format!("write `pull` and `pull_seconds` into the [[log]] of {origin} yourself");
        Self::OtherRoots { place } => Exit::Refused, "known-bastion",
            hint: format!("nothing was changed; edit `ca` in the [[bastion]] of {place} yourself");
        Self::List { .. } => Exit::BadInput, "bad-list";
        Self::ChangedKeys { changed } => Exit::Refused, "changed-keys",
            hint: "nothing was changed for them: ask each log's operator over another channel, then edit `vkeys` in \
                   witness.toml",
            facts: changed
                .iter()
                .flat_map(|(_, known, given)| [("expected", known.clone()), ("found", given.clone())])
                .collect();
        Self::OtherKeys => Exit::BadInput, "other-keys", hint: "new keys need a restart, and a new name";
        Self::Unwell { .. } => Exit::Unavailable, "unwell", hint: "look at the lines that begin with FAIL";
        Self::NothingMirrored { mirrored: 0 } => Exit::BadInput, "nothing-mirrored",
            hint: "is this the folder of the mirror? `stele-witness mirror init` and `mirror add` make one of it";
        Self::NothingMirrored { .. } => Exit::Unavailable, "nothing-mirrored",
            hint: "is it running? It copies a log after it has cosigned it: look again later, and at `stele-witness doctor`";
        Self::NoEvidence { .. } => Exit::Usage, "no-evidence", hint: "`stele-witness evidence list DIR` prints the ids";
        Self::Unexportable { .. } => Exit::BadInput, "unexportable";
        Self::Listen { .. } => Exit::Io, "cannot-listen", hint: "is the port taken? Port 0 takes a free one";
        Self::Machine { .. } => Exit::Io, "machine";
        Self::KeyThere { .. } => Exit::BadInput, "key-there",
            hint: "a key is never replaced: new keys get a new folder and a new name";
        Self::Config(error) => error;
        Self::Roots(error) => error;
        Self::Agent(AgentError::Nowhere) => Exit::BadInput, "agent-nowhere",
            hint: "start one (`eval $(ssh-agent)`), or give its socket in SSH_AUTH_SOCK, with --socket of `init`, or as `socket` in [agent] of witness.toml";
        Self::Agent(error) => error;
        Self::KeyFile(error) => error;
        Self::Lock(error) => error;
        Self::State(error) => error;
        Self::Mirror(error) => error;
        Self::Durable(error) => error;
        Self::Output(error) => error;
    }
}
