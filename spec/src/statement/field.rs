//! What can be wrong with the fields of a statement, and the collector that finds all of it.

use core::fmt;
use std::collections::BTreeSet;

use super::{
    Artifact, Basis, ComponentId, Configuration, DangerousDomain, ExpressionError, HostType, LicenceExpression, Line,
    LoggedRelease, PublisherName, Stage,
};
use crate::canonical::{FieldPath, ShapeError, ShapeProblem};
use crate::hash::KeyId;
use crate::name::{Coordinate, Publisher};

/// A field that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldError {
    /// Missing, unknown, of another type, outside its vocabulary or of another form.
    Shape(ShapeError),
    /// A part of a name outside the grammar.
    Name(ShapeError),
    /// A public key that is not enrolled.
    Key(ShapeError),
    /// A list with more items than it may have.
    TooMany {
        /// Which.
        path: FieldPath,
        /// The limit.
        limit: usize,
        /// How many.
        found: usize,
    },
    /// A list that must have an item.
    Empty {
        /// Which.
        path: FieldPath,
    },
    /// The same twice in a list of different things.
    Duplicate {
        /// The list.
        path: FieldPath,
        /// What is there twice.
        found: String,
    },
    /// Not of the grammar of licence expressions.
    LicenseUnparsable {
        /// Which field.
        path: FieldPath,
        /// What it says.
        found: String,
        /// Why it is none.
        reason: ExpressionError,
    },
    /// `artifact` is `quantized` and nothing says how.
    QuantizationMissing,
    /// A quantization of an adapter or a hosted service, which have no weights of their own to quantize.
    QuantizationUnexpected {
        /// What it is.
        artifact: Artifact,
    },
    /// No file of weights.
    NoWeights,
    /// Neither parents nor `from_scratch`.
    LineageMissing,
    /// Parents and `from_scratch`.
    LineageContradiction,
    /// `from_scratch`, for an artifact that is made of another.
    ScratchImpossible {
        /// What it is.
        artifact: Artifact,
    },
    /// A component of which nothing is said.
    ComponentMissing {
        /// Which.
        component: ComponentId,
    },
    /// A dangerous capability of which nothing is said.
    DomainMissing {
        /// Which.
        domain: DangerousDomain,
    },
    /// A dangerous capability both evaluated and not.
    DomainContradiction {
        /// Which.
        domain: DangerousDomain,
    },
    /// A result got with safeguards that does not say which, or one got without that names some.
    SafeguardsDiffer {
        /// The evaluation's field.
        path: FieldPath,
        /// How it was run.
        configuration: Configuration,
    },
    /// An evaluation names a safeguard that the release does not have.
    SafeguardUnknown {
        /// The evaluation's field.
        path: FieldPath,
        /// The id.
        found: String,
    },
    /// A safeguard with a file, said not to travel.
    SafeguardFileStays {
        /// The safeguard's field.
        path: FieldPath,
    },
    /// No host, though the weights can be had.
    HostsMissing {
        /// The stage of access.
        stage: Stage,
    },
    /// A host that has revisions, without one.
    RevisionMissing {
        /// The host's field.
        path: FieldPath,
        /// Its type.
        host: HostType,
    },
    /// A listing of the files of no commit.
    CommitMissing {
        /// The field of the package URL.
        path: FieldPath,
        /// The package URL.
        found: String,
    },
    /// A class that goes with another basis, or none where the basis has classes.
    ClassDiffers {
        /// The basis of the claim.
        basis: Basis,
    },
    /// A `kid` that is not the id of its key.
    KeyIdDiffers {
        /// The key's field.
        path: FieldPath,
        /// The id of the key.
        expected: KeyId,
        /// What is said.
        found: KeyId,
    },
    /// A threshold of none, or above the number of keys.
    ThresholdOutOfRange {
        /// The most it can be.
        most: usize,
        /// The threshold.
        found: u64,
    },
    /// A threshold for releases that says nothing, or that fewer keys could lower.
    ReleaseThresholdOutOfRange {
        /// The threshold for changes of keys.
        most: u64,
        /// The threshold for releases.
        found: u64,
    },
    /// Fewer keys signed than must.
    ApprovalsMissing {
        /// How many must.
        needed: u64,
        /// How many did.
        found: usize,
    },
    /// An approval by a key that is not one of the claim's.
    ApproverNotListed {
        /// The approval's field.
        path: FieldPath,
        /// The key.
        found: KeyId,
    },
    /// A field that this statement needs.
    Required {
        /// Which.
        path: FieldPath,
        /// Why.
        because: &'static str,
    },
    /// A field that this statement cannot have.
    Unexpected {
        /// Which.
        path: FieldPath,
        /// Why.
        because: &'static str,
    },
    /// Somebody else than the publisher says what only the publisher can.
    NotThePublisher {
        /// Who speaks.
        found: Publisher,
        /// About what.
        coordinate: Coordinate,
    },
    /// A third party's statement by the publisher.
    OwnRelease {
        /// Who speaks.
        publisher: Publisher,
    },
    /// An amendment of nothing.
    NothingAmended,
    /// A release that is to replace itself.
    SupersedesItself,
}

