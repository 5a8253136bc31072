//! Why a bundle is refused: the first check that fails.

use core::fmt;

use stele_explain::{Exit, Explain, explain};

use super::name_error::{ListDiffers, NamePart, NameProofRefused};
use crate::bundle::BundleError;
use crate::hash::KeyId;
use crate::manifest::ManifestError;
use crate::name::{Coordinate, Publisher};
use crate::note::SignedNote;
use crate::policy::RefusedCheckpoint;
use crate::proof::ProofError;
use crate::registration::BrokenHistory;
use crate::statement::{ManifestMismatch, StatementError, VerifyError as SignatureError};

/// Why a bundle proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a bundle.
    Bundle(BundleError),
    /// The policy does not vouch for the tree head.
    Checkpoint(RefusedCheckpoint),
    /// A statement in it is none.
    Statement(StatementError),
    /// Something else than a release.
    NotARelease {
        /// The kind.
        found: String,
    },
    /// The release is of another publisher.
    OtherPublisher {
        /// Whom the verifier insists on.
        expected: Publisher,
        /// Whose it is.
        found: Publisher,
    },
    /// The release is signed by another key.
    OtherKey {
        /// On which the verifier insists.
        expected: KeyId,
        /// Which it is.
        found: KeyId,
    },
    /// The release has another coordinate.
    OtherCoordinate {
        /// On which the verifier insists.
        expected: Box<Coordinate>,
        /// Which it is.
        found: Box<Coordinate>,
    },
    /// The checkpoint was cosigned before the verifier's limit, or states no time.
    TooOld {
        /// The limit in Unix seconds.
        not_before: u64,
        /// The median of the cosignature times in Unix seconds.
        found: Option<u64>,
    },
    /// The proof of a key statement fails.
    KeyProof(ProofError),
    /// The key statement is in another log.
    OtherLog {
        /// The release's.
        expected: String,
        /// The key statement's.
        found: String,
    },
    /// Two tree heads of one size in one bundle, each accepted by the policy.
    TwoHistories {
        /// The size.
        size: u64,
        /// The first.
        older: Box<SignedNote>,
        /// The other.
        newer: Box<SignedNote>,
    },
    /// The key statements do not follow from each other.
    KeyHistory(BrokenHistory),
    /// The key that signed had been revoked.
    KeyRevoked {
        /// The name.
        publisher: Publisher,
        /// The signer, or an approver.
        kid: KeyId,
        /// The position of the revocation.
        revoked: u64,
        /// The position of the release.
        release: u64,
    },
    /// No key statement has the key that signed.
    KeyNotHeld {
        /// The name.
        publisher: Publisher,
        /// The signer, or an approver.
        kid: KeyId,
        /// The keys that do hold the name.
        claimed: Vec<KeyId>,
    },
    /// Fewer keys signed the release than the name asks for.
    ApprovalsMissing {
        /// The name.
        publisher: Publisher,
        /// How many keys must sign.
        needed: u64,
        /// How many did.
        found: u64,
    },
    /// The name was claimed after the release.
    ClaimedLater {
        /// Its position.
        claim: u64,
        /// The release's.
        release: u64,
    },
    /// A signature fails.
    Signature(SignatureError),
    /// The proof of the release fails.
    Proof(ProofError),
    /// Not a manifest.
    Manifest(ManifestError),
    /// The manifest is not the release's.
    ManifestDiffers(ManifestMismatch),
    /// A name proof in the bundle shows nothing.
    NameProof {
        /// Which.
        part: NamePart,
        /// Why.
        error: NameProofRefused,
    },
    /// The bundle does not have what a name proof lists.
    NameList {
        /// Which.
        part: NamePart,
        /// How they differ.
        problem: ListDiffers,
    },
    /// By what the bundle itself has, the publisher withdrew the release.
    Withdrawn {
        /// The release.
        coordinate: Box<Coordinate>,
        /// The statement.
        entry: u64,
        /// The day.
        when: String,
        /// Why.
        reason: String,
    },
    /// By what the bundle itself has, the log holds two releases, or other weights, under the coordinate.
    Conflicting {
        /// The release.
        coordinate: Box<Coordinate>,
        /// The first statement that cannot be beside it.
        entry: u64,
    },
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(error) => error.fmt(f),
            Self::Checkpoint(error) => error.fmt(f),
            Self::Statement(error) => write!(f, "a statement in the bundle is refused: {error}"),
            Self::NotARelease { found } => write!(f, "expected a release, found a statement of the kind {found}"),
            Self::OtherPublisher { .. } => f.write_str("the release is of another publisher"),
            Self::OtherKey { .. } => f.write_str("the release is signed by another key"),
            Self::OtherCoordinate { .. } => f.write_str("the bundle is of another release"),
            Self::TooOld { .. } => f.write_str("the checkpoint of the bundle is older than accepted"),
            Self::KeyProof(error) => {
                write!(f, "the publisher's key statement is not proven to be in the log: {error}")
            }
            Self::OtherLog { .. } => f.write_str("the publisher's key statement is in another log than the release"),
            Self::TwoHistories { size, .. } => {
                write!(f, "the bundle has two tree heads of {size} entries of one log: this log shows two histories")
            }
            Self::KeyHistory(error) => write!(f, "the publisher's key history in the bundle is broken: {error}"),
            Self::KeyRevoked { publisher, revoked, release, .. } => {
                let release = format!("the release of {publisher} at entry {release}");
                write!(f, "the key that signed {release} was revoked at entry {revoked}")
            }
            Self::KeyNotHeld { publisher, .. } => {
                write!(f, "{publisher} does not hold the key that signed the release")
            }
            Self::ApprovalsMissing { publisher, needed, found } => {
                write!(f, "{publisher} asks for {needed} of its keys on each release, and {found} signed this one")
            }
            Self::ClaimedLater { claim, release } => {
                write!(f, "the name was claimed at entry {claim}, after the release at entry {release}")
            }
            Self::Signature(error) => error.fmt(f),
            Self::Proof(error) => write!(f, "the release is not proven to be in the log: {error}"),
            Self::Manifest(error) => write!(f, "the manifest in the bundle is refused: {error}"),
            Self::ManifestDiffers(_) => f.write_str("the manifest in the bundle is not the one of the release"),
            Self::NameProof { part, error } => {
                write!(f, "the bundle does not prove what the log lists of {}: {error}", part.as_str())
            }
            Self::NameList { part, problem } => {
                write!(f, "the bundle does not have what the log lists of {}: {problem}", part.as_str())
            }
            Self::Withdrawn { coordinate, when, .. } => {
                write!(f, "{coordinate} was withdrawn by its publisher on {when}")
            }
            Self::Conflicting { coordinate, .. } => write!(f, "the log contradicts itself about {coordinate}"),
        }
    }
}

