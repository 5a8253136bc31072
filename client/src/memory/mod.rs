//! What this machine remembers of logs: every tree head it relied on, and what it was told when it asked.
//!
//! A log that shows one history here and another there is found out when somebody holds both heads. So each head that the
//! policy vouched for is kept, and each later one is compared with those: offline by size and root, online by the log's own
//! tiles. What was learnt online about a name is kept as well, with its proofs. Everything here is checked again when it is
//! read: who can write here can make this machine forget, and no more.
//!
//! ```text
//! $STELE_STATE, else $XDG_STATE_HOME/stele, else ~/.local/state/stele
//!   heads/<log>/<size>            a signed note as it came; <log> is the SHA-256 of the log's verifier key
//!   heads/<log>.linked            sizes and roots that are known to be of one tree
//!   heads/<log>/<size>.damaged    what stood there and was no head of the log: set aside
//!   told/<log>/<name>.json        what a log proved about a coordinate; <name> is the SHA-256 of the coordinate
//!   keys/<log>/<name>.json        key statements that were proven here; <name> is the SHA-256 of the publisher's name
//!   evidence/                     what convicts a log; never written over
//!   bundles/<SHA-256>.stele       a bundle that publish could not write to its place
//! ```

mod conflict;
mod heads;
mod keys;
mod told;
mod told_file;
#[cfg(test)]
mod told_tests;

use std::path::{Path, PathBuf};

use stele_durable::{Dir, DurableError};
use stele_spec::hash::Digest;
use stele_spec::note::SignedNote;
use stele_spec::policy::Policy;
use stele_terminal::writers::warn_of_writers;

pub(crate) use conflict::{Conflict, Conflicting, Stale};
pub(crate) use heads::Heads;
pub(crate) use told::Told;

/// Where things are remembered, if anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    folder: Option<PathBuf>,
    /// Whether a person named the folder: then failing to use it is an error.
    named: bool,
}

impl Memory {
    /// The memory of this machine's user, or none.
    pub(crate) fn open(off: bool) -> Self {
        if off {
            return Self { folder: None, named: false };
        }
        let memory = Self::of_the_environment();
        if let Some(folder) = &memory.folder {
            warn_of_writers(folder, "what is remembered of logs");
        }
        memory
    }

    fn of_the_environment() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = set("STELE_STATE") {
            return Self { folder: Some(folder), named: true };
        }
        let xdg = set("XDG_STATE_HOME").map(|folder| folder.join("stele"));
        Self { folder: xdg.or_else(|| set("HOME").map(|home| home.join(".local/state/stele"))), named: false }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The heads of the log that signed a note.
    pub(crate) fn heads<'a>(&self, log: LogId<'a>) -> Heads<'a> {
        Heads::new(self.clone(), log)
    }

    /// Writes below the folder; `Ok(None)` where there is no memory, or the machine's own place cannot be used.
    fn write<T>(&self, write: impl FnOnce(&Dir) -> Result<T, DurableError>) -> Result<Option<T>, DurableError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        match Dir::open(folder).and_then(|dir| write(&dir)) {
            Ok(done) => Ok(Some(done)),
            // A machine without a home, or with a read-only one, verifies all the same.
            Err(_) if !self.named => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A log of a policy, by the key that signs its heads: two logs of one origin have two memories.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogId<'a> {
    digest: Digest,
    /// The policy that names it.
    policy: &'a Policy,
}

impl<'a> LogId<'a> {
    /// The log of the policy whose signature a note bears; none where the policy would not vouch for it either.
    pub(crate) fn of(note: &SignedNote, policy: &'a Policy) -> Option<Self> {
        let log = policy.log_of(note)?;
        Some(Self { digest: Digest::of(log.key.to_string().as_bytes()), policy })
    }
}

impl PartialEq for LogId<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl std::fmt::Display for LogId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.digest.fmt(f)
    }
}