impl FieldError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shape(error) => match error.problem {
                ShapeProblem::Missing => "field-missing",
                ShapeProblem::Unknown { .. } => "field-unknown",
                ShapeProblem::WrongType { .. } => "field-wrong-type",
                ShapeProblem::NotOneOf { .. } => "field-not-one-of",
                ShapeProblem::Invalid { .. } => "field-invalid",
            },
            Self::Name(_) => "name-grammar",
            Self::Key(_) => "key-refused",
            Self::TooMany { .. } => "field-too-many",
            Self::Empty { .. } => "field-empty",
            Self::Duplicate { .. } => "field-duplicate",
            Self::LicenseUnparsable { .. } => "license-unparsable",
            Self::QuantizationMissing => "quantization-missing",
            Self::QuantizationUnexpected { .. } => "quantization-unexpected",
            Self::NoWeights => "no-weights",
            Self::LineageMissing => "lineage-missing",
            Self::LineageContradiction => "lineage-contradiction",
            Self::ScratchImpossible { .. } => "scratch-impossible",
            Self::ComponentMissing { .. } => "component-missing",
            Self::DomainMissing { .. } => "domain-missing",
            Self::DomainContradiction { .. } => "domain-contradiction",
            Self::SafeguardsDiffer { .. } => "safeguards-differ",
            Self::SafeguardUnknown { .. } => "safeguard-unknown",
            Self::SafeguardFileStays { .. } => "safeguard-file-stays",
            Self::HostsMissing { .. } => "hosts-missing",
            Self::RevisionMissing { .. } => "revision-missing",
            Self::CommitMissing { .. } => "commit-missing",
            Self::ClassDiffers { .. } => "class-differs",
            Self::KeyIdDiffers { .. } => "key-id-differs",
            Self::ThresholdOutOfRange { .. } | Self::ReleaseThresholdOutOfRange { .. } => "threshold-out-of-range",
            Self::ApprovalsMissing { .. } => "approvals-missing",
            Self::ApproverNotListed { .. } => "approver-not-listed",
            Self::Required { .. } => "field-required",
            Self::Unexpected { .. } => "field-unexpected",
            Self::NotThePublisher { .. } => "not-the-publisher",
            Self::OwnRelease { .. } => "own-release",
            Self::NothingAmended => "nothing-amended",
            Self::SupersedesItself => "supersedes-itself",
        }
    }

    /// The field it is about.
    pub fn path(&self) -> FieldPath {
        match self {
            Self::Shape(error) | Self::Name(error) | Self::Key(error) => error.path.clone(),
            Self::TooMany { path, .. }
            | Self::Empty { path }
            | Self::Duplicate { path, .. }
            | Self::LicenseUnparsable { path, .. }
            | Self::SafeguardsDiffer { path, .. }
            | Self::SafeguardUnknown { path, .. }
            | Self::SafeguardFileStays { path }
            | Self::RevisionMissing { path, .. }
            | Self::CommitMissing { path, .. }
            | Self::KeyIdDiffers { path, .. }
            | Self::ApproverNotListed { path, .. }
            | Self::Required { path, .. }
            | Self::Unexpected { path, .. } => path.clone(),
            Self::QuantizationMissing | Self::QuantizationUnexpected { .. } => FieldPath::new("model.quantization"),
            Self::NoWeights => FieldPath::new("weights.files"),
            Self::LineageMissing => FieldPath::new("lineage"),
            Self::LineageContradiction | Self::ScratchImpossible { .. } => FieldPath::new("from_scratch"),
            Self::ComponentMissing { component } => FieldPath::new(format!("components.{component}")),
            Self::DomainMissing { domain } | Self::DomainContradiction { domain } => {
                FieldPath::new(format!("not_evaluated.{domain}"))
            }
            Self::HostsMissing { .. } => FieldPath::new("hosts"),
            Self::ClassDiffers { .. } => FieldPath::new("openness.class"),
            Self::ThresholdOutOfRange { .. } => FieldPath::new("threshold"),
            Self::ReleaseThresholdOutOfRange { .. } => FieldPath::new("release_threshold"),
            Self::ApprovalsMissing { .. } => FieldPath::new("approvals"),
            Self::NotThePublisher { .. } | Self::OwnRelease { .. } => FieldPath::new("publisher.name"),
            Self::NothingAmended => FieldPath::new("release"),
            Self::SupersedesItself => FieldPath::new("by.coordinate"),
        }
    }
}

