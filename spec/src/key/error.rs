//! Why a key was not enrolled.

use core::fmt;

/// Why a key was not enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Not a PEM of an Ed25519 key.
    NotPem,
    /// More than one key of its sort in a file.
    SeveralKeys,
    /// The 32 bytes are no point of the curve.
    NotAPoint,
    /// Another encoding of the point than the canonical one.
    NotCanonical,
    /// A point of order 1, 2, 4 or 8: signatures under it prove nothing.
    SmallOrder,
    /// A point with a small-order component: verifiers disagree about its signatures.
    MixedOrder,
    /// A private key with another public key beside it than its own.
    OtherPublic,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPem => "expected an Ed25519 key in PEM (PKCS#8 or SubjectPublicKeyInfo)",
            Self::SeveralKeys => {
                "expected one key in PEM, found several: keep the one that is meant in a file of its own"
            }
            Self::NotAPoint => "expected an Ed25519 public key, found 32 bytes that are no point of the curve",
            Self::NotCanonical => "expected the canonical encoding of an Ed25519 public key",
            Self::SmallOrder => "expected an Ed25519 public key of prime order, found a small-order point",
            Self::MixedOrder => "expected an Ed25519 public key of prime order, found a mixed-order point",
            Self::OtherPublic => "expected the public key of the private one beside it, found another",
        })
    }
}

impl core::error::Error for KeyError {}
