//! What a config says that cannot be, and the bounds of what it can.

use stele_spec::checkpoint::CheckpointError;
use stele_spec::note::NoteError;

use stele_bastion::{BastionAddress, NotAPlace};

/// The most logs of one witness: each costs some ten kilobytes of memory and two small files.
pub const MAX_LOGS: usize = 10_000;

/// The most connections that a config may allow: each costs a descriptor, and no process has more by default.
pub const MAX_CONNECTIONS: usize = 65_536;

/// The most bastions of one witness: each is a connection that is kept open.
pub const MAX_BASTIONS: usize = 8;

/// The longest time between two questions: a log that is asked less than once a day is hardly watched.
pub(super) const MAX_PULL_SECONDS: u64 = 86_400;

/// What a config says that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// `name` is no key name.
    #[error("name {name:?}: {reason}")]
    Name {
        /// As written.
        name: String,
        /// What is wrong with it.
        reason: NoteError,
    },
    /// `urls` or `contact` with what no page has in a line.
    #[error("{what} {value:?}: expected {expected}")]
    Published {
        /// Which field.
        what: &'static str,
        /// As written.
        value: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// `public_key` of `[agent]`.
    #[error("public_key {value:?} of [agent]: {reason}")]
    AgentKey {
        /// As written.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file and an agent.
    #[error("expected the Ed25519 key in one place, found both `key` and [agent]: remove one of them")]
    TwoKeys,
    /// An origin that no checkpoint can have.
    #[error("origin {origin:?}: {reason}")]
    Origin {
        /// As written.
        origin: String,
        /// What is wrong with it.
        reason: CheckpointError,
    },
    /// A key that cannot be read.
    #[error("vkey {vkey:?} of {origin}: {reason}")]
    Key {
        /// The log.
        origin: String,
        /// As written.
        vkey: String,
        /// What is wrong with it.
        reason: NoteError,
    },
    /// Keys that no log has.
    #[error("the vkeys of {origin}: {}", if matches!(.reason, CheckpointError::NotSigned) { "none".to_owned() } else { .reason.to_string() })]
    Keys {
        /// The log.
        origin: String,
        /// What is wrong with them.
        reason: CheckpointError,
    },
    /// Two tables for one origin.
    #[error("origin {origin} is listed twice")]
    Twice {
        /// The log.
        origin: String,
    },
    /// The mirror has the witness's name.
    #[error("the mirror's name is the witness's, {name}: they are two cosigners, and policies count them by name")]
    SameName {
        /// Both names.
        name: String,
    },
    /// A mirrored log without a mirror.
    #[error("{origin} is to be mirrored, and there is no [mirror]")]
    NoMirror {
        /// The log.
        origin: String,
    },
    /// The index cosigner has the name of another cosigner of the folder.
    #[error(
        "the index cosigner's name is another's here, {name}: they are two cosigners, and policies count them by name"
    )]
    SameIndexName {
        /// Both names.
        name: String,
    },
    /// A log whose index is to be cosigned, without an index cosigner.
    #[error("the index of {origin} is to be cosigned, and there is no [index]: `stele-witness index init` makes it")]
    NoIndex {
        /// The log.
        origin: String,
    },
    /// `replay` for a log that is not mirrored, or whose index is not cosigned.
    #[error(
        "{origin} has `replay = true` and not both `index = true` and `mirror = true`: its index is replayed from the mirror's copy"
    )]
    ReplayWithoutMirror {
        /// Its origin.
        origin: String,
    },
    /// `push` for a log that is not mirrored.
    #[error("{origin} has `push = true` and not `mirror = true`: what is pushed is mirrored")]
    PushWithoutMirror {
        /// Its origin.
        origin: String,
    },
    /// A mirrored log that is neither pulled nor pushed.
    #[error("{origin} is to be mirrored, and has neither `pull` to copy it from nor `push = true`")]
    MirrorWithoutPull {
        /// The log.
        origin: String,
    },
    /// `pull` is no address.
    #[error("pull {url:?} of {origin}: expected an address that begins with http:// or https://")]
    Pull {
        /// The log.
        origin: String,
        /// As written.
        url: String,
    },
    /// `pull_seconds` out of bounds, or without `pull`.
    #[error("pull_seconds of {origin}: expected 1 to {MAX_PULL_SECONDS} beside `pull`, found {found}")]
    PullSeconds {
        /// The log.
        origin: String,
        /// As written.
        found: u64,
    },
    /// A number of connections with which nobody or too many would be served.
    #[error("{what} of [limits]: expected 1 to {MAX_CONNECTIONS}, found {found}")]
    Connections {
        /// Which field.
        what: &'static str,
        /// As written.
        found: usize,
    },
    /// A bastion that is nowhere.
    #[error("bastion: {0}")]
    Bastion(NotAPlace),
    /// Two tables for one bastion.
    #[error("bastion {place} is listed twice")]
    BastionTwice {
        /// Where it is.
        place: BastionAddress,
    },
    /// More than [`MAX_BASTIONS`].
    #[error("at most {MAX_BASTIONS} bastions, found {found}")]
    TooManyBastions {
        /// How many.
        found: usize,
    },
    /// More than [`MAX_LOGS`].
    #[error("at most {MAX_LOGS} logs, found {found}")]
    TooMany {
        /// How many.
        found: usize,
    },
}
