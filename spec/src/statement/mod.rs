#![doc = include_str!("../../text/statement.md")]

mod access;
mod agreement;
mod amend;
mod approval;
mod approved;
mod components;
mod cose;
mod docs;
mod error;
mod evaluation;
mod field;
mod hosts;
mod incident;
mod kind;
mod legal;
mod licence_expression;
mod license;
mod lineage;
mod listing;
mod logged;
mod model;
mod obligations;
mod observation;
mod openness;
mod parent;
mod publisher;
mod publisher_name;
mod rationale;
mod reference;
mod release;
mod report;
mod safety;
mod stage;
mod supersede;
mod time;
mod vocabularies;
mod weights;
mod withdraw;
mod words;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use access::{Access, Stage};
pub use agreement::ManifestMismatch;
pub use amend::{Amend, AmendKind, Evidence};
pub use approval::{Approval, approved_bytes};
pub use components::{Component, Included};
pub(crate) use cose::sig_structure;
pub use cose::{CONTENT_TYPE, EnvelopeError, Header, MAX_STATEMENT};
pub use docs::Docs;
pub use error::{StatementError, VerifyError};
pub use evaluation::{Dataset, Domain, Evaluation, EvaluationClass, MAX_EVALUATIONS};
pub use field::FieldError;
pub use hosts::{Host, MAX_HOSTS};
pub use incident::{Incident, IncidentClass, IncidentKind, IncidentStatus, MAX_AFFECTED, Severity};
pub use kind::Kind;
pub use legal::{LegalClaim, MAX_LEGAL};
pub use licence_expression::{ExpressionError, LicenceExpression, LicenceTerm, MAX_DEPTH, MAX_EXPRESSION, MAX_TERMS};
pub use license::License;
pub use lineage::{Ancestor, Carries, MAX_PARENTS, Relation};
pub use listing::{ListedFile, Listing, ListingError};
pub use logged::{Affected, LoggedEntry, LoggedRelease};
pub use model::{MAX_FORMATS, MAX_MODALITIES, ModelFacts, ModelInfo};
pub use obligations::Obligations;
pub use observation::{
    HostDigest, MAX_OBSERVED, Observation, ObservationKind, ObservationMethod, Observed, ObservedFile, ObservedHost,
};
pub use openness::{MofClass, Openness, OpennessClaim};
pub use parent::{Parent, UnloggedParent, UnseenBytes, UnseenParent};
pub use publisher::{Action, Algorithm, MAX_KEYS, PublisherClaim, PublisherKey, PublisherKind};
pub use publisher_name::PublisherName;
pub use rationale::{MAX_REASONS, Rationale};
pub use reference::{Document, Reference};
pub use release::{Release, ReleaseKind};
pub use report::{EvaluationKind, EvaluationReport};
pub use safety::{MAX_SAFEGUARDS, Safeguard, SafeguardType, Safety};
pub use stage::{StageKind, StageMove};
pub use supersede::{Supersede, SupersedeKind};
pub use time::{Date, TimeError, Timestamp};
pub use vocabularies::{Artifact, Basis, ComponentId, Configuration, DangerousDomain, HostType};
pub use weights::{Tree, Weights};
pub use withdraw::{Action as Withdrawn, Copies, MAX_ACTIONS, Withdraw, WithdrawKind, WithdrawalAction};
pub use words::{
    Decimal, Line, MAX_DECIMAL, MAX_LINE, MAX_PROSE, MAX_SLUG, MAX_URI, Prose, Purl, Slug, Uri, WordError,
};

use crate::canonical::{self, CanonicalError, FieldPath, Profile, Scanned};
use crate::hash::{Digest, KeyId};
use crate::key::{PublicKey, SecretKey, Signature};
use crate::name::{Coordinate, Publisher};
use cose::{Envelope, OpenEnvelope};

