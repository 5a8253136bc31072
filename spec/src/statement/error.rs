//! Why a statement is refused.

use core::fmt;

use super::{EnvelopeError, FieldError, Kind};
use crate::canonical::CanonicalError;
use crate::hash::KeyId;

/// Why bytes are not a signed statement, its signature aside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementError {
    /// Not the envelope of a statement.
    Envelope(EnvelopeError),
    /// The payload is not canonical; positions are within it.
    Payload(CanonicalError),
    /// A field of the payload.
    Field(FieldError),
    /// A kind that the record does not have.
    KindUnknown {
        /// What it says.
        found: String,
    },
    /// `iss` of the envelope is not the publisher of the payload.
    IssuerDiffers {
        /// By the payload.
        expected: String,
        /// By the envelope.
        found: String,
    },
    /// `sub` of the envelope is not the subject of the payload.
    SubjectDiffers {
        /// By the payload.
        expected: String,
        /// By the envelope.
        found: String,
    },
    /// A claim of a name that is not signed by a key in it.
    SignerNotListed {
        /// The key named as the signer's.
        found: KeyId,
    },
}

impl StatementError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Envelope(error) => error.code(),
            Self::Payload(CanonicalError::TooDeep { .. }) => "too-deep",
            Self::Payload(_) => "not-canonical",
            Self::Field(error) => error.code(),
            Self::KindUnknown { .. } => "kind-unknown",
            Self::IssuerDiffers { .. } => "issuer-differs",
            Self::SubjectDiffers { .. } => "subject-differs",
            Self::SignerNotListed { .. } => "signer-not-listed",
        }
    }

    pub(super) fn from_payload(error: CanonicalError) -> Self {
        match error {
            CanonicalError::Shape(shape) => Self::Field(FieldError::from(shape)),
            other => Self::Payload(other),
        }
    }
}

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyError {
    /// The statement names another key as its signer's.
    OtherKey {
        /// The key that it names.
        expected: KeyId,
        /// The key that was tried.
        found: KeyId,
    },
    /// The signature is not this key's over these bytes.
    BadSignature {
        /// The key.
        kid: KeyId,
    },
}

impl VerifyError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherKey { .. } => "other-key",
            Self::BadSignature { .. } => "bad-signature",
        }
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope(error) => error.fmt(f),
            Self::Payload(error) => write!(f, "payload: {error}"),
            Self::Field(error) => error.fmt(f),
            Self::KindUnknown { found } => {
                write!(f, "kind: expected one of {}, found {found:?}", Kind::TEXTS.join(", "))
            }
            Self::IssuerDiffers { expected, found } => {
                write!(f, "iss: expected {expected}, the publisher of the payload, found {found}")
            }
            Self::SubjectDiffers { expected, found } => {
                write!(f, "sub: expected {expected}, the subject of the payload, found {found}")
            }
            Self::SignerNotListed { found } => {
                write!(f, "expected a claim signed by one of its own keys, found it signed by {found}")
            }
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKey { expected, found } => write!(f, "expected the key {expected}, found {found}"),
            Self::BadSignature { kid } => write!(f, "the signature is not that of key {kid} over this statement"),
        }
    }
}

impl core::error::Error for StatementError {}
impl core::error::Error for VerifyError {}
