#![doc = include_str!("../../text/statement.md")]

mod access;
mod agreement;
mod components;
mod cose;
mod docs;
mod error;
mod evaluation;
mod field;
mod hosts;
mod legal;
mod license;
mod lineage;
mod model;
mod obligations;
mod openness;
mod publisher;
mod rationale;
mod reference;
mod release;
mod safety;
mod time;
mod weights;
mod words;

use serde::Deserialize;

pub use access::{Access, Stage};
pub use agreement::ManifestMismatch;
pub use components::{Component, ComponentId, Included};
pub use cose::{CONTENT_TYPE, EnvelopeError, Header, MAX_STATEMENT};
pub use docs::Docs;
pub use error::{StatementError, VerifyError};
pub use evaluation::{Configuration, DangerousDomain, Dataset, Domain, Evaluation, EvaluationClass, MAX_EVALUATIONS};
pub use field::FieldError;
pub use hosts::{Host, HostType, MAX_HOSTS};
pub use legal::{LegalClaim, MAX_LEGAL};
pub use license::License;
pub use lineage::{Ancestor, Carries, LoggedParent, MAX_PARENTS, Parent, Relation, UnloggedParent};
pub use model::{Artifact, MAX_FORMATS, MAX_MODALITIES, ModelInfo};
pub use obligations::Obligations;
pub use openness::{Basis, MofClass, Openness, OpennessClaim};
pub use publisher::{Action, Algorithm, MAX_KEYS, PublisherClaim, PublisherKey, PublisherKind, PublisherName};
pub use rationale::{MAX_REASONS, Rationale};
pub use reference::{Document, Reference};
pub use release::{Release, ReleaseKind};
pub use safety::{MAX_SAFEGUARDS, Safeguard, SafeguardType, Safety};
pub use time::{Date, TimeError, Timestamp};
pub use weights::{Tree, Weights};
pub use words::{
    Decimal, Line, MAX_DECIMAL, MAX_LINE, MAX_PROSE, MAX_SLUG, MAX_URI, Prose, Purl, Slug, Uri, WordError,
};

use crate::canonical::{self, CanonicalError, vocabulary};
use crate::hash::{Digest, KeyId};
use crate::key::{PublicKey, SecretKey, Signature};
use crate::name::{Coordinate, Publisher};
use cose::Envelope;

vocabulary! {
    /// The kinds of statement that the record has.
    pub enum Kind {
        /// Claims a name for keys.
        Publisher = "publisher",
        /// A coordinate is these bytes, under these terms, on this evidence.
        Release = "release",
        /// Documents, licence, hosts or evaluations changed.
        Amend = "amend",
        /// Access moved.
        Stage = "stage",
        /// A newer coordinate replaces this one.
        Supersede = "supersede",
        /// What was taken back, and where copies are.
        Withdraw = "withdraw",
        /// Something went wrong.
        Incident = "incident",
        /// A result by somebody else.
        Evaluation = "evaluation",
        /// What a host served.
        Observation = "observation",
    }
}

/// What somebody says. A new kind makes every program that reads statements decide what it means to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A name is claimed.
    Publisher(PublisherClaim),
    /// A model is released.
    Release(Box<Release>),
}

