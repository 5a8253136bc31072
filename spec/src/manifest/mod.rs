#![doc = include_str!("../../text/manifest.md")]

mod digest;
mod file;
mod path;
mod role;
mod role_table;

use core::fmt;
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

pub use digest::{FileDigests, FileHasher, GitBlobHasher, GitBlobId, SizeChanged, dir_hash1};
pub use file::ManifestFile;
pub(crate) use path::hides;
pub use path::{FilePath, MAX_PATH, MAX_SEGMENT, MAX_SEGMENTS, PathError};
pub use role::Role;

use crate::canonical::{self, CanonicalError, MAX_INTEGER};
use crate::hash::Digest;

/// The most files of one release.
pub const MAX_FILES: usize = 65_536;

/// The longest manifest in bytes.
pub const MAX_MANIFEST: usize = 16 << 20;

/// What the field `manifest` of a manifest says.
const FORMAT: &str = "stele/manifest@v1";

/// The files of a release: content-addressed, carried beside the statement that names its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    files: Vec<ManifestFile>,
    bytes: Vec<u8>,
}

/// The encoded form. Fields are in the order of RFC 8949 §4.2.1.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    files: Vec<ManifestFile>,
    manifest: String,
}

impl Manifest {
    /// Makes the manifest of these files, given in any order. It is stricter than a reader: no two paths collide on any common disk.
    pub fn new(mut files: Vec<ManifestFile>) -> Result<Self, ManifestError> {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        check_files(&files)?;
        check_collisions(&files, FilePath::folded)?;
        let encoded = Encoded { files, manifest: FORMAT.to_owned() };
        let bytes = canonical::to_bytes(&encoded).map_err(ManifestError::Encoding)?;
        if bytes.len() > MAX_MANIFEST {
            return Err(ManifestError::TooLong { found: bytes.len() });
        }
        Ok(Self { files: encoded.files, bytes })
    }

    /// Reads the one encoding of a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_MANIFEST {
            return Err(ManifestError::TooLong { found: bytes.len() });
        }
        let encoded: Encoded = canonical::from_bytes(bytes, MAX_MANIFEST).map_err(ManifestError::Encoding)?;
        if encoded.manifest != FORMAT {
            return Err(ManifestError::Format { found: encoded.manifest });
        }
        check_files(&encoded.files)?;
        Ok(Self { files: encoded.files, bytes: bytes.to_vec() })
    }

    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// The encoding, borrowed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of the encoding: what a statement names.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The files, by the bytes of their paths.
    pub fn files(&self) -> &[ManifestFile] {
        &self.files
    }

    /// The file at a path.
    pub fn file(&self, path: &FilePath) -> Option<&ManifestFile> {
        let found = self.files.binary_search_by(|file| file.path.cmp(path)).ok()?;
        self.files.get(found)
    }

    /// Two paths that are one where a disk ignores case or normalises, by the Unicode tables of this build.
    pub fn colliding(&self) -> Option<(FilePath, FilePath)> {
        match check_collisions(&self.files, FilePath::folded) {
            Err(ManifestError::Collision { first, second }) => Some((first, second)),
            _ => None,
        }
    }

    /// The files with the role [`Role::Weights`].
    pub fn weights(&self) -> impl Iterator<Item = &ManifestFile> {
        self.files.iter().filter(|file| file.role == Role::Weights)
    }

    /// `weights.digest`: the [`dir_hash1`] of the weights.
    pub fn weights_digest(&self) -> Digest {
        dir_hash1(self.weights().map(|file| (file.sha256, &file.path)))
    }

    /// `tree.digest`: the [`dir_hash1`] of all files.
    pub fn tree_digest(&self) -> Digest {
        dir_hash1(self.files.iter().map(|file| (file.sha256, &file.path)))
    }

    /// How many files are weights.
    pub fn weights_files(&self) -> u64 {
        self.weights().count() as u64
    }

    /// The bytes of the weights together. No sum overflows: it is checked for all files.
    pub fn weights_bytes(&self) -> u64 {
        self.weights().map(|file| file.size).sum()
    }

    /// The bytes of all files together.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

