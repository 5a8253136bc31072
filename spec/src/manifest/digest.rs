//! The digests of files: SHA-256, git's blob id, and in-toto's `dirHash1` over many.

use core::fmt;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::FilePath;
use crate::hash::Digest;
use crate::text::{HexError, hex_exact};

/// SHA-256 over the lines that `sha256sum` prints for the files: `<hex>  <path>\n` (in-toto `dirHash1`).
///
/// The caller gives them sorted by the bytes of their paths, as a manifest holds them.
pub fn dir_hash1<'a>(files: impl IntoIterator<Item = (Digest, &'a FilePath)>) -> Digest {
    let mut hasher = Sha256::new();
    for (digest, path) in files {
        hasher.update(format!("{digest}  {path}\n"));
    }
    Digest::from_bytes(hasher.finalize().into())
}

/// The id of a blob in git: `SHA-1("blob " || size || 0x00 || content)`. It never decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitBlobId([u8; 20]);

impl GitBlobId {
    /// Takes 20 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Reads 40 lower-case hex digits.
    pub fn from_hex(text: &str) -> Result<Self, HexError> {
        hex_exact(text).map(Self)
    }
}

/// Hashes the content of a blob as it is read, for its id in git.
#[derive(Clone)]
pub struct GitBlobHasher(Sha1);

impl GitBlobHasher {
    /// Starts a blob of `size` bytes: its id begins with the size.
    pub fn new(size: u64) -> Self {
        Self(Sha1::new().chain_update(format!("blob {size}\0")))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id, if the bytes were as many as was said; of no blob otherwise.
    pub fn finish(self) -> GitBlobId {
        GitBlobId(self.0.finalize().into())
    }
}

impl fmt::Debug for GitBlobHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GitBlobHasher")
    }
}

/// Hashes a file as it is read, once, for every digest that a manifest holds.
#[derive(Clone)]
pub struct FileHasher {
    announced: u64,
    seen: u64,
    sha256: Sha256,
    git: GitBlobHasher,
}

impl FileHasher {
    /// Starts a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { announced: size, seen: 0, sha256: Sha256::new(), git: GitBlobHasher::new(size) }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        self.sha256.update(bytes);
        self.git.update(bytes);
    }

    /// The digests, unless the file did not have the size that was announced.
    pub fn finish(self) -> Result<FileDigests, SizeChanged> {
        if self.seen != self.announced {
            return Err(SizeChanged { expected: self.announced, found: self.seen });
        }
        Ok(FileDigests {
            size: self.seen,
            sha256: Digest::from_bytes(self.sha256.finalize().into()),
            git_sha1: self.git.finish(),
        })
    }
}

impl fmt::Debug for FileHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileHasher({} of {} bytes)", self.seen, self.announced)
    }
}

/// What a manifest says of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigests {
    /// The length in bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Digest,
    /// Git's blob id.
    pub git_sha1: GitBlobId,
}

impl FileDigests {
    /// The digests of content that is in memory.
    pub fn of(content: &[u8]) -> Self {
        let size = content.len() as u64;
        let mut git = GitBlobHasher::new(size);
        git.update(content);
        Self { size, sha256: Digest::of(content), git_sha1: git.finish() }
    }
}

/// A file that grew or shrank while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeChanged {
    /// Its size when reading began.
    pub expected: u64,
    /// The bytes that were read.
    pub found: u64,
}

impl fmt::Display for SizeChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} bytes, found {}: the file changed while it was read", self.expected, self.found)
    }
}

impl core::error::Error for SizeChanged {}

impl fmt::Display for GitBlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for GitBlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitBlobId({self})")
    }
}

impl serde::Serialize for GitBlobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for GitBlobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, Self::from_hex)
    }
}