/// The fields whose form is the grammar of names.
const NAMES: [&str; 4] = ["publisher.name", "model.name", "model.version", "model.variant"];

impl From<ShapeError> for FieldError {
    fn from(error: ShapeError) -> Self {
        let path = error.path.as_str();
        match error.problem {
            ShapeProblem::Invalid { .. } if NAMES.contains(&path) || path.ends_with(".coordinate") => Self::Name(error),
            ShapeProblem::Invalid { .. } if path.ends_with(".public_key") => Self::Key(error),
            _ => Self::Shape(error),
        }
    }
}

/// Collects what is wrong, in the order of the fields.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<FieldError>);

impl Problems {
    pub(super) fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    pub(super) fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    pub(super) fn at_least_one<T>(&mut self, path: &str, list: &[T]) {
        if list.is_empty() {
            self.push(FieldError::Empty { path: FieldPath::new(path) });
        }
    }

    pub(super) fn at_most<T>(&mut self, path: &str, list: &[T], limit: usize) {
        if list.len() > limit {
            self.push(FieldError::TooMany { path: FieldPath::new(path), limit, found: list.len() });
        }
    }

    pub(super) fn different<T: Ord + fmt::Display>(&mut self, path: &str, list: impl IntoIterator<Item = T>) {
        let mut seen = BTreeSet::new();
        for item in list {
            if let Some(twice) = seen.replace(item) {
                self.push(FieldError::Duplicate { path: FieldPath::new(path), found: twice.to_string() });
            }
        }
    }

    pub(super) fn required(&mut self, path: &str, because: &'static str) {
        self.push(FieldError::Required { path: FieldPath::new(path), because });
    }

    pub(super) fn unexpected(&mut self, path: &str, because: &'static str) {
        self.push(FieldError::Unexpected { path: FieldPath::new(path), because });
    }

    /// Only a release's publisher says this about it.
    pub(super) fn own(&mut self, speaker: &PublisherName, release: &LoggedRelease) {
        if speaker.name != release.coordinate.publisher {
            let (found, coordinate) = (speaker.name.clone(), release.coordinate.clone());
            self.push(FieldError::NotThePublisher { found, coordinate });
        }
    }

