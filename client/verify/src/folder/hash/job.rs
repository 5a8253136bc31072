//! What is hashed, and what it comes to.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use stele_spec::hash::Digest;
use stele_spec::hints::{PieceSize, State};
use stele_spec::manifest::GitBlobId;

use crate::folder::digest_cache::FileState;

/// Gets the number of bytes that were read since it was called last; it is called on several threads.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// Makes the file that a copy goes to, of the job with this number, whose file is open. It is called on several threads.
pub type CopyPlace<'a> = &'a (dyn Fn(usize, &File) -> io::Result<CopyInto> + Sync);

/// A copy that is made while its original is hashed.
#[derive(Debug)]
pub enum CopyInto {
    /// An empty file. It gets the bytes that are hashed, from the memory in which they are hashed.
    Empty(File),
    /// A file that shares the blocks of the original, open to be read. It is what is hashed.
    Shared(File),
}

/// How files are hashed.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) want: Want,
    pub(super) piece: PieceSize,
    pub(super) progress: Progress<'a>,
    /// Where copies go, if they are wanted. What is hashed is then the copy: what becomes of the original meanwhile decides nothing.
    pub(super) copies: Option<CopyPlace<'a>>,
}

/// One file to hash.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where it is, with symlinks resolved.
    pub path: PathBuf,
    /// Its size as the folder says.
    pub size: u64,
}

/// Which digests are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// What decides: to verify.
    Sha256,
    /// Git's blob id and the states between pieces as well: to publish.
    All,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Digest,
    /// Git's blob id, if it was wanted.
    pub git_sha1: Option<GitBlobId>,
    /// SHA-256's states between its pieces, if they were wanted.
    pub states: Vec<State>,
    /// Where links of its hints did not hold, in bytes from the beginning: if the hints are right, the file is damaged there.
    pub broken: Vec<Range<u64>>,
    /// The state in which the inode was when all of it was read.
    pub state: FileState,
}

/// Why a file has no digest.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The machine failed to read it.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The machine failed to write its copy.
    #[error("it cannot be copied: {0}")]
    Copy(#[source] io::Error),
    /// It is a pipe, a socket, a folder or a device by now.
    #[error("it is not a regular file")]
    NotAFile,
    /// It was written to, or replaced, while it was read.
    #[error("it changed while it was read")]
    Changed,
}
