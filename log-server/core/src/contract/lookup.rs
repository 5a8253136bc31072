//! Where an entry is: positions by publisher, file, package URL and parent. Derived, and nothing that is decided rests on it.
//!
//! What the log's own index lists is asked of the index ([`crate::positions`]).
//!
//! # Contract
//! - Positions are ascending, and at most [`MAX_POSITIONS`] in one answer.
//! - [`Lookup::extend`] waits for no disk. What it adds is in every answer to a question that is asked afterwards, or that question has no
//!   answer. A lookup that fails is made again from the entries.

use crate::file_digests::FileDigestIndex;
use std::fmt::Debug;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::manifest::GitBlobId;
use stele_spec::statement::{Parent, Statement, UnloggedParent, UnseenParent};

/// The most positions in one answer.
pub const MAX_POSITIONS: usize = 1000;

/// A derived index from names and digests to positions.
pub trait Lookup: Send + Sync + Debug {
    /// Adds the rows of entries that were published with the tree of this size and root.
    fn extend(&self, rows: &[LookupRow], size: u64, root: RootHash);

    /// The positions under a key, ascending, from `from` on; at most [`MAX_POSITIONS`].
    fn positions(&self, by: LookupKey<'_>, from: u64) -> Result<Vec<u64>, LookupUnavailable>;

    /// Why it does not answer now; `None` where it does.
    fn away(&self) -> Option<LookupUnavailable>;

    /// How many published entries are not in it yet.
    fn behind(&self) -> u64;

    /// Makes durable what was added.
    fn flush(&self);
}

/// Why nothing can be looked up now. It ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupUnavailable {
    /// They are made from the entries, or are behind them.
    #[error("the lookups are being made: {done} of {size} entries are in them")]
    Making {
        /// How many are in them.
        done: u64,
        /// How many are published.
        size: u64,
    },
    /// A database failed.
    #[error("the lookups have failed, and are opened again in {seconds} s; the log's journal says why")]
    Failed {
        /// How long until then.
        seconds: u64,
    },
    /// The log's index is not at hand.
    #[error("the index of the published tree is not at hand")]
    NoIndex,
}

impl LookupUnavailable {
    /// After how many seconds to ask again.
    pub fn retry_after(&self) -> u64 {
        match self {
            Self::Making { .. } | Self::NoIndex => 30,
            Self::Failed { seconds } => *seconds,
        }
    }
}

/// What is known of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupRow {
    /// Where it is.
    pub position: u64,
    /// Who said it.
    pub publisher: String,
    /// The files of the release.
    pub files: FileDigestIndex,
    /// The package URLs of a release and of its hosts, as it was released or as an amendment or a change of access says.
    pub purls: Vec<String>,
    /// What a release was made of, or is said to be by an amendment.
    pub parents: Vec<String>,
}

impl LookupRow {
    /// The record of a statement, and of the files of its manifest.
    pub fn of(position: u64, statement: &Statement, files: FileDigestIndex) -> Self {
        Self {
            position,
            publisher: statement.publisher().to_string(),
            files,
            purls: statement.packages().iter().map(ToString::to_string).collect(),
            parents: statement
                .lineage()
                .iter()
                .map(|ancestor| match &ancestor.parent {
                    Parent::Logged(logged) => logged.coordinate.to_string(),
                    Parent::Unlogged(UnloggedParent { purl, .. }) | Parent::Unseen(UnseenParent { purl, .. }) => {
                        purl.to_string()
                    }
                })
                .collect(),
        }
    }

    /// Under how many keys it is found.
    pub fn keys(&self) -> usize {
        1 + self.files.sha256.len() + self.files.git_sha1.len() + self.parents.len() + 2 * self.purls.len()
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum LookupKey<'a> {
    /// Everything that a publisher says.
    Publisher(&'a str),
    /// The releases that have a file, by its SHA-256.
    File(&'a Digest),
    /// The same by git's blob id.
    GitBlob(&'a GitBlobId),
    /// The releases that were released with a package URL or at a host that has it, and the statements that say so of one later.
    Purl(&'a str),
    /// The releases that were made of a coordinate, or of a package URL, and the amendments that say so of one.
    Parent(&'a str),
}
