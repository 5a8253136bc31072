//! What can go wrong between a program and its disk, and at which step.

use crate::op::Op;
use rustix::io::Errno;
use std::io;
use std::path::PathBuf;
use stele_explain::{Exit, Explain};

/// Why a file could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum DurableError {
    /// The machine refused a step. Old content is intact.
    #[error("cannot {} {}", .op.name(), .path.display())]
    Io {
        /// The step.
        op: Op,
        /// The file or folder that the caller named.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// Other bytes are there under a name whose content never changes.
    #[error("{} exists with other content", .path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// How many bytes were to be put.
        offered: u64,
        /// How many bytes are there.
        found: u64,
    },
    /// More bytes than the caller is ready to read.
    #[error("{} is larger than {limit} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The caller's limit.
        limit: u64,
    },
    /// A path that could leave the root, or is none.
    #[error("{path:?} is not a path below a data folder")]
    BadPath {
        /// As given.
        path: String,
    },
}

impl DurableError {
    /// Whether the disk's state is now unknown: nothing more may be written by this process.
    pub fn is_sync_failure(&self) -> bool {
        matches!(self, Self::Io { op: Op::Sync | Op::SyncDir | Op::SyncFs, .. })
    }

    /// Whether there was no room: nothing was lost, and the same step may succeed once there is.
    pub fn is_disk_full(&self) -> bool {
        let Self::Io { source, .. } = self else { return false };
        matches!(Errno::from_io_error(source), Some(Errno::NOSPC | Errno::DQUOT))
    }

    /// The same error, for another caller who waited for the same step.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Io { op, path, source } => {
                let again = source.raw_os_error().map(io::Error::from_raw_os_error);
                let source = again.unwrap_or_else(|| io::Error::new(source.kind(), source.to_string()));
                Self::Io { op: *op, path: path.clone(), source }
            }
            Self::Differs { path, offered, found } => {
                Self::Differs { path: path.clone(), offered: *offered, found: *found }
            }
            Self::TooLarge { path, limit } => Self::TooLarge { path: path.clone(), limit: *limit },
            Self::BadPath { path } => Self::BadPath { path: path.clone() },
        }
    }

    pub(crate) fn errno(&self) -> Option<Errno> {
        match self {
            Self::Io { source, .. } => Errno::from_io_error(source),
            _ => None,
        }
    }
}

impl Explain for DurableError {
    fn exit(&self) -> Exit {
        match self {
            Self::Differs { .. } => Exit::Inconsistent,
            Self::BadPath { .. } => Exit::Internal,
            Self::Io { .. } | Self::TooLarge { .. } => Exit::Io,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Differs { .. } => "file-differs",
            Self::TooLarge { .. } => "file-too-large",
            Self::BadPath { .. } => "bad-path",
            Self::Io { .. } => match self.errno() {
                Some(Errno::NOSPC | Errno::DQUOT) => "disk-full",
                Some(Errno::ACCESS | Errno::PERM) => "permission-denied",
                Some(Errno::ROFS) => "read-only",
                Some(Errno::NOENT) => "file-missing",
                _ => "io",
            },
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Differs { .. } => "this content never changes: compare the file with a backup before anything else",
            Self::TooLarge { .. } | Self::BadPath { .. } => return None,
            Self::Io { .. } => match self.errno()? {
                Errno::NOSPC | Errno::DQUOT => "free space on this file system; nothing was lost, try again afterwards",
                Errno::ACCESS | Errno::PERM => "check the owner and mode of the path",
                Errno::ROFS => "a file system that turns read-only often had a disk error: look into dmesg",
                Errno::XDEV => "the data folder must be one file system: no mounts inside it",
                Errno::OPNOTSUPP | Errno::MLINK => "the file system must support hard links",
                Errno::IO => "look into dmesg and at the health of the disk before starting again",
                _ => return None,
            },
        };
        Some(hint.to_owned())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Differs { offered, found, .. } => {
                vec![("expected", format!("{offered} bytes")), ("found", format!("{found} bytes"))]
            }
            _ => Vec::new(),
        }
    }
}