fn check_files(files: &[ManifestFile]) -> Result<(), ManifestError> {
    if files.is_empty() {
        return Err(ManifestError::NoFiles);
    }
    if files.len() > MAX_FILES {
        return Err(ManifestError::TooManyFiles { found: files.len() });
    }
    for pair in files.windows(2) {
        let [before, after] = pair else { continue };
        if before.path == after.path {
            return Err(ManifestError::SamePath { path: after.path.clone() });
        }
        if before.path > after.path {
            return Err(ManifestError::Order { path: after.path.clone() });
        }
    }
    let total = files.iter().try_fold(0_u64, |total, file| total.checked_add(file.size));
    if total.is_none_or(|total| total > MAX_INTEGER) {
        return Err(ManifestError::TooManyBytes);
    }
    check_collisions(files, FilePath::ascii_folded)
}

/// No two files fall on one name, and no file on a folder of another, after folding.
fn check_collisions(files: &[ManifestFile], fold: fn(&FilePath) -> String) -> Result<(), ManifestError> {
    let names: Vec<String> = files.iter().map(|file| fold(&file.path)).collect();
    let mut folded = HashMap::with_capacity(files.len());
    for (name, file) in names.iter().zip(files) {
        if let Some(first) = folded.insert(name.as_str(), &file.path) {
            return Err(ManifestError::Collision { first: first.clone(), second: file.path.clone() });
        }
    }
    let mut folders = HashSet::new();
    for (name, file) in names.iter().zip(files) {
        for (end, _) in name.rmatch_indices('/') {
            let folder = name.get(..end).unwrap_or_default();
            // The folders above it were looked at with the first file in it.
            if !folders.insert(folder) {
                break;
            }
            if let Some(first) = folded.get(folder) {
                return Err(ManifestError::Collision { first: (*first).clone(), second: file.path.clone() });
            }
        }
    }
    Ok(())
}

/// Why files are not a manifest, or bytes are not one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// Longer than [`MAX_MANIFEST`].
    TooLong {
        /// The length in bytes.
        found: usize,
    },
    /// Not the canonical encoding of the fields of a manifest.
    Encoding(CanonicalError),
    /// Another format, or another version of it.
    Format {
        /// What it says it is.
        found: String,
    },
    /// No file at all.
    NoFiles,
    /// More than [`MAX_FILES`].
    TooManyFiles {
        /// How many.
        found: usize,
    },
    /// More than [`MAX_INTEGER`] bytes in all files together.
    TooManyBytes,
    /// A file that must come before the one it follows.
    Order {
        /// Its path.
        path: FilePath,
    },
    /// A path that is there twice.
    SamePath {
        /// The path.
        path: FilePath,
    },
    /// Two paths that are one on a disk that ignores case or normalises, or a file that is a folder of another.
    Collision {
        /// One of them.
        first: FilePath,
        /// The other.
        second: FilePath,
    },
}

impl ManifestError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "manifest-too-long",
            Self::Encoding(_) => "manifest-encoding",
            Self::Format { .. } => "manifest-format",
            Self::NoFiles => "manifest-empty",
            Self::TooManyFiles { .. } => "manifest-too-many-files",
            Self::TooManyBytes => "manifest-too-many-bytes",
            Self::Order { .. } => "manifest-order",
            Self::SamePath { .. } => "manifest-same-path",
            Self::Collision { .. } => "manifest-collision",
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(f, "expected a manifest of at most {MAX_MANIFEST} bytes, found {found}"),
            Self::Encoding(error) => error.fmt(f),
            Self::Format { found } => write!(f, "expected a manifest in the format {FORMAT}, found {found:?}"),
            Self::NoFiles => f.write_str("expected at least one file, found none"),
            Self::TooManyFiles { found } => write!(f, "expected at most {MAX_FILES} files, found {found}"),
            Self::TooManyBytes => write!(f, "expected at most {MAX_INTEGER} bytes in all files, found more"),
            Self::Order { path } => {
                write!(f, "expected files sorted by the bytes of their paths, found {path} too late")
            }
            Self::SamePath { path } => write!(f, "expected each path once, found {path} twice"),
            Self::Collision { first, second } => {
                write!(f, "{first} and {second} fall on one name where case or normalisation is ignored")
            }
        }
    }
}

impl core::error::Error for ManifestError {}

#[cfg(test)]
pub(crate) mod tests;
