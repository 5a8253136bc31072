//! What a model was made of, and what of its parents' terms and warnings it carries on.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::logged::HexLeafHash;
use super::{Artifact, FieldError, Line, LoggedRelease, ModelFacts, Purl, Reference};
use crate::canonical::vocabulary;
use crate::hash::Digest;
use crate::name::Coordinate;

/// The most parents of one release.
pub const MAX_PARENTS: usize = 64;

vocabulary! {
    /// How a model came of its parent.
    pub enum Relation {
        /// Trained further.
        Finetune = "finetune",
        /// A change to be applied to it.
        Adapter = "adapter",
        /// Made of its weights and others'.
        Merge = "merge",
        /// Given fewer bits.
        Quantized = "quantized",
        /// Trained on its outputs.
        Distilled = "distilled",
        /// Written in another format.
        Converted = "converted",
        /// Anything else.
        Other = "other",
    }
}

/// One parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ancestor {
    /// How the model came of it.
    pub relation: Relation,
    /// The weights digest of the bytes that were used.
    pub parent_weights: Digest,
    /// What made the model of it, with its version; `none` where nothing did.
    pub tool: Line,
    /// Which release it is.
    pub parent: Parent,
    /// What the model carries on of it.
    pub carries: Carries,
    /// How it was made, so that it can be made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Reference>,
}

/// Which release a parent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Either", into = "Either")]
pub enum Parent {
    /// An entry of the log that the statement is in.
    Logged(LoggedRelease),
    /// Something that no log records.
    Unlogged(UnloggedParent),
}

/// Something that was released without a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnloggedParent {
    /// Its package URL.
    pub purl: Purl,
    /// The tree digest of its files as they were got.
    pub digest: Digest,
}

/// What is carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carries {
    /// The licence.
    pub license: bool,
    /// The policy of use.
    pub use_policy: bool,
    /// The model card.
    pub model_card: bool,
    /// The notes about risks.
    pub risk_notes: bool,
}

/// The fields of both forms.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Either {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coordinate: Option<Coordinate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf_hash: Option<HexLeafHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purl: Option<Purl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
}

impl TryFrom<Either> for Parent {
    type Error = &'static str;

    fn try_from(either: Either) -> Result<Self, Self::Error> {
        match either {
            Either {
                coordinate: Some(coordinate),
                entry: Some(entry),
                leaf_hash: Some(leaf),
                purl: None,
                digest: None,
            } => Ok(Self::Logged(LoggedRelease { coordinate, entry, leaf_hash: leaf.0 })),
            Either { coordinate: None, entry: None, leaf_hash: None, purl: Some(purl), digest: Some(digest) } => {
                Ok(Self::Unlogged(UnloggedParent { purl, digest }))
            }
            _ => Err("expected coordinate, entry and leaf_hash of a logged parent, or purl and digest of another"),
        }
    }
}

impl From<Parent> for Either {
    fn from(parent: Parent) -> Self {
        match parent {
            Parent::Logged(LoggedRelease { coordinate, entry, leaf_hash }) => Self {
                coordinate: Some(coordinate),
                entry: Some(entry),
                leaf_hash: Some(HexLeafHash(leaf_hash)),
                purl: None,
                digest: None,
            },
            Parent::Unlogged(UnloggedParent { purl, digest }) => {
                Self { coordinate: None, entry: None, leaf_hash: None, purl: Some(purl), digest: Some(digest) }
            }
        }
    }
}

/// Whether an artifact is made of another model, whatever else is said of it.
fn is_derived(artifact: Artifact) -> bool {
    matches!(artifact, Artifact::Quantized | Artifact::Adapter | Artifact::Merge | Artifact::Distilled)
}

/// An amended lineage, with the amended facts of the model: what depends on each other is said together.
pub(super) fn check_amended(
    lineage: Option<&[Ancestor]>,
    model: Option<&ModelFacts>,
    release: &LoggedRelease,
    problems: &mut Problems,
) {
    match (lineage, model) {
        (None, Some(model)) if is_derived(model.artifact) => problems.push(FieldError::LineageMissing),
        (Some([]), Some(model)) if is_derived(model.artifact) => {
            problems.push(FieldError::ScratchImpossible { artifact: model.artifact });
        }
        // That a release has no parents depends on what it is.
        (Some([]), None) => problems.required("model", "whether a release may have no parents depends on its artifact"),
        _ => {}
    }
    let lineage = lineage.unwrap_or_default();
    problems.at_most("lineage", lineage, MAX_PARENTS);
    for (number, ancestor) in lineage.iter().enumerate() {
        if matches!(&ancestor.parent, Parent::Logged(parent) if parent.coordinate == release.coordinate) {
            problems.unexpected(&format!("lineage[{number}].parent.coordinate"), "a release is no parent of itself");
        }
    }
}

pub(super) fn check(lineage: &[Ancestor], from_scratch: bool, artifact: Artifact, problems: &mut Problems) {
    let derived = is_derived(artifact);
    match (from_scratch, lineage.is_empty()) {
        (false, true) => problems.push(FieldError::LineageMissing),
        (true, false) => problems.push(FieldError::LineageContradiction),
        (true, true) if derived => problems.push(FieldError::ScratchImpossible { artifact }),
        _ => {}
    }
    problems.at_most("lineage", lineage, MAX_PARENTS);
}