impl core::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::KeyHistory(error) => Some(error),
            Self::ManifestDiffers(error) => Some(error),
            _ => None,
        }
    }
}

const ASK_THE_PUBLISHER: &str = "do not use these files until the publisher explains this";
const NOT_OF_THAT_PUBLISHER: &str =
    "do not use these files as a release of that publisher; ask it which key it signs with";
const SOMEBODY_ELSE: &str = "somebody else may speak in this publisher's name: do not use these files";
const RENEW: &str = "`stele fetch` makes release.stele anew from the log; if it stays so, the log hides something: stele audit finds what";
const TWO_RELEASES: &str = "release.stele was put together from two releases: get it again";

impl Explain for VerifyError {
    explain! {
        Self::Checkpoint(error) => error;
        Self::KeyProof(error) | Self::Proof(error) => error;
        Self::Bundle(BundleError::StandIn { found }) => Exit::BadInput, "bundle-malformed", hint: found.hint();
        Self::Bundle(_) => Exit::BadInput, "bundle-malformed",
            hint: "get release.stele again: it is damaged, or another kind of file";
        Self::Statement(error) => Exit::BadInput, error.code(), hint: ASK_THE_PUBLISHER;
        Self::NotARelease { .. } => Exit::BadInput, "not-a-release",
            hint: "get the release.stele of the release: `stele fetch`; `stele show FILE --policy POLICY` proves what this one is, and says it";
        Self::Manifest(error) => Exit::BadInput, error.code(), hint: ASK_THE_PUBLISHER;
        Self::OtherPublisher { expected, found } => Exit::BadSignature, "other-publisher", hint: NOT_OF_THAT_PUBLISHER,
            "expected": expected, "found": found;
        Self::OtherKey { expected, found } => Exit::BadSignature, "other-key", hint: NOT_OF_THAT_PUBLISHER,
            "expected": expected, "found": found;
        Self::OtherCoordinate { expected, found } => Exit::BytesDiffer, "other-coordinate",
            hint: "this is another release than the expected one: get that one's release.stele",
            "expected": expected, "found": found;
        Self::TooOld { not_before, found } => Exit::QuorumMissing, "evidence-too-old",
            hint: "ask the log for a newer proof, or accept an older one",
            "expected": format!("cosigned at {not_before} or later, in Unix seconds"),
            "found": found.map_or_else(|| "no time".to_owned(), |found| found.to_string());
        Self::OtherLog { expected, found } => Exit::NotInLog, "other-log",
            hint: "get release.stele again; if it stays so, the release is not in the log and nobody else sees it",
            "expected": expected, "found": found;
        Self::TwoHistories { .. } => Exit::Inconsistent, "log-forked",
            hint: "rely on nothing that this log says: keep the bundle, and send it to the log's witnesses";
        Self::KeyHistory(broken) => Exit::BadSignature, "key-history-broken", hint: SOMEBODY_ELSE,
            "entry": broken.position, "rule": broken.refusal.code();
        Self::KeyRevoked { kid, .. } => Exit::BadSignature, "key-revoked", hint: SOMEBODY_ELSE,
            "expected": "a key that holds the name there", "found": kid;
        Self::KeyNotHeld { kid, claimed, .. } => Exit::BadSignature, "key-not-held", hint: SOMEBODY_ELSE,
            "expected": match claimed.as_slice() {
                [] => "a claim of the name in the bundle".to_owned(),
                claimed => claimed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            },
            "found": kid;
        Self::ApprovalsMissing { needed, found, .. } => Exit::BadSignature, "approvals-missing", hint: SOMEBODY_ELSE,
            "expected": format!("{needed} keys that sign"), "found": found;
        Self::ClaimedLater { .. } => Exit::BadSignature, "claimed-later", hint: SOMEBODY_ELSE;
        Self::Signature(error) => Exit::BadSignature, error.code(), hint: SOMEBODY_ELSE;
        Self::ManifestDiffers(error @ ManifestMismatch::Digest { expected, found, .. }) =>
            Exit::BytesDiffer, error.code(), hint: TWO_RELEASES, "expected": expected, "found": found;
        Self::ManifestDiffers(error) => Exit::BytesDiffer, error.code(), hint: TWO_RELEASES;
        Self::NameProof { error: NameProofRefused::Malformed(_), .. } => Exit::BadInput, "name-proof-malformed", hint: RENEW;
        Self::NameProof { error, .. } => Exit::NotInLog, "name-proof-refused", hint: RENEW, "check": error.check();
        Self::NameList { .. } => Exit::NotInLog, "name-list-differs", hint: RENEW;
        Self::Withdrawn { entry, reason, .. } => Exit::Withdrawn, "withdrawn",
            hint: "do not use it; the bytes still match, and whoever means to go on says so: --accept withdrawn, allow_withdrawn",
            "entry": entry, "reason": reason;
        Self::Conflicting { entry, .. } => Exit::Conflicting, "release-conflict",
            hint: "do not use it: the log, or whoever holds its keys, lied. `stele audit` writes the evidence: send it to the witnesses",
            "entry": entry;
    }
}