    /// An expression of the grammar. Whether a list has its ids decides nothing here: lists change, and what was valid stays so.
    pub(super) fn license(&mut self, path: &str, expression: &Line) {
        if let Err(reason) = LicenceExpression::parse(expression.as_str()) {
            let found = expression.to_string();
            self.push(FieldError::LicenseUnparsable { path: FieldPath::new(path), found, reason });
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        match self {
            Self::Shape(error) | Self::Name(error) | Self::Key(error) => error.fmt(f),
            Self::TooMany { limit, found, .. } => write!(f, "{path}: expected at most {limit}, found {found}"),
            Self::Empty { .. } => write!(f, "{path}: expected at least one, found none"),
            Self::Duplicate { found, .. } => write!(f, "{path}: expected each once, found {found} twice"),
            Self::LicenseUnparsable { found, reason, .. } => {
                write!(f, "{path}: expected a licence expression as SPDX writes them, found {found:?}: {reason}")
            }
            Self::QuantizationMissing => write!(f, "{path}: expected the kind of quantization, found none"),
            Self::QuantizationUnexpected { artifact } => {
                write!(f, "{path}: expected none, since the artifact is {artifact}")
            }
            Self::NoWeights => write!(f, "{path}: expected at least one file of weights, found 0"),
            Self::LineageMissing => write!(f, "{path}: expected at least one parent, or from_scratch = true"),
            Self::LineageContradiction => write!(f, "{path}: expected false, since lineage names parents"),
            Self::ScratchImpossible { artifact } => {
                write!(f, "{path}: expected false and a parent in lineage, since the artifact is {artifact}")
            }
            Self::ComponentMissing { .. } => {
                write!(f, "{path}: expected to read whether it is included, found nothing")
            }
            Self::DomainMissing { domain } => {
                write!(
                    f,
                    "{path}: expected a dangerous-capability or safety evaluation of {domain}, or a reason why not"
                )
            }
            Self::DomainContradiction { domain } => write!(f, "{path}: expected none, since {domain} is evaluated"),
            Self::SafeguardsDiffer { configuration, .. } => match configuration.has_safeguards() {
                Some(false) => write!(f, "{path}: expected none, since the configuration is {configuration}"),
                _ => write!(f, "{path}: expected the safeguards it ran with, found none"),
            },
            Self::SafeguardUnknown { found, .. } => {
                write!(f, "{path}: expected the id of one of safety.safeguards, found {found}")
            }
            Self::SafeguardFileStays { .. } => {
                write!(f, "{path}: expected travels = true, since a file of the release carries it")
            }
            Self::HostsMissing { stage } => {
                write!(f, "{path}: expected at least one, since access is {stage}")
            }
            Self::RevisionMissing { host, .. } => {
                write!(f, "{path}: expected the revision, since {host} has revisions")
            }
            Self::CommitMissing { found, .. } => {
                write!(f, "{path}: expected @ and the commit of git whose files are listed, found {found}")
            }
            Self::ClassDiffers { basis: Basis::Mof10 } => {
                write!(f, "{path}: expected the class under MOF-1.0, found none")
            }
            Self::ClassDiffers { basis } => write!(f, "{path}: expected none, since the basis is {basis}"),
            Self::KeyIdDiffers { expected, found, .. } => {
                write!(f, "{path}: expected {expected}, the SHA-256 of the key's SubjectPublicKeyInfo, found {found}")
            }
            Self::ThresholdOutOfRange { most, found } => {
                write!(f, "{path}: expected 1 to {most}, the number of keys, found {found}")
            }
            Self::ReleaseThresholdOutOfRange { most: ..2, found } => {
                write!(f, "{path}: expected none, since one key changes the keys and could lower it, found {found}")
            }
            Self::ReleaseThresholdOutOfRange { most, found } => {
                write!(
                    f,
                    "{path}: expected 2 to {most}, as many keys as change the keys, or none where one is enough, found {found}"
                )
            }
            Self::ApprovalsMissing { needed, found } => {
                write!(f, "{path}: expected signatures by {needed} keys, found {found}, the signer's own among them")
            }
            Self::ApproverNotListed { found, .. } => {
                write!(f, "{path}: expected one of the keys of the claim, found {found}")
            }
            Self::Required { because, .. } => write!(f, "{path}: expected it to be there, since {because}"),
            Self::Unexpected { because, .. } => write!(f, "{path}: expected none, since {because}"),
            Self::NotThePublisher { found, coordinate } => {
                write!(f, "{path}: expected {}, the publisher of {coordinate}, found {found}", coordinate.publisher)
            }
            Self::OwnRelease { publisher } => {
                write!(f, "{path}: expected a third party, found {publisher} speaking about its own release")
            }
            Self::NothingAmended => write!(f, "{path}: expected at least one field that changes, found none"),
            Self::SupersedesItself => write!(f, "{path}: expected another coordinate than the one that is replaced"),
        }
    }
}

impl core::error::Error for FieldError {}