/// What somebody says. A new kind makes every program that reads statements decide what it means to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Statement {
    /// A name is claimed, or its keys change.
    Publisher(PublisherClaim),
    /// A model is released.
    Release(Box<Release>),
    /// What was said about a release changes.
    Amend(Box<Amend>),
    /// Access moves.
    Stage(Box<StageMove>),
    /// Another release replaces one.
    Supersede(Box<Supersede>),
    /// A release is withdrawn.
    Withdraw(Box<Withdraw>),
    /// Something went wrong.
    Incident(Box<Incident>),
    /// A third party's result.
    Evaluation(Box<EvaluationReport>),
    /// What a host served.
    Observation(Box<Observation>),
}

/// The same expression for the statement inside, whichever it is.
macro_rules! inside {
    ($statement:expr, $inner:ident => $expression:expr) => {
        match $statement {
            Statement::Publisher($inner) => $expression,
            Statement::Release($inner) => $expression,
            Statement::Amend($inner) => $expression,
            Statement::Stage($inner) => $expression,
            Statement::Supersede($inner) => $expression,
            Statement::Withdraw($inner) => $expression,
            Statement::Incident($inner) => $expression,
            Statement::Evaluation($inner) => $expression,
            Statement::Observation($inner) => $expression,
        }
    };
}

