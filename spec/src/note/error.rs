//! Why a note or a key was refused.

use core::fmt;

use super::key_name::{KeyHash, KeyName};
use crate::key::KeyError;

/// Why a note or a key was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteError {
    /// More bytes than a note may have.
    TooLong {
        /// The limit in bytes.
        limit: usize,
        /// Bytes found.
        found: usize,
    },
    /// Not UTF-8, or with a control character other than newline.
    NotText,
    /// No empty line between text and signatures, or text without a final newline.
    NoSignatures,
    /// More signature lines than a note may have.
    TooManySignatures {
        /// The limit.
        limit: usize,
    },
    /// A line after the empty line that is no signature line.
    SignatureLine {
        /// Which one, from 1.
        line: usize,
    },
    /// A second line under one key name and key ID.
    RepeatedKey {
        /// Which one, from 1.
        line: usize,
        /// The name in both.
        name: KeyName,
        /// The key ID in both.
        hash: KeyHash,
    },
    /// A key name that is empty or has a space or a plus sign.
    KeyName,
    /// Not a verifier key.
    VerifierKey,
    /// Not a signer key.
    SignerKey,
    /// The key ID in the string is not that of its name, type and key.
    KeyId {
        /// Computed from name, type and key.
        expected: u32,
        /// Found in the string.
        found: u32,
    },
    /// A signature type that is not supported here.
    KeyType {
        /// The type byte found.
        found: u8,
    },
    /// The public key is not one to enrol.
    Key(KeyError),
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(f, "a signed note is at most {limit} bytes, found {found}"),
            Self::NotText => f.write_str("expected a signed note in UTF-8 without control characters"),
            Self::NoSignatures => {
                f.write_str("expected text, an empty line and at least one signature line (c2sp.org/signed-note)")
            }
            Self::TooManySignatures { limit } => write!(f, "a signed note has at most {limit} signatures here"),
            Self::SignatureLine { line } => {
                write!(f, "signature line {line}: expected an em dash, a key name and base64 of key ID and signature")
            }
            Self::RepeatedKey { line, name, hash } => {
                write!(
                    f,
                    "signature line {line}: expected one line a key, found a second one of {name} with key ID {hash}"
                )
            }
            Self::KeyName => f.write_str("expected a key name without spaces and plus signs"),
            Self::VerifierKey => f.write_str("expected a verifier key: <name>+<8 hex digits>+<base64>"),
            Self::SignerKey => f.write_str("expected a signer key: PRIVATE+KEY+<name>+<8 hex digits>+<base64>"),
            Self::KeyId { expected, found } => write!(f, "expected key ID {expected:08x}, found {found:08x}"),
            Self::KeyType { found } => {
                write!(
                    f,
                    "expected a log's Ed25519 key (type 01), a cosigner's (04) or an ML-DSA-44 key (06), found type {found:02x}"
                )
            }
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for NoteError {}
