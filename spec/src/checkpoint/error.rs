//! Why a checkpoint was refused.

use core::fmt;

use crate::note::NoteError;
use crate::text::{Base64Error, DecimalError};

/// The longest origin in bytes: ML-DSA cosignatures give it one length byte (c2sp.org/tlog-cosignature).
pub(super) const MAX_ORIGIN: usize = 255;

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointError {
    /// Not origin, size and root, each on a line of its own and each line ended.
    Lines,
    /// An origin that is empty, too long, or has control characters.
    Origin,
    /// A size that is not a decimal below 2^63.
    Size(DecimalError),
    /// A root that is not base64 of 32 bytes.
    Root(Base64Error),
    /// No signature line of the log's key.
    NotSigned,
    /// A signature line of the log's key that does not verify.
    BadSignature,
    /// A cosigner's key where a log's key belongs.
    NotALogKey,
    /// Extension lines under an ML-DSA-44 key, which does not sign them.
    UnsignedExtension,
    /// Not a signed note.
    Note(NoteError),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines => f.write_str("expected a checkpoint: origin, size and root hash, a line each"),
            Self::Origin => write!(f, "expected an origin of 1 to {MAX_ORIGIN} bytes without control characters"),
            Self::Size(DecimalError::TooLarge) => f.write_str("tree size: expected a number below 2^63"),
            Self::Size(error) => write!(f, "tree size: {error}"),
            Self::Root(error) => write!(f, "root hash: {error}"),
            Self::NotSigned => f.write_str("the checkpoint has no signature of the log's key"),
            Self::BadSignature => f.write_str("the log's signature on the checkpoint does not verify"),
            Self::NotALogKey => f.write_str("expected a log's key (type 01 or 06), found a cosigner's"),
            Self::UnsignedExtension => {
                f.write_str("the checkpoint has extension lines, which the log's ML-DSA-44 key does not sign")
            }
            Self::Note(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CheckpointError {}