impl Statement {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Publisher(_) => Kind::Publisher,
            Self::Release(_) => Kind::Release,
            Self::Amend(_) => Kind::Amend,
            Self::Stage(_) => Kind::Stage,
            Self::Supersede(_) => Kind::Supersede,
            Self::Withdraw(_) => Kind::Withdraw,
            Self::Incident(_) => Kind::Incident,
            Self::Evaluation(_) => Kind::Evaluation,
            Self::Observation(_) => Kind::Observation,
        }
    }

    /// Who speaks.
    pub fn publisher(&self) -> &Publisher {
        inside!(self, inner => &inner.publisher.name)
    }

    /// What it is about, unless it is about a name. An incident has more of them: [`Statement::coordinates`].
    pub fn coordinate(&self) -> Option<Coordinate> {
        match self {
            Self::Release(release) => Some(release.coordinate()),
            Self::Incident(incident) => incident.affected.first().map(|affected| affected.coordinate().clone()),
            Self::Observation(observation) => Some(observation.subject.coordinate().clone()),
            _ => self.subject_release().map(|release| release.coordinate.clone()),
        }
    }

    /// Everything that it is about, each once, in its order.
    pub fn coordinates(&self) -> Vec<Coordinate> {
        match self {
            Self::Incident(incident) => {
                incident.affected.iter().map(|affected| affected.coordinate().clone()).collect()
            }
            _ => self.coordinate().into_iter().collect(),
        }
    }

    /// The release that a statement of its publisher, or an evaluation, is about.
    pub fn subject_release(&self) -> Option<&LoggedRelease> {
        match self {
            Self::Publisher(_) | Self::Release(_) | Self::Incident(_) => None,
            Self::Amend(amend) => Some(&amend.release),
            Self::Stage(stage) => Some(&stage.release),
            Self::Supersede(supersede) => Some(&supersede.release),
            Self::Withdraw(withdraw) => Some(&withdraw.release),
            Self::Evaluation(report) => Some(&report.release),
            Self::Observation(observation) => observation.subject.logged(),
        }
    }

    /// Every release of the log that it refers to, whatever for, with the field that does.
    pub fn references(&self) -> Vec<(String, &LoggedRelease)> {
        let mut references: Vec<(String, &LoggedRelease)> = Vec::new();
        let field = if self.kind() == Kind::Observation { "subject" } else { "release" };
        references.extend(self.subject_release().map(|release| (field.to_owned(), release)));
        for (number, ancestor) in self.lineage().iter().enumerate() {
            if let Parent::Logged(parent) = &ancestor.parent {
                references.push((format!("lineage[{number}].parent"), parent));
            }
        }
        match self {
            Self::Supersede(supersede) => references.push(("by".to_owned(), &supersede.by)),
            Self::Incident(incident) => {
                for (number, affected) in incident.affected.iter().enumerate() {
                    references.extend(affected.logged().map(|release| (format!("affected[{number}]"), release)));
                }
            }
            _ => {}
        }
        references
    }

    /// Signatures of further keys.
    pub fn approvals(&self) -> &[Approval] {
        inside!(self, inner => &inner.approvals)
    }

    fn approvals_mut(&mut self) -> &mut Vec<Approval> {
        inside!(self, inner => &mut inner.approvals)
    }

    /// When it was made, as its speaker says.
    pub fn issued_at(&self) -> Timestamp {
        inside!(self, inner => inner.issued_at)
    }

    /// The weights that it is about. An observation gives those that were found.
    pub fn weights_digest(&self) -> Option<Digest> {
        match self {
            Self::Publisher(_) | Self::Incident(_) => None,
            Self::Release(release) => Some(release.weights.digest),
            Self::Amend(amend) => Some(amend.weights_digest),
            Self::Stage(stage) => Some(stage.weights_digest),
            Self::Supersede(supersede) => Some(supersede.weights_digest),
            Self::Withdraw(withdraw) => Some(withdraw.weights_digest),
            Self::Evaluation(report) => Some(report.evaluation.subject),
            Self::Observation(observation) => observation.weights_digest,
        }
    }

    /// The manifest that it names.
    pub fn manifest_digest(&self) -> Option<Digest> {
        self.release().map(|release| release.manifest)
    }

    /// The parents that it names: of a release, or of an amendment that replaces them.
    pub fn lineage(&self) -> &[Ancestor] {
        match self {
            Self::Release(release) => &release.lineage,
            Self::Amend(amend) => amend.lineage.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// The package URLs that it gives a release, each once: the model's own, and those of its hosts ([`Host::package`]).
    pub fn packages(&self) -> Vec<Purl> {
        match self {
            Self::Release(release) => release.packages(),
            Self::Amend(amend) => {
                let own = amend.model.as_ref().and_then(|model| model.purl.as_ref());
                release::packages(own, amend.hosts.as_deref().unwrap_or_default())
            }
            Self::Stage(stage) => release::packages(None, stage.hosts.as_deref().unwrap_or_default()),
            _ => Vec::new(),
        }
    }

    /// The release, if it is one.
    pub fn release(&self) -> Option<&Release> {
        match self {
            Self::Release(release) => Some(release),
            _ => None,
        }
    }

    /// Every check of the fields that needs nothing but the statement.
    pub fn check(&self) -> Result<(), FieldError> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that is wrong with the fields.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = inside!(self, inner => inner.problems());
        if self.kind() != Kind::Publisher {
            problems.extend(approval::problems(self.approvals()));
        }
        problems
    }

    /// The canonical payload, unchecked.
    pub fn payload(&self) -> Result<Vec<u8>, CanonicalError> {
        inside!(self, inner => canonical::to_bytes(inner))
    }

    /// Reads an unsigned payload: encoding, kind, fields, and every check of the fields.
    pub fn from_payload(payload: &[u8]) -> Result<Self, StatementError> {
        Self::of_scanned(&Scanned::scan(payload, MAX_STATEMENT, Profile::Payload).map_err(StatementError::Payload)?)
    }

    /// [`Statement::from_payload`] by the general decoder and encoder alone, which must say the same.
    #[cfg(any(test, fuzzing))]
    pub fn from_payload_in_general(payload: &[u8]) -> Result<Self, StatementError> {
        let document = Scanned::scan_untaped(payload, MAX_STATEMENT, Profile::Payload);
        Self::of_scanned(&document.map_err(StatementError::Payload)?)
    }

    fn of_scanned(payload: &Scanned<'_>) -> Result<Self, StatementError> {
        #[derive(Deserialize)]
        struct Peek {
            kind: String,
        }

        let Peek { kind } = payload.peek().map_err(StatementError::from_payload)?;
        let kind = Kind::from_text(&kind).ok_or(StatementError::KindUnknown { found: kind })?;
        let statement = match kind {
            Kind::Publisher => read(payload).map(Self::Publisher),
            Kind::Release => read(payload).map(Self::Release),
            Kind::Amend => read(payload).map(Self::Amend),
            Kind::Stage => read(payload).map(Self::Stage),
            Kind::Supersede => read(payload).map(Self::Supersede),
            Kind::Withdraw => read(payload).map(Self::Withdraw),
            Kind::Incident => read(payload).map(Self::Incident),
            Kind::Evaluation => read(payload).map(Self::Evaluation),
            Kind::Observation => read(payload).map(Self::Observation),
        }?;
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
        let statement = Statement::from_payload(envelope.payload)?;
        let (issuer, subject) = statement.claims();
        if envelope.issuer != issuer {
            let found = envelope.issuer.to_owned();
            return Err(StatementError::IssuerDiffers { expected: issuer, found });
        }
        if envelope.subject != subject {
            let found = envelope.subject.to_owned();
            return Err(StatementError::SubjectDiffers { expected: subject, found });
        }
        check_signers(&statement, envelope.kid)?;
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

fn read<T: DeserializeOwned + Serialize>(payload: &Scanned<'_>) -> Result<T, StatementError> {
    payload.decode().map_err(StatementError::from_payload)
}

/// Nobody counts twice, and a claim is signed by enough of its own keys.
fn check_signers(statement: &Statement, signer: KeyId) -> Result<(), StatementError> {
    if statement.approvals().iter().any(|approval| approval.kid == signer) {
        let (path, found) = (FieldPath::new("approvals"), signer.to_string());
        return Err(StatementError::Field(FieldError::Duplicate { path, found }));
    }
    let Statement::Publisher(claim) = statement else { return Ok(()) };
    if claim.action != Action::Claim {
        return Ok(());
    }
    if claim.key(&signer).is_none() {
        return Err(StatementError::SignerNotListed { found: signer });
    }
    let (needed, found) = (claim.threshold, claim.approvals.len() + 1);
    if (found as u64) < needed {
        return Err(StatementError::Field(FieldError::ApprovalsMissing { needed, found }));
    }
    Ok(())
}

/// Checks a statement and signs it. What comes back has been read again from its bytes.
pub fn sign(statement: &Statement, key: &SecretKey) -> Result<SignedStatement, StatementError> {
    let unsigned = UnsignedStatement::new(statement, key.public().key_id())?;
    unsigned.signed(&key.sign(&unsigned.to_be_signed()))
}

/// A checked statement that waits for the signature of one key, which may be in another process or machine.
#[derive(Debug)]
pub struct UnsignedStatement(OpenEnvelope);

impl UnsignedStatement {
    /// Checks a statement, for the key that will sign it.
    pub fn new(statement: &Statement, signer: KeyId) -> Result<Self, StatementError> {
        statement.check().map_err(StatementError::Field)?;
        let payload = statement.payload().map_err(StatementError::from_payload)?;
        let (issuer, subject) = statement.claims();
        Ok(Self(OpenEnvelope::new(payload, &issuer, &subject, signer)))
    }

    /// The bytes that the key signs: `Sig_structure` (RFC 9052 section 4.4).
    pub fn to_be_signed(&self) -> Vec<u8> {
        self.0.to_be_signed()
    }

    /// The statement with its signature, read again from its bytes. Whether the signature is the key's is for the caller to check.
    pub fn signed(&self, signature: &Signature) -> Result<SignedStatement, StatementError> {
        SignedStatement::parse(&self.0.close(signature))
    }
}

#[cfg(test)]
pub(crate) mod tests;
