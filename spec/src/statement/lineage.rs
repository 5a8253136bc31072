//! What a model was made of, and what of its parents' terms and warnings it carries on.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Artifact, FieldError, Line, LoggedRelease, ModelFacts, Parent, Reference, UnseenBytes};
use crate::canonical::{FieldPath, vocabulary};
use crate::hash::Digest;

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
    /// The weights digest of the bytes that were used; none where the publisher never had them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_weights: Option<Digest>,
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
    check_parents(lineage, problems);
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
    check_parents(lineage, problems);
}

/// A parent whose bytes were had is bound to its weights, and one whose bytes were not had names none.
fn check_parents(lineage: &[Ancestor], problems: &mut Problems) {
    problems.at_most("lineage", lineage, MAX_PARENTS);
    for (number, ancestor) in lineage.iter().enumerate() {
        let weights = || format!("lineage[{number}].parent_weights");
        match (&ancestor.parent, ancestor.parent_weights) {
            (Parent::Unseen(_), Some(_)) => {
                problems.unexpected(&weights(), "the publisher never had the bytes of this parent");
            }
            (Parent::Logged(_) | Parent::Unlogged(_), None) => {
                problems.required(&weights(), "only a parent with a listing or unknown has none");
            }
            _ => {}
        }
        if let Parent::Unseen(parent) = &ancestor.parent
            && matches!(parent.bytes, UnseenBytes::Listed(_))
            && parent.purl.commit().is_none()
        {
            let path = FieldPath::new(format!("lineage[{number}].parent.purl"));
            problems.push(FieldError::CommitMissing { path, found: parent.purl.to_string() });
        }
    }
}