impl Statement {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Publisher(_) => Kind::Publisher,
            Self::Release(_) => Kind::Release,
        }
    }

    /// Who says it.
    pub fn publisher(&self) -> &Publisher {
        match self {
            Self::Publisher(claim) => &claim.publisher.name,
            Self::Release(release) => &release.publisher.name,
        }
    }

    /// What it is about, unless it is about a name.
    pub fn coordinate(&self) -> Option<Coordinate> {
        match self {
            Self::Publisher(_) => None,
            Self::Release(release) => Some(release.coordinate()),
        }
    }

    /// When it was made, as its publisher says.
    pub fn issued_at(&self) -> Timestamp {
        match self {
            Self::Publisher(claim) => claim.issued_at,
            Self::Release(release) => release.issued_at,
        }
    }

    /// The weights that it is about.
    pub fn weights_digest(&self) -> Option<Digest> {
        match self {
            Self::Publisher(_) => None,
            Self::Release(release) => Some(release.weights.digest),
        }
    }

    /// The manifest that it names.
    pub fn manifest_digest(&self) -> Option<Digest> {
        match self {
            Self::Publisher(_) => None,
            Self::Release(release) => Some(release.manifest),
        }
    }

    /// The release, if it is one.
    pub fn release(&self) -> Option<&Release> {
        match self {
            Self::Publisher(_) => None,
            Self::Release(release) => Some(release),
        }
    }

    /// Every check of the fields that needs nothing but the statement.
    pub fn check(&self) -> Result<(), FieldError> {
        match self {
            Self::Publisher(claim) => claim.check(),
            Self::Release(release) => release.check(),
        }
    }

    /// The canonical payload, unchecked.
    pub fn payload(&self) -> Result<Vec<u8>, CanonicalError> {
        match self {
            Self::Publisher(claim) => canonical::to_bytes(claim),
            Self::Release(release) => canonical::to_bytes(release),
        }
    }

    /// Reads a payload: encoding, kind, fields, and every check of the fields.
    fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        #[derive(Deserialize)]
        struct Peek {
            kind: String,
        }

        canonical::check(payload, MAX_STATEMENT, canonical::Profile::Payload).map_err(StatementError::Payload)?;
        let Peek { kind } = canonical::peek(payload).map_err(StatementError::from_payload)?;
        let statement = match Kind::from_text(&kind) {
            Some(Kind::Publisher) => canonical::from_bytes(payload, MAX_STATEMENT).map(Self::Publisher),
            Some(Kind::Release) => canonical::from_bytes(payload, MAX_STATEMENT).map(Self::Release),
            Some(kind) => return Err(StatementError::KindNotYet { kind }),
            None => return Err(StatementError::KindUnknown { found: kind }),
        }
        .map_err(StatementError::from_payload)?;
        statement.check().map_err(StatementError::Field)?;
        Ok(statement)
    }

    /// `iss` and `sub` of the envelope.
    fn claims(&self) -> (String, String) {
        let publisher = self.publisher();
        let subject = self.coordinate().map_or_else(|| publisher.to_string(), |coordinate| coordinate.to_string());
        (publisher.iss(), subject)
    }
}

/// A statement in its envelope. Its fields are checked; its signature only by [`SignedStatement::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    bytes: Vec<u8>,
    statement: Statement,
    kid: KeyId,
    to_be_signed: Vec<u8>,
    signature: Signature,
}

impl SignedStatement {
    /// Reads the one encoding of a signed statement and checks everything but the signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let envelope = Envelope::parse(bytes).map_err(StatementError::Envelope)?;
        let statement = Statement::parse(envelope.payload)?;
        let (issuer, subject) = statement.claims();
        if envelope.issuer != issuer {
            let found = envelope.issuer.to_owned();
            return Err(StatementError::IssuerDiffers { expected: issuer, found });
        }
        if envelope.subject != subject {
            let found = envelope.subject.to_owned();
            return Err(StatementError::SubjectDiffers { expected: subject, found });
        }
        if let Statement::Publisher(claim) = &statement
            && claim.key(&envelope.kid).is_none()
        {
            return Err(StatementError::SignerNotListed { found: envelope.kid });
        }
        let to_be_signed = envelope.to_be_signed();
        let Envelope { kid, signature, .. } = envelope;
        Ok(Self { bytes: bytes.to_vec(), statement, kid, to_be_signed, signature })
    }

    /// The bytes: the entry of the log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is said.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Which key is named as the signer's.
    pub fn kid(&self) -> KeyId {
        self.kid
    }

    /// Verifies the signature (RFC 9052 §4.4) strictly. It says nothing about whether the key holds the name.
    pub fn verify(&self, key: &PublicKey) -> Result<(), VerifyError> {
        let found = key.key_id();
        if found != self.kid {
            return Err(VerifyError::OtherKey { expected: self.kid, found });
        }
        key.verify(&self.to_be_signed, &self.signature).map_err(|_| VerifyError::BadSignature { kid: self.kid })
    }
}

/// Checks a statement and signs it. What comes back has been read again from its bytes.
pub fn sign(statement: &Statement, key: &SecretKey) -> Result<SignedStatement, StatementError> {
    statement.check().map_err(StatementError::Field)?;
    let payload = statement.payload().map_err(StatementError::from_payload)?;
    let (issuer, subject) = statement.claims();
    let bytes = cose::sign(&payload, &issuer, &subject, key);
    SignedStatement::parse(&bytes)
}

#[cfg(test)]
mod tests;
